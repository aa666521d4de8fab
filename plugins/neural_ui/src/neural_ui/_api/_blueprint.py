"""The blueprint of ``/api/v1``: all routes, and what becomes of errors."""

from __future__ import annotations

from flask import Blueprint, Response

from neural_core.errors import ExperimentNotFoundError
from neural_core.reading import ExperimentStore
from neural_ui._api._answers import error_answer
from neural_ui._api._arguments import RefusedError
from neural_ui._api._runs import add_runs
from neural_ui._api._series import add_series

__all__ = ["make_blueprint"]


def make_blueprint(store: ExperimentStore) -> Blueprint:
    """Make the routes over one store."""
    api = Blueprint("neural_api", __name__, url_prefix="/api/v1")
    for add in (add_runs, add_series):
        add(api, store)

    @api.errorhandler(RefusedError)
    def refused(error: RefusedError) -> Response:
        return error_answer(str(error), error.status)

    @api.errorhandler(ExperimentNotFoundError)
    def not_found(error: ExperimentNotFoundError) -> Response:
        return error_answer(str(error), 404)

    @api.route("/", defaults={"rest": ""})
    @api.route("/<path:rest>", methods=["GET", "POST"])
    def nothing(rest: str) -> Response:
        return error_answer("there is nothing at this address", 404)

    @api.after_request
    def not_stored(answer: Response) -> Response:
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    return api
