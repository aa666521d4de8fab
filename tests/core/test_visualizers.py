"""Visualizers are chosen by name, and may draw in a format of their own."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from distribution_support import make_distribution, run_python
from matplotlib.figure import Figure

from neural_core import ExperimentManager, ExperimentTracker, hookimpl
from neural_core.errors import ArgumentTypeError, NotInstalledError
from neural_core.records import PlotFile

PAGES = """
from neural_core import hookimpl
from neural_core.records import PlotFile

class Pages:
    @hookimpl
    def neural_make_plots(self, history):
        text = " ".join(f"{name}:{len(series)}" for name, series in history.items())
        return {"page": PlotFile(text.encode(), ".html", {"auto_script.js": b"'use strict'"})}
"""
TRACK = """
import sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker("pages", sys.argv[1], auto_visualize="pages")
for step in range(30):
    tracker.log_metrics({"loss": 1.0}, step=step)
tracker.finish()
print(tracker.experiment_dir)
"""


class Draws:
    """A plugin that answers with what it was given."""

    def __init__(self, **answer: object) -> None:
        self.answer: dict[Any, object] = dict(answer)

    @hookimpl
    def neural_make_plots(self) -> Any:
        """Answer."""
        return self.answer


def draw(base: Path, **answer: object) -> dict[str, Path]:
    """Give the files that come of a plugin's answer, those of the built-in plots left out."""
    tracker = ExperimentTracker("draws", base, False, plugins=[Draws(**answer)])
    tracker.log_metrics({"loss": 1.0})
    drawn = tracker.generate_visualizations()
    tracker.finish()
    return {name: path for name, path in drawn.items() if name in answer}


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A package with a visualizer called ``pages``."""
    return make_distribution(
        tmp_path / "site", "neural-pages", {"neural.visualizers": {"pages": "pages:Pages"}}, pages=PAGES
    )


def test_a_format_of_its_own(tmp_path: Path) -> None:
    """A `PlotFile` is written as it is, with its suffix, and beside it what it needs."""
    drawn = draw(tmp_path, own=PlotFile(b"<p>text</p>", ".html", {"auto_lib.js": b"script"}))
    assert drawn["own"].name == "auto_own.html"
    assert drawn["own"].read_bytes() == b"<p>text</p>"
    assert drawn["own"].with_name("auto_lib.js").read_bytes() == b"script"


def test_what_is_beside_is_written_once(tmp_path: Path) -> None:
    """A file that is there already is not written again, and one that was cut is."""
    tracker = ExperimentTracker(
        "beside", tmp_path, False, plugins=[Draws(own=PlotFile(b"", ".html", {"auto_lib.js": b"script"}))]
    )
    tracker.log_metrics({"loss": 1.0})
    tracker.generate_visualizations()
    script = tracker.experiment_dir / "plots" / "auto_lib.js"
    before = script.stat()
    tracker.generate_visualizations()
    assert script.stat().st_ino == before.st_ino
    script.write_bytes(b"scr")
    tracker.generate_visualizations()
    assert script.read_bytes() == b"script"
    tracker.finish()


@pytest.mark.parametrize(
    "plot",
    [
        PlotFile(b"", ".html", {"../auto_lib.js": b""}),
        PlotFile(b"", ".html", {"lib.js": b""}),
        PlotFile(b"", "/../../x"),
        PlotFile(b"", ""),
        PlotFile(b"", None),
        PlotFile("text", ".html"),
        PlotFile(b"", ".html", {"auto_lib.js": "text"}),
        PlotFile(b"", ".html", {3: b""}),
        PlotFile(b"", ".html", None),
        "text",
        None,
    ],
)
def test_what_is_no_plot(tmp_path: Path, plot: object, caplog: pytest.LogCaptureFixture) -> None:
    """What is no plot, or would be written elsewhere or in a user's place, is left out with a warning."""
    with caplog.at_level(logging.WARNING, "neural"):
        assert draw(tmp_path, odd=plot) == {}
    assert [record.levelname for record in caplog.records if "'odd'" in record.getMessage()] == ["WARNING"]
    assert sorted(path.name for path in tmp_path.rglob("*") if "lib.js" in path.name or path.name == "x") == []


def test_what_cannot_be_drawn(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A plugin's figure that raises while it is drawn is left out with a warning: flush() goes on, others are drawn."""
    wrong, sound = Figure(), Figure()
    wrong.add_subplot().set_title(r"$\frac{$")
    plugin = Draws(wrong=wrong, sound=sound)
    plugin.answer[3] = sound
    with ExperimentTracker("wrong", tmp_path, True, plugins=[plugin]) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
        with caplog.at_level(logging.WARNING, "neural"):
            tracker.flush()
        assert [record.levelname for record in caplog.records if "'wrong'" in record.getMessage()] == ["WARNING"]
        drawn = {path.name for path in (tracker.experiment_dir / "plots").glob("auto_*.png")}
    assert drawn >= {"auto_sound.png", "auto_3.png", "auto_metric_loss.png"}
    assert "auto_wrong.png" not in drawn


def test_named_visualizer(tmp_path: Path, pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The visualizer that is named draws, and only that one; without a name the built-in one does."""
    monkeypatch.syspath_prepend(pages)
    tracker = ExperimentTracker("named", tmp_path / "runs", False)
    tracker.log_metrics({"loss": 1.0}, step=0)
    assert set(tracker.generate_visualizations(visualizer="pages")) == {"page"}
    assert "page" not in tracker.generate_visualizations()
    tracker.finish()
    stored = ExperimentManager(tmp_path / "runs").get_experiment(tracker.experiment_id)
    assert stored.generate_visualizations("pages")["page"].read_bytes() == b"loss:1"


@pytest.mark.parametrize("companion", ["1", "0"])
def test_automatic_plots_of_a_named_visualizer(tmp_path: Path, pages: Path, companion: str) -> None:
    """`auto_visualize="pages"` draws by that visualizer, in the companion and without one, and shows every row."""
    shown = run_python(TRACK, str(tmp_path / "runs"), path=pages, NEURAL_COMPANION=companion)
    plots = Path(shown.stdout.strip()) / "plots"
    assert sorted(path.name for path in plots.iterdir()) == ["auto_page.html", "auto_script.js"]
    assert (plots / "auto_page.html").read_text() == "loss:30"


def test_unknown_visualizer(tmp_path: Path) -> None:
    """A visualizer that is not installed is told before anything is made: what is, and what to install."""
    with pytest.raises(NotInstalledError, match=r"visualizer 'charts' is not installed \(installed: matplotlib"):
        ExperimentTracker("none", tmp_path / "runs", auto_visualize="charts")
    assert not (tmp_path / "runs").exists()
    tracker = ExperimentTracker("none", tmp_path / "runs", auto_visualize=False)
    with pytest.raises(NotInstalledError, match=r"neural\.visualizers"):
        tracker.generate_visualizations(visualizer="charts")
    tracker.finish()


def test_auto_visualize_of_another_type(tmp_path: Path) -> None:
    """What is neither a truth value nor a name is refused."""
    with pytest.raises(ArgumentTypeError, match="True, False or the name of a visualizer, not list"):
        ExperimentTracker("odd", tmp_path, auto_visualize=["plotly"])  # type: ignore[arg-type]


def test_plotly_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the UI is missing, ``plotly`` is told with the line that installs it."""
    monkeypatch.setattr("neural_core._installed.entry_points", lambda group: {})
    with pytest.raises(NotInstalledError, match="pip install neural-ui"):
        ExperimentTracker("none", tmp_path, auto_visualize="plotly")
