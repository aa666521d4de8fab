"""The panel of runs: search, what is selected, and the list that is also the legend of every chart."""

from __future__ import annotations

import dash_bootstrap_components as dbc
from dash import html

from neural_ui._layout._parts import action, dashed, icon

__all__ = ["make_runs_panel"]


def make_runs_panel() -> html.Aside:
    """Give the panel at the left; its rows are drawn by `neural.runlist`, only those in sight."""
    return html.Aside(
        [
            _search(),
            _counts(),
            _head(),
            _list(),
            action(
                "archived",
                "Show archived runs, or hide them",
                children="",
                style="panel-foot",
                id="archived",
                hidden=True,
            ),
            html.Div(id="panel-grip", className="grip", **dashed(aria_hidden="true")),
        ],
        id="runs-panel",
        className="runs-panel",
        **dashed(aria_label="Runs", data_testid="runs-panel"),
    )


def _search() -> html.Div:
    label = html.Label("Search runs", htmlFor="run-search", className="visually-hidden")
    box = dbc.Input(id="run-search", type="search", value="", placeholder="Search: lr<1e-3 adamw", autocomplete="off")
    problem = html.Div(id="search-problem", className="search-problem", role="status")
    key = html.Kbd("k", **dashed(aria_hidden="true"))
    return html.Div([icon("search"), label, box, key, problem], className="search run-search")


def _counts() -> html.Div:
    return html.Div(
        [
            html.Span(id="run-counts", className="counts", role="status"),
            html.Div(className="spring"),
            action("select-all", "Select all runs that the search shows", children="All", style="link"),
            action("select-none", "Select no run", children="None", style="link"),
            action("table", "Open the table of runs", children="Table", style="link"),
        ],
        className="runs-counts",
    )


def _head() -> html.Div:
    by_name = html.Button("Run", type="button", className="sort", title="Sort by name", **dashed(data_sort="name"))
    by_metric = html.Button(
        "Metric", type="button", id="list-metric", className="sort metric", title="Choose the metric and the order"
    )
    return html.Div([by_name, html.Div(className="spring"), by_metric], className="runs-head")


def _list() -> html.Div:
    rows = html.Div(id="run-rows", className="run-rows", role="presentation")
    return html.Div(
        rows,
        id="run-list",
        role="listbox",
        tabIndex=0,
        className="run-list",
        **dashed(aria_label="Runs; space selects, s shows one alone", aria_multiselectable="true"),
    )
