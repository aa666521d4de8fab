"""Hyperparameters, Best metrics and Summary."""

from __future__ import annotations

import re

import pytest
from page import NewPage, UiPage
from playwright.sync_api import Route, expect


def test_tabs_have_the_names_of_the_guide(ui: UiPage) -> None:
    """The four tabs are those of the guide, and their keys are 1 to 4."""
    page = ui.open()
    names = [one.strip() for one in page.get_by_role("tab").all_inner_texts()][:4]
    assert names == ["Metrics comparison", "Hyperparameters", "Best metrics", "Summary"]
    for key, name in enumerate(names, start=1):
        page.keyboard.press(str(key))
        expect(page.get_by_role("tab", name=name)).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tabpanel", name=name)).to_be_visible()


def test_tabs_by_arrows(ui: UiPage) -> None:
    """The arrows move between tabs, as in every list of tabs."""
    page = ui.open()
    ui.get("tab-metrics").focus()
    page.keyboard.press("ArrowRight")
    expect(ui.get("tab-hyperparameters")).to_be_focused()
    expect(page.get_by_role("tabpanel", name="Hyperparameters")).to_be_visible()


def test_diff_folds_what_is_identical(ui: UiPage) -> None:
    """The diff shows the parameters that differ; identical ones are one line until it is opened."""
    page = ui.open("?tab=hyperparameters")
    diff = ui.get("diff")
    rows = [one.get_attribute("data-param") for one in diff.locator("tr[data-param]").all()]
    assert rows == ["lr", "model.depth", "optimizer", "seed"]
    expect(diff).to_contain_text("4 of 6 differ")
    page.get_by_role("button", name="2 identical parameters").click()
    assert diff.locator("tr[data-param]").count() == 6


def test_another_run_becomes_the_baseline(ui: UiPage) -> None:
    """A click on a run's name makes it the baseline: first column, without tints, and kept in the address."""
    page = ui.open("?tab=hyperparameters")
    page.get_by_role("button", name="Make resnet-sgd-1 the baseline").click()
    head = ui.get("diff").locator("thead th").nth(1)
    expect(head).to_contain_text("resnet-sgd-1")
    expect(head).to_contain_text("baseline")
    assert ui.get("diff").locator("tbody tr").first.locator("td").first.get_attribute("class") == "tint-0"
    ui.until("location.search.includes('base=')")


def test_parallel_coordinates_filter(ui: UiPage) -> None:
    """A drag on an axis keeps the runs inside; they can be made the selection."""
    page = ui.open("?tab=hyperparameters")
    plot = ui.get("parallel")
    expect(plot.locator(".pc-run")).to_have_count(6)
    axes = plot.locator(".pc-title title").all_text_contents()
    grip = plot.locator(".pc-grip").nth(axes.index("seed"))
    grip.scroll_into_view_if_needed()
    box = grip.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 12, box["y"] + 4)
    page.mouse.down()
    page.mouse.move(box["x"] + 12, box["y"] + box["height"] * 0.5, steps=4)
    page.mouse.up()
    expect(plot).to_contain_text("3 of 6 runs")
    expect(plot.locator(".pc-run.out")).to_have_count(3)
    plot.get_by_role("button", name="Select these 3").click()
    ui.until("neural.state.get().selected.size === 3")


def test_parallel_coordinates_by_keys(ui: UiPage) -> None:
    """The arrows on an axis filter as the mouse does, and Escape takes the filter away."""
    page = ui.open("?tab=hyperparameters")
    page.get_by_role("button", name="Filter by seed").focus()
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    expect(ui.get("parallel")).to_contain_text("4 of 6 runs")
    page.keyboard.press("Escape")
    expect(ui.get("parallel")).to_contain_text("drag on an axis")


def test_axes_turn_and_are_logarithmic(ui: UiPage) -> None:
    """Each axis can be turned round, and one over magnitudes starts logarithmic."""
    page = ui.open("?tab=hyperparameters")
    log = page.get_by_role("button", name="log lr")
    expect(log).to_have_attribute("aria-pressed", re.compile("true|false"))
    before = ui.get("parallel").locator(".pc-run").first.get_attribute("d")
    page.get_by_role("button", name="flip seed").click()
    assert ui.get("parallel").locator(".pc-run").first.get_attribute("d") != before


def test_axes_with_the_same_ending_are_told_apart(ui: UiPage) -> None:
    """An axis has the last part of its name, or the whole name where another axis ends alike."""
    titles = ui.open("?tab=hyperparameters").evaluate(
        """() => {
          const host = document.body.appendChild(document.createElement("div"));
          const columns = ["model.name", "optimizer.name", "optimizer.lr"].map((name) => ({ name, read: () => 1 }));
          neural.parallel.draw(host, [{ id: "a", name: "a" }], new Set(), columns, () => {});
          return [...host.querySelectorAll(".pc-title")].map((title) => title.firstChild.textContent);
        }"""
    )
    assert titles == ["model.name", "optimizer.name", "lr"]


def test_scatter_opens_the_run_of_a_point(ui: UiPage) -> None:
    """The scatter shows every run, and says which one is under the pointer."""
    page = ui.open("?tab=hyperparameters")
    plot = ui.get("scatter").locator(".scatter-plot")
    plot.scroll_into_view_if_needed()
    expect(ui.get("scatter")).to_contain_text("6 runs")
    page.locator("#scatter-param").select_option("seed")
    plot = ui.get("scatter").locator(".scatter-plot")
    spot = plot.evaluate(
        "one => { const {xaxis: x, yaxis: y} = one._fullLayout;"
        " const run = neural.runs.all().find(r => r.params.seed === 0);"
        " const metric = one.dataset.metric; const box = one.getBoundingClientRect();"
        " return [box.x + x._offset + x.d2p(0), box.y + y._offset + y.d2p(neural.runs.best(run, metric).value)]; }"
    )
    page.mouse.move(spot[0] - 3, spot[1])
    page.mouse.move(*spot)
    expect(page.locator("#tooltip")).to_contain_text("resnet-adamw-0")
    page.mouse.click(*spot)
    expect(ui.get("drawer")).to_be_visible()


def test_best_is_sorted_by_direction(ui: UiPage) -> None:
    """Losses are sorted from the lowest, scores from the highest; the best one is marked."""
    ui.open("?tab=best")
    for metric, best in (("val/loss", "resnet-adamw-0"), ("val/accuracy", "resnet-adamw-0")):
        card = ui.get("best-card", metric=metric)
        expect(card.locator(".bar.best")).to_have_count(1)
        expect(card.locator(".bar").first).to_contain_text(best)
    expect(ui.get("best-card", metric="val/loss")).to_contain_text("lower is better")


def test_direction_is_stored(new_page: NewPage, own_server: str) -> None:
    """The direction of a metric can be turned, and stays so for everybody."""
    ui = new_page(own_server)
    page = ui.open("?tab=best")
    card = ui.get("best-card", metric="val/loss")
    first = card.locator(".bar").first.get_attribute("data-id")
    card.get_by_role("button", name="lower is better").click()
    expect(card.get_by_role("button", name="higher is better")).to_be_visible()
    page.reload()
    ui.wait_ready()
    expect(card.get_by_role("button", name="higher is better")).to_be_visible()
    assert card.locator(".bar").first.get_attribute("data-id") != first


def test_best_against_a_baseline(ui: UiPage) -> None:
    """With a baseline each bar says how far it is from it, and whether that is better."""
    page = ui.open("?tab=best")
    page.get_by_label("Baseline").select_option(label="resnet-sgd-1")
    card = ui.get("best-card", metric="val/loss")
    expect(card.locator(".delta", has_text="baseline")).to_have_count(1)
    assert card.locator(".delta.good").count() == 1
    assert card.locator(".delta.poor").count() == 4


def test_best_at_a_step_and_last(ui: UiPage) -> None:
    """Instead of the best value the last one is shown, or the one at a step."""
    page = ui.open("?tab=best")
    page.get_by_role("button", name="At step").click()
    page.get_by_label("Step", exact=True).fill("20")
    page.get_by_label("Step", exact=True).press("Enter")
    ui.until("neural.best.rowsOf('val/loss').every(row => row.value > 1)")
    page.get_by_role("button", name="Last").click()
    ui.until("neural.best.rowsOf('val/loss')[0].value < 1")


def test_what_is_written_stays_while_the_view_is_drawn(ui: UiPage) -> None:
    """New rows take neither what a person is writing in a view, nor the focus from where it is."""
    page = ui.open("?tab=best&bestBy=step")
    box = page.get_by_label("Step", exact=True)
    box.press_sequentially("2")
    page.evaluate("neural.tabs.touch('best')")
    page.keyboard.press("0")
    expect(box).to_have_value("20")
    page.keyboard.press("Enter")
    ui.until("neural.best.rowsOf('val/loss').every(row => row.value > 1)")
    expect(box).to_be_focused()
    ui.tab("hyperparameters")
    grip = page.get_by_role("button", name="Filter by seed")
    grip.focus()
    page.evaluate("neural.tabs.touch('hyperparameters')")
    expect(grip).to_be_focused()
    fold = page.get_by_role("button", name="2 identical parameters")
    fold.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "true")
    expect(fold).to_be_focused()


@pytest.mark.parametrize(
    ("tab", "route", "shown"),
    [
        ("best&bestBy=step&bestStep=0", "series?*from=0&to=0", "neural.best.rowsOf('val/loss')[0]?.value < 1"),
        ("panel-timeline", "panels/timeline?*", "document.querySelector('.panel-plot')?.data?.[0].y.length === 1"),
    ],
    ids=["best", "panel"],
)
def test_an_answer_that_comes_late_is_left(ui: UiPage, tab: str, route: str, shown: str) -> None:
    """Of two answers the one to the newer question is shown, in whatever order they come."""
    held: list[Route] = []
    ui.page.route(f"**/api/v1/{route}", lambda route: held.append(route), times=1)
    page = ui.open(f"?tab={tab}")
    while not held:
        page.wait_for_timeout(20)
    page.evaluate("neural.state.set({bestStep: '200'}); neural.state.select([neural.runs.selected()[0].id])")
    ui.until(shown)
    with page.expect_response(f"**/api/v1/{route}"):
        held[0].fulfill(response=held[0].fetch())
    page.evaluate("neural.painted()")
    assert page.evaluate(shown)


def test_best_as_one_grouped_chart(ui: UiPage) -> None:
    """The metrics can be one bar chart, grouped by experiment."""
    page = ui.open("?tab=best")
    page.get_by_role("button", name="Grouped bars").click()
    plot = page.locator(".grouped-plot")
    expect(plot.locator(".bars .point").first).to_be_visible()
    assert plot.evaluate("one => one.data.length") == 6


def test_at_most_ten_metrics(new_page: NewPage, serve: object, store_1000_metrics: object) -> None:
    """Ten metrics can be compared at once, chosen in one go; the eleventh is refused with a word."""
    ui = new_page(serve(store_1000_metrics))  # type: ignore[operator]
    page = ui.open("?tab=best")
    page.get_by_role("button", name=re.compile("^Metrics: ")).click()
    for _ in range(12):
        page.locator('.menu-item[aria-checked="false"]').first.click()
    assert ui.get("best-card").count() == 10
    expect(ui.get("toast").first).to_contain_text("At most 10 metrics")


def test_summary_has_a_card_for_each_run(ui: UiPage) -> None:
    """A card tells status, start, duration, number of metrics, latest values, tags and whether there are notes."""
    ui.open("?tab=summary")
    cards = ui.get("summary-card")
    expect(cards).to_have_count(6)
    first = cards.filter(has_text="resnet-adamw-0")
    for text in ("completed", "Started", "Duration", "Metrics", "val/accuracy", "paper", "vision", "notes"):
        expect(first).to_contain_text(text)
    expect(cards.filter(has_text="resnet-lion-5")).to_contain_text("failed")
    expect(first.locator(".spark-line")).to_have_count(1)
    first.get_by_role("button", name="resnet-adamw-0").click()
    expect(ui.get("drawer")).to_be_visible()
    ui.until("location.search.includes('run=')")


def test_panel_of_the_door_is_a_tab(ui: UiPage) -> None:
    """The built-in panel Timeline is a tab like the others and is drawn with the page's colours."""
    page = ui.open()
    page.get_by_role("tab", name="Timeline").click()
    expect(page.locator(".panel-plot .barlayer .point").first).to_be_visible()
