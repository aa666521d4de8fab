"""A comparison as one HTML file: it opens from the disk, asks nobody, and holds what the four tabs show."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from pathlib import Path

from neural_core.reading import ExperimentStore, StoredRun
from neural_ui._export_charts import chart_data
from neural_ui._export_state import ExportState, parse_state
from neural_ui._export_summary import summary
from neural_ui._export_tables import best_values, hyperparameters
from neural_ui._palette import dash_of, run_colour
from neural_ui._plotly_page import data_block, policy, standalone, vendor

__all__ = ["export_html"]

_ASSETS = Path(__file__).parent / "assets"
_TABS = {
    "metrics": "Metrics comparison",
    "hyperparameters": "Hyperparameters",
    "best": "Best metrics",
    "summary": "Summary",
}


def export_html(store: ExperimentStore, run_ids: Sequence[str], state: str = "") -> bytes:
    """Make the file.

    Args:
        store: of the experiments.
        run_ids: those to compare, in their order.
        state: the page's query string: tab, smoothing, axis, baseline and so on; what is unknown is ignored.

    Raises:
        ExperimentNotFoundError: one of the experiments is not there.
    """
    runs = [store.run(run_id) for run_id in run_ids]
    view = parse_state(state)
    directions = store.directions()
    charts, left_out = chart_data(store, runs, view.x)
    bodies = {
        "metrics": _charts(left_out),
        "hyperparameters": hyperparameters(runs, view.base),
        "best": best_values(runs, directions, view.base),
        "summary": summary(store, runs),
    }
    page = _page(runs, bodies, view)
    data = {"runs": [_legend_entry(run) for run in runs], "charts": charts, "state": view.for_script()}
    return page.replace("<!--data-->", data_block("comparison", data)).encode("utf-8", "replace")


def _legend_entry(run: StoredRun) -> dict[str, object]:
    own = bool(run.row.color)
    return {
        "name": run.row.name,
        "color": run_colour(run) if own else None,
        "index": run.ordinal % 10,
        "dash": dash_of(run),
    }


def _charts(left_out: int) -> str:
    note = (
        f'<p class="note">{left_out:,} further metrics have no chart in this file, or it would be too large; '
        "the other tabs hold their values.</p>"
        if left_out
        else ""
    )
    return f"""<div class="toolbar" role="toolbar" aria-label="Charts">
<label>Smoothing <input id="smooth" type="range" min="0" max="100" value="0"></label>
<label><input id="log" type="checkbox"> Log y</label>
<label><input id="band" type="checkbox"> Min&ndash;max bands</label>
<button id="reset" type="button">Reset zoom</button>
<input id="find" type="search" placeholder="Search charts" aria-label="Search charts">
</div>
<noscript><p class="note">The charts need JavaScript; the other tabs are text.</p></noscript>
{note}<div id="charts" class="charts"></div>"""


def _page(runs: Sequence[StoredRun], bodies: dict[str, str], view: ExportState) -> str:
    """Put the page together; everything that comes from the store is escaped where it is written."""
    library = vendor("plotly-basic.min.js").decode("utf-8")
    scripts = [library, _script("smoothing"), standalone("export_charts.js"), standalone("export_page.js")]
    title = html.escape(", ".join(run.row.name for run in runs[:3]) + ("…" if len(runs) > 3 else "") or "nothing")
    style = _style("tokens") + standalone("export.css")
    tabs = "".join(
        f'<button role="tab" type="button" id="tab-{name}" aria-controls="view-{name}" '
        f'aria-selected="{str(name == view.tab).lower()}">{seen}</button>'
        for name, seen in _TABS.items()
    )
    views = "".join(
        f'<section role="tabpanel" id="view-{name}" aria-labelledby="tab-{name}"><h2>{_TABS[name]}</h2>{body}</section>'
        for name, body in bodies.items()
    )
    count = f"{len(runs)} experiment{'' if len(runs) == 1 else 's'}"
    inline = "".join(f"<script>{script}</script>\n" for script in scripts)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy(*scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title} · neural</title>
<style>{style}</style>
</head>
<body data-state="loading">
<header>
<h1>{count} <small>{time.strftime("%Y-%m-%d %H:%M", time.gmtime())} UTC</small></h1>
<div role="tablist" aria-label="Views">{tabs}</div>
<button id="theme" type="button" aria-label="Light or dark">◐</button>
</header>
<div class="page">
<aside aria-label="Experiments"><ul id="legend"></ul></aside>
<main>{views}</main>
</div>
<!--data-->
{inline}</body>
</html>
"""


def _script(name: str) -> str:
    """Give a script of the page, so that both compute the same."""
    return (_ASSETS / "js" / f"{name}.js").read_text(encoding="utf-8")


def _style(name: str) -> str:
    return (_ASSETS / "css" / f"{name}.css").read_text(encoding="utf-8")
