"""Accessibility: axe-core on every view in both themes, every action by keyboard, focus always seen."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from axe import AXE, violations
from page import NewPage, Serve, UiPage
from playwright.sync_api import expect
from walking import TABS

AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"


def test_axe_is_what_was_vendored() -> None:
    """The vendored axe-core 4.14.1 is the released file, with its licence."""
    assert hashlib.sha256(AXE.read_bytes()).hexdigest() == AXE_SHA256
    assert "Mozilla Public License" in (AXE.parent / "axe.LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("tab", [*TABS, "panel-timeline"])
def test_views(new_page: NewPage, serve: Serve, store_small: Path, tab: str, theme: str) -> None:
    """axe-core finds nothing serious or critical on any tab in either theme (check 17)."""
    ui = new_page(serve(store_small), theme=theme)
    ui.open(f"?tab={tab}")
    expect(ui.get(f"tab-{tab}")).to_have_attribute("aria-selected", "true")
    ui.page.wait_for_load_state("networkidle")
    assert violations(ui) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_overlays(new_page: NewPage, serve: Serve, store_small: Path, theme: str) -> None:
    """The same holds for the open run, the table of runs, a menu and the help (check 17)."""
    ui = new_page(serve(store_small), theme=theme)
    ui.open()
    ui.page.evaluate("neural.state.set({run: neural.runs.all().at(-1).id})")
    expect(ui.get("drawer").locator(".drawer-body")).not_to_contain_text("Loading")
    assert violations(ui) == []
    ui.page.keyboard.press("Escape")
    ui.get("card").first.get_by_role("button", name="More for").click()
    assert violations(ui) == []
    ui.page.keyboard.press("Escape")
    ui.page.locator('[data-action="table"]').click()
    expect(ui.get("runs-sheet").locator(".ag-row").first).to_be_visible()
    assert violations(ui, "{exclude: [['.ag-root-wrapper']]}") == []  # the grid's own roles are its makers' affair
    ui.page.keyboard.press("Escape")
    ui.page.keyboard.press("?")
    expect(ui.page.locator(".modal.show")).to_be_visible()
    ui.until("document.getAnimations().every(one => one.playState !== 'running')")
    assert violations(ui) == []


def test_empty_store(new_page: NewPage, serve: Serve, tmp_path: Path) -> None:
    """The empty page has no findings either, and says what to do (check 17)."""
    ui = new_page(serve(tmp_path))
    ui.open()
    expect(ui.get("empty")).to_contain_text("ExperimentTracker")
    assert violations(ui) == []


def focused(ui: UiPage) -> Any:
    """Give the element that has the focus."""
    return ui.page.locator(":focus")


def selected(ui: UiPage) -> int:
    """Give how many runs are selected."""
    count: int = ui.page.evaluate("neural.state.get().selected.size")
    return count


def test_keys_of_tabs_and_searches(ui: UiPage) -> None:
    """``1`` to ``4`` open tabs, ``/`` and ``k`` the searches; keys are letters while a person writes (check 18)."""
    ui.open()
    for key, name in zip("2341", ("hyperparameters", "best", "summary", "metrics"), strict=True):
        ui.page.keyboard.press(key)
        expect(ui.get(f"tab-{name}")).to_have_attribute("aria-selected", "true")
    ui.page.keyboard.press("/")
    expect(focused(ui)).to_have_id("chart-search")
    ui.page.keyboard.type("loss")
    expect(ui.get("card")).to_have_count(2)
    ui.page.keyboard.press("2")
    expect(ui.get("tab-metrics")).to_have_attribute("aria-selected", "true")
    ui.page.keyboard.press("Escape")
    ui.page.keyboard.press("k")
    expect(focused(ui)).to_have_id("run-search")
    ui.page.keyboard.type("sgd")
    expect(ui.get("run-row")).to_have_count(2)


def test_keys_of_the_list(ui: UiPage) -> None:
    """``j`` goes to the list; arrows move, space selects, ``s`` shows alone, enter opens, Escape closes (check 18)."""
    ui.open()
    before = selected(ui)
    ui.page.keyboard.press("j")
    expect(focused(ui)).to_have_id("run-list")
    ui.page.keyboard.press("ArrowDown")
    ui.page.keyboard.press("Space")
    ui.until(f"neural.state.get().selected.size === {before - 1}")
    ui.page.keyboard.press("s")
    ui.until("neural.state.get().selected.size === 1")
    ui.page.keyboard.press("Enter")
    expect(ui.get("drawer")).to_be_visible()
    ui.page.keyboard.press("Escape")
    expect(ui.get("drawer")).to_be_hidden()
    expect(focused(ui)).to_have_id("run-list")


def test_keys_of_charts(ui: UiPage) -> None:
    """``l``, ``f``, ``e``, ``z`` and ``shift+z`` work on the chart with the focus, arrows and + zoom it (check 18)."""
    ui.open()
    expect(ui.get("card", metric="train/loss").locator(".trace").first).to_be_attached()
    plot = ui.get("card", metric="train/loss").locator(".plot")
    plot.focus()
    ui.page.keyboard.press("+")
    ui.until("neural.state.get().zoom !== null")
    first = ui.page.evaluate("neural.state.get().zoom")
    ui.page.keyboard.press("ArrowRight")
    ui.until(f"neural.state.get().zoom[0] > {first[0]}")
    ui.page.keyboard.press("z")
    ui.until(f"neural.state.get().zoom[0] === {first[0]}")
    ui.page.keyboard.press("Shift+Z")
    ui.until("neural.state.get().zoom === null")
    plot.focus()
    ui.page.keyboard.press("l")
    ui.until("neural.state.get().logs.includes('train/loss')")
    ui.page.keyboard.press("f")
    ui.until("Boolean(neural.cards.inFull())")
    ui.page.keyboard.press("Escape")
    ui.until("!neural.cards.inFull()")
    plot.focus()
    ui.page.keyboard.press("e")
    expect(ui.page.get_by_role("menu")).to_be_visible()
    ui.page.keyboard.press("Escape")
    expect(ui.page.get_by_role("menu")).to_be_hidden()


def test_keys_of_the_page(ui: UiPage) -> None:
    """``[`` folds the panel, ``t`` changes the theme, ``?`` shows the keys (check 18)."""
    ui.open()
    ui.page.keyboard.press("[")
    expect(ui.get("runs-panel")).to_be_hidden()
    ui.page.keyboard.press("[")
    expect(ui.get("runs-panel")).to_be_visible()
    before = ui.page.evaluate("neural.runs && document.querySelector('[data-action=theme]').dataset.theme")
    ui.page.keyboard.press("t")
    assert ui.page.evaluate("document.querySelector('[data-action=theme]').dataset.theme") != before
    ui.page.keyboard.press("?")
    expect(ui.page.locator(".modal.show")).to_contain_text("full screen")


def test_focus_is_seen(ui: UiPage) -> None:
    """Whatever Tab reaches shows that it has the focus, and nothing holds it (check 18)."""
    ui.open()
    expect(ui.get("card").first.locator(".trace").first).to_be_attached()
    seen: list[str] = []
    for _ in range(60):
        ui.page.keyboard.press("Tab")
        about = ui.page.evaluate(
            """(() => { const one = document.activeElement; const style = getComputedStyle(one);
            const label = one.closest('label, .segments, .form-check, .control');
            const near = [one, one.nextElementSibling, label].filter(Boolean).map(e => getComputedStyle(e));
            return [one.id || one.className || one.tagName, near.some(s => (s.outlineStyle !== 'none' &&
            parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none'), one === document.body]; })()"""
        )
        if about[2]:
            break
        assert about[1], f"{about[0]} does not show its focus"
        seen.append(about[0])
    assert len(set(seen)) > 15


def test_charts_in_words(ui: UiPage) -> None:
    """Each chart has a summary in words, and the same data as a table (check 18)."""
    ui.open()
    ui.until("document.querySelector('[data-metric=\"train/loss\"] .plot').getAttribute('aria-label').includes('best')")
    ui.get("card", metric="train/loss").get_by_role("button", name="More for").click()
    ui.page.get_by_role("menuitem", name="table").first.click()
    expect(ui.get("card", metric="train/loss").locator("table")).to_contain_text("resnet-adamw-0")


def test_narrow_window(new_page: NewPage, serve: Serve, store_small: Path) -> None:
    """At 1024 pixels nothing is cut off: the page itself never scrolls sideways (check 18)."""
    ui = new_page(serve(store_small), width=1_024, height=768)
    for tab in TABS:
        ui.open(f"?tab={tab}")
        assert ui.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
