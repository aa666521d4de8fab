"""One metric of one experiment over one axis: kept as buckets of some 64 points, read again only where it grew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from attrs import frozen

from neural_core._reading_api.buckets import Buckets, bucketise, columns_of, joined, no_buckets, regroup, width_for
from neural_core._reading_api.points import Axis, Points, along, ascends
from neural_core._series import NO_STEP
from neural_core._storage.part import Column

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neural_core._storage.part import Part
    from neural_core._storage.reader import RunReader

__all__ = ["Curve", "GrowingCurve", "Piece", "SortedCurve"]

_PER_BUCKET = 64
_MOST_BUCKETS = 1 / 16
"""Buckets for each point above which they are made wider: the points lie further apart than at the beginning."""


@frozen(eq=False)
class Piece:
    """A stretch of a curve: points, or buckets when there were too many of them.

    Attributes:
        begins: True when it holds the curve's first point; `ends` likewise.
        points: how many points of the curve lie in it, whatever their value.
    """

    begins: bool
    ends: bool
    points: int
    x: NDArray[np.float64] | None = None
    y: NDArray[np.float64] | None = None
    buckets: Buckets | None = None


class Curve(Protocol):
    """What a view asks of a curve."""

    @property
    def total(self) -> int:
        """Points, whatever their value."""

    @property
    def span(self) -> tuple[float, float] | None:
        """The smallest and the largest x; None of no point."""

    @property
    def ends(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """The first and the last finite point; None when there is none."""

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""

    def piece(self, low: float, high: float, width: float, most: int) -> Piece:
        """Give what lies in [low, high) as points when there are at most so many, else in buckets of `width`."""


class GrowingCurve:
    """A curve whose x ascends in the order of the calls, as nearly every one does."""

    def __init__(self, reader: RunReader, metric: str, axis: Axis, origin: float, *, count_calls: bool = False) -> None:
        """Read nothing yet.

        Args:
            reader: of the experiment.
            metric: the metric.
            axis: what x is.
            origin: Unix time of the experiment's first row, for the axis ``relative``.
            count_calls: x is the position of a point: some calls gave no step.
        """
        self._points = Points(reader, metric)
        self._axis = axis
        self._origin = origin
        self._count_calls = count_calls
        self._width = 0.0
        self._buckets = no_buckets()
        self._span: tuple[float, float] | None = None
        self._ends: tuple[tuple[float, float], tuple[float, float]] | None = None

    @property
    def total(self) -> int:
        """Points, whatever their value."""
        return self._points.count

    @property
    def span(self) -> tuple[float, float] | None:
        """The smallest and the largest x; None of no point."""
        return self._span

    @property
    def ends(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """The first and the last finite point; None when there is none."""
        return self._ends

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        return sum(column.nbytes for column in columns_of(self._buckets))

    def fits(self, parts: Sequence[Part]) -> bool:
        """Tell whether it can go on from what it has read."""
        return self._points.fits(parts)

    def grow(self, parts: Sequence[Part]) -> bool:
        """Take up new points; False when their x does not ascend, and the curve is of no use any more."""
        new = []
        at = self._points.count
        for column in self._points.grow(parts):
            x = self._x(column, at)
            if not ascends(x, -math.inf if self._span is None else self._span[1]) or self._lacks_step(x):
                return False
            new.append(self._take(x, column.value, at))
            at += len(x)
        if new:
            self._buckets = regroup(joined([self._buckets, *new]), self._width, self._width)
            self._widen()
        return True

    def _x(self, column: Column, at: int) -> NDArray[Any]:
        if self._count_calls:
            return np.arange(at, at + len(column.value))
        return along(column, self._axis, self._origin)

    def _lacks_step(self, x: NDArray[Any]) -> bool:
        return self._axis == "step" and int(x[0]) == NO_STEP

    def _take(self, x: NDArray[Any], y: NDArray[np.float64], at: int) -> Buckets:
        first, last = float(x[0]), float(x[-1])
        if not self._width:
            self._width = width_for(last - first, max(1, len(x) // _PER_BUCKET))
        self._span = (first if self._span is None else self._span[0], last)
        found = bucketise(x, y, self._width, at)
        if len(found):
            self._note_ends(x, y)
        return found

    def _note_ends(self, x: NDArray[Any], y: NDArray[np.float64]) -> None:
        finite = np.isfinite(y)
        low, high = int(finite.argmax()), len(y) - 1 - int(finite[::-1].argmax())
        last = (float(x[high]), float(y[high]))
        self._ends = ((float(x[low]), float(y[low])) if self._ends is None else self._ends[0], last)

    def _widen(self) -> None:
        while len(self._buckets) > 1024 and len(self._buckets) > self.total * _MOST_BUCKETS:
            self._buckets = regroup(self._buckets, self._width, self._width * 2)
            self._width *= 2

    def piece(self, low: float, high: float, width: float, most: int) -> Piece:
        """Give what lies in [low, high) as points when there are at most so many, else in buckets of `width`."""
        if not self.total:
            return Piece(True, True, 0, np.empty(0), np.empty(0))
        number = self._buckets.number
        first = int(np.searchsorted(number, math.floor(low / self._width))) if low > -math.inf else 0
        last = int(np.searchsorted(number, math.ceil(high / self._width))) if high < math.inf else len(number)
        start = 0 if first == 0 else int(self._buckets.start[first - 1])
        stop = self.total if last >= len(number) else int(self._buckets.start[last])
        inner = (
            self.total
            if first == 0 and last == len(number)
            else stop - int(self._buckets.start[first : first + 1].sum())
        )
        if width < self._width or inner <= most:
            return self._from_points(start, stop, (low, high), width, most)
        buckets = regroup(self._buckets.cut(first, last), self._width, width)
        return Piece(first == 0, last == len(number), inner, buckets=buckets)

    def _from_points(self, start: int, stop: int, limits: tuple[float, float], width: float, most: int) -> Piece:
        columns = list(self._points.read(start, stop))
        if not columns:
            return Piece(start == 0, stop == self.total, 0, np.empty(0), np.empty(0))
        at = start
        xs = []
        for column in columns:
            xs.append(self._x(column, at))
            at += len(column.value)
        x, y = np.concatenate(xs), np.concatenate([column.value for column in columns])
        return cut_piece(x, y, (start, self.total), limits, width, most)


class SortedCurve:
    """A curve whose x does not ascend: all its points in memory, in the order of x."""

    def __init__(self, x: NDArray[Any], y: NDArray[np.float64]) -> None:
        """Take points in any order; those whose x is not finite are left out."""
        if x.dtype != np.int64 and not bool(np.isfinite(x).all()):
            kept = np.isfinite(x)
            x, y = x[kept], y[kept]
        if not ascends(x, -math.inf):
            order = np.argsort(x, kind="stable")
            x, y = x[order], y[order]
        self._x = x
        self._y = y

    @property
    def total(self) -> int:
        """Points, whatever their value."""
        return len(self._x)

    @property
    def span(self) -> tuple[float, float] | None:
        """The smallest and the largest x; None of no point."""
        return (float(self._x[0]), float(self._x[-1])) if len(self._x) else None

    @property
    def ends(self) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """The first and the last finite point; None when there is none."""
        finite = np.flatnonzero(np.isfinite(self._y))
        if not len(finite):
            return None
        low, high = finite[0], finite[-1]
        return (float(self._x[low]), float(self._y[low])), (float(self._x[high]), float(self._y[high]))

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        return self._x.nbytes + self._y.nbytes

    def piece(self, low: float, high: float, width: float, most: int) -> Piece:
        """Give what lies in [low, high) as points when there are at most so many, else in buckets of `width`."""
        return cut_piece(self._x, self._y, (0, len(self._x)), (low, high), width, most)


def cut_piece(
    x: NDArray[Any],
    y: NDArray[np.float64],
    place: tuple[int, int],
    limits: tuple[float, float],
    width: float,
    most: int,
) -> Piece:
    """Give the points within limits, with a neighbour on both sides, or their buckets.

    Args:
        x: ascending; y: the values.
        place: the position of the first of them in their curve, and the number of points of that.
        limits: [low, high).
        width: of a bucket.
        most: points, above which they become buckets.
    """
    low, high = int(np.searchsorted(x, _key(x, limits[0]))), int(np.searchsorted(x, _key(x, limits[1])))
    inner = high - low
    offset, total = place
    if inner <= most:
        low, high = max(0, low - 1), min(len(x), high + 1)
        found = x[low:high].astype(np.float64), y[low:high]
        return Piece(offset + low == 0, offset + high == total, inner, *found)
    buckets = bucketise(x[low:high], y[low:high], width, offset + low)
    return Piece(offset + low == 0, offset + high == total, inner, buckets=buckets)


def _key(x: NDArray[Any], limit: float) -> Any:
    """Give a key of the type of x: a float would convert a whole column of integers."""
    if x.dtype != np.int64:
        return limit
    if not math.isfinite(limit) or abs(limit) >= 2.0**63:
        return np.int64(-(2**63)) if limit < 0 else np.int64(2**63 - 1)
    return np.int64(math.ceil(limit))
