"""``GET panels`` and ``GET export.html``: figures of installed panels, and the comparison as one file."""

from __future__ import annotations

from flask import Blueprint, Response, request

from neural_core.plugins import PluginFailedError
from neural_core.reading import ExperimentStore
from neural_ui._api._answers import json_answer
from neural_ui._api._arguments import RefusedError, run_ids

__all__ = ["add_panels"]

# Plotly takes a second to load, so what needs it is imported when it is asked for.


def add_panels(api: Blueprint, store: ExperimentStore) -> None:
    """Add the routes."""

    @api.get("/panels")
    def panels() -> Response:
        from neural_ui._panels import list_panels

        return json_answer(list_panels(store))

    @api.get("/panels/<name>")
    def panel(name: str) -> Response:
        from neural_ui._panels import PanelNotFoundError, panel_figure

        try:
            return json_answer(panel_figure(store, name, run_ids()))
        except PanelNotFoundError as error:
            raise RefusedError(str(error), 404) from None
        except PluginFailedError as error:
            raise RefusedError(str(error), 502) from None

    @api.get("/export.html")
    def export() -> Response:
        from neural_ui._export import export_html

        answer = Response(export_html(store, run_ids(), request.args.get("state", "")))
        answer.headers["Content-Type"] = "application/octet-stream"  # saved, never shown at this address
        answer.headers["Content-Disposition"] = 'attachment; filename="comparison.html"'
        return answer
