"""What a run that goes on costs the page: how soon a row is seen, and whether memory grows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Figure, Sizes, median
from benchmarks.ui_browser import Chromium, timed

if TYPE_CHECKING:
    from live_run import LiveRun
    from playwright.sync_api import Page

__all__ = ["live_figures"]

_SEEN = """() => () => {{
    const card = neural.cards.get('loss');
    return card && card.built && card.built.lines.some(line => line.x.length === {steps});
}}"""


def live_figures(chromium: Chromium, base: Path, sizes: Sizes) -> list[Figure]:
    """Follow a process that logs; its rows and the page's refreshes take turns."""
    from live_run import LiveRun
    from server import Server
    from stores import make_small_store

    base.mkdir()
    make_small_store(base, runs=3, steps=60)
    run = LiveRun(base)
    run.log(0.5, 0.4)
    server = Server(base)
    try:
        with chromium.open(server.url) as page:
            seen = [_one_more(page, run) for _ in range(sizes.rounds)]
            growth = _heap_growth(page, run, 300 if sizes.rounds > 5 else 5)
    finally:
        server.close()
        run.close()
    return [
        Figure("a logged row is seen in the chart", median(seen), "ms", 3_000),
        Figure("growth of the heap over 300 refreshes with a new row each", growth / 1e6, "MB", 20),
    ]


def _one_more(page: Page, run: LiveRun) -> float:
    run.log(1 / (run.steps + 1))
    return timed(page, _SEEN.format(steps=run.steps))


def _heap_growth(page: Page, run: LiveRun, ticks: int) -> float:
    """Give the bytes by which the heap grew, after the collector has run."""
    session = page.context.new_cdp_session(page)

    def used() -> float:
        session.send("HeapProfiler.collectGarbage")
        return float(session.send("Runtime.getHeapUsage")["usedSize"])

    before = used()
    for _ in range(ticks):
        run.log(0.1)
        page.evaluate("neural.live.ask()")
        page.evaluate("new Promise(done => requestAnimationFrame(done))")
    return used() - before
