"""One metric of one experiment over one axis: kept as buckets of some 64 points, read again only where it grew."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from neural_core._reading_api.buckets import Buckets, bucketise, columns_of, joined, no_buckets, regroup, width_for
from neural_core._reading_api.points import CHUNK_ROWS, XY, FilePoints, HeldPoints
from neural_core._series import NO_STEP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neural_core._storage.journal.part import Part

__all__ = ["Curve", "Piece", "Point"]

Point = tuple[float, float]
_PER_BUCKET = 64
_FEW_BUCKETS = 1024
_MOST_BUCKETS = 1 / 16
"""Buckets for each point above which they are made wider: the points lie further apart than at the beginning."""


@frozen(eq=False)
class Piece:
    """A stretch of a curve: points, or buckets when there were too many of them.

    Attributes:
        begins: True when it holds the curve's first point.
        ends: True when it holds the last one.
        points: how many points of the curve lie in it, whatever their value.
        x: of the points; None when there are buckets.
        y: their values, likewise.
        buckets: None when there are points.
    """

    begins: bool
    ends: bool
    points: int
    x: NDArray[np.float64] | None = None
    y: NDArray[np.float64] | None = None
    buckets: Buckets | None = None


class Curve:
    """Points in the order of an ascending x, and their buckets.

    Attributes:
        span: the smallest and the largest x; None of no point.
        ends: the first and the last finite point; None when there is none.
    """

    def __init__(self, points: FilePoints | HeldPoints, *, count_calls: bool = False) -> None:
        """Take up no point yet.

        Args:
            points: where they come from.
            count_calls: x is the position of a point, since some calls gave no step.
        """
        self.span: tuple[float, float] | None = None
        self.ends: tuple[Point, Point] | None = None
        self._own_bytes = 0
        self._points = points
        self._count_calls = count_calls
        self._width = 0.0
        self._buckets = no_buckets()

    @classmethod
    def held(cls, make: Callable[[], XY]) -> Curve:
        """Give the curve of the points that `make` gives, in any order; those whose x is not finite are left out."""
        points = HeldPoints(make)
        curve = cls(points)
        starts = range(0, points.count, CHUNK_ROWS)
        curve._extend([curve._take(*points.read(at, at + CHUNK_ROWS), at) for at in starts])
        return curve

    @property
    def total(self) -> int:
        """Points, whatever their value."""
        return self._points.count

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        return self._own_bytes + (self._points.nbytes if isinstance(self._points, HeldPoints) else 0)

    def drop_points(self) -> None:
        """Keep the buckets only; points that are held in memory are made again when a view is deep enough."""
        if isinstance(self._points, HeldPoints):
            self._points.drop()

    def fits(self, parts: Sequence[Part]) -> bool:
        """Tell whether it can go on from what it has read of these parts."""
        return isinstance(self._points, FilePoints) and self._points.fits(parts)

    def grow(self, parts: Sequence[Part]) -> bool:
        """Take up new points; False when their x does not ascend, and the curve is of no use any more."""
        assert isinstance(self._points, FilePoints)
        new: list[Buckets] = []
        at = self._points.count
        for along, y in self._points.grow(parts):
            x = self._counted(at, len(y)) if self._count_calls else along
            if not self._goes_on(x):
                return False
            new.append(self._take(x, y, at))
            at += len(y)
        self._extend(new)
        return True

    def _goes_on(self, x: NDArray[Any]) -> bool:
        after = -math.inf if self.span is None else self.span[1]
        lacks_step = x.dtype == np.int64 and int(x[0]) == NO_STEP  # the smallest integer: it comes first or not at all
        return not lacks_step and bool(x[0] >= after) and bool((x[1:] >= x[:-1]).all())

    @staticmethod
    def _counted(at: int, count: int) -> NDArray[np.int64]:
        return np.arange(at, at + count, dtype=np.int64)

    def _take(self, x: NDArray[Any], y: NDArray[np.float64], at: int) -> Buckets:
        first, last = float(x[0]), float(x[-1])
        if not self._width:
            self._width = width_for(last - first, max(1, len(x) // _PER_BUCKET))
        self.span = (first if self.span is None else self.span[0], last)
        found = bucketise(x, y, self._width, at)
        if len(found):
            finite = np.isfinite(y)
            low, high = int(finite.argmax()), len(y) - 1 - int(finite[::-1].argmax())
            begin = (float(x[low]), float(y[low])) if self.ends is None else self.ends[0]
            self.ends = begin, (float(x[high]), float(y[high]))
        return found

    def _extend(self, new: list[Buckets]) -> None:
        if not new:
            return
        self._buckets = regroup(joined([self._buckets, *new]), self._width, self._width)
        while len(self._buckets) > max(_FEW_BUCKETS, self.total * _MOST_BUCKETS):
            self._buckets = regroup(self._buckets, self._width, self._width * 2)
            self._width *= 2
        self._own_bytes = sum(column.nbytes for column in columns_of(self._buckets))

    def piece(self, low: float, high: float, width: float, most: int) -> Piece:
        """Give what lies in [low, high): points when there are at most so many, else buckets of `width`.

        Points come with a neighbour on both sides. Limits are multiples of `width`.
        """
        if not self.total:
            return Piece(True, True, 0, np.empty(0), np.empty(0))
        number, start = self._buckets.number, self._buckets.start
        first = int(np.searchsorted(number, math.floor(low / self._width)))
        last = int(np.searchsorted(number, math.ceil(high / self._width)))
        begins, ends = first == 0, last == len(number)
        inner = 0
        if first < last:
            inner = (self.total if ends else int(start[last])) - (0 if begins else int(start[first]))
        if width >= self._width and inner > most:
            return Piece(begins, ends, inner, buckets=regroup(self._buckets.cut(first, last), self._width, width))
        # A point before and one behind, however far, and what is not finite between two buckets.
        around = 0 if begins else int(start[first - 1]), self.total if last + 1 >= len(number) else int(start[last + 1])
        return self._from_points(around, (low, high), width, most)

    def _from_points(self, around: tuple[int, int], limits: tuple[float, float], width: float, most: int) -> Piece:
        x, y = self._points.read(*around)
        if self._count_calls:
            x = self._counted(around[0], len(y))
        low, high = int(np.searchsorted(x, _key(x, limits[0]))), int(np.searchsorted(x, _key(x, limits[1])))
        inner = high - low
        if inner <= most:
            low, high = max(0, low - 1), min(len(x), high + 1)
        begins, ends = around[0] + low == 0, around[0] + high == self.total
        x, y = x[low:high], y[low:high]
        if inner <= most:
            return Piece(begins, ends, inner, x.astype(np.float64), np.ascontiguousarray(y))
        return Piece(begins, ends, inner, buckets=bucketise(x, y, width, around[0] + low))


def _key(x: NDArray[Any], limit: float) -> Any:
    """Give a key of the type of x: a float would convert a whole column of integers."""
    if x.dtype != np.int64:
        return limit
    if not abs(limit) < 2.0**63:
        return np.int64(-(2**63)) if limit < 0 else np.int64(2**63 - 1)
    return np.int64(math.ceil(limit))
