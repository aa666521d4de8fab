"""The Dash application: the page, the interface and the gate before both."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

from dash import Dash
from dash.exceptions import DependencyException
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from neural_core.reading import ExperimentStore
from neural_ui._api import RunList, make_blueprint
from neural_ui._callbacks import register
from neural_ui._layout import index_string, make_layout
from neural_ui._security import Gate, Policy

__all__ = ["make_app"]

MOST_BYTES = 2**20
"""Of a request's body."""
_UPDATE = "/_dash-update-component"
_OF_FORM = (AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What Dash raises at a request that is not of the form that its own scripts send."""
_UNSAID = ("dash_version_url", "python_version")
_RENDERER = "var renderer; neural.dashBegins.then(function () { renderer = new DashRenderer(); });"
"""Dash starts when the page's first chart is painted; `boot.js` says when."""
_log = logging.getLogger("neural")


_UNUSED = re.compile(r'<script src="[^"]*/(?:deps/polyfill@|dash_table/)[^"]*"></script>\n?')
"""Scripts of Dash for browsers without promises, and for tables that the page has not: they hold up the first chart."""


class _Page(Dash):
    """Dash without what its document says to nobody: where newer versions are announced, and which Python runs."""

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]  # Dash gives every part by its name
        """Give the document."""
        opening, _, rest = parts["config"].partition(">")
        text, _, _ = rest.rpartition("</script>")
        config = {name: value for name, value in json.loads(text).items() if name not in _UNSAID}
        safe = json.dumps({**config, "disable_version_check": True}).replace("<", "\\u003c")
        parts["scripts"] = _UNUSED.sub("", parts["scripts"])
        parts["config"] = f"{opening}>{safe}</script>"
        return str(super().interpolate_index(**parts))  # type: ignore[no-untyped-call]  # Dash has no types here


def make_app(store: ExperimentStore, every: RunList, policy: Policy) -> Dash:
    """Make the application over one store and its list; `app.server` is its WSGI application."""
    app = _Page(
        "neural_ui",
        title="neural",
        update_title="",
        index_string=index_string(policy.token),
        serve_locally=True,
        include_assets_files=False,  # the page's own files are joined and served by `neural_ui._layout`
        suppress_callback_exceptions=True,
        add_log_handler=False,
    )
    app.renderer = _RENDERER
    server: Flask = app.server
    server.register_blueprint(make_blueprint(store, every))
    app.enable_dev_tools(debug=False, dev_tools_ui=False, dev_tools_hot_reload=False)  # whatever DASH_* variables say
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
    def known(error: HTTPException) -> Response | HTTPException:
        if error.code is not None and error.code < 400:
            return error  # a redirection
        return _answer(error.name, error.code or 500)

    @server.errorhandler(DependencyException)
    def no_file(error: DependencyException) -> Response:
        return _answer("Not Found", 404)

    @server.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        if request.path == _UPDATE and isinstance(error, _OF_FORM):
            return _answer("The request cannot be understood", 400)
        _log.error("the page could not answer %s %r", request.method, request.path, exc_info=error)
        return _answer("Something went wrong here: the terminal tells what", 500)


def _answer(sentence: str, status: int) -> Response:
    if request.path.startswith("/api/"):
        from neural_ui._api._answers import error_answer

        return error_answer(sentence.lower(), status)
    return Response(f"{sentence}.\n", status=status, content_type="text/plain; charset=utf-8")
