"""The four views of the tabs. Each is an empty place with a name; its script fills it when it is first shown."""

from __future__ import annotations

from typing import Any

from dash import html

from neural_ui._layout._parts import action, dashed
from neural_ui._layout._toolbar import make_toolbar
from neural_ui._layout._top_bar import TABS

__all__ = ["make_views"]


def make_views() -> html.Main:
    """Give the place at the right of the runs panel."""
    contents: dict[str, list[Any]] = {
        "metrics": [
            make_toolbar(),
            html.Div(id="legend", className="legend"),
            html.Div(id="charts", className="charts"),
        ],
        "hyperparameters": [html.Div(id="hyperparameters", className="view-body")],
        "best": [html.Div(id="best", className="view-body")],
        "summary": [html.Div(id="summary", className="view-body")],
    }
    views = [_view(name, title, contents[name]) for name, title in TABS.items()]
    extra = html.Div(id="panel-views")
    return html.Main([_empty(), *views, extra, _table()], id="main", className="main")


def _view(name: str, title: str, children: list[Any]) -> html.Section:
    heading = html.H2(title, className="visually-hidden")
    return html.Section(
        [heading, *children],
        id=f"view-{name}",
        role="tabpanel",
        className="view",
        hidden=name != "metrics",
        **dashed(aria_labelledby=f"tab-{name}", data_view=name),
    )


def _empty() -> html.Div:
    return html.Div(id="empty", className="empty", hidden=True, **dashed(data_testid="empty"))


def _table() -> html.Section:
    head = html.Div(
        [
            html.H2("Runs", className="sheet-title"),
            html.Span(id="table-counts", className="counts"),
            html.Div(className="spring"),
            action(
                "table-differing",
                "Show only the columns in which runs differ",
                children="Only differing",
                style="framed",
            ),
            action(
                "table-group",
                "Add rows with mean and deviation of each group",
                children="Group rows",
                style="framed",
            ),
            action("table-columns", "Choose the columns", children="Columns", style="framed"),
            action("table-tag", "Tag the selected runs", children="Tag", style="framed apart"),
            action(
                "table-archive",
                "Take the selected runs out of the list, or back into it",
                children="Archive",
                style="framed",
            ),
            action("table-trash", "Move the selected runs to the trash", children="Delete", style="framed danger"),
            action("table-csv", "Save the table as CSV", children="CSV", style="framed apart"),
            action("close", "Close the table", key="Esc", **dashed(data_close="table")),
        ],
        className="sheet-head",
    )
    return html.Section(
        [head, html.Div(id="runs-table-host", className="sheet-body")],
        id="runs-sheet",
        className="sheet",
        hidden=True,
        **dashed(aria_label="Table of runs", data_testid="runs-sheet"),
    )
