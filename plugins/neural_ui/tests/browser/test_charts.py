"""The charts: smoothing, bands, groups, tooltip, buttons."""

from __future__ import annotations

import pytest
from page import NewPage, Serve, UiPage
from playwright.sync_api import expect
from pointing import CARD, hover


def test_smoothing_asks_for_nothing(ui: UiPage) -> None:
    """The smoothing slider changes the lines of all charts without a request."""
    page = ui.open()
    before = page.evaluate(f"[...neural.cards.get('{CARD}').built.lines[0].y]")
    requests = len(ui.requests)
    page.get_by_label("Smoothing").fill("60")
    ui.until(f"neural.cards.get('{CARD}').built.lines[0].y[40] !== {before[40]}")
    assert [one for one in ui.requests[requests:] if "series" in one] == []
    expect(page.locator("#smoothing-value")).to_have_text("60 %")


def test_bands_by_rule(ui: UiPage, new_page: NewPage, serve: Serve, store_1000_runs: object) -> None:
    """Up to six runs show their min-max bands at once; more do only when all are asked for."""
    page = ui.open()
    assert page.evaluate("neural.traces.build.length") == 3
    many = new_page(serve(store_1000_runs))  # type: ignore[arg-type]
    many.open()
    first = "neural.cards.visible()[0].built"
    assert many.page.evaluate(f"{first}.bands") is False
    many.page.get_by_text("All", exact=True).and_(many.page.locator("label")).click()
    many.until(f"{first}.bands")


def test_group_has_mean_band_and_count(ui: UiPage) -> None:
    """Grouping by a parameter draws one line with a band for each value, and the tooltip tells how many runs it is."""
    page = ui.open()
    page.get_by_label("Group by").select_option("param:optimizer")
    ui.until(f"neural.cards.get('{CARD}').built.lines.length === 3")
    lines = page.evaluate(f"neural.cards.get('{CARD}').built.lines.map(line => [line.name, line.n])")
    assert lines == [["adamw", 2], ["lion", 2], ["sgd", 2]]
    expect(page.get_by_role("list", name="Groups").get_by_role("listitem")).to_have_count(3)
    hover(ui, page)
    expect(page.locator("#tooltip")).to_contain_text("2 runs")


def test_tooltip_names_the_nearest_run_and_stays_in_the_window(ui: UiPage) -> None:
    """The tooltip lists at most nine runs with their values and is never outside the window."""
    page = ui.open()
    for at in (0.02, 0.5, 0.98):
        hover(ui, page, "val/accuracy", at)
        tip = page.locator("#tooltip")
        expect(tip).to_be_visible()
        expect(tip.locator(".tip-row.first")).to_have_count(1)
        assert tip.locator(".tip-row").count() <= 9
        box = tip.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 1440
        assert box["y"] + box["height"] <= 900


def test_crosshair_is_in_all_charts(ui: UiPage) -> None:
    """The crosshair stands at the same x in every chart in sight."""
    page = ui.open()
    hover(ui, page)
    ui.until("[...document.querySelectorAll('.o-cross')].filter(one => one.style.display !== 'none').length >= 4")


def test_pointing_at_a_run_lets_it_stand_out(ui: UiPage) -> None:
    """Pointing at a run in the list dims the others in all charts, without drawing anything anew."""
    page = ui.open()
    page.evaluate(
        "window.__drawn = 0; const old = Plotly.react;"
        "Plotly.react = (...a) => { window.__drawn++; return old(...a); }; undefined"
    )
    ui.get("run-row").nth(2).hover()
    expect(page.locator(".plot.dimmed").first).to_be_visible()
    assert page.locator(".card .trace.on").count() >= 4
    assert page.evaluate("window.__drawn") == 0


def test_log_axis_leaves_gaps_and_says_so(ui: UiPage) -> None:
    """On a logarithmic axis values that are not positive leave a gap and a note with their number."""
    page = ui.open()
    card = ui.get("card", metric="train/accuracy")
    card.scroll_into_view_if_needed()
    card.get_by_role("button", name="Log").click()
    expect(card.get_by_role("button", name="Log")).to_have_attribute("aria-pressed", "true")
    ui.until("neural.cards.get('train/accuracy').log")
    hidden = page.evaluate("neural.cards.get('train/accuracy').built.lines.reduce((n, line) => n + line.hidden, 0)")
    if hidden:
        expect(card.locator(".badge-note")).to_contain_text("≤ 0 hidden")
    expect(ui.get("card", metric="val/accuracy").locator(".badge-note")).to_contain_text("NaN")


def test_outliers_are_left_out_on_demand(ui: UiPage) -> None:
    """Without outliers the y axis fits the common values; what it leaves out has its marks at the edge."""
    page = ui.open()
    high = page.evaluate(f"neural.cards.get('{CARD}').yrange[1]")
    page.get_by_role("button", name=f"More for {CARD}").click()
    page.get_by_role("menuitemradio", name="Ignore outliers").click()
    ui.until(f"neural.cards.get('{CARD}').yrange[1] < {high}")


def test_full_screen_and_back(ui: UiPage) -> None:
    """The key f shows the chart under the pointer over the whole page; Escape brings it back."""
    page = ui.open()
    hover(ui, page)
    page.keyboard.press("f")
    card = ui.get("card", metric=CARD)
    ui.until(f"neural.cards.get('{CARD}').size.height > 600")
    page.keyboard.press("Escape")
    ui.until(f"neural.cards.get('{CARD}').size.height < 400")
    expect(card).not_to_have_class("is-full")


def test_pinned_charts_come_first_and_stay_pinned(ui: UiPage) -> None:
    """A pinned chart stands in a section at the top, also after the page is loaded again."""
    page = ui.open()
    ui.get("card", metric="lr").scroll_into_view_if_needed()
    page.get_by_role("button", name="Pin lr to the top").click()
    expect(ui.get("card").first).to_have_attribute("data-metric", "lr")
    page.reload()
    ui.wait_ready()
    expect(ui.get("card").first).to_have_attribute("data-metric", "lr")


def test_chart_search(ui: UiPage) -> None:
    """The slash goes to the search for charts; only those with the words in their names stay."""
    page = ui.open()
    page.keyboard.press("/")
    page.keyboard.type("val acc")
    expect(ui.get("card")).to_have_count(1)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") != "chart-search"


def test_chart_as_table(ui: UiPage) -> None:
    """A chart can be read as a table with a row for each run."""
    page = ui.open()
    page.get_by_role("button", name=f"More for {CARD}").click()
    page.get_by_role("menuitem", name="Show as table").click()
    table = ui.get("card", metric=CARD).get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(7)


def test_chart_says_what_it_shows(ui: UiPage) -> None:
    """Each chart has its summary in words: metric, runs, the best run, its value and step."""
    ui.open()
    label = ui.get("card", metric=CARD).locator(".plot").get_attribute("aria-label") or ""
    assert label.startswith("train/loss, 6 runs, best resnet-adamw-0 ")
    assert "at step" in label


@pytest.mark.parametrize(("item", "name"), [("PNG picture", "train_loss.png"), ("SVG picture", "train_loss.svg")])
def test_picture_of_a_chart(ui: UiPage, item: str, name: str) -> None:
    """A chart is saved as a picture, with its title and the names of its runs."""
    page = ui.open()
    page.get_by_role("button", name=f"More for {CARD}").click()
    with page.expect_download() as saved:
        page.get_by_role("menuitem", name=item).click()
    assert saved.value.suggested_filename == name
    content = saved.value.path().read_bytes()
    if name.endswith("svg"):
        assert b"train/loss" in content
        assert b"resnet-adamw-0" in content
    else:
        assert content.startswith(b"\x89PNG")
        assert len(content) > 20_000


def test_csv_of_view_and_of_all_points(ui: UiPage) -> None:
    """The view is saved as what is drawn, all points as they were logged."""
    page = ui.open()
    for item, lines in (("CSV of this view", 1_000), ("CSV of all points", 1_320)):
        page.get_by_role("button", name=f"More for {CARD}").click()
        with page.expect_download() as saved:
            page.get_by_role("menuitem", name=item).click()
        text = saved.value.path().read_text()
        assert text.count("\n") >= lines
        assert "resnet-sgd-1" in text
