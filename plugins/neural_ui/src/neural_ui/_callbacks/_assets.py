"""The routes of the page's own scripts and styles."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response

from neural_ui._layout._bundle import Bundle, bundles

__all__ = ["serve_bundles"]


def serve_bundles(server: Flask) -> None:
    """Add one route for each bundle of the page; the digest in its address lets a browser keep it for ever."""
    for name, one in bundles().items():
        server.add_url_rule(one.address, f"neural_page_{name}", _answer(one))


def _answer(one: Bundle) -> Callable[[], Response]:
    def view() -> Response:
        answer = Response(one.content, content_type=one.content_type)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer

    return view
