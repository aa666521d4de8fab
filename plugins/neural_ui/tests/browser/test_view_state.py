"""Address, storage, theme, live updates, empty page."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import quote

import pytest
from live_run import LiveRun
from page import NewPage, Serve, UiPage
from playwright.sync_api import expect

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.reading import ExperimentStore


def test_link_shows_the_same_view_elsewhere(ui: UiPage, new_page: NewPage, serve: Serve, store_small: Path) -> None:
    """The address of a view, opened in another browser, shows the same runs, charts and zoom."""
    page = ui.open()
    page.evaluate("neural.state.select([...neural.state.get().selected].slice(0, 3))")
    page.get_by_label("Smoothing").fill("40")
    page.evaluate("neural.state.set({zoom: [50, 150], group: 'param:optimizer', y: 'log', charts: 'loss'})")
    ui.until("['smooth=40', 'zoom=50~150', 'charts=loss'].every(one => location.search.includes(one))")
    query = page.evaluate("location.search")
    other = new_page(serve(store_small))
    other.open(f"?{query[1:]}")
    keys = (
        "(({smooth, zoom, group, y, charts, selected}) =>"
        " JSON.stringify([smooth, zoom, group, y, charts, [...selected]]))"
    )
    state = f"{keys}(neural.state.get())"
    assert other.page.evaluate(state) == page.evaluate(state)
    assert len(query) < 400
    expect(other.page.locator("#smoothing-value")).to_have_text("40 %")
    expect(other.page.get_by_label("Group by")).to_have_value("param:optimizer")
    expect(other.get("card")).to_have_count(2)


def test_selection_is_remembered(ui: UiPage) -> None:
    """The last selection is there again when the page is opened without an address of a view."""
    ui.open()
    ui.get("run-row").nth(0).locator(".name").click()
    ui.until("neural.state.get().selected.size === 5")
    ui.open()
    assert ui.page.evaluate("neural.state.get().selected.size") == 5


def test_theme_follows_the_system_and_the_choice(new_page: NewPage, serve: Serve, store_small: Path) -> None:
    """Without a choice the theme is the system's; the choice is kept, and charts are drawn anew in its colours."""
    ui = new_page(serve(store_small), theme="dark")
    page = ui.open()
    theme = "document.documentElement.dataset.bsTheme"
    assert page.evaluate(theme) == "dark"
    page.keyboard.press("t")
    assert page.evaluate(theme) == "light"
    color = page.evaluate("neural.cards.visible()[0].built.lines[0].color")
    page.keyboard.press("t")
    assert page.evaluate(theme) == "dark"
    ui.until(f"neural.cards.visible()[0].built.lines[0].color !== '{color}'")
    page.reload()
    ui.wait_ready()
    assert page.evaluate(theme) == "dark"


def test_new_points_come_by_themselves_and_keep_the_zoom(
    new_page: NewPage, own_server: str, live_writer: LiveRun
) -> None:
    """A running experiment's new points appear without a reload, and a zoomed window stays as it is."""
    live_writer.log(*[1 / (n + 1) for n in range(30)])
    ui = new_page(own_server)
    page = ui.open()
    expect(ui.get("live")).to_have_text("1 running")
    page.evaluate("neural.state.set({zoom: [5, 20]})")
    ui.until("!document.querySelector('.card.loading')")
    live_writer.log(*[0.5] * 10)
    run = live_writer.experiment_id
    ui.until(f"neural.runs.get('{run}').metrics.loss.count === 40")
    assert page.evaluate("neural.state.get().zoom") == [5, 20]
    assert page.evaluate("neural.cards.get('loss').range") == [5, 20]
    page.evaluate("neural.zoom.reset(null)")
    ui.until("neural.cards.get('loss').range[1] >= 39")
    live_writer.log(*[0.4] * 20)
    ui.until("neural.cards.get('loss').range[1] >= 59")


def test_silent_run_is_stalled(new_page: NewPage, own_server: str, live_writer: LiveRun) -> None:
    """A run that calls itself running and has given no sign of life for a minute is shown as stalled."""
    live_writer.log(0.5)
    ui = new_page(own_server)
    page = ui.open()
    dot = ui.get("run-row", id=live_writer.experiment_id).locator(".status-dot")
    expect(dot).to_have_attribute("title", "running")
    page.evaluate("(() => { const now = Date.now; Date.now = () => now() + 61_000; neural.live.ask(); })()")
    expect(dot).to_have_attribute("title", "stalled")
    expect(ui.get("live")).to_have_text("Up to date")


def test_exceptions_of_single_charts_are_in_the_link(ui: UiPage, new_page: NewPage) -> None:
    """A chart's own scale and boxed y axis, and its own zoom while charts are not linked, are in the link."""
    page = ui.open("?link=0")
    page.evaluate(
        "(() => { const one = neural.cards.get('val/loss'); neural.cardhead.toggleLog(one);"
        " neural.zoom.to(one, [40.5, 120.25], [-0.5, 0.125]); neural.url.flush(); })()"
    )
    other = new_page(ui.url)
    other.page.goto(page.url)
    other.wait_ready()
    shown = "(card => [card.log, [...card.range], [...card.yrange]])(neural.cards.get('val/loss'))"
    assert other.page.evaluate(shown) == [True, [40.5, 120.25], [-0.5, 0.125]]
    assert other.page.evaluate("neural.cards.get('train/loss').range[0]") == 0
    other.page.get_by_role("button", name="Reset zoom").click()
    other.until("!location.search.includes('boxes') && !location.search.includes('windows')")


@pytest.mark.parametrize("look", ["ask", "refresh"])
def test_new_run_joins_while_nobody_has_chosen(new_page: NewPage, own_server: str, own_store: Path, look: str) -> None:
    """A run that starts while the page is open is shown as soon as it is known, as long as nobody has chosen runs."""
    ui = new_page(own_server)
    ui.open()
    ExperimentStore(own_store).set_direction("gain", "min")
    with ExperimentTracker("the new one", own_store, auto_visualize=False) as tracker:
        tracker.log_metrics({"gain": 0.9}, step=0)
    ui.page.evaluate(f"neural.live.{look}()")
    expect(ui.get("run-row", id=tracker.experiment_id)).to_have_attribute("aria-selected", "true")
    assert ui.page.evaluate("neural.runs.direction('gain')") == "min"


def test_a_copied_folder_keeps_its_place(new_page: NewPage, own_server: str, own_store: Path) -> None:
    """A run whose id changes, since it was copied or a copy is gone, stays selected and open, and no loss is told."""
    [first, *_] = ExperimentManager(own_store).runs()
    folder, copy = own_store / first.folder, own_store / "copy"
    ui = new_page(own_server)
    page = ui.open(f"?runs={first.experiment_id}&base={first.experiment_id}&run={first.experiment_id}")
    chosen = "[neural.runs.selected().length, [...neural.state.get().selected].sort().join()]"
    ui.keep_toasts()
    shutil.copytree(folder, copy)
    ui.until(f"neural.live.ask() && {chosen}[0] === 2")
    name = quote(folder.name, safe="")
    assert page.evaluate(chosen)[1] == f"{first.experiment_id}~copy,{first.experiment_id}~{name}"
    assert page.evaluate("['run', 'base'].every(name => neural.runs.get(neural.state.get()[name]))")
    shutil.rmtree(copy)
    ui.until(f"neural.live.ask() && {chosen}[1] === '{first.experiment_id}'")
    expect(ui.get("drawer")).to_be_visible()
    expect(ui.get("toast")).to_have_count(0)


def test_runs_of_a_former_server_are_not_kept(ui: UiPage) -> None:
    """A page that outlives its server has exactly the runs that the new one has."""
    page = ui.open()
    page.evaluate("neural.runs.put({...neural.runs.selected()[0], id: 'gone'}); neural.runs.info().cursor = 'former-7'")
    ui.until("neural.live.ask() && !neural.runs.get('gone')")
    assert page.evaluate("neural.runs.all().length") == 6


def test_lost_server_is_shown_and_found_again(ui: UiPage) -> None:
    """While the server does not answer the page says so, stays usable, and recovers by itself."""
    page = ui.open()
    with ui.expecting("."):
        page.route("**/api/v1/changes**", lambda route: route.abort())
        page.evaluate("neural.live.ask()")
        expect(ui.get("live")).to_have_text("Reconnecting")
        page.unroute("**/api/v1/changes**")
        page.evaluate("neural.live.ask()")
        expect(ui.get("live")).to_have_text("Up to date")


def test_empty_folder_says_what_to_do(new_page: NewPage, serve: Serve, tmp_path: Path) -> None:
    """A folder without experiments shows where was looked, how to begin, and the run as soon as it starts."""
    ui = new_page(serve(tmp_path))
    page = ui.open()
    empty = ui.get("empty")
    expect(empty).to_be_visible()
    expect(empty).to_contain_text(str(tmp_path))
    expect(empty).to_contain_text("ExperimentTracker")
    run = LiveRun(tmp_path)
    try:
        run.log(0.5, 0.4)
        page.get_by_role("button", name="Refresh").last.click()
        expect(empty).to_be_hidden()
        expect(ui.get("run-row")).to_have_count(1)
        expect(page.locator("#list-metric")).to_contain_text("accuracy")
    finally:
        run.close()


def test_help_lists_the_keys(ui: UiPage) -> None:
    """The question mark opens the help; Escape closes it."""
    page = ui.open()
    page.keyboard.press("?")
    help_window = page.get_by_role("dialog").filter(has_text="Keys and help")
    expect(help_window).to_be_visible()
    expect(help_window).to_contain_text("status:failed")
    page.keyboard.press("Escape")
    expect(help_window).to_be_hidden()


def test_copy_link(ui: UiPage) -> None:
    """The button copies the address of the view."""
    page = ui.open()
    ui.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ui.keep_toasts()
    ui.get("copy-link").click()
    expect(ui.get("toast")).to_contain_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_comparison_is_saved_as_one_file(ui: UiPage) -> None:
    """The comparison is saved as one HTML file, and the runs as CSV."""
    page = ui.open()
    for item, name in (("HTML file", "comparison.html"), ("CSV of the runs", "runs.csv")):
        page.get_by_role("button", name="Export this comparison").click()
        with page.expect_download() as saved:
            page.get_by_role("menuitem", name=item).click()
        assert saved.value.suggested_filename == name
        assert "resnet-adamw-0" in saved.value.path().read_text()


def test_nothing_is_cut_off_at_1024(new_page: NewPage, serve: Serve, store_small: Path) -> None:
    """At 1024 x 768 every control of the bar and the toolbar is inside the window."""
    ui = new_page(serve(store_small), width=1024, height=768)
    page = ui.open()
    for place in (".top-bar button", ".toolbar input", ".toolbar select"):
        for one in page.locator(place).all():
            box = one.bounding_box()
            if box is not None and box["width"] > 1:
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= 1024
    assert page.evaluate("document.documentElement.scrollWidth") <= 1024
