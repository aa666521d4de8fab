"""The whole page: top bar, runs panel, views, drawer, messages."""

from __future__ import annotations

from dash import dcc, html

from neural_ui._layout._help import make_help
from neural_ui._layout._parts import dashed
from neural_ui._layout._runs_panel import make_runs_panel
from neural_ui._layout._top_bar import make_top_bar
from neural_ui._layout._views import make_views

__all__ = ["make_layout"]


def make_layout() -> html.Div:
    """Give the page's components, about 200; all that depends on data is drawn by the page's scripts."""
    return html.Div(
        [
            html.A("Skip to the charts", href="#main", className="skip-link"),
            make_top_bar(),
            html.Div([make_runs_panel(), make_views()], className="body"),
            _drawer(),
            html.Div(id="full-screen", className="full-screen", hidden=True),
            html.Div(id="tooltip", className="tip", hidden=True, **dashed(aria_hidden="true")),
            html.Div(id="toasts", className="toasts", role="status", **dashed(aria_live="polite")),
            make_help(),
            *(dcc.Store(id=name) for name in ("controls-seen", "runs-table-open")),
        ],
        id="page",
    )


def _drawer() -> html.Aside:
    return html.Aside(
        id="drawer",
        className="drawer",
        role="dialog",
        hidden=True,
        tabIndex=-1,
        **dashed(aria_label="Run", data_testid="drawer"),
    )
