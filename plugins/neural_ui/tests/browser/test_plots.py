"""Pages of the visualizer ``plotly``, opened from the disk without a server."""

from __future__ import annotations

from pathlib import Path

import pytest
from page import NewPage
from playwright.sync_api import expect
from stores import HOSTILE, MARK

from neural_core import ExperimentTracker


@pytest.fixture
def plots(tmp_path: Path) -> dict[str, Path]:
    """Plots of a run with ordinary and hostile metrics."""
    with ExperimentTracker(f"<script>{MARK}</script>", tmp_path, auto_visualize=False) as tracker:
        for step in range(100):
            tracker.log_metrics({"loss": 1 / (step + 1), **dict.fromkeys(HOSTILE[:3], float(step))}, step=step)
        return tracker.generate_visualizations(visualizer="plotly")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_drawn(new_page: NewPage, plots: dict[str, Path], theme: str) -> None:
    """Each page draws its figure from the files in its folder, offline, with nothing on the console."""
    ui = new_page("file://", theme=theme)
    ui.context.set_offline(True)
    assert len(plots) == 7
    for path in plots.values():
        ui.page.goto(path.as_uri())
        ui.wait_ready()
        expect(ui.page.locator("#plot .trace, #plot .point").first).to_be_attached()
    assert {request.rsplit("/", 1)[1].split("-")[0] for request in ui.requests if ".js" in request} == {"auto_plotly"}


@pytest.mark.parametrize("csp", [True, False])
def test_hostile_names(new_page: NewPage, plots: dict[str, Path], csp: bool) -> None:
    """Hostile names are text in headings and figures, also when the browser ignores the page's policy."""
    ui = new_page("file://", csp=csp)
    for path in plots.values():
        ui.page.goto(path.as_uri())
        ui.wait_ready()
        assert not ui.was_executed()
        assert ui.page.locator("#plot a[href]:not(.modebar-btn), h1 *:not(small)").count() == 0


def test_log_axis(new_page: NewPage, plots: dict[str, Path]) -> None:
    """A positive metric has a button for a logarithmic axis."""
    ui = new_page("file://")
    ui.page.goto(plots["metric_loss"].as_uri())
    ui.wait_ready()
    ui.page.get_by_role("button", name="Log y").click()
    expect(ui.page.get_by_role("button", name="Log y")).to_have_attribute("aria-pressed", "true")
    assert ui.page.evaluate("document.getElementById('plot')._fullLayout.yaxis.type") == "log"
