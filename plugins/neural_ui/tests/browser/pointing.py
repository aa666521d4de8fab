"""What a hand does on a chart."""

from __future__ import annotations

from page import UiPage
from playwright.sync_api import Page

__all__ = ["CARD", "drag", "hover", "plot_box", "ranges", "settled"]

CARD = "train/loss"


def plot_box(ui: UiPage, metric: str = CARD) -> dict[str, float]:
    """Give the place of a chart's drawing on the screen."""
    box = ui.get("card", metric=metric).locator(".plot").bounding_box()
    assert box is not None
    return box


def drag(ui: UiPage, start: float, end: float, metric: str = CARD) -> None:
    """Drag over a part of a chart's width, in shares of it."""
    box = plot_box(ui, metric)
    left, width = box["x"] + 56, box["width"] - 70
    y = box["y"] + box["height"] / 2
    ui.page.mouse.move(left + start * width, y)
    ui.page.mouse.down()
    ui.page.mouse.move(left + (start + end) / 2 * width, y, steps=3)
    ui.page.mouse.move(left + end * width, y, steps=3)
    ui.page.mouse.up()


def ranges(ui: UiPage) -> list[list[float]]:
    """Give the part of x that each drawn chart shows."""
    return ui.page.evaluate("neural.cards.visible().map(card => [...card.range])")


def settled(ui: UiPage) -> None:
    """Wait until no chart reads or draws."""
    ui.until("!document.querySelector('.card.loading')")


def hover(ui: UiPage, page: Page, metric: str = CARD, at: float = 0.5) -> None:
    """Point into a chart."""
    box = plot_box(ui, metric)
    page.mouse.move(box["x"] + 56 + at * (box["width"] - 70) - 2, box["y"] + 150)
    page.mouse.move(box["x"] + 56 + at * (box["width"] - 70), box["y"] + 150)
