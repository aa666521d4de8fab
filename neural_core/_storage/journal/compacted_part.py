"""A compacted part: rows in standard Parquet, facts verbatim beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_core._series import NO_STEP
from neural_core._storage.journal import facts_file, frames
from neural_core._storage.journal.part import Column, HistoryRow, join_columns
from neural_core._storage.parquet.reader import ParquetFile
from neural_core.errors import DamagedError
from neural_core.records import Damage

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ORDINAL", "STEP", "TIME", "CompactedPart", "load_compacted"]

ORDINAL, STEP, TIME = "__seq", "__step", "__time"


def load_compacted(facts_path: Path) -> CompactedPart | None:
    """Open the part that a facts file belongs to; None when its compaction was not finished.

    Raises:
        OSError: a file cannot be read.
        DamagedError: a file is damaged.
    """
    facts = facts_file.read_facts_file(facts_path)
    stem = facts_path.name.removesuffix(facts_file.SUFFIX)
    parquet_path = facts_path.with_name(f"{stem}.parquet")
    if not facts.rows:
        return CompactedPart(stem, facts, None)
    if not parquet_path.exists():
        return None
    parquet = ParquetFile(parquet_path)
    whole = parquet.footer.get("neural.part") == stem and parquet.footer.get("neural.length") == str(facts.length)
    return CompactedPart(stem, facts, parquet) if whole and parquet.rows == facts.rows else None


class CompactedPart:
    """The rows and facts of a part after compaction: same order, same ordinals."""

    def __init__(self, stem: str, facts: facts_file.FactsFile, parquet: ParquetFile | None) -> None:
        self.stem = stem
        self.header: Mapping[str, Any] = facts.header
        self.length = facts.length
        self.end = facts.length // frames.WORD
        self.rows = facts.rows
        self.facts = facts.facts
        self.fact_frames = facts.frames
        self._damage = list(facts.damage)
        self._parquet = parquet
        self._columns = {} if parquet is None else _column_names(parquet)
        self._fresh = True

    @property
    def damage(self) -> list[Damage]:
        """What cannot be read as it was written, found so far."""
        return self._damage

    def refresh(self) -> bool:
        """Nothing is ever added; True once."""
        fresh, self._fresh = self._fresh, False
        return fresh

    def check(self) -> None:
        """Check the CRC of every page."""
        if self._parquet is not None:
            problems = self._parquet.check()
            known = {damage.problem for damage in self._damage}
            name = f"metrics/{self.stem}.parquet"
            self._damage += [Damage(name, None, None, problem) for problem in problems if problem not in known]

    def names(self) -> list[str]:
        """Metrics in the order of their columns."""
        return list(self._columns)

    def _read(self, column: str, start: int = 0, stop: int | None = None) -> NDArray[Any]:
        return self._masked(column, start, stop)[0]

    def _masked(self, column: str, start: int, stop: int | None) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        return (np.empty(0), None) if self._parquet is None else self._parquet.read(column, start, stop)

    def column(self, name: str, first: int = 0, last: int | None = None) -> Column:
        """The points of a metric in the rows from the `first`-th to before the `last`-th.

        Raises:
            DamagedError: a page's checksum does not fit.
        """
        if self._parquet is None or name not in self._columns:
            return join_columns([])
        values, present = self._parquet.read(self._columns[name], first, last)
        ordinal, step, time = (self._read(own, first, last) for own in (ORDINAL, STEP, TIME))
        if present is None:
            return Column(ordinal, step, time, values)
        return Column(ordinal[present], step[present], time[present], values[present])

    def unchecked_values(
        self, name: str, first: int, last: int
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None]:
        """Give the values of a metric in these rows, and which rows have one, None for all; `check` is for later.

        Raises:
            DamagedError: a page's header is damaged.
        """
        if self._parquet is None or name not in self._columns:
            return np.empty(0), None
        return self._parquet.read(self._columns[name], first, last, verify=False)

    def unchecked_axis(self, first: int, last: int, *, by_time: bool) -> NDArray[Any]:
        """Give the times of these rows, or their steps, likewise."""
        if self._parquet is None:
            return np.empty(0)
        return self._parquet.read(TIME if by_time else STEP, first, last, verify=False)[0]

    def row_at(self, ordinal: int) -> int:
        """How many rows stand before `ordinal`."""
        low, high = 0, self.rows
        while low < high:
            middle = (low + high) // 2
            if int(self._read(ORDINAL, middle, middle + 1)[0]) < ordinal:
                low = middle + 1
            else:
                high = middle
        return low

    def ordinals(self, first: int = 0, last: int | None = None) -> NDArray[np.int64]:
        """The ordinals of the rows from the `first`-th to before the `last`-th."""
        return self._read(ORDINAL, first, last)

    def times(self, first: int = 0, last: int | None = None) -> NDArray[np.float64]:
        """The times of these rows."""
        return self._read(TIME, first, last)

    def steps(self, first: int = 0, last: int | None = None) -> NDArray[np.int64]:
        """The steps of these rows, `NO_STEP` for none."""
        return self._read(STEP, first, last)

    def history(self, start: int, stop: int) -> list[HistoryRow]:
        """The rows from `start` to before `stop`."""
        if self._parquet is None or stop <= start:
            return []
        steps, times = self._read(STEP, start, stop).tolist(), self._read(TIME, start, stop).tolist()
        values: list[dict[str, float]] = [{} for _ in steps]
        for name, column in self._columns.items():
            numbers, present = self._parquet.read(column, start, stop)
            held = range(len(values)) if present is None else np.flatnonzero(present).tolist()
            listed = numbers.tolist()
            for i in held:
                values[i][name] = listed[i]
        return [
            HistoryRow(None if step == NO_STEP else step, time, row)
            for step, time, row in zip(steps, times, values, strict=True)
        ]

    def table(self, first: int, last: int) -> dict[str, Any]:
        """These rows as arrays of the same length; see `MetricRows.columns`."""
        values: dict[str, NDArray[np.float64]] = {}
        present: dict[str, NDArray[np.bool_]] = {}
        for name, column in self._columns.items():
            numbers, held = self._masked(column, first, last)
            held = np.ones(len(numbers), np.bool_) if held is None else held
            if held.any():
                values[name], present[name] = np.where(held, numbers, np.nan), held
        return {
            "step": self.steps(first, last),
            "timestamp": self.times(first, last),
            "values": values,
            "present": present,
        }


def _column_names(parquet: ParquetFile) -> dict[str, str]:
    """Give metric → column; columns are called as their metric, but for those that the footer lists."""
    try:
        renamed = json.loads(parquet.footer.get("neural.columns", "{}"))
    except ValueError:
        raise DamagedError("the footer's map of columns does not parse") from None
    return {renamed.get(column, column): column for column in parquet.columns if column not in (ORDINAL, STEP, TIME)}
