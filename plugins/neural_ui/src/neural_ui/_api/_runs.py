"""``GET runs`` and ``GET changes``: the list of experiments, whole and as it changes."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from flask import Blueprint, Response, request

from neural_core.reading import ExperimentStore, Listed, StoredRun
from neural_ui._api._answers import json_text, text_answer
from neural_ui._api._columns import Columns

__all__ = ["add_runs"]


class _List:
    """The answer to ``GET runs``, made again when the store has changed."""

    def __init__(self, store: ExperimentStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._columns = Columns()
        self._made: tuple[str, str] = ("", "")

    def answer(self) -> Response:
        """Give it, or say that the browser has it."""
        with self._lock:
            listed = self._store.listed()
            version = f'"{listed.version}"'
            if request.headers.get("If-None-Match") == version:
                answer = Response(status=304)
            else:
                if self._made[0] != version:
                    self._made = version, self._text(listed)
                answer = text_answer(self._made[1])
        answer.headers["ETag"] = version
        answer.headers["Cache-Control"] = "no-cache"
        return answer

    def _text(self, listed: Listed) -> str:
        head = {
            "base_dir": str(self._store.base_dir),
            "cursor": listed.cursor,
            "total": len(listed.runs),
            "trash": listed.trash,
            "directions": self._store.directions(),
        }
        return f'{json_text(head)[:-1]},"runs":{self._columns.text(listed.runs)}}}'

    def columns(self, runs: Iterable[StoredRun]) -> str:
        """Give some experiments in columns."""
        with self._lock:
            return self._columns.text(runs)


def add_runs(api: Blueprint, store: ExperimentStore) -> None:
    """Add the routes."""
    every = _List(store)

    @api.get("/runs")
    def runs() -> Response:
        return every.answer()

    @api.get("/changes")
    def changes() -> Response:
        found = store.changes(request.args.get("cursor"))
        head = json_text({"cursor": found.cursor, "removed": found.removed, "grown": found.grown})
        return text_answer(f'{head[:-1]},"runs":{every.columns(found.runs)}}}')
