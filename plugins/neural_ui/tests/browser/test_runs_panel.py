"""The runs panel: search, selection, order, colours, keys, archived runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from page import NewPage, Serve, UiPage
from playwright.sync_api import Page, expect


@pytest.fixture
def many(new_page: NewPage, serve: Serve, store_1000_runs: Path) -> UiPage:
    """A page of a thousand runs."""
    return new_page(serve(store_1000_runs))


def chosen(page: Page) -> list[str]:
    """Give the ids of the selected runs."""
    return page.evaluate("[...neural.state.get().selected]")


def test_newest_ten_are_selected_at_first(many: UiPage) -> None:
    """Who has chosen nothing sees the newest ten runs: never a blank page, never all of a thousand."""
    page = many.open()
    newest = page.evaluate("neural.runs.all().sort((a, b) => b.ordinal - a.ordinal).slice(0, 10).map(run => run.id)")
    assert chosen(page) == newest
    expect(page.locator("#run-counts")).to_have_text("10 of 1,000 selected")


def test_only_rows_in_sight_exist(many: UiPage) -> None:
    """A thousand runs are a few dozen rows in the document, also after scrolling to the end."""
    page = many.open()
    assert many.get("run-row").count() < 50
    page.evaluate("neural.$('run-list').scrollTop = 1e9")
    last = page.evaluate("neural.selection.rows().at(-1).id")
    expect(many.get("run-row", id=last)).to_be_visible()
    assert many.get("run-row").count() < 50


def test_search_filters_the_list(many: UiPage) -> None:
    """The search shows the runs that it describes, and says how many."""
    page = many.open()
    page.keyboard.press("k")
    page.keyboard.type("lr<1e-3")
    many.until("neural.state.get().q === 'lr<1e-3' && neural.selection.rows().length < 1000")
    small = page.evaluate(
        "neural.selection.rows().every(run => Object.entries(run.params)"
        ".some(([name, value]) => /lr|learning_rate/.test(name) && value < 1e-3))"
    )
    assert small
    expect(page.locator("#run-counts")).to_contain_text("found")
    page.locator("#run-search").fill("/(/")
    expect(page.locator("#search-problem")).to_have_text("/(/ is not a regular expression.")


def test_click_toggles_and_alt_click_shows_one_alone(ui: UiPage) -> None:
    """A click takes a run out of the charts or in; with alt it stays alone, and again brings the others back."""
    page = ui.open()
    row = ui.get("run-row").nth(1)
    row.locator(".name").click()
    expect(row).to_have_attribute("aria-selected", "false")
    assert len(chosen(page)) == 5
    first = ui.get("run-row").nth(0)
    first.locator(".name").click(modifiers=["Alt"])
    assert chosen(page) == [first.get_attribute("data-id")]
    first.locator(".name").click(modifiers=["Alt"])
    assert len(chosen(page)) == 5


def test_removing_a_run_reads_nothing(ui: UiPage) -> None:
    """Taking a run out of the charts needs no request; taking one in does."""
    page = ui.open()
    before = len(ui.api("series"))
    ui.get("run-row").nth(0).locator(".name").click()
    ui.until("neural.cards.visible().every(card => card.built.lines.length === 5)")
    assert len(ui.api("series")) == before
    ui.get("run-row").nth(0).locator(".name").click()
    ui.until("neural.cards.visible().every(card => card.built.lines.length === 6)")
    assert len(chosen(page)) == 6


def test_list_by_keys(ui: UiPage) -> None:
    """The list is worked by keys: down, space, s for one alone, enter for the drawer."""
    page = ui.open()
    page.locator("#run-list").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    assert len(chosen(page)) == 5
    page.keyboard.press("s")
    assert len(chosen(page)) == 1
    page.keyboard.press("Enter")
    expect(ui.get("drawer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(ui.get("drawer")).to_be_hidden()
    expect(page.locator("#run-list")).to_be_focused()


def test_keys_do_nothing_while_writing(ui: UiPage) -> None:
    """A letter typed into a field is text, not a command."""
    page = ui.open()
    page.locator("#run-search").fill("")
    page.locator("#run-search").press_sequentially("t[z1")
    assert page.evaluate("neural.theme.get()") == "system"
    assert page.evaluate("neural.state.get().tab") == "metrics"
    expect(page.locator("#run-search")).to_have_value("t[z1")


def test_order_by_metric_and_by_name(ui: UiPage) -> None:
    """The list is ordered by the chosen metric in its direction, or by name; selected runs stay on top."""
    page = ui.open()
    page.locator("#list-metric").click()
    page.get_by_role("menuitemradio", name="val/loss").click()
    page.locator("#list-metric").click()
    page.get_by_role("menuitemradio", name="Best first").click()
    values = page.evaluate("neural.selection.rows().map(run => neural.runs.best(run, 'val/loss').value)")
    assert values == sorted(values)
    page.get_by_title("Sort by name").click()
    names = page.evaluate("neural.selection.rows().map(run => run.name)")
    assert names == sorted(names)


def test_colours_are_the_same_everywhere(ui: UiPage) -> None:
    """A run has one colour: in the list, its line, its bar, its summary and its column, also after a filter."""
    page = ui.open()
    run = page.evaluate("neural.runs.selected()[2].id")
    color = page.evaluate(f"neural.colors.of(neural.runs.get('{run}'))")
    assert page.evaluate(f"neural.cards.visible()[0].built.lines.find(line => line.id === '{run}').color") == color
    ui.tab("best")
    bar = page.locator(f'.bar[data-id="{run}"] .bar-fill').first
    assert bar.evaluate("one => one.style.getPropertyValue('--c')") == color
    ui.tab("summary")
    swatch = ui.get("summary-card", id=run).locator("header .swatch")
    assert swatch.evaluate("one => one.style.getPropertyValue('--c')") == color
    page.locator("#run-search").fill("resnet")
    assert ui.get("run-row", id=run).locator(".swatch").evaluate("one => one.style.getPropertyValue('--c')") == color


def test_runs_of_one_colour_differ_by_dash(many: UiPage) -> None:
    """Of selected runs with the same colour the oldest is solid and the next is dashed."""
    page = many.open()
    ids = page.evaluate("neural.runs.all().sort((a, b) => a.ordinal - b.ordinal).slice(0, 20).map(run => run.id)")
    page.evaluate("ids => neural.state.select(ids)", ids)
    dashes = page.evaluate("ids => ids.map(id => neural.colors.dashIndex(neural.runs.get(id)))", ids)
    assert dashes == [0] * 10 + [1] * 10


def test_own_colour_is_kept(new_page: NewPage, own_server: str) -> None:
    """A colour that a person chose is stored with the run and is there in another browser."""
    ui = new_page(own_server)
    page = ui.open()
    row = ui.get("run-row").first
    run = row.get_attribute("data-id") or ""
    row.locator(".swatch").click()
    page.get_by_role("menuitemradio", name="Colour 6").click()
    ui.until(f"neural.runs.get('{run}').color !== null")
    chosen_color = page.evaluate(f"neural.colors.of(neural.runs.get('{run}'))")
    other = new_page(own_server)
    other.open()
    assert other.page.evaluate(f"neural.colors.of(neural.runs.get('{run}'))") == chosen_color


def test_lines_follow_their_runs(new_page: NewPage, own_server: str) -> None:
    """A new name or tag of a run is in the lines and groups of the charts at once."""
    ui = new_page(own_server)
    page = ui.open()
    run = page.evaluate("neural.runs.selected()[0].id")
    lines = "neural.cards.visible()[0].built.lines.map(line => line.name).sort().join()"
    page.evaluate("id => neural.edits.update(id, {name: 'another name'})", run)
    ui.until(f"{lines}.includes('another name')")
    page.evaluate("neural.state.set({group: 'tag:team'})")
    ui.until(f"{lines} === 'speech,vision'")
    page.evaluate("id => neural.edits.update(id, {tags: {team: 'audio'}})", run)
    ui.until(f"{lines}.includes('audio')")
    expect(page.get_by_role("list", name="Groups")).to_contain_text("audio")


def test_panel_folds(ui: UiPage) -> None:
    """The bracket, or a button, folds the panel away and back."""
    page = ui.open()
    page.keyboard.press("[")
    expect(ui.get("runs-panel")).to_be_hidden()
    page.get_by_role("button", name="Show or hide the runs").click()
    expect(ui.get("runs-panel")).to_be_visible()
