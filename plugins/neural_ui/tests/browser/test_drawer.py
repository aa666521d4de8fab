"""The drawer: what it shows, and what people change in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from page import NewPage, UiPage
from playwright.sync_api import Locator, Page, expect

from neural_core import ExperimentManager
from neural_core.testing import wait_for


@pytest.fixture
def ui(new_page: NewPage, own_server: str) -> UiPage:
    """A page of a store that the test may change."""
    return new_page(own_server)


def opened(ui: UiPage, name: str = "resnet-adamw-0") -> tuple[Page, Locator]:
    """Open the drawer of a run."""
    page = ui.open()
    row = ui.get("run-row").filter(has_text=name)
    row.hover()
    row.locator(".open").click()
    drawer = ui.get("drawer")
    expect(drawer.get_by_role("heading", name="Metrics")).to_be_visible()
    return page, drawer


def test_drawer_shows_everything_of_a_run(ui: UiPage) -> None:
    """The drawer has overview, tags, notes, metrics, parameters, files with checksums, and plots."""
    _, drawer = opened(ui)
    for heading in ("Tags", "Notes", "Metrics", "Hyperparameters", "Artifacts", "Plots"):
        expect(drawer.get_by_role("heading", name=heading)).to_be_visible()
    expect(drawer.locator(".notes")).to_have_text("The first try.It works.")
    assert drawer.locator(".artifact").count() >= 4
    expect(drawer.locator(".artifact").filter(has_text="2 kB").first).to_contain_text("v")
    picture = drawer.locator(".gallery img").first
    picture.scroll_into_view_if_needed()
    ui.until("[...document.querySelectorAll('.gallery img')].some(one => one.naturalWidth > 0)")


def test_artifact_is_downloaded(ui: UiPage) -> None:
    """A file of a run is saved as it was logged; a page among them is saved too, never shown."""
    page, drawer = opened(ui)
    with page.expect_download() as saved:
        drawer.get_by_role("link", name="report.html").click()
    assert b"__executed" in saved.value.path().read_bytes()
    assert not ui.was_executed()


def test_rename(ui: UiPage, own_store: Path) -> None:
    """A new name is stored with the run and stands in the list at once."""
    page, drawer = opened(ui)
    name = drawer.get_by_label("Name of the run")
    name.fill("better name")
    name.press("Enter")
    expect(ui.get("run-row").filter(has_text="better name")).to_have_count(1)
    assert "better name" in {one["experiment_name"] for one in ExperimentManager(own_store).list_experiments()}
    page.reload()
    ui.wait_ready()
    expect(ui.get("run-row").filter(has_text="better name")).to_have_count(1)


def test_notes_are_saved_when_the_box_is_left(ui: UiPage, own_store: Path) -> None:
    """Notes are written as text, saved when the box is left, and then shown as Markdown, in which markup is text."""
    page, drawer = opened(ui, "resnet-sgd-1")
    ui.keep_toasts()
    drawer.get_by_label("Notes", exact=True).fill("# Why\n<b>bold</b> *idea*")
    drawer.get_by_label("Notes", exact=True).blur()
    expect(ui.get("toast")).to_contain_text("Notes saved")
    expect(drawer.locator(".notes h4")).to_have_text("Why")
    expect(drawer.locator(".notes p")).to_have_text("<b>bold</b> idea")
    assert [row.notes for row in ExperimentManager(own_store).runs("name ~ 'sgd'")] == ["# Why\n<b>bold</b> *idea*"]
    page.reload()
    ui.wait_ready()
    expect(drawer.locator(".notes em")).to_have_text("idea")


def test_notes_are_edited_as_text(ui: UiPage) -> None:
    """Edit shows the text as it was written; Escape takes the changes back and leaves the run open."""
    page, drawer = opened(ui)
    drawer.get_by_role("button", name="Edit the notes").click()
    box = drawer.get_by_label("Notes", exact=True)
    expect(box).to_have_value("The first try.\nIt **works**.")
    expect(box).to_be_focused()
    box.fill("something else")
    page.keyboard.press("Escape")
    expect(drawer.locator(".notes strong")).to_have_text("works")
    drawer.get_by_role("button", name="Edit the notes").click()
    box.press("Control+End")
    page.keyboard.type(" Again.")
    page.keyboard.press("Control+Enter")
    expect(drawer.locator(".notes")).to_have_text("The first try.It works. Again.")


def test_notes_are_saved_when_the_page_is_left(ui: UiPage, own_store: Path) -> None:
    """What was typed last is stored although the page is left while the box has the focus."""
    page, drawer = opened(ui, "resnet-sgd-1")
    drawer.get_by_label("Notes", exact=True).fill("typed last")
    page.goto("about:blank")
    assert len(wait_for(lambda: ExperimentManager(own_store).runs("notes = 'typed last'"))) == 1


def test_tags_are_added_and_removed(ui: UiPage) -> None:
    """A tag is added by its name, or name and text, and removed by its cross."""
    _, drawer = opened(ui, "resnet-sgd-1")
    drawer.get_by_label("Add a tag").fill("venue=ICML")
    drawer.get_by_label("Add a tag").press("Enter")
    expect(drawer.locator(".chip").filter(has_text="venue: ICML")).to_have_count(1)
    drawer.get_by_role("button", name="Remove the tag venue").click()
    expect(drawer.locator(".chip").filter(has_text="venue: ICML")).to_have_count(0)


def test_delete_can_be_taken_back(ui: UiPage, own_store: Path) -> None:
    """A deleted run goes to the trash and out of the page; Undo brings it back, selected as before."""
    _, drawer = opened(ui, "resnet-sgd-1")
    ui.keep_toasts()
    drawer.get_by_test_id("delete-run").click()
    expect(ui.get("run-row")).to_have_count(2)
    assert ui.page.locator("#run-counts").inner_text() == "2 of 2 selected"
    expect(drawer).to_be_hidden()
    assert len(ExperimentManager(own_store).list_experiments()) == 2
    ui.get("toast").get_by_role("button", name="Undo").click()
    expect(ui.get("run-row")).to_have_count(3)
    ui.until("neural.state.get().selected.size === 3")
    assert len(ExperimentManager(own_store).list_experiments()) == 3


def test_conflict_is_told(ui: UiPage, new_page: NewPage, own_server: str) -> None:
    """Of two changes on the same state the second is refused with a word, and nothing is overwritten."""
    _, drawer = opened(ui)
    other = new_page(own_server)
    _, other_drawer = opened(other)
    ui.page.route("**/api/v1/changes?*", lambda route: None)  # it does not hear of the first change
    ui.keep_toasts()
    other_drawer.get_by_label("Name of the run").fill("first")
    other_drawer.get_by_label("Name of the run").press("Enter")
    expect(other.get("run-row").filter(has_text="first")).to_have_count(1)
    with ui.expecting("409"):
        drawer.get_by_label("Name of the run").fill("second")
        drawer.get_by_label("Name of the run").press("Enter")
        expect(ui.get("toast").first).to_contain_text("Somebody else changed this run")
    assert ui.page.evaluate("neural.runs.all().map(run => run.name).includes('second')") is False


def test_back_button_closes_the_drawer(ui: UiPage) -> None:
    """The drawer is a step of the browser's history."""
    page, drawer = opened(ui)
    ui.until("location.search.includes('run=')")
    page.go_back()
    expect(drawer).to_be_hidden()
