"""The figures of one experiment: which there are, what they hold, and that no data makes them fail."""

from __future__ import annotations

import concurrent.futures
import io
import logging
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from neural_core._plotting.curve_plots import families
from neural_core._plotting.curves import make_curve
from neural_core._plotting.histogram import bin_edges
from neural_core._plotting.matrix import correlation, paired
from neural_core._plotting.render import render_png, save_png
from neural_core._plotting.visualizer import MetricVisualizer, make_plots
from neural_core._series import NO_STEP
from neural_core.records import Series


def series_of(name: str, values: object, steps: object = None) -> Series:
    """Make a series; steps count from 0 when none are given."""
    value: NDArray[np.float64] = np.array(values, dtype="float64")
    step = np.arange(len(value)) if steps is None else np.asarray(steps, dtype=np.int64)
    time: NDArray[np.float64] = np.arange(len(value), dtype="float64") + 1.7e9
    return Series(name, step, time, value)


def draw_strictly(figure: mpl.figure.Figure) -> bytes:
    """Draw without the leniency that `render_png` has for figures of users: each warning is an error here."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=40)
    return buffer.getvalue()


def history_of(**metrics: object) -> dict[str, Series]:
    """Make a history by keyword."""
    return {name: series_of(name, values) for name, values in metrics.items()}


def texts_of(figure: object) -> list[str]:
    """Give all text drawn in a figure."""
    return [text.get_text() for text in figure.findobj(mpl.text.Text)]  # type: ignore[attr-defined]  # a Figure


def test_the_guides_plots_are_there() -> None:
    """All plots together are a figure per metric, the combined one, the correlation and the distributions."""
    plots = make_plots(history_of(train_loss=[3, 2, 1], val_loss=[4, 3, 3]))
    assert list(plots) == ["metric_train_loss", "metric_val_loss", "combined", "correlation", "distributions"]


def test_create_metric_plots_takes_the_history_and_a_size() -> None:
    """The guide's call draws rows at the size asked for; one metric alone has no correlation."""
    rows = [{"step": i, "timestamp": 0.0, "loss": 1 / (i + 1)} for i in range(20)]
    plots = MetricVisualizer.create_metric_plots(rows, figsize=(15, 10))
    assert list(plots) == ["metric_loss", "combined"]
    assert plots["metric_loss"].get_size_inches().tolist() == [15, 10]
    distributions = MetricVisualizer.create_distribution_plots(rows, figsize=(15, 8))
    assert list(distributions) == ["distributions"]


def test_an_empty_history_has_no_plots() -> None:
    """Nothing logged gives nothing drawn, and no error."""
    assert MetricVisualizer.create_metric_plots([]) == {}
    assert make_plots({}) == {}


def test_minimum_and_maximum_are_named() -> None:
    """A metric's figure names its smallest and largest finite value with their steps."""
    figure = make_plots({"loss": series_of("loss", [3, np.nan, 0.5, 2], [10, 20, 30, 40])})["metric_loss"]
    assert "min 0.5 at step 30" in " ".join(texts_of(figure))
    assert "max 3 at step 10" in " ".join(texts_of(figure))


@pytest.mark.fault("G01")
def test_only_a_metric_without_finite_values_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """NaN alone and infinity alone are told in one warning each, and the rest is drawn."""
    with caplog.at_level(logging.WARNING, "neural"):
        plots = make_plots(history_of(empty=[np.nan] * 4, endless=[np.inf] * 4, fine=[1, 2]))
    assert list(plots) == ["metric_fine", "combined", "distributions"]
    assert len(caplog.records) == 2


NAMES = ["$x_$_{", r"\frac{", "a\nb", "L" * 10_000, "損失 🎉", "שלום", "\x00\x1b[31m", "", "\ud800"]


@pytest.mark.fault("G01")
@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_drawn(name: str) -> None:
    """A metric's name is never read as TeX, and signs that the font lacks raise no warning."""
    for figure in make_plots({name: series_of(name, [1, 2, 3]), "b": series_of("b", [3, 1, 2])}).values():
        assert draw_strictly(figure).startswith(b"\x89PNG")


@pytest.mark.fault("G01")
def test_two_hundred_metrics_are_paged() -> None:
    """Two hundred metrics give ten pages of twenty small panels, not one axis with two hundred names."""
    history = {f"m{i}": series_of(f"m{i}", [i, i + 1, i]) for i in range(200)}
    plots = MetricVisualizer.create_distribution_plots(history)
    assert len(plots) == 10
    assert all(len(figure.axes) == 20 for figure in plots.values())


@pytest.mark.fault("G01")
def test_a_long_curve_keeps_its_extremes() -> None:
    """Of a million points some thousand are drawn, the single highest and lowest among them."""
    values = np.sin(np.arange(1_000_000) / 1e5)
    values[[123_456, 654_321]] = 9.0, -9.0
    curve = make_curve(series_of("m", values))
    assert curve is not None
    assert len(curve.x) < 1500
    assert {9.0, -9.0} <= set(curve.y.tolist())
    assert curve.high == (123_456.0, 9.0)


def test_nan_breaks_the_line_and_infinity_is_marked() -> None:
    """NaN and infinity are gaps of the line; infinities are kept apart as marks at the edges."""
    curve = make_curve(series_of("m", [1, np.nan, 2, np.inf, 3, -np.inf, 1e305]))
    assert curve is not None
    assert np.isnan(curve.y).tolist() == [False, True, False, True, False, True, True]
    assert curve.above.tolist() == [3.0, 6.0]
    assert curve.below.tolist() == [5.0]


@pytest.mark.parametrize(
    ("values", "scale"), [([1e-4, 1e-2, 1], "log"), ([0.01, 1, 5], "linear"), ([-1, 1, 5000], "linear")]
)
def test_three_positive_decades_are_logarithmic(values: list[float], scale: str) -> None:
    """The axis is logarithmic when all values are positive and span three decades."""
    assert make_plots(history_of(m=values))["metric_m"].axes[0].get_yscale() == scale


def test_splits_share_a_panel() -> None:
    """Training and validation of the same metric share a panel; a metric alone keeps its name."""
    found = families(["train_loss", "val/acc", "val_loss", "lr", "train/acc", "test_auc"])
    assert [(family.title, [name for _, name in family.members]) for family in found] == [
        ("loss", ["train_loss", "val_loss"]),
        ("acc", ["val/acc", "train/acc"]),
        ("lr", ["lr"]),
        ("test_auc", ["test_auc"]),
    ]


@given(
    st.lists(
        st.sampled_from(["loss", "train_loss", "loss_train", "val loss", "train-loss", "test", "train_"]), unique=True
    )
)
@settings(max_examples=40, deadline=None)
def test_each_metric_is_in_one_panel(names: list[str]) -> None:
    """However names are spelt, each metric is drawn in exactly one panel."""
    members = [name for family in families(names) for _, name in family.members]
    assert sorted(members) == sorted(names)


def test_correlation_pairs_by_step() -> None:
    """Metrics logged at different steps are correlated over the steps they share, not by position."""
    a = series_of("a", [0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5])
    b = series_of("b", [50, -4, -2, 0], [9, 4, 2, 0])
    matrix = correlation(paired({"a": a, "b": b}))
    assert matrix == pytest.approx(np.array([[1, -1], [-1, 1]]))


def test_correlation_pairs_rows_without_a_step_by_time() -> None:
    """Where no step was given, the time that the metrics of one call share pairs them."""
    none = np.full(3, NO_STEP)
    a = Series("a", none, np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    b = Series("b", none, np.array([0.5, 2.0, 3.0]), np.array([9.0, 4.0, 6.0]))
    assert paired({"a": a, "b": b})[1:, :].tolist()[1:] == [[2.0, 4.0], [3.0, 6.0]]


def test_correlation_with_a_constant_is_undefined() -> None:
    """A constant metric correlates with nothing, which is NaN and no warning."""
    assert np.isnan(correlation(paired(history_of(a=[1, 2, 3, 4], b=[7, 7, 7, 7])))[0, 1])


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_bins_hold_every_value(values: list[float]) -> None:
    """Each finite value lies in a bin of its histogram."""
    value = np.array(values)
    edges, _ = bin_edges(value)
    assert int(np.histogram(value, edges)[0].sum()) == len(values)


any_value = st.floats() | st.sampled_from([0.0, 1.0, 5e-324, 1.7e308])
any_step = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9)
any_series = st.lists(st.tuples(any_value, any_step), min_size=1, max_size=30)


@pytest.mark.fault("G01")
@given(st.dictionaries(st.text(max_size=12), any_series, min_size=1, max_size=2))
@settings(max_examples=15, deadline=None)
def test_no_numbers_make_a_figure_fail(data: dict[str, list[tuple[float, int]]]) -> None:
    """Whatever doubles and steps were logged, each figure is made and drawn without a warning."""
    history = {n: series_of(n, [v for v, _ in points], [s for _, s in points]) for n, points in data.items()}
    drawn = sum(make_curve(series) is not None for series in history.values())
    plots = make_plots(history)
    assert len(plots) == (0 if not drawn else drawn + 2 + (drawn > 1))
    for figure in plots.values():
        draw_strictly(figure)


HOSTILE: dict[Any, Any] = {
    "text.usetex": True,
    "font.family": "monospace",
    "font.size": 30,
    "axes.facecolor": "black",
    "figure.facecolor": "red",
    "lines.linewidth": 9,
    "lines.marker": "x",
    "axes.grid": True,
    "axes.spines.top": True,
    "xtick.minor.visible": True,
    "xtick.labelsize": 30,
    "ytick.direction": "in",
    "ytick.color": "green",
    "figure.autolayout": True,
    "axes.unicode_minus": False,
    "patch.linewidth": 5,
    "hatch.linewidth": 4,
    "grid.linewidth": 7,
    "figure.dpi": 33,
}


@pytest.mark.fault("G02")
def test_the_users_settings_neither_matter_nor_change() -> None:
    """The picture is the same to the byte whatever rcParams hold, and rcParams stay as they are."""
    history = history_of(train_loss=[3, 2, np.nan, 1], lr=[1, 1e-2, 1e-4, 1e-6])
    plain = {key: render_png(figure) for key, figure in make_plots(history).items()}
    with mpl.rc_context(HOSTILE):
        before = dict(mpl.rcParams)
        drawn = {key: render_png(figure) for key, figure in make_plots(history).items()}
        assert dict(mpl.rcParams) == before
    assert [key for key in plain if drawn[key] != plain[key]] == []


@pytest.mark.fault("G02")
def test_pyplot_is_left_alone() -> None:
    """Drawing and saving open no pyplot figure and leave the current one current, unclosed and usable."""
    mine, axes = plt.subplots()
    try:
        axes.set_title("mine")
        canvas, dpi = mine.canvas, mine.dpi
        for figure in make_plots(history_of(a=[1, 2], b=[2, 1])).values():
            render_png(figure)
        render_png(mine, dpi=50)
        assert plt.get_fignums() == [mine.number]
        assert plt.gcf() is mine
        assert mine.canvas is canvas
        assert mine.dpi == dpi
    finally:
        plt.close(mine)


def test_a_users_figure_with_a_missing_glyph_is_still_drawn() -> None:
    """Where warnings are errors, a sign that the user's font lacks does not stop the picture."""
    figure = mpl.figure.Figure()
    figure.text(0.5, 0.5, "🎉")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert render_png(figure).startswith(b"\x89PNG")


class Broken(mpl.artist.Artist):
    """Something that cannot be drawn."""

    def draw(self, renderer: object) -> None:
        """Fail."""
        raise ArithmeticError


def test_save_png_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """A file is replaced whole; a figure that cannot be drawn leaves the old one and no temporary file."""
    target = save_png(mpl.figure.Figure(), tmp_path / "a.png")
    content = target.read_bytes()
    broken = mpl.figure.Figure()
    broken.add_artist(Broken())
    with pytest.raises(ArithmeticError):
        save_png(broken, target)
    assert target.read_bytes() == content
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.fault("G02")
def test_threads_draw_at_once() -> None:
    """Pictures drawn in several threads at once are the same as those drawn alone."""
    history = history_of(a=[1, 5, 2], b=[2e-4, 3, 1])

    def draw(_: int) -> list[bytes]:
        return [render_png(figure, dpi=50) for figure in make_plots(history).values()]

    alone = draw(0)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert list(pool.map(draw, range(4))) == [alone] * 4


def test_importing_the_visualizer_loads_nothing_heavy() -> None:
    """NumPy and matplotlib are loaded when a figure is drawn, not when the class is imported."""
    code = "import sys, neural_core._plotting.visualizer; sys.exit(bool({'matplotlib', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0


def test_the_users_error_settings_of_numpy_do_not_matter() -> None:
    """Where the user made numpy raise on overflow and invalid values, every figure is made all the same."""
    history = history_of(a=[1e-300, 1e300, np.nan, np.inf], b=[0, 0, -1.6e125, -7.6e-184], c=[5, 5, 5, 5])
    with np.errstate(all="raise"):
        assert len(make_plots(history)) == 6
