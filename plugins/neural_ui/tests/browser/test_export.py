"""The exported comparison, opened from the disk without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe import violations
from neural_ui._export import export_html
from page import NewPage, UiPage
from playwright.sync_api import expect

from neural_core.reading import ExperimentStore


def opened(new_page: NewPage, store: Path, folder: Path, state: str = "", **options: object) -> UiPage:
    """Export every run of a store and open the file, without any network."""
    reading = ExperimentStore(store)
    file = folder / "comparison.html"
    file.write_bytes(export_html(reading, [run.id for run in reading.listed().runs][:20], state))
    ui = new_page("file://", **options)
    ui.context.set_offline(True)
    ui.page.goto(file.as_uri())
    ui.wait_ready()
    return ui


def test_charts(new_page: NewPage, store_small: Path, tmp_path: Path) -> None:
    """Each metric has a chart with a line for each run, drawn from the file alone."""
    ui = opened(new_page, store_small, tmp_path)
    chart = ui.page.locator('.chart[data-metric="train/loss"]')
    expect(chart.locator(".scatterlayer .trace")).to_have_count(6)
    expect(ui.page.locator(".chart")).to_have_count(5)
    assert [request for request in ui.requests if "comparison.html" not in request] == []


def test_runs_are_hidden(new_page: NewPage, store_small: Path, tmp_path: Path) -> None:
    """A run that is switched off in the legend leaves every chart."""
    ui = opened(new_page, store_small, tmp_path)
    lines = ui.page.locator('.chart[data-metric="lr"] .scatterlayer .trace')
    expect(lines).to_have_count(6)
    ui.page.locator("#legend input").first.uncheck()
    expect(lines).to_have_count(5)


def test_zoom_is_linked(new_page: NewPage, store_small: Path, tmp_path: Path) -> None:
    """Zooming one chart zooms the others to the same steps; the button brings all back."""
    ui = opened(new_page, store_small, tmp_path)
    ranges = (
        "[...document.querySelectorAll('.plot')].filter(p => p._fullLayout)"
        ".map(p => p._fullLayout.xaxis.range.map(Math.round))"
    )
    expect(ui.page.locator(".chart .trace").first).to_be_visible()
    box = ui.page.locator('.chart[data-metric="train/loss"] .nsewdrag').bounding_box()
    assert box is not None
    ui.page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20)
    ui.page.mouse.down()
    ui.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] - 20, steps=4)
    ui.page.mouse.up()
    ui.until(f"{ranges}.length > 1 && {ranges}.every(one => String(one) === String({ranges}[0]) && one[1] < 150)")
    seen = ui.page.evaluate(ranges)
    assert 30 < seen[0][0] < 90 < seen[0][1] < 150
    ui.page.locator("#reset").click()
    ui.until(f"{ranges}.every(one => one[1] >= 239)")


def test_smoothing(new_page: NewPage, store_small: Path, tmp_path: Path) -> None:
    """The slider smooths the lines."""
    ui = opened(new_page, store_small, tmp_path)
    expect(ui.page.locator(".chart .trace").first).to_be_visible()
    rough = (
        "(() => { const y = document.querySelector('.chart[data-metric=\"train/loss\"] .plot').data.at(-1).y;"
        " let sum = 0; for (let i = 101; i < 220; i += 1) sum += Math.abs(y[i] - y[i - 1]); return sum; })()"
    )
    before = ui.page.evaluate(rough)
    ui.page.locator("#smooth").fill("60")
    ui.until(f"{rough} < {before / 4}")


def test_tabs(new_page: NewPage, store_small: Path, tmp_path: Path) -> None:
    """The four tabs of the page are there, by mouse and by arrow keys, and the file opens on the one that was open."""
    ui = opened(new_page, store_small, tmp_path, "tab=hyperparameters")
    expect(ui.page.locator("#view-hyperparameters")).to_contain_text("identical parameters")
    ui.page.get_by_role("tab", name="Best metrics").click()
    expect(ui.page.locator("#view-best")).to_contain_text("lower is better")
    ui.page.keyboard.press("ArrowRight")
    expect(ui.page.locator("#view-summary")).to_contain_text("resnet-adamw-0")
    expect(ui.page.locator("#view-best")).to_be_hidden()


@pytest.mark.parametrize("csp", [True, False])
def test_hostile_names(new_page: NewPage, store_hostile: Path, tmp_path: Path, csp: bool) -> None:
    """Hostile names are shown as text in every tab, also when the browser ignores the file's policy."""
    ui = opened(new_page, store_hostile, tmp_path, csp=csp)
    for name in ("Metrics comparison", "Hyperparameters", "Best metrics", "Summary"):
        ui.page.get_by_role("tab", name=name).click()
        expect(ui.page.get_by_role("tabpanel", name=name)).to_be_visible()
    assert not ui.was_executed()
    assert ui.page.locator("main a, main img, main iframe").count() == 0
    expect(ui.page.locator("#legend")).to_contain_text("<img src=x onerror=")


def test_themes(new_page: NewPage, store_small: Path, tmp_path: Path) -> None:
    """The file is light or dark as the system is, and the button changes it."""
    ui = opened(new_page, store_small, tmp_path, theme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = ui.page.evaluate(background)
    ui.page.locator("#theme").click()
    assert ui.page.evaluate(background) != dark


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible(new_page: NewPage, store_small: Path, tmp_path: Path, theme: str) -> None:
    """axe-core finds nothing serious or critical on any tab of the file, in either theme."""
    ui = opened(new_page, store_small, tmp_path, theme=theme)
    for name in ("Metrics comparison", "Hyperparameters", "Best metrics", "Summary"):
        ui.page.get_by_role("tab", name=name).click()
        assert violations(ui) == []


def test_million_points(new_page: NewPage, store_20x1m: Path, tmp_path: Path) -> None:
    """Twenty runs of a million points make a file of a few megabytes that shows the one spike among them."""
    ui = opened(new_page, store_20x1m, tmp_path, "band=all")
    assert (tmp_path / "comparison.html").stat().st_size < 5_000_000
    expect(ui.page.locator(".chart .trace").first).to_be_visible()
    top = "Math.max(...document.querySelector('.chart[data-metric=\"train_loss\"] .plot').data.flatMap(t => [...t.y]))"
    assert 20 < ui.page.evaluate(top) < 60
