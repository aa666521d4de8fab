"""All callbacks and routes of the page, in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neural_ui._callbacks._assets import serve_bundles
from neural_ui._callbacks._controls import bind_controls
from neural_ui._callbacks._table import bind_table

if TYPE_CHECKING:
    from dash import Dash

__all__ = ["register"]


def register(app: Dash) -> None:
    """Connect the page to its Dash app. Call it before the app's script hashes are read."""
    serve_bundles(app.server)
    bind_controls(app)
    bind_table(app)
