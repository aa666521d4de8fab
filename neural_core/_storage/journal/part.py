"""What a part of a journal offers to readers, whether it is still a journal or already Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from attrs import frozen

from neural_core.records import Damage

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Column", "HistoryRow", "Part", "RowValues", "join_columns", "join_table"]


@frozen(eq=False)
class Column:
    """The points of one metric in one part, in the order of the calls; arrays of the same length.

    Attributes:
        ordinal: int64[n], where each row stands in its part; rows and facts share these numbers.
        step: int64[n], `NO_STEP` for none.
        time: float64[n], Unix seconds.
        value: float64[n].
    """

    ordinal: NDArray[np.int64]
    step: NDArray[np.int64]
    time: NDArray[np.float64]
    value: NDArray[np.float64]


def join_columns(columns: Sequence[Column]) -> Column:
    """Put columns one behind the other; the arrays are contiguous and nobody else's."""
    if len(columns) == 1:
        only = columns[0]
        return Column(_own(only.ordinal), _own(only.step), _own(only.time), _own(only.value))
    return Column(
        np.concatenate([np.empty(0, np.int64), *(column.ordinal for column in columns)]),
        np.concatenate([np.empty(0, np.int64), *(column.step for column in columns)]),
        np.concatenate([np.empty(0), *(column.time for column in columns)]),
        np.concatenate([np.empty(0), *(column.value for column in columns)]),
    )


def join_table(part: Part, first: int, last: int) -> dict[str, Any]:
    """Give rows of several kinds as `MetricRows.columns` does: each metric put where its rows are."""
    ordinals = part.ordinals(first, last)
    values: dict[str, NDArray[np.float64]] = {}
    present: dict[str, NDArray[np.bool_]] = {}
    for name in part.names():
        column = part.column(name, first, last)
        if len(column.value):
            at = np.searchsorted(ordinals, column.ordinal)
            values[name], present[name] = np.full(len(ordinals), np.nan), np.zeros(len(ordinals), np.bool_)
            values[name][at] = column.value
            present[name][at] = True
    steps, times = part.steps(first, last), part.times(first, last)
    return {"step": steps, "timestamp": times, "values": values, "present": present}


def _own(array: NDArray[Any]) -> NDArray[Any]:
    """Give the array itself when the memory is its own: a million points are not copied for nothing."""
    return array if array.flags.owndata else array.copy()


class RowValues(dict[str, float]):
    """The metrics of one row. Called, it gives the values of the whole row, as ``Mapping.values()`` has to."""

    def __init__(self, values: Mapping[str, float], row: HistoryRow) -> None:
        super().__init__(values)
        self._row = row

    def __call__(self) -> list[Any]:
        """Give the values of the row in the order of its keys."""
        return [self._row[key] for key in self._row]


class HistoryRow(Mapping[str, Any]):
    """One ``log_metrics`` call: a mapping with ``timestamp``, ``step`` and the metrics.

    A metric that is itself called ``step`` or ``timestamp`` is found in `values`.

    Attributes:
        step: int or None.
        timestamp: Unix seconds.
        values: the metrics alone.
    """

    __slots__ = ("_values", "step", "timestamp")

    def __init__(self, step: int | None, timestamp: float, values: Mapping[str, float]) -> None:
        self.step = step
        self.timestamp = timestamp
        self._values = values

    @property
    def values(self) -> RowValues:  # type: ignore[override]  # an attribute for hooks, still callable for Mapping
        """The metrics of this row: name → value."""
        return RowValues(self._values, self)

    def __getitem__(self, key: str) -> Any:
        if key == "step":
            return self.step
        if key == "timestamp":
            return self.timestamp
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        yield "timestamp"
        yield "step"
        yield from (name for name in self._values if name not in ("step", "timestamp"))

    def __len__(self) -> int:
        return 2 + sum(name not in ("step", "timestamp") for name in self._values)

    def __repr__(self) -> str:
        return repr(dict(self))


class Part(Protocol):
    """A part as readers see it."""

    @property
    def stem(self) -> str:
        """The part's name without suffix."""

    @property
    def header(self) -> Mapping[str, Any]:
        """Fields of the part's header; empty when it cannot be read."""

    @property
    def end(self) -> int:
        """The ordinal up to which it was read."""

    @property
    def rows(self) -> int:
        """Rows found so far."""

    @property
    def facts(self) -> list[tuple[int, dict[str, Any]]]:
        """(ordinal, fact) in order."""

    @property
    def damage(self) -> list[Damage]:
        """What cannot be read as it was written, found so far."""

    def refresh(self) -> bool:
        """Look for new bytes; True when there were new rows or facts."""

    def check(self) -> None:
        """Check every CRC that was not checked yet; rows that fail are left out from then on."""

    def names(self) -> list[str]:
        """Metrics in the order of their first schema."""

    def column(self, name: str, first: int = 0, last: int | None = None) -> Column:
        """The points of a metric in the rows from the `first`-th to before the `last`-th."""

    def row_at(self, ordinal: int) -> int:
        """How many rows stand before `ordinal`."""

    def ordinals(self, first: int = 0, last: int | None = None) -> NDArray[np.int64]:
        """The ordinals of these rows."""

    def steps(self, first: int = 0, last: int | None = None) -> NDArray[np.int64]:
        """The steps of these rows, `NO_STEP` for none."""

    def times(self, first: int = 0, last: int | None = None) -> NDArray[np.float64]:
        """The times of these rows."""

    def history(self, start: int, stop: int) -> list[HistoryRow]:
        """The rows from `start` to before `stop`."""

    def table(self, first: int, last: int) -> dict[str, Any]:
        """These rows as arrays of the same length; see `MetricRows.columns`."""
