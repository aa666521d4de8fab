"""``GET runs/<id>``: one experiment with all but its numbers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from neural_core.reading import ExperimentStore, RunDetail, StoredFile
from neural_ui._api._answers import json_answer
from neural_ui._api._columns import row_form
from neural_ui._api._files import IMAGES

__all__ = ["add_detail"]

_DEEPEST = 50


def add_detail(api: Blueprint, store: ExperimentStore) -> None:
    """Add the route."""

    @api.get("/runs/<run_id>")
    def detail(run_id: str) -> Response:
        return json_answer(_document(store.detail(run_id)))


def _document(found: RunDetail) -> dict[str, Any]:
    plots = [plot for plot in found.plots if plot.details["suffix"] in IMAGES]
    others = [plot for plot in found.plots if plot.details["suffix"] not in IMAGES]
    return {
        **row_form(found.run),
        "params_nested": plain(found.hyperparameters),
        "notes": found.run.row.notes,
        "environment": plain(found.environment),
        "artifacts": [{"aid": one.fid, "name": one.name, **plain(one.details)} for one in found.artifacts],
        "plots": [_plot(plot) for plot in plots],
        "documents": [{**_plot(plot), "file_name": plot.details["file_name"]} for plot in others],
    }


def _plot(plot: StoredFile) -> dict[str, Any]:
    return {"pid": plot.fid, "title": plot.name, "auto": plot.details["auto"], "time": plot.details["time"]}


def plain(value: Any, depth: int = 0) -> Any:
    """Give a value in JSON types; what JSON lacks is shown as text."""
    if depth > _DEEPEST:
        return "…"
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner, depth + 1) for inner in value]
    return str(value)
