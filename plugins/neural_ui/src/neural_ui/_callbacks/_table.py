"""The runs table: the grid is built when it is first opened, its rows come from what the page already knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dash_ag_grid as dag
from dash import Input, Output, State
from dash.exceptions import PreventUpdate

if TYPE_CHECKING:
    from dash import Dash

__all__ = ["bind_table"]

# The grid's script is larger than all others together, and the first chart need not wait for it: the page asks for it
# when the table is opened. `dynamic` is Dash's word for a script that is served but not in the document.
for _resource in dag.AgGrid._js_dist:
    if _resource["relative_package_path"] == "dash_ag_grid.min.js":
        _resource["dynamic"] = True


def bind_table(app: Dash) -> None:
    """Build the grid on the first opening; its events go to the page's scripts."""
    app.callback(
        Output("runs-table-host", "children"),
        Input("runs-table-open", "data"),
        State("runs-table-host", "children"),
        prevent_initial_call=True,
    )(_grid)


def _grid(opened: object, children: object) -> dag.AgGrid:
    """Give the empty grid once; the page fills in rows and columns."""
    if not opened or children:
        raise PreventUpdate
    return dag.AgGrid(
        id="runs-table",
        rowData=[],
        columnDefs=[],
        className="ag-theme-quartz runs-grid",
        getRowId="params.data.id",
        defaultColDef={"sortable": True, "filter": True, "resizable": True, "minWidth": 76, "initialWidth": 132},
        dashGridOptions={
            "animateRows": False,
            "rowSelection": {"mode": "multiRow", "checkboxes": True, "headerCheckbox": True, "selectAll": "filtered"},
            "selectionColumnDef": {"pinned": "left", "width": 44},
            "tooltipShowDelay": 400,
            "rowHeight": 34,
            "headerHeight": 38,
            "suppressDragLeaveHidesColumns": True,
            "maintainColumnOrder": True,
        },
        csvExportParams={"fileName": "runs.csv"},
    )
