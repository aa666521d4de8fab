"""Curves in buckets: power-of-two widths, aligned at zero, so that wider buckets are exact unions of narrower ones.

NumPy only, no files. A bucket ignores what is not finite; one without a finite value is left out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Buckets", "bucketise", "columns_of", "joined", "no_buckets", "regroup", "width_for"]

_EXACT = 2**53
"""Integers up to here are doubles exactly."""
_NARROWEST, _WIDEST = -1000, 1000


@frozen(eq=False)
class Buckets:
    """Some buckets of one curve, ascending; arrays of the same length.

    Attributes:
        number: float64, the bucket begins at ``number * width``.
        count: int64, finite points.
        sum_x: float64, the sum of their x.
        sum_y: float64, the sum of their values.
        low: float64, the smallest value; `low_x` is the x where it came first.
        high: float64, the largest value; `high_x` likewise.
        start: int64, the position of the bucket's first point in the curve, the others included.
    """

    number: NDArray[np.float64]
    count: NDArray[np.int64]
    sum_x: NDArray[np.float64]
    sum_y: NDArray[np.float64]
    low: NDArray[np.float64]
    low_x: NDArray[np.float64]
    high: NDArray[np.float64]
    high_x: NDArray[np.float64]
    start: NDArray[np.int64]

    def __len__(self) -> int:
        """Give the number of buckets."""
        return len(self.count)

    def cut(self, first: int, last: int) -> Buckets:
        """Give the buckets from the `first`-th to before the `last`-th."""
        return Buckets(*(column[first:last] for column in columns_of(self)))


def columns_of(buckets: Buckets) -> tuple[NDArray[Any], ...]:
    """Give the arrays in the order in which `Buckets` takes them."""
    b = buckets
    return b.number, b.count, b.sum_x, b.sum_y, b.low, b.low_x, b.high, b.high_x, b.start


def joined(parts: list[Buckets]) -> Buckets:
    """Put buckets one behind the other."""
    if len(parts) == 1:
        return parts[0]
    return Buckets(*(np.concatenate(columns) for columns in zip(*map(columns_of, parts), strict=True)))


def width_for(span: float, points: int) -> float:
    """Give the smallest power of two of which `points` buckets cover `span`; 1 when there is no span."""
    if not 0 < span < math.inf:
        return 1.0
    return 2.0 ** min(max(math.ceil(math.log2(span / points)), _NARROWEST), _WIDEST)


def _bounds(x: NDArray[Any], width: float) -> NDArray[np.intp]:
    """Give where in ascending `x` each bucket that is not empty begins."""
    first, last = math.floor(x[0] / width), math.floor(x[-1] / width)
    if last - first >= len(x):  # sparse: fewer points than buckets
        number = np.floor(x / width)
        return np.concatenate([[0], np.flatnonzero(number[1:] != number[:-1]) + 1])
    edges = np.arange(first + 1, last + 1, dtype=np.float64) * width
    if x.dtype == np.int64:
        edges = np.ceil(edges).astype(np.int64)  # a float key would convert the whole column
    bounds = np.concatenate([[0], np.searchsorted(x, edges)])
    return bounds[np.diff(bounds, append=len(x)) > 0]


def bucketise(x: NDArray[Any], y: NDArray[np.float64], width: float, offset: int = 0) -> Buckets:
    """Put points into buckets.

    Args:
        x: ascending, int64 or float64, finite.
        y: as many values.
        width: a power of two.
        offset: the position of the first point in its curve.
    """
    if not len(x):
        return no_buckets()
    bounds = _bounds(x, width)
    with np.errstate(over="ignore", invalid="ignore"):
        sum_y = np.add.reduceat(y, bounds)
        if not np.isfinite(sum_y).all():
            return _bucketise_finite(x, y, width, offset)
        return _reduced(x, y, width, bounds, sum_y, bounds + offset)


def _bucketise_finite(x: NDArray[Any], y: NDArray[np.float64], width: float, offset: int) -> Buckets:
    """Leave out what is not finite, and buckets that are then empty; a sum may still overflow."""
    kept = np.flatnonzero(np.isfinite(y))
    if not len(kept):
        return no_buckets()
    fewer_x, fewer_y = x[kept], y[kept]
    bounds = _bounds(fewer_x, width)
    return _reduced(fewer_x, fewer_y, width, bounds, np.add.reduceat(fewer_y, bounds), kept[bounds] + offset)


def _reduced(
    x: NDArray[Any],
    y: NDArray[np.float64],
    width: float,
    bounds: NDArray[np.intp],
    sum_y: NDArray[np.float64],
    start: NDArray[np.intp],
) -> Buckets:
    count = np.diff(bounds, append=len(x))
    low, high = _extremes(y, bounds, count)
    return Buckets(
        np.floor(x[bounds] / width),
        count.astype(np.int64),
        _sum_x(x, bounds),
        sum_y,
        y[low],
        x[low].astype(np.float64),
        y[high],
        x[high].astype(np.float64),
        start.astype(np.int64),
    )


def _sum_x(x: NDArray[Any], bounds: NDArray[np.intp]) -> NDArray[np.float64]:
    largest = max(abs(int(x[0])), abs(int(x[-1])))
    if x.dtype == np.int64 and largest * len(x) >= _EXACT * 512:  # the sum of integers might not fit
        x = x.astype(np.float64)
    return np.add.reduceat(x, bounds).astype(np.float64)


def _extremes(
    y: NDArray[np.float64], bounds: NDArray[np.intp], count: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give for each bucket the positions of its first smallest and its first largest value."""
    inner = count[1:-1]
    if len(inner) and bool((inner == inner[0]).all()):  # the usual case: a point every so many steps
        body = y[bounds[1] : bounds[-1]].reshape(-1, int(inner[0]))
        head, tail = y[: bounds[1]], y[bounds[-1] :]
        low = [[head.argmin()], body.argmin(axis=1) + bounds[1:-1], [tail.argmin() + bounds[-1]]]
        high = [[head.argmax()], body.argmax(axis=1) + bounds[1:-1], [tail.argmax() + bounds[-1]]]
        return np.concatenate(low), np.concatenate(high)
    lowest, highest = np.minimum.reduceat(y, bounds), np.maximum.reduceat(y, bounds)
    return _first_equal(y, lowest, bounds, count), _first_equal(y, highest, bounds, count)


def _first_equal(
    y: NDArray[np.float64], wanted: NDArray[np.float64], bounds: NDArray[np.intp], count: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Give for each bucket the position of its first point that has the wanted value."""
    hits = np.flatnonzero(y == np.repeat(wanted, count))
    return hits[np.searchsorted(hits, bounds)]


def regroup(buckets: Buckets, width: float, wider: float) -> Buckets:
    """Put buckets together into wider ones, and pieces of one bucket into one; both widths are powers of two."""
    if not len(buckets):
        return buckets
    number = np.floor(buckets.number * (width / wider))
    if bool((number[1:] != number[:-1]).all()):
        return Buckets(number, *columns_of(buckets)[1:])
    bounds = np.concatenate([[0], np.flatnonzero(number[1:] != number[:-1]) + 1])
    count = np.diff(bounds, append=len(number))
    low = _extremes(buckets.low, bounds, count)[0]
    high = _extremes(buckets.high, bounds, count)[1]
    with np.errstate(over="ignore", invalid="ignore"):
        return Buckets(
            number[bounds],
            np.add.reduceat(buckets.count, bounds),
            np.add.reduceat(buckets.sum_x, bounds),
            np.add.reduceat(buckets.sum_y, bounds),
            buckets.low[low],
            buckets.low_x[low],
            buckets.high[high],
            buckets.high_x[high],
            buckets.start[bounds],
        )


def no_buckets() -> Buckets:
    """Give buckets of no points."""
    nothing, none = np.empty(0), np.empty(0, np.int64)
    return Buckets(nothing, none, nothing, nothing, nothing, nothing, nothing, nothing, none)
