"""Acceptance checks of the data: payload, requests, spikes, equal curves, live rows."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from asking import ask, runs_of, series
from live_run import LiveRun
from long_runs import METRICS, SPIKE, curves, make_long_run
from page import NewPage, Serve, UiPage
from playwright.sync_api import APIResponse, Route, expect
from server import Server

CARD = "document.querySelector('[data-testid=card][data-metric=\"{}\"]').card"


def card(metric: str, expression: str) -> str:
    """Give a script that reads something of a chart."""
    return CARD.format(metric) + expression


def drawn(ui: UiPage, metric: str) -> None:
    """Wait until a chart has lines."""
    expect(ui.get("card", metric=metric).locator(".scatterlayer .trace").first).to_be_attached()


def test_payload(serve: Serve, store_20x1m: Path) -> None:
    """A chart of 20 runs with a million points each is at most 350 kB on the wire (check 5)."""
    url = serve(store_20x1m)
    runs = list(runs_of(url))
    assert len(runs) == 20
    for metric in METRICS:
        path = f"/api/v1/series?runs={','.join(runs)}&metric={metric}&points=700"
        answer = ask(url, path, Accept_Encoding="gzip")
        assert answer.status == 200
        assert len(answer.body) <= 350_000
        assert all(len(curve["x"]) >= 300 for curve in series(url, runs, metric, points=700))


def test_thousand_metrics(new_page: NewPage, serve: Serve, store_1000_metrics: Path) -> None:
    """With a thousand metrics only the charts in sight are asked for, and two at most beyond them (check 11)."""
    ui = new_page(serve(store_1000_metrics))
    ui.open()
    expect(ui.get("card").first.locator(".scatterlayer .trace").first).to_be_attached()
    ui.page.wait_for_load_state("networkidle")
    visible = ui.page.evaluate(
        "[...document.querySelectorAll('[data-testid=card]')].map(one => one.getBoundingClientRect())"
        ".filter(box => box.height && box.top < innerHeight && box.bottom > 0).length"
    )
    assert 2 <= visible < 30
    assert len(ui.api("series")) <= visible + 2
    assert ui.page.locator(".scatterlayer").count() <= visible + 8


def test_spike_is_seen(new_page: NewPage, serve: Serve, store_20x1m: Path) -> None:
    """One point of a million that is 100 times its neighbours: the full view shows it, with step (check 12)."""
    url = serve(store_20x1m)
    [run] = [run for run, name in runs_of(url).items() if name.endswith("-00")]
    value = float(curves(0, 1_000_000)["train_loss"][SPIKE])
    [curve] = series(url, [run], "train_loss", points=700)
    at = int(np.argmax(curve["max"]))
    assert (curve["max"][at], curve["at_max"][at], curve["max_x"]) == (value, SPIKE, SPIKE)
    ui = new_page(url)
    ui.open(f"?runs={run}&tab=metrics")
    drawn(ui, "train_loss")
    box = ui.get("card", metric="train_loss").locator(".plot").bounding_box()
    x = ui.page.evaluate(card("train_loss", f".map.px({SPIKE})"))
    assert box is not None
    ui.page.mouse.move(box["x"] + x, box["y"] + box["height"] / 2)
    tip = ui.page.locator("#tooltip")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text(f"{value:.4f}"[:5])
    expect(tip).to_contain_text(f"{SPIKE:,}")


def test_spike_among_twenty(new_page: NewPage, serve: Serve, store_20x1m: Path) -> None:
    """Among twenty runs, where bands would be a mat, a mark at the edge tells of the spike (check 12)."""
    url = serve(store_20x1m)
    ui = new_page(url)
    ui.open(f"?runs={','.join(runs_of(url))}")
    drawn(ui, "train_loss")
    expect(ui.get("card", metric="train_loss").locator(".o-spikes > *").first).to_be_attached()
    assert SPIKE in ui.page.evaluate(card("train_loss", ".overlay.list.map(spike => spike.x)"))


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server of two runs with the same values and one with others."""
    base = tmp_path_factory.mktemp("twins")
    for number, name in ((1, "twin a"), (1, "twin b"), (5, "other")):
        make_long_run(base, name, curves(number, 300_000), start=1_790_000_000.0 + number)
    server = Server(base)
    yield server.url
    server.close()
    shutil.rmtree(base)


@pytest.mark.parametrize("window", [{}, {"from": 12_345, "to": 23_456}, {"from": 100_000, "to": 100_300}])
def test_identical_runs(twins: str, window: dict[str, int]) -> None:
    """Runs with the same values give the same arrays, alone or beside others, in every window (check 13)."""
    names = {name: run for run, name in runs_of(twins).items()}
    three = series(twins, [names["twin a"], names["other"], names["twin b"]], "train_loss", **window)
    [alone] = series(twins, [names["twin a"]], "train_loss", **window)
    arrays = [name for name in three[0] if isinstance(three[0][name], np.ndarray)]
    assert {"x", "mean"} <= set(arrays)
    for array in arrays:
        assert np.array_equal(three[0][array], three[2][array])
        assert np.array_equal(three[0][array], alone[array])


def test_zoom_keeps_smoothed_values(new_page: NewPage, twins: str) -> None:
    """Zooming to a tenth changes a smoothed value at the same x by at most one percent of the range (check 13)."""
    ui = new_page(twins)
    ui.open("?smooth=60")
    drawn(ui, "train_loss")
    read = card(
        "train_loss",
        ".built.lines.map(({x, y}) => { const i = x.findIndex(one => one >= 210000);"
        " return y[i - 1] + (y[i] - y[i - 1]) * (210000 - x[i - 1]) / (x[i] - x[i - 1]); })",
    )
    finite = ".built.lines.flatMap(line => [...line.y].filter(Number.isFinite))"
    values = ui.page.evaluate(card("train_loss", finite))
    span = max(values) - min(values)
    before = ui.page.evaluate(read)
    zoomed = new_page(twins)
    zoomed.open("?smooth=60&zoom=205000~235000")
    drawn(zoomed, "train_loss")
    after = zoomed.page.evaluate(read)
    assert len(before) == len(after) == 3
    for old, new in zip(before, after, strict=True):
        assert abs(new - old) <= 0.01 * span


def test_live_row_is_seen(new_page: NewPage, own_server: str, live_writer: LiveRun) -> None:
    """Rows that are logged while the page is open appear by themselves, also those of a run that is new (check 7)."""
    live_writer.log(0.9, 0.8)
    ui = new_page(own_server)
    ui.open()
    row = ui.get("run-row", id=live_writer.experiment_id)
    expect(row).to_be_visible()
    drawn(ui, "loss")
    live_writer.log(*[0.7 - index / 100 for index in range(20)])
    last = card("loss", ".built.lines.map(line => line.x[line.x.length - 1])")
    ui.until(f"Math.max(...({last})) === 21")
    expect(ui.get("live")).to_contain_text("1 running")
    live_writer.finish()
    expect(ui.get("live")).not_to_contain_text("running")


@pytest.mark.parametrize("reading", ["neural.live.ask()", "neural.cards.reload()"], ids=["growth", "everything"])
def test_rows_that_come_while_a_chart_reads(
    new_page: NewPage, own_server: str, live_writer: LiveRun, reading: str
) -> None:
    """Rows that the page hears of while a chart still waits for earlier ones are drawn after these (check 7)."""
    live_writer.log(0.9, 0.8)
    ui = new_page(own_server)
    page = ui.open()
    drawn(ui, "loss")
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/api/v1/series?*metric=loss&*", lambda route: held.append((route, route.fetch())), times=1)
    live_writer.log(0.7)
    page.evaluate(f"{reading}; undefined")
    while not held:
        page.wait_for_timeout(20)
    live_writer.log(0.6, 0.5)
    ui.until(f"neural.live.ask() && neural.runs.get('{live_writer.experiment_id}').metrics.loss.count === 5")
    [(route, answer)] = held
    route.fulfill(response=answer)
    ui.until(card("loss", ".built.lines.some(line => line.x.length === 5)"))


def test_live_keeps_the_zoom(new_page: NewPage, own_server: str, live_writer: LiveRun) -> None:
    """Fifteen refreshes of a growing run leave a zoom as it was, bit for bit (check 7)."""
    live_writer.log(*[1 / (index + 1) for index in range(50)])
    ui = new_page(own_server)
    ui.open()
    drawn(ui, "loss")
    ui.page.evaluate(f"neural.zoom.to({CARD.format('loss')}, [3.123456789, 17.987654321])")
    shown = card("loss", ".plot._fullLayout.xaxis.range.map(x => x)")
    ui.until(f"{shown}[1] < 20")
    before = ui.page.evaluate(shown)
    asked = len(ui.api("changes"))
    while len(ui.api("changes")) < asked + 15:
        live_writer.log(0.1)
        ui.page.evaluate("neural.live.ask()")
        ui.page.wait_for_timeout(20)
    total = live_writer.steps
    ui.until(f"neural.runs.get('{live_writer.experiment_id}').metrics.loss.count === {total}")
    assert ui.page.evaluate(shown) == before
    assert ui.page.evaluate("neural.state.get().zoom") == [3.123456789, 17.987654321]


@pytest.mark.timeout(1_200)
def test_live_leaves_no_memory_behind(new_page: NewPage, own_server: str, live_writer: LiveRun) -> None:
    """Three hundred refreshes with a new row each let the heap grow by less than 20 MB (check 7)."""
    live_writer.log(*[0.5] * 20)
    ui = new_page(own_server, height=500)
    ui.open()
    drawn(ui, "loss")
    session = ui.context.new_cdp_session(ui.page)

    def used() -> float:
        session.send("HeapProfiler.collectGarbage")
        return float(session.send("Runtime.getHeapUsage")["usedSize"])

    before = used()
    for _ in range(300):
        live_writer.log(0.1)
        ui.page.evaluate("neural.live.ask().then(() => new Promise(requestAnimationFrame))")
    ui.until(f"neural.runs.get('{live_writer.experiment_id}').metrics.loss.count === 320")
    assert used() - before < 20e6


def test_nothing_is_asked_in_vain(new_page: NewPage, own_server: str, live_writer: LiveRun) -> None:
    """A refresh without new rows reads no curve again; with new rows only the metrics that grew (check 7)."""
    live_writer.log(0.5, 0.4)
    ui = new_page(own_server)
    ui.open()
    drawn(ui, "loss")
    ui.page.wait_for_load_state("networkidle")
    before = len(ui.api("series"))
    for _ in range(3):
        ui.page.evaluate("neural.live.ask()")
    assert len(ui.api("series")) == before
    live_writer.log(0.3)
    ui.page.evaluate("neural.live.ask()")
    ui.until(f"{CARD.format('loss')}.built.lines.some(line => line.x.length === 3)")
    asked = ui.api("series")[before:]
    assert asked
    assert all("metric=loss" in request or "metric=accuracy" in request for request in asked)
