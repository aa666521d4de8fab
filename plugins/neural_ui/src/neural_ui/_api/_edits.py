"""Changes: name, notes, tags and colour, the trash, and which values of a metric are better."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from neural_core.reading import Edit, ExperimentStore
from neural_ui._api._answers import json_answer
from neural_ui._api._arguments import RefusedError

__all__ = ["add_edits"]

_FIELDS = ("name", "notes", "tags", "color")


def add_edits(api: Blueprint, store: ExperimentStore) -> None:
    """Add the routes."""

    @api.post("/runs/<run_id>")
    def edit(run_id: str) -> Response:
        said = _said()
        revision = said.pop("revision", None)
        if not isinstance(revision, str):
            raise RefusedError("revision is missing: give the one that the list showed")
        if unknown := sorted(said.keys() - set(_FIELDS)):
            raise RefusedError(f"{unknown[0]!r:.80} cannot be changed: give name, notes, tags or color")
        if said.get("color", "") is None:
            said["color"] = ""  # null goes back to the page's own colour
        run = store.edit(run_id, revision, Edit(**said))
        return json_answer({"id": run.id, "revision": run.revision})

    @api.post("/runs/<run_id>/trash")
    def trash(run_id: str) -> Response:
        store.throw_away(run_id)
        return json_answer({"id": run_id})

    @api.post("/runs/<run_id>/restore")
    def restore(run_id: str) -> Response:
        store.restore(run_id)
        return json_answer({"id": run_id})

    @api.post("/directions")
    def directions() -> Response:
        said = _said()
        metric, direction = said.get("metric"), said.get("direction")
        if not isinstance(metric, str) or not metric or not isinstance(direction, (str, type(None))):
            raise RefusedError("give metric, and direction as 'min', 'max' or null")
        store.set_direction(metric, direction)
        return json_answer({"directions": store.directions()})


def _said() -> dict[str, Any]:
    try:
        said = request.get_json(silent=True)
    except RecursionError:
        said = None  # brackets within brackets without end
    if not isinstance(said, dict):
        raise RefusedError("send a JSON object")
    return dict(said)
