"""A walk through the whole page, as a person takes who looks at everything once."""

from __future__ import annotations

from page import UiPage
from playwright.sync_api import expect

__all__ = ["TABS", "look_at_drawer", "look_at_everything"]

TABS = ("metrics", "hyperparameters", "best", "summary")


def look_at_everything(ui: UiPage, *, runs: int = 4) -> None:
    """Open each tab and panel, hover over charts, open runs, the table, menus and the help."""
    ui.open()
    _hover_charts(ui)
    for name in (*TABS[1:], "panel-timeline"):
        ui.tab(name)
        ui.page.wait_for_timeout(250)
    ui.tab("metrics")
    for at in range(min(runs, ui.get("run-row").count())):
        look_at_drawer(ui, str(ui.get("run-row").nth(at).get_attribute("data-id")))
    _table(ui)
    ui.page.keyboard.press("?")
    expect(ui.page.locator(".modal.show")).to_be_visible()
    ui.page.keyboard.press("Escape")
    expect(ui.page.locator(".modal.show")).to_have_count(0)


def _hover_charts(ui: UiPage) -> None:
    for at in range(min(3, ui.get("card").count())):
        plot = ui.get("card").nth(at).locator(".plot")
        if plot.is_visible():
            plot.scroll_into_view_if_needed()
            box = plot.bounding_box()
            assert box is not None
            for part in (0.3, 0.6, 0.9):
                ui.page.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] / 2)
                ui.page.wait_for_timeout(40)


def look_at_drawer(ui: UiPage, run: str) -> None:
    """Open a run and close it again."""
    ui.page.evaluate("id => neural.state.set({run: id})", run)
    expect(ui.get("drawer")).to_be_visible()
    expect(ui.get("drawer").locator(".drawer-body")).not_to_contain_text("Loading")
    ui.page.evaluate("neural.state.set({run: ''})")
    expect(ui.get("drawer")).to_be_hidden()


def _table(ui: UiPage) -> None:
    ui.page.locator('[data-action="table"]').click()
    expect(ui.get("runs-sheet").locator(".ag-row").first).to_be_visible()
    ui.page.keyboard.press("Escape")
    expect(ui.get("runs-sheet")).to_be_hidden()
