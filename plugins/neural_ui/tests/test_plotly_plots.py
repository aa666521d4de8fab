"""The visualizer ``plotly``: the same plots as the built-in one, as pages and as figures for notebooks."""

from __future__ import annotations

import base64
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from neural_ui._plotly_curves import make_curve
from neural_ui._plotly_specs import figure_specs
from neural_ui.figures import experiment_figures

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.records import NO_STEP, Series


def series(values: Any, steps: Any = None, name: str = "loss") -> Series:
    """Make a series."""
    value = np.asarray(values, np.float64)
    step = np.arange(len(value)) if steps is None else np.asarray(steps, np.int64)
    return Series(name, step, np.arange(len(value), dtype=np.float64), value)


@pytest.fixture
def tracker(tmp_path: Path) -> ExperimentTracker:
    """An experiment with three metrics, finished."""
    with ExperimentTracker("</title><b>x", tmp_path, auto_visualize=False) as running:
        for step in range(30):
            running.log_metrics({"train/loss": 1 / (step + 1), "acc": step / 30, "never": math.nan}, step=step)
    return ExperimentManager(tmp_path).get_experiment(running.experiment_id)


def test_generate_visualizations(tracker: ExperimentTracker) -> None:
    """`generate_visualizations(visualizer="plotly")` gives the built-in plots' names, as HTML files in ``plots``."""
    drawn = tracker.generate_visualizations(visualizer="plotly")
    assert set(drawn) == {"metric_train_loss", "metric_acc", "combined", "correlation", "distributions"}
    assert {path.name for path in drawn.values()} == {f"auto_{name}.html" for name in drawn}
    beside = {path.name for path in (tracker.experiment_dir / "plots").iterdir()} - {p.name for p in drawn.values()}
    assert [re.fullmatch(r"auto_plotly-basic-\d+\.\d+\.\d+\.min\.js", name) is not None for name in beside] == [True]


def test_same_names_as_the_built_in_plots(tracker: ExperimentTracker) -> None:
    """Whoever changes the visualizer finds the plots under their old names."""
    assert set(tracker.generate_visualizations("plotly")) == set(tracker.generate_visualizations("matplotlib"))


@pytest.mark.fault("U07")
def test_page_is_text(tracker: ExperimentTracker) -> None:
    """Names are escaped, nothing is fetched from elsewhere, and only the page's own scripts may run."""
    for path in tracker.generate_visualizations("plotly").values():
        page = path.read_text(encoding="utf-8")
        assert "<b>x" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
        assert "http://" not in page
        assert "https://" not in page
        assert "script-src 'sha256-" in page


def test_automatic_plots(tmp_path: Path) -> None:
    """`auto_visualize="plotly"` draws them by itself."""
    with ExperimentTracker("auto", tmp_path, auto_visualize="plotly") as running:
        for step in range(20):
            running.log_metrics({"loss": 1.0}, step=step)
    assert (running.experiment_dir / "plots" / "auto_metric_loss.html").is_file()
    assert not list((running.experiment_dir / "plots").glob("*.png"))


def test_figures_for_notebooks(tracker: ExperimentTracker) -> None:
    """The same figures are plotly.py's own objects, which validates every property of them."""
    figures = experiment_figures(tracker)
    assert {"metric_train_loss", "combined", "correlation", "distributions"} <= set(figures)
    assert all(isinstance(figure, go.Figure) for figure in figures.values())
    assert figures["metric_train_loss"].layout.title.text == "train/loss"


def test_only_the_basic_bundle_is_needed(tracker: ExperimentTracker) -> None:
    """No figure has a trace that plotly's basic bundle lacks."""
    kinds = {trace["type"] for f in experiment_figures(tracker).values() for trace in f.to_plotly_json()["data"]}
    assert kinds == {"scatter", "bar"}


def test_extremes_are_kept() -> None:
    """A spike in a million points is in the band and has a mark with its exact value and step."""
    values = np.random.default_rng(0).random(1_000_000)
    values[654_321] = 77.25
    curve = make_curve(series(values))
    assert len(curve.x) == 1_000
    assert curve.high is not None
    assert curve.high.max() == 77.25
    assert curve.ends is not None
    assert curve.ends[1] == (654_321.0, 77.25)
    assert (curve.x[0], curve.x[-1]) == (0, 999_999)


def test_gaps() -> None:
    """NaN and infinities are gaps that are counted; a curve without a finite value is not drawn."""
    curve = make_curve(series([1, math.nan, math.inf, 4]))
    assert curve.hidden == 2
    assert np.isnan(curve.mean).tolist() == [False, True, True, False]
    assert figure_specs({"loss": series([math.nan] * 3)}) == {}
    long = make_curve(series([math.nan] * 3_000 + [1.0] * 3_000))
    assert long.hidden == 3_000
    assert np.nanmax(long.mean) == 1


def test_order_of_steps() -> None:
    """Steps that go backwards are drawn in their order; where a step is missing the positions are the axis."""
    assert make_curve(series([1, 2, 3], [5, 1, 3])).mean.tolist() == [2, 3, 1]
    mixed = make_curve(series([1, 2], [4, NO_STEP]))
    assert (mixed.x.tolist(), mixed.stepped) == ([0, 1], False)


def test_correlation_pairs_steps() -> None:
    """Metrics of other steps are paired where both have a value."""
    a, b = series(range(10), range(10), "a"), series(range(0, 20, 4), range(0, 10, 2), "b")
    spec = figure_specs({"a": a, "b": b})["correlation"]
    assert [trace["text"] for trace in spec["data"]] == [["1.00", "1.00"], ["1.00", "1.00"]]


def test_names_that_collide() -> None:
    """Metrics whose names are equal as file names get names of their own; pages hold twenty metrics each."""
    specs = figure_specs({"a/b": series([1]), "a_b": series([2]), "A b": series([3]), "\u2603": series([4])})
    assert {"metric_a_b", "metric_a_b_2", "metric_A_b_3", "metric_unnamed"} <= set(specs)
    many = figure_specs({f"m{index}": series([index]) for index in range(45)})
    assert {"combined", "combined_2", "combined_3", "distributions_3"} <= set(many)


@pytest.mark.parametrize("values", [[1.7e308, -1.7e308], [5e-324, 0.0], [3.0], [2.0] * 5_000])
def test_odd_values(values: list[float]) -> None:
    """The largest and the smallest doubles, a single point and a constant are drawn; the JSON is strict."""
    json.dumps(figure_specs({"x": series(values), "y": series(values)}), allow_nan=False)


def test_arrays_are_plotlys(tracker: ExperimentTracker) -> None:
    """Arrays are packed as plotly.js unpacks them: little-endian doubles in base64."""
    spec = figure_specs({"loss": series([1.5, -2.0])})["metric_loss"]
    packed = spec["data"][0]["y"]
    assert packed["dtype"] == "f8"
    assert np.frombuffer(base64.b64decode(packed["bdata"]), "<f8").tolist() == [1.5, -2.0]
