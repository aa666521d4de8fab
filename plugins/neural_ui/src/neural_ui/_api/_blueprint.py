"""The blueprint of ``/api/v1``: all routes, and what becomes of errors."""

from __future__ import annotations

from flask import Blueprint, Response

from neural_core.reading import ExperimentStore
from neural_ui._api._answers import error_answer
from neural_ui._api._csv import add_csv
from neural_ui._api._detail import add_detail
from neural_ui._api._edits import add_edits
from neural_ui._api._errors import add_errors
from neural_ui._api._files import add_files
from neural_ui._api._panels import add_panels
from neural_ui._api._run_list import RunList
from neural_ui._api._runs import add_runs
from neural_ui._api._series import add_series

__all__ = ["make_blueprint"]


def make_blueprint(store: ExperimentStore, every: RunList) -> Blueprint:
    """Make the routes over one store and its list."""
    api = Blueprint("neural_api", __name__, url_prefix="/api/v1")
    add_runs(api, store, every)
    for add in (add_series, add_detail, add_files, add_csv, add_edits, add_panels):
        add(api, store)
    add_errors(api)

    @api.route("/", defaults={"rest": ""})
    @api.route("/<path:rest>", methods=["GET", "POST"])
    def nothing(rest: str) -> Response:
        return error_answer("there is nothing at this address", 404)

    @api.after_request
    def not_stored(answer: Response) -> Response:
        if "ETag" not in answer.headers or answer.headers.get("Content-Disposition"):
            answer.headers["Cache-Control"] = "no-store"
        return answer

    return api
