"""The toolbar of the charts: all settings in one visible row, no drawer."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html

from neural_ui._layout._parts import dashed, segments

__all__ = ["CONTROLS", "make_toolbar"]

# Ids of the controls, in the order in which `neural.controls` takes their values.
CONTROLS = (
    "smoothing",
    "x-axis",
    "y-axis",
    "band",
    "group",
    "agg",
    "columns",
    "chart-search",
    "run-search",
    "link-zoom",
)


def make_toolbar() -> html.Div:
    """Give the row of controls above the charts."""
    return html.Div(
        [
            _smoothing(),
            _x_axis(),
            segments("y-axis", "Y axis", {"Linear": "linear", "Log": "log"}, testid="y-log", first="linear"),
            segments("band", "Min-max", {"Off": "off", "Hover": "hover", "All": "all"}, testid="band", first="hover"),
            _group(),
            _columns(),
            dbc.Switch(id="link-zoom", value=True, label="Link", className="control link-zoom"),
            _search(),
        ],
        className="toolbar",
        role="toolbar",
        **dashed(aria_label="Chart settings", data_testid="toolbar"),
    )


def _smoothing() -> html.Div:
    slider = dbc.Input(id="smoothing", type="range", min=0, max=100, step=1, value=0, className="slider")
    label = html.Label("Smoothing", htmlFor="smoothing", className="control-label")
    return html.Div([label, slider, html.Output("0 %", id="smoothing-value", className="value")], className="control")


def _x_axis() -> html.Div:
    choices = [{"label": seen, "value": seen.split()[0].lower()} for seen in ("Step", "Wall time", "Relative")]
    select = dbc.Select(id="x-axis", value="step", options=choices, size="sm", className="select")
    return html.Div([html.Label("X axis", htmlFor="x-axis", className="control-label"), select], className="control")


def _group() -> html.Div:
    select = dbc.Select(
        id="group", value="none", options=[{"label": "None", "value": "none"}], size="sm", className="select"
    )
    kinds = [{"label": "mean ± std", "value": "std"}, {"label": "min to max", "value": "minmax"}]
    agg = dbc.Select(id="agg", value="std", options=kinds, size="sm", className="select agg")
    label = html.Label("Group by", htmlFor="group", className="control-label")
    hidden = html.Label("Band of a group", htmlFor="agg", className="visually-hidden")
    return html.Div([label, select, hidden, agg], className="control")


def _columns() -> html.Div:
    seen = {"Grid: auto": "auto", "Grid: 1": "1", "Grid: 2": "2", "Grid: 3": "3", "Grid: 4": "4"}
    choices = [{"label": label, "value": value} for label, value in seen.items()]
    select = dbc.Select(id="columns", value="auto", options=choices, size="sm", className="select columns")
    label = html.Label("Columns of charts", htmlFor="columns", className="visually-hidden")
    return html.Div([label, select], className="control")


def _search() -> html.Div:
    label = html.Label("Filter charts", htmlFor="chart-search", className="visually-hidden")
    box = dbc.Input(
        id="chart-search", type="search", value="", placeholder="Filter charts", size="sm", autocomplete="off"
    )
    return html.Div([label, box, html.Kbd("/", **dashed(aria_hidden="true"))], className="search chart-search")
