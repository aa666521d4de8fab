"""One series made into what a picture can show: lines, gaps, marks and the limits that hold them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from neural_core._plotting.style import scale_axis
from neural_core._series import NO_STEP, downsample, extremes, x_axis
from neural_core.records import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Curve", "draw", "fit", "limits", "make_curve", "presentable", "spans_decades", "wants_log"]

_POINTS = 1400
_MEANS = 300
_MARKED = 50
_EDGE_MARKS = 200
_HUGE, _TINY = 1e300, 1e-300


@frozen(eq=False)
class Curve:
    """What is drawn of one series.

    Attributes:
        x, y: the points of the line, extremes kept, NaN where it breaks.
        mean_x, mean_y: means of equal-count buckets, None when every point is drawn.
        above, below: the x of points that are +Inf and -Inf (or beyond ±1e300, which no axis can hold).
        low, high: (x, value) of the smallest and the largest finite value.
        last: (x, value) of the last finite point.
        count, missing, infinite: points in all, NaN ones, infinite ones.
        stepped: True when x is the step, False when it is the position.
    """

    x: Floats
    y: Floats
    mean_x: Floats | None
    mean_y: Floats | None
    above: Floats
    below: Floats
    low: tuple[float, float]
    high: tuple[float, float]
    last: tuple[float, float]
    count: int
    missing: int
    infinite: int
    stepped: bool


@np.errstate(all="ignore")  # the user's np.seterr(all="raise") must not reach us
def make_curve(series: Series) -> Curve | None:
    """Make the curve of a series; None when it has no finite value."""
    value = presentable(series.value)
    found = extremes(value)
    if found is None:
        return None
    x = x_axis(series)
    finite = np.isfinite(value)
    holed = np.where(finite, value, np.nan)
    thin = downsample(Series(series.name, x, series.time, holed), _POINTS)
    means = _bucket_means(x, holed) if len(thin) < len(series) else (None, None)
    last = int(np.flatnonzero(finite)[-1])
    low, high, end = ((float(x[i]), float(value[i])) for i in (*found, last))
    return Curve(
        x=thin.step.astype(np.float64),
        y=thin.value,
        mean_x=means[0],
        mean_y=means[1],
        above=_edge(x, value == np.inf),
        below=_edge(x, value == -np.inf),
        low=low,
        high=high,
        last=end,
        count=len(value),
        missing=int(np.isnan(series.value).sum()),
        infinite=int(np.isinf(value).sum()),
        stepped=not bool((series.step == NO_STEP).any()),
    )


def presentable(value: Floats) -> Floats:
    """Make values beyond ±1e300 infinite and those within ±1e-300 zero: no axis holds them."""
    value = np.where(np.abs(value) > _HUGE, np.copysign(np.inf, value), value)
    return np.where(np.abs(value) < _TINY, 0.0, value)


def _edge(x: NDArray[np.int64], where: NDArray[np.bool_]) -> Floats:
    """At most some hundred of the points that lie beyond the frame: one mark would hide the next."""
    chosen = x[where].astype(np.float64)
    return chosen[:: max(1, len(chosen) // _EDGE_MARKS)]


def _bucket_means(x: NDArray[np.int64], y: Floats) -> tuple[Floats, Floats]:
    """Means of equal-count buckets, NaN left out; a bucket of NaN only stays NaN."""
    starts = np.linspace(0, len(y), _MEANS + 1).astype(np.intp)[:-1]
    finite = np.isfinite(y)
    count = np.add.reduceat(finite, starts, dtype=np.int64)
    size = np.diff(np.append(starts, len(y)))
    mean_y = np.add.reduceat(np.where(finite, y, 0.0), starts) / count
    mean_x = np.add.reduceat(x.astype(np.float64), starts) / size
    return mean_x, np.where(np.isfinite(mean_y), mean_y, np.nan)


def draw(axes: Axes, curve: Curve, colour: str, *, dash: Any = "solid", width: float = 1.8, band: bool = True) -> None:
    """Draw one curve: all points up to some hundred, beyond that the extremes pale and the mean strong."""
    common: dict[str, Any] = {
        "color": colour,
        "antialiased": True,
        "solid_capstyle": "round",
        "solid_joinstyle": "round",
    }
    line = common | {"linestyle": dash, "linewidth": width, "marker": "None"}
    if curve.mean_x is None or curve.mean_y is None:
        axes.plot(curve.x, curve.y, zorder=3, **line)
    else:
        if band:
            axes.plot(curve.x, curve.y, zorder=2, **common, linestyle="-", linewidth=0.7, marker="None", alpha=0.3)
        axes.plot(curve.mean_x, curve.mean_y, zorder=3, **line)
    _draw_points(axes, curve, colour)
    _draw_edges(axes, curve, colour)


def _draw_points(axes: Axes, curve: Curve, colour: str) -> None:
    """Mark the points of short series, and those between two gaps, which no line would show."""
    finite = np.isfinite(curve.y)
    alone = finite & ~np.concatenate(([False], finite[:-1])) & ~np.concatenate((finite[1:], [False]))
    few = curve.count <= _MARKED
    shown = finite if few else alone
    size = 7.0 if curve.count == 1 else 5.0
    dots: dict[str, Any] = {
        "markerfacecolor": colour,
        "markeredgecolor": "white",
        "markeredgewidth": 0.8 if few else 0.0,
    }
    axes.plot(
        curve.x[shown], curve.y[shown], linestyle="None", marker="o", markersize=size if few else 2.5, zorder=4, **dots
    )


def _draw_edges(axes: Axes, curve: Curve, colour: str) -> None:
    """Put a triangle at the edge where a value is infinite."""
    for x, y, marker in ((curve.above, 0.985, "^"), (curve.below, 0.015, "v")):
        axes.plot(
            x,
            np.full(len(x), y),
            linestyle="None",
            marker=marker,
            markersize=8,
            markerfacecolor=colour,
            markeredgecolor="white",
            markeredgewidth=0.5,
            transform=axes.get_xaxis_transform(),
            zorder=4,
        )


def wants_log(curves: Sequence[Curve]) -> bool:
    """Tell whether all values are positive and span three decades or more."""
    lows, highs = zip(*((curve.low[1], curve.high[1]) for curve in curves), strict=True)
    return spans_decades(min(lows), max(highs))


def spans_decades(low: float, high: float) -> bool:
    """Tell whether a range is positive, three decades or more, and such that a logarithmic axis can be drawn."""
    return low > 1e-100 and high < 1e100 and high / low >= 1000


def limits(low: float, high: float, pad: float, *, log: bool = False) -> tuple[float, float]:
    """Widen a range by the part `pad` on each side, so that it is never empty."""
    if log:
        room = (math.log10(high) - math.log10(low)) * pad
        return low / 10**room, high * 10**room
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high)):
        span = max(abs(low), abs(high)) * 0.1 or 1.0
    return low - span * pad, high + span * pad


def fit(
    axes: Axes,
    curves: Sequence[Curve],
    *,
    across: Sequence[Curve] = (),
    pad: float = 0.06,
    ticks: tuple[int, int] = (8, 6),
) -> bool:
    """Set both axes so that they hold the curves, and x also those of `across`; `ticks` across and up.

    Returns:
        True when y is logarithmic.
    """
    log = wants_log(curves)
    low, high = min(curve.low[1] for curve in curves), max(curve.high[1] for curve in curves)
    scale_axis(axes, "y", *limits(low, high, pad, log=log), log=log, ticks=ticks[1])
    wide = [curve.x for curve in (*curves, *across)]
    left, right = min(float(x.min()) for x in wide), max(float(x.max()) for x in wide)
    if right - left < max(0.5, 2e-15 * max(abs(left), abs(right))):  # one step, or steps that doubles cannot tell apart
        room = max(1.0, 1e-12 * abs(left))
        left, right = left - room, right + room
    else:
        left, right = limits(left, right, 0.012)
    scale_axis(axes, "x", left, right, log=False, ticks=ticks[0], whole=True)
    return log
