"""The comparison page with long experiments, beside TensorBoard on the same data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import ui_tensorboard
from benchmarks.measure import Figure, Sizes, interleaved, median, seconds
from benchmarks.ui_browser import Chromium, timed
from benchmarks.ui_live import live_figures

if TYPE_CHECKING:
    from playwright.sync_api import Page

TITLE = "The comparison page with 20 long experiments"
RUNS = 20
METRIC = "train_loss"

_MARK = """name => new Promise(done => {
    const look = () => {
        const [mark] = performance.getEntriesByName(name);
        if (mark) done(mark.startTime); else requestAnimationFrame(look);
    };
    look();
})"""
_FIRST = f"() => ({_MARK})('neural:first-chart')"
_ALL = f"() => ({_MARK})('neural:all-charts')"
_ZOOM = """() => {{
    if ({linked} !== neural.state.get().link) neural.state.set({{link: {linked}}});
    const card = neural.cards.visible()[0];
    const cards = {linked} ? neural.cards.visible() : [card];
    const before = cards.map(one => one.data);
    neural.zoom.to(card, [{start}, {stop}]);
    return () => cards.every((one, at) => one.data !== before[at] && one.built);
}}"""
_SMOOTH = """() => {{
    const cards = neural.cards.visible();
    const before = cards.map(one => one.built);
    neural.state.set({{smooth: {smooth}}});
    return () => cards.every((one, at) => one.built !== before[at]);
}}"""


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Make the store and TensorBoard's files, and look at both."""
    from long_runs import curves, make_long_runs
    from playwright.sync_api import sync_playwright
    from server import Server, free_port

    runs = RUNS if sizes.rows > 10_000 else 3
    base, events = folder / "store", folder / "events"
    directories = make_long_runs(base, runs, sizes.rows)
    ui_tensorboard.write_events(
        events, {path.name: curves(at, sizes.rows)[METRIC] for at, path in enumerate(directories)}, METRIC
    )
    query = "?runs=" + ",".join(path.name[-12:] for path in directories)
    figures = _read_series(base, [path.name[-12:] for path in directories], sizes)
    server = Server(base)
    try:
        with sync_playwright() as playwright:
            chromium = Chromium(playwright)
            address = f"{server.url}/{query}"
            just_started, _ = chromium.first_charts(address, _FIRST)
            with ui_tensorboard.serving(events, runs, free_port()) as (other, reading):
                figures += _first_charts(chromium, address, other, sizes, runs)
            figures += [
                Figure("first chart, server just started, cold browser", just_started, "ms"),
                Figure("TensorBoard: reading the events before its first chart", reading, "s"),
            ]
            figures += _in_page(chromium, address, sizes)
            figures += live_figures(chromium, folder / "live", sizes)
    finally:
        server.close()
    return figures


def _read_series(base: Path, ids: Sequence[str], sizes: Sizes) -> list[Figure]:
    from neural_core.reading import ExperimentStore, Window

    store = ExperimentStore(base)
    store.listed()
    part = Window(start=sizes.rows * 0.4, stop=sizes.rows * 0.5)
    store.read_series(ids, METRIC)
    found = interleaved(
        sizes.rounds,
        full=lambda: seconds(lambda: store.read_series(ids, METRIC)) * 1e3,
        part=lambda: seconds(lambda: store.read_series(ids, METRIC, window=part)) * 1e3,
    )
    what = f"curves of {len(ids)} by {sizes.rows:,} points, warm"
    return [
        Figure(f"{what}: all", median(found["full"]), "ms", 40),
        Figure(f"{what}: a tenth", median(found["part"]), "ms", 10),
    ]


def _first_charts(chromium: Chromium, ours: str, other: str, sizes: Sizes, runs: int) -> list[Figure]:
    """Time the first chart of both in turn; TensorBoard has a quarter of the data: one metric, we have four."""
    times: dict[str, list[float]] = {"cold": [], "warm": [], "all": [], "other cold": [], "other warm": []}
    for _ in range(sizes.rounds):
        for kind, value in zip(("cold", "warm"), chromium.first_charts(ours, _FIRST), strict=True):
            times[kind].append(value)
        times["all"].append(chromium.first_charts(ours, _ALL)[0])
        for kind, value in zip(("cold", "warm"), chromium.first_charts(other, ui_tensorboard.FIRST_CHART), strict=True):
            times[f"other {kind}"].append(value)
    took = {name: median(values) for name, values in times.items()}
    what = f"{runs} by {sizes.rows:,} points"
    cold, warm = (f"TensorBoard {took[f'other {kind}']:,.0f} ms, one metric of the four" for kind in ("cold", "warm"))
    return [
        Figure(f"first chart of {what}, cold browser", took["cold"], "ms", 1_600, cold),
        Figure("the same ÷ TensorBoard", took["cold"] / took["other cold"], "", 0.60),
        Figure(f"first chart of {what}, warm", took["warm"], "ms", 800, warm),
        Figure("the same ÷ TensorBoard", took["warm"] / took["other warm"], "", 0.45),
        Figure("all charts in sight (4), cold browser", took["all"], "ms", 2_000),
    ]


def _in_page(chromium: Chromium, address: str, sizes: Sizes) -> list[Figure]:
    with chromium.open(address) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        one, four = (_zooms(page, sizes, linked=linked) for linked in (False, True))
        page.evaluate("neural.zoom.reset()")
        page.wait_for_load_state("networkidle")
        before = len(asked)
        smooth = [timed(page, _SMOOTH.format(smooth=10 + 5 * at)) for at in range(sizes.rounds * 2)]
        new = [address for address in asked[before:] if "/series" in address]
    return [
        Figure("zoom to finer data, one chart", median(one), "ms", 150),
        Figure("zoom to finer data, four linked charts", median(four), "ms", 450),
        Figure("smoothing, four charts", median(smooth), "ms", 250),
        Figure("requests while smoothing", len(new), "", 0),
    ]


def _zooms(page: Page, sizes: Sizes, *, linked: bool) -> list[float]:
    times = []
    for start in np.linspace(0.05, 0.8, sizes.rounds * 2):
        window = {"start": int(start * sizes.rows), "stop": int((start + 0.1) * sizes.rows)}
        times.append(timed(page, _ZOOM.format(linked=str(linked).lower(), **window)))
        page.wait_for_load_state("networkidle")
    return times
