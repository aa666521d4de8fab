"""The comparison page with many experiments and many parameters."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.listing import make_store
from benchmarks.measure import Figure, Sizes, median, percentile
from benchmarks.ui import _FIRST
from benchmarks.ui_browser import Chromium, frames, timed
from neural_core import ExperimentTracker

if TYPE_CHECKING:
    from playwright.sync_api import Page

TITLE = "The comparison page with many experiments"
PARAMETERS = 120

_FILTER = """() => {{
    const rows = () => neural.selection.rows().length;
    neural.state.set({{q: {text!r}}});
    return () => rows() {condition};
}}"""
_TABLE = """() => {
    document.querySelector('[data-action=table]').click();
    return () => document.querySelectorAll('#runs-sheet .ag-center-cols-container .ag-row').length > 5;
}"""
_SORT = """() => {
    const first = '#runs-sheet .ag-center-cols-container .ag-row[row-index="0"]';
    const text = () => document.querySelector(first)?.textContent;
    const before = text();
    document.querySelectorAll('#runs-sheet .ag-header-cell-label')[at].click();
    return () => text() !== before;
}"""
_DIFF = """() => {
    neural.state.set({tab: 'hyperparameters'});
    return () => document.querySelectorAll('[data-testid=diff] tr, [data-testid=diff] [role=row]').length > 20;
}"""


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Look at lists of a thousand and of ten thousand experiments, and at a wide table of parameters."""
    from playwright.sync_api import sync_playwright

    few, many = min(1_000, sizes.experiments), sizes.experiments
    with sync_playwright() as playwright:
        chromium = Chromium(playwright)
        figures = _thousand(chromium, folder / "thousand", few, sizes)
        figures += _ten_thousand(chromium, folder / "many", many, sizes)
        return figures + _diff(chromium, folder / "wide", sizes)


def _thousand(chromium: Chromium, base: Path, count: int, sizes: Sizes) -> list[Figure]:
    from server import Server
    from stores import make_many_runs

    base.mkdir()
    make_many_runs(base, count, templates=min(24, count))
    server = Server(base)
    try:
        with chromium.open(server.url) as page:
            filters = [
                timed(page, _FILTER.format(text=text, condition=f"{'===' if not text else '<'} {count}"))
                for _ in range(sizes.rounds)
                for text in ("adamw lr<1e-2", "")
            ]
            scrolled = frames(page, "neural.$('run-list').scrollTop = at * 96", 20 * sizes.rounds)
            nodes = page.evaluate("document.getElementsByTagName('*').length")
            mounts, sorts = _table_times(page, sizes)
    finally:
        server.close()
    what = f"{count:,} experiments"
    return [
        Figure(f"{what}: filter", median(filters), "ms", 100),
        Figure(f"{what}: a frame while scrolling", median(scrolled), "ms", 25),
        Figure(f"{what}: a frame while scrolling, 95 %", percentile(scrolled, 0.95), "ms"),
        Figure(f"{what}: elements in the page", nodes, "", 3_000),
        Figure(f"{what}: the table appears", median(mounts), "ms", 700),
        Figure(f"{what}: the table is sorted", median(sorts), "ms", 250),
    ]


def _table_times(page: Page, sizes: Sizes) -> tuple[list[float], list[float]]:
    mounts, sorts = [], []
    for at in range(max(2, sizes.rounds // 2)):
        mounts.append(timed(page, _TABLE))
        if at == 0:
            sorts = [timed(page, _SORT.replace("[at]", "[1]")) for _ in range(sizes.rounds)]
        page.evaluate("neural.table.close()")
    return mounts, sorts


def _ten_thousand(chromium: Chromium, base: Path, count: int, sizes: Sizes) -> list[Figure]:
    from server import Server

    make_store(base, count)
    start = time.perf_counter()
    server = Server(base)
    started = time.perf_counter() - start
    try:
        first = [chromium.first_charts(server.url, _FIRST)[0] for _ in range(max(2, sizes.rounds // 2))]
        with chromium.open(server.url) as page:
            filters = [
                timed(page, _FILTER.format(text=text, condition=f"{'===' if not text else '<'} {count}"))
                for _ in range(sizes.rounds)
                for text in ("lr<1e-2", "")
            ]
    finally:
        server.close()
    what = f"{count:,} experiments"
    return [
        Figure(f"{what}: the server says where it is", started, "s"),
        Figure(f"{what}: first chart, cold browser, index warm", median(first), "ms", 2_000),
        Figure(f"{what}: first chart right after the start", first[0], "ms"),
        Figure(f"{what}: filter", median(filters), "ms", 150),
    ]


def _diff(chromium: Chromium, base: Path, sizes: Sizes) -> list[Figure]:
    from server import Server

    for number in range(20):
        parameters = {f"group{at % 6}.param_{at:03d}": at * (number % (1 + at % 5)) for at in range(PARAMETERS)}
        with ExperimentTracker(f"wide {number}", base, False, hyperparameters=parameters) as tracker:
            tracker.log_metrics({"loss": 1 / (number + 1)}, step=0)
    server = Server(base)
    try:
        times = []
        for _ in range(max(2, sizes.rounds // 2)):
            with chromium.open(server.url) as page:
                page.evaluate("neural.state.select(neural.runs.all().map(run => run.id))")
                times.append(timed(page, _DIFF))
    finally:
        server.close()
    return [Figure(f"diff of {PARAMETERS} parameters, 20 experiments", median(times), "ms", 700)]
