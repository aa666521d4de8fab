"""The Dash application: the page, the interface and the gate before both."""

from __future__ import annotations

import logging

from dash import Dash
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from neural_core.reading import ExperimentStore
from neural_ui._api import make_blueprint
from neural_ui._callbacks import register
from neural_ui._layout import index_string, make_layout
from neural_ui._security import Gate, Policy

__all__ = ["make_app"]

MOST_BYTES = 2**20
"""Of a request's body."""
_UPDATE = "/_dash-update-component"
_log = logging.getLogger("neural")


def make_app(store: ExperimentStore, policy: Policy) -> Dash:
    """Make the application over one store; `app.server` is its WSGI application."""
    app = Dash(
        "neural_ui",
        title="neural",
        update_title="",
        index_string=index_string(policy.token),
        serve_locally=True,
        include_assets_files=False,  # the page's own files are joined and served by `neural_ui._layout`
        suppress_callback_exceptions=True,
        add_log_handler=False,
    )
    server: Flask = app.server
    server.register_blueprint(make_blueprint(store))
    app.layout = make_layout()
    register(app)
    _set_errors(server)
    server.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    hashes = app.csp_hashes()  # of scripts that callbacks brought along, so after all of them
    server.wsgi_app = Gate(server.wsgi_app, policy, hashes)  # type: ignore[method-assign]  # as Flask's docs do it
    return app


def _set_errors(server: Flask) -> None:
    """Let no error say more than one sentence."""

    @server.errorhandler(HTTPException)
    def known(error: HTTPException) -> Response:
        return _answer(error.name, error.code or 500)

    @server.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        if request.path == _UPDATE and isinstance(error, (KeyError, TypeError, ValueError, AttributeError, IndexError)):
            return _answer("The request cannot be understood", 400)
        _log.error("the page could not answer %s %r", request.method, request.path, exc_info=error)
        return _answer("Something went wrong here: the terminal tells what", 500)


def _answer(sentence: str, status: int) -> Response:
    if request.path.startswith("/api/"):
        from neural_ui._api._answers import error_answer

        return error_answer(sentence.lower(), status)
    return Response(f"{sentence}.\n", status=status, content_type="text/plain; charset=utf-8")
