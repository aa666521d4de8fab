"""The points of one metric, a chunk of rows at a time, from whatever parts an experiment has by now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from attrs import define

from neural_core._storage.part import Column, Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neural_core._storage.reader import RunReader

__all__ = ["Axis", "Chunk", "Points"]

Axis = Literal["step", "wall", "relative"]
CHUNK_ROWS = 131_072


@define
class Chunk:
    """Rows of one part: from `first` to before `last`; `count` of them hold the metric, `start` stand before."""

    part: str
    first: int
    last: int
    start: int
    count: int


class Points:
    """The points of one metric of one experiment whose rows have one writer at a time.

    Attributes:
        chunks: those that were read so far.
        count: how many points they hold.
    """

    def __init__(self, reader: RunReader, metric: str) -> None:
        self._reader = reader
        self._metric = metric
        self._parts: dict[str, Part] = {}
        self.chunks: list[Chunk] = []
        self.count = 0

    def fits(self, parts: Sequence[Part]) -> bool:
        """Tell whether what was read so far still stands there: a part may have been compacted since."""
        same = all(self._parts.get(part.stem) in (None, part) for part in parts)
        seen = [chunk.part for chunk in self.chunks]
        order = {part.stem: place for place, part in enumerate(parts)}
        places = [order.get(stem, -1) for stem in seen]
        return same and -1 not in places and places == sorted(places)

    def grow(self, parts: Sequence[Part]) -> Iterator[Column]:
        """Give the points that came since the last call, chunk by chunk."""
        for part in parts:
            self._parts[part.stem] = part
            row = max((chunk.last for chunk in self.chunks if chunk.part == part.stem), default=0)
            while row < part.rows:
                last = min(part.rows, (row // CHUNK_ROWS + 1) * CHUNK_ROWS)
                column = part.column(self._metric, row, last)
                self._add(part.stem, row, last, len(column.value))
                row = last
                if len(column.value):
                    yield column

    def _add(self, stem: str, first: int, last: int, count: int) -> None:
        newest = self.chunks[-1] if self.chunks else None
        if newest is not None and newest.part == stem and first % CHUNK_ROWS:
            newest.last, newest.count = last, newest.count + count
        else:
            self.chunks.append(Chunk(stem, first, last, self.count, count))
        self.count += count

    def read(self, first: int, last: int) -> Iterator[Column]:
        """Give the points from the `first`-th to before the `last`-th."""
        for chunk in self.chunks:
            low, high = max(first, chunk.start), min(last, chunk.start + chunk.count)
            if low < high:
                column = self._parts[chunk.part].column(self._metric, chunk.first, chunk.last)
                yield _cut(column, low - chunk.start, high - chunk.start)


def _cut(column: Column, first: int, last: int) -> Column:
    cut = slice(first, last)
    return Column(column.ordinal[cut], column.step[cut], column.time[cut], column.value[cut])


def along(column: Column, axis: Axis, origin: float) -> NDArray[Any]:
    """Give the x of the points: steps as they are, Unix seconds, or seconds since `origin`."""
    if axis == "step":
        return column.step
    return column.time if axis == "wall" else column.time - origin


def ascends(x: NDArray[Any], after: float) -> bool:
    """Tell whether x ascends, all of it from `after` on."""
    return not len(x) or (bool(x[0] >= after) and bool((x[1:] >= x[:-1]).all()))


def concatenated(columns: Sequence[Column]) -> Column:
    """Put columns one behind the other; a single one is not copied."""
    if len(columns) == 1:
        return columns[0]
    return Column(
        np.concatenate([np.empty(0, np.int64), *(one.ordinal for one in columns)]),
        np.concatenate([np.empty(0, np.int64), *(one.step for one in columns)]),
        np.concatenate([np.empty(0), *(one.time for one in columns)]),
        np.concatenate([np.empty(0), *(one.value for one in columns)]),
    )
