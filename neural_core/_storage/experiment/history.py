"""``metrics_history``: every row, read from the journal when it is looked at."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from neural_core._storage.experiment.streams import merge_order
from neural_core._storage.journal.part import HistoryRow, Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["History"]

_CHUNK = 4096


class History(Sequence[HistoryRow]):
    """The rows of all parts in the order of the calls. Holds no rows: a million of them cost nothing until read."""

    def __init__(self, streams: Sequence[Sequence[Part]]) -> None:
        self._parts = [part for stream in streams for part in stream if part.rows]
        self._ends = list(itertools.accumulate(part.rows for part in self._parts))
        self._order = merge_order(streams, lambda part: part.times())

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> HistoryRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[HistoryRow]: ...
    def __getitem__(self, index: int | slice) -> HistoryRow | list[HistoryRow]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return self._rows(start, max(start, stop))
            return [self[i] for i in range(start, stop, step)]
        position = range(len(self))[index]
        return self._rows(position, position + 1)[0]

    def __iter__(self) -> Iterator[HistoryRow]:
        for start in range(0, len(self), _CHUNK):
            yield from self._rows(start, min(start + _CHUNK, len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, (str, bytes)):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # it grows with the experiment

    def __repr__(self) -> str:
        return f"<metrics_history of {len(self):,} rows>"

    def _rows(self, start: int, stop: int) -> list[HistoryRow]:
        if self._order is None:
            return self._in_parts(start, stop)
        return [self._in_parts(int(i), int(i) + 1)[0] for i in self._order[start:stop]]

    def _in_parts(self, start: int, stop: int) -> list[HistoryRow]:
        rows: list[HistoryRow] = []
        index = bisect.bisect_right(self._ends, start)
        while start < stop:
            end = self._ends[index]
            begin = end - self._parts[index].rows
            rows += self._parts[index].history(start - begin, min(stop, end) - begin)
            start, index = min(stop, end), index + 1
        return rows

    def columns(self, names: Sequence[str]) -> dict[str, Any]:
        """Give all rows as arrays; see `RunReader.columns`."""
        step = np.concatenate([np.empty(0, np.int64), *(part.steps() for part in self._parts)])
        time = np.concatenate([np.empty(0), *(part.times() for part in self._parts)])
        values, present = {}, {}
        for name in names:
            filled = [_filled(part, name) for part in self._parts]
            values[name] = self._sorted(np.concatenate([np.empty(0), *(value for value, _ in filled)]))
            present[name] = self._sorted(np.concatenate([np.empty(0, np.bool_), *(mask for _, mask in filled)]))
        return {"step": self._sorted(step), "timestamp": self._sorted(time), "values": values, "present": present}

    def _sorted(self, array: NDArray[Any]) -> NDArray[Any]:
        return array if self._order is None else array[self._order]


def _filled(part: Part, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Give the values of a metric for every row of a part, NaN where a row has none, and which rows have one."""
    column = part.column(name)
    value, present = np.full(part.rows, np.nan), np.zeros(part.rows, np.bool_)
    rows = np.searchsorted(part.ordinals(), column.ordinal)
    value[rows] = column.value
    present[rows] = True
    return value, present
