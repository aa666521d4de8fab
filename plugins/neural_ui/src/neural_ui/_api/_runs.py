"""``GET runs`` and ``GET changes``: the list of experiments, whole and as it changes."""

from __future__ import annotations

from flask import Blueprint, Response, request

from neural_core.reading import ExperimentStore
from neural_ui._api._answers import data_answer, json_text, text_answer
from neural_ui._api._arguments import whole
from neural_ui._api._columns import columns_text
from neural_ui._api._run_list import RunList

__all__ = ["add_runs"]

_MOST = 1_000_000


def add_runs(api: Blueprint, store: ExperimentStore, every: RunList) -> None:
    """Add the routes; a page need not wait for experiments that were not read yet."""

    @api.get("/runs")
    def runs() -> Response:
        newest = whole("newest", 0, 0, _MOST) or None
        known = (request.headers.get("If-None-Match") or "").strip('"')
        sheet = every.sheet(newest, known)
        if sheet is None:
            answer = Response(status=304)
        else:
            answer = data_answer(sheet.data, "application/json", packed=sheet.packed)
        answer.headers["ETag"] = f'"{known if sheet is None else sheet.version}"'
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    @api.get("/changes")
    def changes() -> Response:
        found = store.changes(request.args.get("cursor"), whole=False)
        head = {
            "cursor": found.cursor,
            "removed": found.removed,
            "grown": found.grown,
            "pending": found.pending,
            "directions": store.directions(found.runs),
        }
        return text_answer(f'{json_text(head)[:-1]},"runs":{columns_text(found.runs)}}}')
