"""Acceptance checks of what is kept: the link, and the colours of runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import neural_ui
import pytest
from asking import runs_of
from page import NewPage, Serve, UiPage
from palette import least_distance, run_colours
from playwright.sync_api import expect
from server import Server
from stores import make_small_store

from neural_core import ExperimentManager

STATE = (
    "(() => { const s = {...neural.state.get()}; s.selected = [...s.selected].sort();"
    " for (const name of ['hover', 'touched', 'panel']) delete s[name]; return s; })()"
)
COLOURS = """(selector => Object.fromEntries([...document.querySelectorAll(selector)].map(
    one => [one.closest('[data-id]')?.dataset.id, getComputedStyle(one).getPropertyValue('--c').trim()])))"""


def state_of(ui: UiPage) -> dict[str, Any]:
    """Give everything that the page shows by choice."""
    found: dict[str, Any] = ui.page.evaluate(STATE)
    return found


def arrange(ui: UiPage) -> None:
    """Choose something other than the default for everything that a link holds."""
    ui.page.evaluate(
        """neural.state.set({smooth: 35, x: 'relative', y: 'log', band: 'all', group: 'param:optimizer', agg: 'minmax',
        link: true, zoom: [1000.5, 40000.25], columns: '3', charts: 'loss', q: 'vit', sort: 'name',
        base: [...neural.state.get().selected][3], best: 'train_loss,val_loss', bestBy: 'last', tab: 'best'});
        neural.state.set({boxes: {train_loss: [-0.5, 0.25]}, logs: ['val_loss'], cols: '-tags,p%3Aseed', differ: true,
        order: '-best%3Aval_loss,name', rows: 'param:optimizer'})"""
    )


def test_link_restores_the_view(new_page: NewPage, serve: Serve, store_20x1m: Path) -> None:
    """The copied link of a view of 20 runs has at most 2,000 characters, and shows the same elsewhere (check 14)."""
    url = serve(store_20x1m)
    ui = new_page(url, permissions=["clipboard-read", "clipboard-write"])
    ui.open(f"?runs={','.join(runs_of(url))}")
    arrange(ui)
    ui.keep_toasts()
    ui.get("copy-link").click()
    expect(ui.get("toast")).to_contain_text("copied", ignore_case=True)
    link = ui.page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(url)
    assert len(link) <= 2_000
    assert len(parse_qs(urlsplit(link).query)["runs"][0].split(",")) == 20
    other = new_page(url)
    other.open("?" + urlsplit(link).query)
    assert state_of(other) == state_of(ui)
    assert other.page.url == link


def test_back_button(ui: UiPage) -> None:
    """The back button returns to the tab before, and closes a run that was opened (check 14)."""
    ui.open()
    ui.tab("summary")
    ui.until("location.search.includes('tab=summary')")
    ui.get("run-row").first.hover()
    ui.get("run-row").first.locator("[data-part=open]").click()
    ui.until("location.search.includes('run=')")
    expect(ui.get("drawer")).to_be_visible()
    ui.page.go_back()
    expect(ui.get("drawer")).to_be_hidden()
    ui.page.go_back()
    expect(ui.get("tab-metrics")).to_have_attribute("aria-selected", "true")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of thirteen runs: three more than there are colours."""
    base = tmp_path_factory.mktemp("colours")
    make_small_store(base, runs=13, steps=20)
    return base


def colours(ui: UiPage, selector: str) -> dict[str, str]:
    """Give run → colour of what a selector finds."""
    found: dict[str, str] = ui.page.evaluate(f"{COLOURS}('{selector}')")
    assert found
    return found


def everywhere(ui: UiPage, runs: list[str]) -> dict[str, str]:
    """Look at the list, the charts, the bars and the cards; give the colours, which are the same in all."""
    ui.open(f"?runs={','.join(runs)}")
    listed = colours(ui, "[data-testid=run-row] .swatch")
    expect(ui.get("card", metric="lr").locator(".trace").first).to_be_attached()
    lines = dict(
        ui.page.evaluate("document.querySelector('[data-metric=lr]').card.built.lines.map(one => [one.id, one.color])")
    )
    ui.tab("summary")
    expect(ui.get("summary-card").first).to_be_visible()
    cards = colours(ui, "[data-testid=summary-card] .swatch")
    ui.tab("best")
    expect(ui.get("best-card").first).to_be_visible()
    bars = ui.page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('[data-testid=best-card]:first-of-type .bar-fill')].map("
        "one => [one.closest('[data-id]').dataset.id, getComputedStyle(one).getPropertyValue('--c').trim()]))"
    )
    for other in (lines, cards, bars):
        assert other
        assert {run: listed[run] for run in other} == other
    return {run: listed[run] for run in runs}


def test_colours_are_the_same_everywhere(new_page: NewPage, many: Path) -> None:
    """A run has one colour: in list, charts, bars and cards, beside others or alone, after reload and restart (19)."""
    server = Server(many)
    runs = list(runs_of(server.url))
    ui = new_page(server.url)
    every = everywhere(ui, runs)
    assert everywhere(ui, runs[4:7]) == {run: every[run] for run in runs[4:7]}
    ui.page.reload()
    ui.wait_ready()
    assert colours(ui, "[data-testid=run-row] .swatch") == every
    ui.page.evaluate("neural.state.set({q: 'sgd'})")
    filtered = colours(ui, "[data-testid=run-row] .swatch")
    assert {run: every[run] for run in filtered} == filtered
    ui.leave()
    server.close()
    ExperimentManager(many).delete_experiment(runs[-2])
    again = Server(many)
    left = [run for run in runs if run != runs[-2]]
    other = new_page(again.url)
    assert everywhere(other, left) == {run: every[run] for run in left}
    other.leave()
    again.close()


def test_dash_beside_colour(new_page: NewPage, serve: Serve, store_20x1m: Path) -> None:
    """Runs that share a colour differ in their dash, so colour is never alone (check 19)."""
    url = serve(store_20x1m)
    ui = new_page(url)
    ui.open(f"?runs={','.join(runs_of(url))}")
    expect(ui.get("card", metric="train_loss").locator(".trace").first).to_be_attached()
    lines = ui.page.evaluate(
        "document.querySelector('[data-metric=train_loss]').card.built.lines.map(one => `${one.color} ${one.dash}`)"
    )
    assert len(lines) == len(set(lines)) == 20


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_palette(theme: str) -> None:
    """The ten colours stay at least 0.09 apart in OKLab for people who see red and green alike (check 19)."""
    style = (Path(neural_ui.__file__).parent / "assets" / "css" / "tokens.css").read_text(encoding="utf-8")
    chosen = run_colours(style, theme)
    assert len(chosen) == 10
    assert least_distance(chosen) >= 0.09


def test_python_has_the_same_palette() -> None:
    """Panels and exports have the colours of the page's style sheet."""
    from neural_ui._palette import RUN_COLOURS

    style = (Path(neural_ui.__file__).parent / "assets" / "css" / "tokens.css").read_text(encoding="utf-8")
    assert list(RUN_COLOURS) == run_colours(style, "light")
