"""The table of runs: columns, order, groups, selection, and what it does with many runs at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from asking import runs_of
from page import NewPage, Serve, UiPage
from playwright.sync_api import Locator, Page, expect

from neural_core import ExperimentManager

TICKS = "#runs-table .ag-pinned-left-cols-container .ag-selection-checkbox input"


@pytest.fixture
def many(new_page: NewPage, serve: Serve, store_1000_runs: Path) -> UiPage:
    """A page of a thousand runs."""
    return new_page(serve(store_1000_runs))


@pytest.fixture
def own(new_page: NewPage, own_server: str) -> UiPage:
    """A page of a store that the test may change."""
    return new_page(own_server)


def opened(ui: UiPage, query: str = "") -> tuple[Page, Locator]:
    """Open the table."""
    page = ui.open(f"?table=1{query}")
    grid = page.locator("#runs-table")
    expect(grid.locator(".ag-center-cols-container .ag-row").first).to_be_visible()
    return page, grid


def heads(grid: Locator) -> list[str]:
    """Give the titles of the columns in sight."""
    return [text.strip() for text in grid.locator(".ag-header-cell-text, .ag-header-group-text").all_text_contents()]


def names(grid: Locator) -> list[str]:
    """Give the names of the rows from top to bottom."""
    rows = grid.locator(".ag-pinned-left-cols-container .ag-row")
    found = rows.evaluate_all("all => all.map(row => [row.ariaRowIndex, row.querySelector('[col-id=name]').innerText])")
    return [name.strip() for _, name in sorted((int(at), name) for at, name in found)]


def test_table_of_runs(many: UiPage) -> None:
    """The table shows all runs with their parameters and values; its script is loaded only when it is opened."""
    page = many.open()
    assert not [one for one in many.requests if "dash_ag_grid" in one]
    page.get_by_role("button", name="Table", exact=True).click()
    grid = page.locator("#runs-table")
    expect(grid.locator(".ag-center-cols-container .ag-row").first).to_be_visible()
    expect(page.locator("#table-counts")).to_have_text("1,000 runs, 10 selected")
    expect(grid.get_by_text("metric_0").first).to_be_visible()
    page.get_by_role("button", name="Group rows").click()
    page.get_by_role("menuitemradio").nth(1).click()
    group = grid.locator(".ag-floating-top [role=gridcell]").get_by_text("±").first
    expect(group).to_be_visible()
    group.hover()
    expect(page.locator(".ag-tooltip")).to_contain_text(" runs, ")
    page.keyboard.press("Escape")
    expect(many.get("runs-sheet")).to_be_hidden()


def test_selection_of_the_table_is_the_selection_of_the_page(ui: UiPage) -> None:
    """A run unticked in the table is out of the charts."""
    page = ui.open()
    page.get_by_role("button", name="Table", exact=True).click()
    ticks = page.locator("#runs-table .ag-pinned-left-cols-container .ag-selection-checkbox input")
    expect(ticks.first).to_be_checked()
    ticks.first.click()
    ui.until("neural.state.get().selected.size === 5")


def test_what_the_table_does_not_show_stays_selected(ui: UiPage) -> None:
    """A tick in the table leaves the selection of runs alone that a search has taken out of it."""
    page, grid = opened(ui, "&q=sgd&runs=" + ",".join(runs_of(ui.url)))
    expect(grid.locator(".table-run")).to_have_count(2)
    page.locator(TICKS).first.click()
    ui.until("neural.state.get().selected.size < 6")
    assert page.evaluate("neural.state.get().selected.size") == 5


def test_chosen_columns_and_order_are_in_the_link(ui: UiPage, new_page: NewPage) -> None:
    """Chosen columns and the order stay while the menu is open, and a copied link shows them elsewhere."""
    page, grid = opened(ui)
    page.get_by_role("button", name="Columns").click()
    for column in ("Tags", "seed"):
        page.get_by_role("menuitemcheckbox", name=column).click()
    expect(page.get_by_role("menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(grid.get_by_text("Tags", exact=True)).to_have_count(0)
    grid.locator(".ag-header-cell[col-id=name]").click()
    ui.until("neural.state.get().order === 'name'")
    ui.until("location.search.includes('order=name')")
    assert page.evaluate("neural.state.get().cols") == "-tags,p%3Aseed"
    other = new_page(ui.url)
    other.page.goto(page.url)
    elsewhere = other.page.locator("#runs-table")
    expect(elsewhere.locator(".table-run")).to_have_count(6)
    assert heads(elsewhere) == heads(grid)
    assert names(elsewhere) == names(grid) == sorted(names(grid))


def test_runs_have_their_colours_in_the_table(ui: UiPage) -> None:
    """A run has its colour in the table, too, and a click on its name opens it."""
    page, grid = opened(ui)
    run = page.evaluate("neural.runs.selected()[2].id")
    row = grid.locator(f'.ag-pinned-left-cols-container .ag-row[row-id="{run}"]')
    shown = row.locator(".swatch").evaluate("one => one.style.getPropertyValue('--c')")
    assert shown == page.evaluate(f"neural.colors.of(neural.runs.get('{run}'))")
    row.locator("[col-id=name]").click()
    expect(ui.get("drawer")).to_be_visible()


def test_only_what_differs(ui: UiPage) -> None:
    """Parameters that are the same in all runs can be left out."""
    _, grid = opened(ui)
    expect(grid.get_by_text("batch_size")).to_have_count(1)
    ui.page.get_by_role("button", name="Only differing").click()
    expect(grid.get_by_text("batch_size")).to_have_count(0)


def test_archived_runs_leave_the_list(own: UiPage, own_store: Path) -> None:
    """Archived runs leave list, charts and table, are found by ``is:archived``, and are back after Undo."""
    page, _ = opened(own)
    own.keep_toasts()
    ids = page.evaluate("neural.runs.all().map(run => run.id)")
    page.evaluate("id => neural.state.select([id])", ids[0])
    page.get_by_role("button", name="Archive").click()
    expect(own.get("toast")).to_contain_text("archived")
    page.keyboard.press("Escape")
    expect(own.get("run-row")).to_have_count(2)
    assert [row.experiment_id for row in ExperimentManager(own_store).runs("tags.archived = ''")] == [ids[0]]
    page.get_by_role("button", name="1 run archived").click()
    expect(own.get("run-row", id=ids[0])).to_be_visible()
    expect(own.get("run-row")).to_have_count(1)
    page.get_by_role("button", name="Back to the runs that are not archived").click()
    expect(own.get("run-row")).to_have_count(2)
    own.get("toast").get_by_role("button", name="Undo").click()
    expect(own.get("run-row", id=ids[0])).to_have_attribute("aria-selected", "true")
    expect(own.get("run-row")).to_have_count(3)


def test_an_archived_run_of_a_link_is_shown(own: UiPage, own_store: Path) -> None:
    """A run that a link names is drawn and listed although it is archived, and its drawer takes it back."""
    [first, *_] = ExperimentManager(own_store).runs()
    own.open()
    own.page.evaluate("id => neural.edits.archive([id], true)", first.experiment_id)
    own.open(f"?runs={first.experiment_id}&run={first.experiment_id}")
    expect(own.get("run-row", id=first.experiment_id)).to_have_attribute("aria-selected", "true")
    own.get("drawer").get_by_role("button", name="Unarchive").click()
    expect(own.get("drawer").get_by_role("button", name="Archive", exact=True)).to_be_visible()
    assert ExperimentManager(own_store).runs("tags.archived = ''") == []
