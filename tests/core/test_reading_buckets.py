"""Buckets of curves: exact, nested, and the same for whoever asks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from neural_core._reading_api.buckets import Buckets, bucketise, columns_of, joined, regroup, width_for
from neural_core._reading_api.curve import Curve
from neural_core._reading_api.view import Look, Window, view_of

values = arrays.arrays(np.float64, st.integers(0, 300), elements=st.floats(width=64))
tame = st.floats(-1e6, 1e6)
gaps = st.integers(0, 40)


def of_points(x: NDArray[Any], y: NDArray[np.float64]) -> Curve:
    """Give the curve of some points."""
    return Curve.held(lambda: (x, y))


def steps_of(count: int, draw: Any) -> NDArray[np.int64]:
    """Draw ascending steps, some of them twice."""
    some = draw(st.lists(gaps, min_size=count, max_size=count))
    return np.cumsum(np.array(some, np.int64)) + draw(st.integers(-1000, 1000))


def expected(x: NDArray[Any], y: NDArray[np.float64], width: float) -> dict[float, list[tuple[float, float]]]:
    """Give the finite points of each bucket, the slow and plain way."""
    found: dict[float, list[tuple[float, float]]] = {}
    for at, value in zip(x.tolist(), y.tolist(), strict=True):
        if math.isfinite(value):
            found.setdefault(math.floor(at / width), []).append((at, value))
    return found


def check(buckets: Buckets, plain: dict[float, list[tuple[float, float]]]) -> None:
    """Compare buckets with the plain ones."""
    assert buckets.number.tolist() == sorted(plain)
    for i, number in enumerate(sorted(plain)):
        points = plain[number]
        lowest, highest = min(v for _, v in points), max(v for _, v in points)
        assert buckets.count[i] == len(points)
        assert (buckets.low[i], buckets.high[i]) == (lowest, highest)
        assert buckets.low_x[i] == next(x for x, v in points if v == lowest)
        assert buckets.high_x[i] == next(x for x, v in points if v == highest)
        assert buckets.sum_x[i] == pytest.approx(math.fsum(x for x, _ in points))


class TestBuckets:
    @given(values, st.data(), st.integers(-2, 10))
    def test_extremes_are_exact(self, y: NDArray[np.float64], data: st.DataObject, power: int) -> None:
        """Count, minimum, maximum and where each came first are those of the raw points, whatever their values."""
        x = steps_of(len(y), data.draw)
        check(bucketise(x, y, 2.0**power), expected(x, y, 2.0**power))

    @given(arrays.arrays(np.float64, st.integers(1, 300), elements=tame), st.data(), st.integers(0, 10))
    def test_means(self, y: NDArray[np.float64], data: st.DataObject, power: int) -> None:
        """The mean of a bucket is NumPy's mean of its points."""
        x = steps_of(len(y), data.draw)
        buckets = bucketise(x, y, 2.0**power)
        number = np.floor(x / 2.0**power)
        for i, one in enumerate(buckets.number):
            assert buckets.sum_y[i] / buckets.count[i] == pytest.approx(y[number == one].mean(), abs=1e-6)

    @given(values, st.data(), st.integers(0, 5), st.integers(0, 6))
    def test_wider_ones_are_unions(self, y: NDArray[np.float64], data: st.DataObject, power: int, more: int) -> None:
        """Buckets put together are those that the raw points would have given at once."""
        x = steps_of(len(y), data.draw)
        wide = regroup(bucketise(x, y, 2.0**power), 2.0**power, 2.0 ** (power + more))
        check(wide, expected(x, y, 2.0 ** (power + more)))

    @given(values, st.data(), st.integers(0, 300))
    def test_pieces(self, y: NDArray[np.float64], data: st.DataObject, cut: int) -> None:
        """Points taken up in two pieces give the buckets of the whole."""
        x = steps_of(len(y), data.draw)
        cut = min(cut, len(y))
        both = joined([bucketise(x[:cut], y[:cut], 16.0), bucketise(x[cut:], y[cut:], 16.0, cut)])
        check(regroup(both, 16.0, 16.0), expected(x, y, 16.0))

    def test_a_sum_that_overflows(self) -> None:
        """Values whose sum is no double keep exact extremes."""
        x, y = np.arange(4), np.array([1.7e308, 1.7e308, -1.0, math.nan])
        buckets = bucketise(x, y, 4.0)
        assert (buckets.count.tolist(), buckets.low.tolist(), buckets.high.tolist()) == ([3], [-1.0], [1.7e308])

    def test_far_steps(self) -> None:
        """Steps near the largest integer, and a step far from all others, cost neither time nor memory."""
        x = np.array([0, 1, 2**62, 2**62 + 2**20], np.int64)
        check(bucketise(x, np.arange(4.0), 2.0**10), expected(x, np.arange(4.0), 2.0**10))

    @pytest.mark.parametrize(
        ("span", "width"), [(0.0, 1.0), (math.inf, 1.0), (700.0, 1.0), (701.0, 2.0), (0.35, 2.0**-10), (1e6, 2048.0)]
    )
    def test_widths(self, span: float, width: float) -> None:
        """A width is the smallest power of two of which the asked number of buckets covers the span."""
        assert width_for(span, 700) == width


class TestViews:
    @given(arrays.arrays(np.float64, st.integers(1, 2000), elements=st.floats(width=64)), st.data())
    def test_nothing_finite_is_hidden(self, y: NDArray[np.float64], data: st.DataObject) -> None:
        """However few buckets: the smallest and the largest finite value of a curve are in its view, with their x."""
        x = np.arange(len(y), dtype=np.int64) * data.draw(st.integers(1, 5))
        (curve,) = view_of(
            "m", "step", [Look("a", of_points(x, y))], Window(points=data.draw(st.integers(2, 50)))
        ).curves
        finite = y[np.isfinite(y)]
        low, high = (curve.mean, curve.mean) if curve.low is None or curve.high is None else (curve.low, curve.high)
        assert curve.hidden == len(y) - len(finite)
        if len(finite):
            assert low[np.isfinite(low)].min() == finite.min()
            assert high[np.isfinite(high)].max() == finite.max()
            assert y[x == curve.max_x].max() == finite.max()
            assert y[x == curve.min_x].min() == finite.min()

    @given(st.integers(1, 5000), st.integers(2, 700))
    def test_size_and_order(self, count: int, points: int) -> None:
        """A view has at most some points more than asked for, x ascends, and both ends of the curve are in it."""
        y = np.sin(np.arange(count))
        (curve,) = view_of("m", "step", [Look("a", of_points(np.arange(count), y))], Window(points=points)).curves
        assert len(curve.x) <= points + 4
        assert bool((np.diff(curve.x) > 0).all())
        assert (curve.x[0], curve.x[-1], curve.mean[0], curve.mean[-1]) == (0, count - 1, y[0], y[-1])

    @given(st.integers(1, 30_000), st.integers(0, 30_000), st.integers(0, 30_000), st.integers(2, 300))
    def test_windows(self, count: int, start: int, stop: int, points: int) -> None:
        """What is seen in a window are the buckets of the raw points, with a neighbour over both of its edges."""
        y = np.cos(np.arange(count) * 0.01)
        start, stop = min(start, stop), max(start, stop)
        whole = of_points(np.arange(count), y)
        view = view_of("m", "step", [Look("a", whole)], Window(float(start), float(stop), points=points))
        (curve,) = view.curves
        if curve.kind == "raw":
            inside = np.flatnonzero((curve.x >= start) & (curve.x <= stop))
            assert curve.x[inside].tolist() == list(range(start, min(stop + 1, count)))
        elif curve.kind == "agg":
            assert view.width is not None
            assert curve.low is not None
            plain = expected(np.arange(count), y, view.width)
            lows = {min(v for _, v in bucket) for bucket in plain.values()} | {y[0], y[-1]}
            assert set(curve.low.tolist()) <= lows
            assert curve.x[0] <= max(start, 0)
            assert curve.x[-1] >= min(stop, count - 1)

    def test_equal_curves_have_equal_views(self) -> None:
        """Two experiments with the same points give the same bits, and other experiments beside them change nothing."""
        y = np.random.default_rng(1).standard_normal(20_000)
        same = [Look(name, of_points(np.arange(20_000), y.copy())) for name in "ab"]
        short = Look("c", of_points(np.arange(50), np.zeros(50)))
        first, second, _ = view_of("m", "step", [*same, short], Window()).curves
        alone = view_of("m", "step", same[:1], Window()).curves[0]
        for other in (second, alone):
            assert other.x.tobytes() == first.x.tobytes()
            assert other.mean.tobytes() == first.mean.tobytes()

    def test_buckets_stand_still(self) -> None:
        """A window that moves shows the same buckets at the same places."""
        curve = of_points(np.arange(100_000), np.random.default_rng(2).standard_normal(100_000))
        near, far = (
            view_of("m", "step", [Look("a", curve)], Window(start, start + 20_000.0)) for start in (30_000.0, 30_777.0)
        )
        assert near.width == far.width
        known = dict(zip(near.curves[0].x.tolist(), near.curves[0].mean.tolist(), strict=True))
        again = dict(zip(far.curves[0].x.tolist(), far.curves[0].mean.tolist(), strict=True))
        shared = known.keys() & again.keys()
        assert len(shared) > 500
        assert all(known[x] == again[x] for x in shared)

    def test_lead(self) -> None:
        """A lead gives more on the left, and the window stays what it was."""
        curve = of_points(np.arange(100_000), np.zeros(100_000))
        plain, led = (view_of("m", "step", [Look("a", curve)], Window(5e4, 6e4, lead)) for lead in (0.0, 5e3))
        assert (plain.start, plain.stop, plain.width) == (led.start, led.stop, led.width)
        assert led.curves[0].x[0] <= 45_000 < plain.curves[0].x[0]

    def test_no_points(self) -> None:
        """Experiments without the metric, and no experiment at all, are views of nothing."""
        empty = of_points(np.empty(0, np.int64), np.empty(0))
        (curve,) = view_of("m", "step", [Look("a", empty)], Window()).curves
        assert (curve.kind, curve.first, len(curve.x)) == ("none", None, 0)
        assert view_of("m", "step", [], Window()).width is None

    def test_only_what_is_not_finite(self) -> None:
        """A curve of NaN has no bucket, and says how many points are hidden."""
        curve = of_points(np.arange(5000), np.full(5000, math.nan))
        (view,) = view_of("m", "step", [Look("a", curve)], Window()).curves
        assert (view.kind, len(view.x), view.hidden, view.min_x) == ("agg", 0, 5000, None)

    def test_beyond_the_points(self) -> None:
        """A window where no point lies shows nothing but the nearest ones."""
        curve = of_points(np.arange(5000), np.zeros(5000))
        for start, stop in ((6000.0, 9000.0), (-9000.0, -6000.0)):
            (view,) = view_of("m", "step", [Look("a", curve)], Window(start, stop)).curves
            assert len(view.x) <= 1
            assert view.min_x is None

    def test_x_that_is_not_finite(self) -> None:
        """Where the other metric of an axis is not finite there is no point."""
        curve = of_points(np.array([math.nan, 2.0, 1.0, math.inf]), np.arange(4.0))
        (view,) = view_of("m", "metric:o", [Look("a", curve)], Window()).curves
        assert (view.x.tolist(), view.mean.tolist()) == ([1.0, 2.0], [2.0, 1.0])

    def test_columns(self) -> None:
        """Every column of buckets has the same length."""
        buckets = bucketise(np.arange(100), np.zeros(100), 8.0)
        assert {len(column) for column in columns_of(buckets)} == {13}
