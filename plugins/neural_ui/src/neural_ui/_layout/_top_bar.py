"""The bar at the top: where we are, the four tabs, what lives, and the theme."""

from __future__ import annotations

from dash import html

from neural_ui._layout._parts import action, dashed

__all__ = ["TABS", "make_top_bar"]

# Name in the address by title, as the user's guide names them.
TABS = {
    "metrics": "Metrics comparison",
    "hyperparameters": "Hyperparameters",
    "best": "Best metrics",
    "summary": "Summary",
}


def make_top_bar() -> html.Header:
    """Give the bar with brand, the fold of the runs, tabs and the actions of the whole page."""
    fold = action("panel", "Show or hide the runs", key="[")
    return html.Header(
        [_brand(), fold, _tabs(), html.Div(className="spring"), _live(), _actions()], className="top-bar"
    )


def _brand() -> html.Div:
    mark = html.Span(className="mark", **dashed(aria_hidden="true"))
    home = html.H1([mark, html.Span("neural")], className="brand-name")
    return html.Div([home, html.Span(id="base-dir", className="base-dir")], className="brand")


def _tabs() -> html.Nav:
    buttons = [_tab(number, name, title) for number, (name, title) in enumerate(TABS.items(), start=1)]
    row = html.Div(buttons, role="tablist", id="tablist", className="view-tabs", **dashed(aria_label="Views"))
    return html.Nav(row, **dashed(aria_label="Comparison"))


def _tab(number: int, name: str, title: str) -> html.Button:
    chosen = number == 1
    return html.Button(
        title,
        id=f"tab-{name}",
        type="button",
        role="tab",
        title=f"{title} ({number})",
        className="view-tab",
        tabIndex=0 if chosen else -1,
        **dashed(
            data_tab=name,
            data_testid=f"tab-{name}",
            aria_selected="true" if chosen else "false",
            aria_controls=f"view-{name}",
        ),
    )


def _live() -> html.Div:
    words = html.Span("Connecting", id="live-text")
    return html.Div(
        [html.Span(className="dot", **dashed(aria_hidden="true")), words],
        id="live",
        role="status",
        className="live",
        **dashed(data_testid="live", data_live="waiting"),
    )


def _actions() -> html.Div:
    return html.Div(
        [
            action("refresh", "Refresh", key="r"),
            action("share", "Export this comparison"),
            action(
                "copy-link",
                "Copy link to this view",
                children="Copy link",
                style="framed",
                **dashed(data_testid="copy-link"),
            ),
            action("theme", "Theme: light, dark or system", key="t", **dashed(data_testid="theme")),
            action("help", "Keys and help", key="?", **dashed(data_testid="help")),
        ],
        className="top-actions",
    )
