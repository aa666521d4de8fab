"""The x axis: zoom by drag, wheel and keys, and what it counts."""

from __future__ import annotations

import pytest
from page import UiPage
from pointing import CARD, drag, plot_box, ranges, settled


def test_drag_zooms_all_charts_and_reads_finer_data(ui: UiPage) -> None:
    """A drag in one chart zooms all of them, and each reads its curves for the new window."""
    ui.open()
    before = len(ui.api("series"))
    drag(ui, 0.25, 0.5)
    ui.until("neural.state.get().zoom !== null")
    settled(ui)
    shown = ranges(ui)
    assert len({tuple(one) for one in shown}) == 1
    assert shown[0] == pytest.approx([60, 120], abs=4)
    requests = ui.api("series")[before:]
    assert len(requests) >= len(shown)
    assert all("from=" in request and "to=" in request for request in requests)


def test_unlinked_charts_zoom_alone(ui: UiPage) -> None:
    """With the link off a drag zooms its own chart only."""
    ui.open("?link=0")
    drag(ui, 0.25, 0.5)
    ui.until(f"Boolean(neural.cards.get('{CARD}').zoom)")
    settled(ui)
    assert len({tuple(one) for one in ranges(ui)}) == 2


def test_zoom_goes_back_step_by_step(ui: UiPage) -> None:
    """The key z takes one zoom back, a double click all of them."""
    page = ui.open()
    drag(ui, 0.2, 0.8)
    ui.until("neural.state.get().zoom !== null")
    settled(ui)
    first = page.evaluate("neural.state.get().zoom")
    drag(ui, 0.4, 0.6)
    ui.until(f"neural.state.get().zoom[0] > {first[0] + 1}")
    page.keyboard.press("z")
    assert page.evaluate("neural.state.get().zoom") == first
    settled(ui)
    box = plot_box(ui)
    page.evaluate(f"neural.cards.get('{CARD}').plot._context.doubleClickDelay = 1e6")  # of Plotly's, in milliseconds
    page.mouse.dblclick(box["x"] + 300, box["y"] + 120)
    ui.until("neural.state.get().zoom === null")


def test_wheel_with_alt_zooms_at_the_pointer(ui: UiPage) -> None:
    """Alt and the wheel zoom around the pointer; the wheel alone scrolls the page."""
    page = ui.open()
    box = plot_box(ui)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.mouse.wheel(0, -200)
    assert page.evaluate("neural.state.get().zoom") is None
    page.keyboard.down("Alt")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Alt")
    ui.until("neural.state.get().zoom !== null")
    low, high = page.evaluate("neural.state.get().zoom")
    assert 0 < low < 120 < high < 239


@pytest.mark.parametrize("axis", ["wall", "relative", "metric:val/loss"])
def test_every_x_axis_draws(ui: UiPage, axis: str) -> None:
    """Wall time, relative time and another metric are x axes like the step, and a drag zooms on them too."""
    page = ui.open(f"?x={axis}")
    low, high = page.evaluate(f"neural.cards.get('{CARD}').range")
    assert low < high
    drag(ui, 0.3, 0.7)
    ui.until("neural.state.get().zoom !== null")
    settled(ui)
    zoom = page.evaluate("neural.state.get().zoom")
    assert low <= zoom[0] < zoom[1] <= high
    assert zoom == pytest.approx([low + 0.3 * (high - low), low + 0.7 * (high - low)], rel=0.1, abs=0.1 * (high - low))


def test_log_x_axis(ui: UiPage) -> None:
    """The x axis can be logarithmic; it starts at the first positive value."""
    page = ui.open("?logx=1")
    assert page.evaluate(f"neural.cards.get('{CARD}').range[0]") > 0
    assert page.evaluate(f"neural.cards.get('{CARD}').plot._fullLayout.xaxis.type") == "log"


def test_keys_move_a_chart(ui: UiPage) -> None:
    """A chart with the focus zooms with plus and minus and moves with the arrows; with shift they zoom its height."""
    page = ui.open()
    ui.get("card", metric=CARD).locator(".plot").focus()
    page.keyboard.press("+")
    ui.until("neural.state.get().zoom !== null")
    settled(ui)
    before = page.evaluate("neural.state.get().zoom")
    page.keyboard.press("ArrowRight")
    ui.until(f"neural.state.get().zoom[0] > {before[0]}")
    settled(ui)
    low, high = page.evaluate(f"neural.cards.get('{CARD}').yrange")
    page.keyboard.press("ArrowUp")
    ui.until(f"neural.cards.get('{CARD}').yrange[0] > {low} && neural.cards.get('{CARD}').yrange[1] > {high}")
    settled(ui)
    page.keyboard.press("Shift+ArrowUp")
    ui.until(f"neural.cards.get('{CARD}').yrange[1] - neural.cards.get('{CARD}').yrange[0] < {(high - low) * 0.7}")
