"""The points of one metric: in the files of an experiment as far as those are written, or held in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define

from neural_core._storage.journal.compacted_part import CompactedPart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neural_core._storage.journal.part import Part

__all__ = ["CHUNK_ROWS", "XY", "FilePoints", "HeldPoints", "Ruler", "paired"]

CHUNK_ROWS = 131_072
"""Rows that are read at a time: those of a row group of our Parquet files."""

_WORTH_ROWS = 4_096

XY = tuple["NDArray[Any]", "NDArray[np.float64]"]


@define
class _Chunk:
    """Rows of one part: from `first` to before `last`; `count` of them hold the metric, `start` stand before."""

    part: str
    first: int
    last: int
    start: int
    count: int


class Ruler:
    """The steps of rows that follow each other evenly, remembered as a range: every metric has the same ones."""

    def __init__(self) -> None:
        self._even: dict[tuple[str, int, int], tuple[int, int]] = {}

    def axis(self, part: CompactedPart, first: int, last: int, *, by_time: bool) -> NDArray[Any]:
        """Give the steps or the times of rows."""
        if by_time:
            return part.unchecked_axis(first, last, by_time=True)
        place = part.stem, first, last
        if place in self._even:
            start, stride = self._even[place]
            return np.arange(start, start + stride * (last - first), stride, dtype=np.int64)
        steps = part.unchecked_axis(first, last, by_time=False)
        if last - first >= _WORTH_ROWS:
            stride = int(steps[1]) - int(steps[0])
            if stride > 0 and bool((np.diff(steps) == stride).all()):
                self._even[place] = int(steps[0]), stride
        return steps


class FilePoints:
    """The points of one metric of an experiment that has one writer at a time, in the order of the calls.

    Rows are read without checking their checksums: a chart is not to wait for that (`RunReader.check` does it).

    Attributes:
        count: how many points were read so far.
    """

    def __init__(self, metric: str, ruler: Ruler, *, by_time: bool, origin: float = 0.0) -> None:
        """Read nothing yet.

        Args:
            metric: the metric.
            ruler: what is known of the steps of the experiment's rows.
            by_time: x are Unix seconds less `origin`, not steps.
            origin: see above.
        """
        self.count = 0
        self._ruler = ruler
        self._metric = metric
        self._by_time = by_time
        self._origin = origin
        self._parts: dict[str, Part] = {}
        self._chunks: list[_Chunk] = []

    def fits(self, parts: Sequence[Part]) -> bool:
        """Tell whether what was read so far still stands there: a part may have been compacted since."""
        if any(self._parts.get(part.stem) not in (None, part) for part in parts):
            return False
        order = {part.stem: place for place, part in enumerate(parts)}
        places = [order.get(chunk.part, -1) for chunk in self._chunks]
        return -1 not in places and places == sorted(places) and not self._must_go_back(parts)

    def _must_go_back(self, parts: Sequence[Part]) -> bool:
        """Tell whether a part grew before which others were read already, or lost rows."""
        seen = {chunk.part: chunk.last for chunk in self._chunks}
        newest = self._chunks[-1].part if self._chunks else None
        return any(part.stem in seen and part.stem != newest and part.rows != seen[part.stem] for part in parts) or any(
            part.rows < seen.get(part.stem, 0) for part in parts
        )

    def grow(self, parts: Sequence[Part]) -> Iterator[XY]:
        """Give the points that came since the last call, chunk by chunk."""
        for part in parts:
            self._parts[part.stem] = part
            row = max((chunk.last for chunk in self._chunks if chunk.part == part.stem), default=0)
            while row < part.rows:
                last = min(part.rows, (row // CHUNK_ROWS + 1) * CHUNK_ROWS)
                x, y = self._rows(part, row, last)
                self._add(part.stem, row, last, len(y))
                row = last
                if len(y):
                    yield x, y

    def _rows(self, part: Part, first: int, last: int) -> XY:
        if isinstance(part, CompactedPart):
            x, y = self._of_compacted(part, first, last)
        else:
            column = part.column(self._metric, first, last)
            x, y = column.time if self._by_time else column.step, column.value
        return (x - self._origin if self._origin else x), y

    def _of_compacted(self, part: CompactedPart, first: int, last: int) -> XY:
        y, present = part.unchecked_values(self._metric, first, last)
        if not len(y):
            return np.empty(0), y
        x = self._ruler.axis(part, first, last, by_time=self._by_time)
        return (x, y) if present is None else (x[present], y[present])

    def _add(self, stem: str, first: int, last: int, count: int) -> None:
        newest = self._chunks[-1] if self._chunks else None
        if newest is not None and newest.part == stem and first % CHUNK_ROWS:
            newest.last, newest.count = last, newest.count + count
        else:
            self._chunks.append(_Chunk(stem, first, last, self.count, count))
        self.count += count

    def read(self, first: int, last: int) -> XY:
        """Give the points from the `first`-th to before the `last`-th."""
        pieces = [self._of_chunk(chunk, first, last) for chunk in self._chunks]
        found = [piece for piece in pieces if piece is not None]
        if len(found) == 1:
            return found[0]
        if not found:
            return np.empty(0), np.empty(0)
        return np.concatenate([x for x, _ in found]), np.concatenate([y for _, y in found])

    def _of_chunk(self, chunk: _Chunk, first: int, last: int) -> XY | None:
        low, high = max(first - chunk.start, 0), min(last - chunk.start, chunk.count)
        if low >= high:
            return None
        part = self._parts[chunk.part]
        if chunk.count == chunk.last - chunk.first:  # every row holds the metric
            return self._rows(part, chunk.first + low, chunk.first + high)
        x, y = self._rows(part, chunk.first, chunk.last)
        return x[low:high], y[low:high]


class HeldPoints:
    """Points that do not lie in the files in the order of x: held in memory, or made again when they were dropped."""

    def __init__(self, make: Callable[[], XY]) -> None:
        """Take what gives points in any order; those whose x is not finite are left out."""
        self._make = make
        self._held: XY | None = _in_order(*make())
        self.count = len(self._held[0])

    @property
    def nbytes(self) -> int:
        """Memory that they take now."""
        return 0 if self._held is None else self._held[0].nbytes + self._held[1].nbytes

    def drop(self) -> None:
        """Give the memory back; the next `read` makes the points again."""
        self._held = None

    def read(self, first: int, last: int) -> XY:
        """Give the points from the `first`-th to before the `last`-th."""
        held = self._held  # another thread may drop it at any moment
        if held is None:
            held = self._held = _in_order(*self._make())
        return held[0][first:last], held[1][first:last]


def paired(parts: Sequence[Part], metric: str, other: str) -> XY:
    """Give the points of a metric over another one: of the rows that have both."""
    found = [_paired(part, metric, other) for part in parts]
    if not found:
        return np.empty(0), np.empty(0)
    return np.concatenate([x for x, _ in found]), np.concatenate([y for _, y in found])


def _paired(part: Part, metric: str, other: str) -> XY:
    if not isinstance(part, CompactedPart):
        y, x = part.column(metric), part.column(other)
        _, of_y, of_x = np.intersect1d(y.ordinal, x.ordinal, assume_unique=True, return_indices=True)
        return x.value[of_x], y.value[of_y]
    values, present = part.unchecked_values(metric, 0, part.rows)
    others, other_present = part.unchecked_values(other, 0, part.rows)
    if not len(values) or not len(others):
        return np.empty(0), np.empty(0)
    masks = [mask for mask in (present, other_present) if mask is not None]
    if not masks:
        return others, values
    both = np.logical_and.reduce(masks)
    return others[both], values[both]


def _in_order(x: NDArray[Any], y: NDArray[np.float64]) -> XY:
    if x.dtype != np.int64 and not bool(np.isfinite(x).all()):
        kept = np.isfinite(x)
        x, y = x[kept], y[kept]
    if bool((x[1:] >= x[:-1]).all()):
        return x, y
    order = np.argsort(x, kind="stable")
    return x[order], y[order]
