"""Rows for hooks: a stretch of a part, read when a plugin looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from neural_core.records import MetricRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neural_core._storage.journal.part import HistoryRow, Part

__all__ = ["PartRows"]


class PartRows(MetricRows):
    """The rows from `start` to before `stop` of a part."""

    def __init__(self, part: Part, start: int, stop: int) -> None:
        self.part = part.stem
        self._source = part
        self._start = start
        self._stop = stop

    def __len__(self) -> int:
        return self._stop - self._start

    @overload
    def __getitem__(self, index: int) -> HistoryRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[HistoryRow]: ...
    def __getitem__(self, index: int | slice) -> HistoryRow | list[HistoryRow]:
        if isinstance(index, slice):
            return self._source.history(self._start, self._stop)[index]
        at = self._start + range(len(self))[index]
        return self._source.history(at, at + 1)[0]

    def __iter__(self) -> Iterator[HistoryRow]:
        return iter(self._source.history(self._start, self._stop))

    @property
    def positions(self) -> NDArray[np.int64]:
        """The ordinal of each row in its part."""
        return self._source.ordinals(self._start, self._stop)

    def columns(self) -> Mapping[str, Any]:
        """Give the rows as arrays; see `MetricRows.columns`."""
        return self._source.table(self._start, self._stop)

    def __repr__(self) -> str:
        return f"<{len(self)} rows of {self.part}>"
