"""Series made small enough to be drawn: means with the extremes beside them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from neural_core.records import NO_STEP, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Curve", "make_curve", "packed"]

POINTS = 1_000


@frozen(eq=False)
class Curve:
    """What is drawn of one series.

    Attributes:
        x: steps, or positions where one is missing; in ascending order.
        mean: the values, or the means of buckets, NaN for a gap.
        low: the smallest value of each bucket, `high` the largest; None when each point is drawn.
        ends: (x, value) of the smallest and of the largest finite value, None when there is none.
        count: points of the series.
        hidden: how many of them are NaN or infinite.
        stepped: True when `x` is the step.
    """

    x: Floats
    mean: Floats
    low: Floats | None
    high: Floats | None
    ends: tuple[tuple[float, float], tuple[float, float]] | None
    count: int
    hidden: int
    stepped: bool


@np.errstate(all="ignore")
def make_curve(series: Series, points: int = POINTS) -> Curve:
    """Make the curve of a series, of at most about `points` points."""
    stepped = not bool((series.step == NO_STEP).any())
    x = series.step.astype(np.float64) if stepped else np.arange(len(series), dtype=np.float64)
    order = np.argsort(x, kind="stable") if bool((np.diff(x) < 0).any()) else slice(None)
    x, value = x[order], series.value[order]
    finite = np.isfinite(value)
    value = np.where(finite, value, np.nan)
    hidden = len(value) - int(finite.sum())
    about: dict[str, Any] = {"ends": _ends(x, value), "count": len(value), "hidden": hidden, "stepped": stepped}
    if len(value) <= points:
        return Curve(x, value, None, None, **about)
    starts = np.linspace(0, len(value), points + 1).astype(np.intp)[:-1]
    counts = np.diff(np.append(starts, len(value)))
    held = np.add.reduceat(finite, starts, dtype=np.int64)
    columns = [
        np.add.reduceat(x, starts) / counts,
        np.add.reduceat(np.where(finite, value, 0.0), starts) / np.where(held, held, np.nan),
        np.fmin.reduceat(value, starts),
        np.fmax.reduceat(value, starts),
    ]
    columns[0][0], columns[0][-1] = x[0], x[-1]  # the line reaches both ends
    mean_x, mean, low, high = columns
    return Curve(mean_x, mean, low, high, **about)


def _ends(x: Floats, value: Floats) -> tuple[tuple[float, float], tuple[float, float]] | None:
    if not len(value) or bool(np.isnan(value).all()):
        return None
    low, high = int(np.nanargmin(value)), int(np.nanargmax(value))
    return (float(x[low]), float(value[low])), (float(x[high]), float(value[high]))


def packed(values: NDArray[Any], kind: str = "f8") -> dict[str, str]:
    """Give an array as Plotly's JSON does: base64 of its little-endian bytes, NaN and all."""
    return {"dtype": kind, "bdata": base64.b64encode(values.astype(f"<{kind}").tobytes()).decode("ascii")}
