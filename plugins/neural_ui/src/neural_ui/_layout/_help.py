"""The page's help: keys and the language of the search."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html

__all__ = ["make_help"]

_KEYS = {
    "/": "filter charts",
    "k": "search runs",
    "1 to 4": "tabs",
    "j, k in the list, arrows": "move in the list of runs",
    "space": "select a run",
    "s": "show one run alone",
    "enter, o": "open a run",
    "c": "colour of a run",
    "f": "chart in full screen",
    "l": "logarithmic chart",
    "e": "export a chart",
    "z": "zoom one step back",
    "shift z": "reset the zoom",
    "[": "fold the runs panel",
    "t, r": "theme, refresh",
    "?": "this help",
}

_SEARCH = {
    "adamw": "the word is in the name, a parameter, a tag or the id",
    "lr<1e-3": "a parameter or a metric by number: < <= > >= = !=",
    "optimizer=adamw": "a parameter by its text",
    "status:failed": "or completed, running, stalled; is:archived, is:any",
    "tag:paper": "has the tag, or a tag with this text",
    "/resnet(50|101)/": "a regular expression on the name",
    "-debug": "without what follows the minus sign",
}

_MOUSE = {
    "drag": "zoom into a box; the other charts follow",
    "shift + drag": "move along",
    "alt + wheel": "zoom at the cursor",
    "double click": "whole range again",
    "alt + click on a run": "show it alone",
    "+ - and arrows": "the same by keys; shift + arrows for y",
}


def make_help() -> dbc.Modal:
    """Give the window that `?` opens."""
    body = html.Div(
        [
            html.Div([_list("Keys", _KEYS)], className="help-column"),
            html.Div([_list("Search for runs", _SEARCH), _list("On a chart", _MOUSE)], className="help-column"),
        ],
        className="help-columns",
    )
    return dbc.Modal(
        [dbc.ModalHeader(dbc.ModalTitle("Keys and help", tag="h2", id="help-title")), dbc.ModalBody(body)],
        id="help-window",
        size="lg",
        is_open=False,
        scrollable=True,
        labelledby="help-title",
    )


def _list(title: str, entries: dict[str, str]) -> html.Div:
    rows = [html.Div([html.Dt(html.Kbd(key)), html.Dd(meaning)]) for key, meaning in entries.items()]
    return html.Div([html.H3(title), html.Dl(rows)])
