"""All rows of an experiment as tables of some thousand rows, in the order of the calls, whatever their number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_core._series import NO_STEP
from neural_core._storage.experiment.streams import merge_order, streams_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neural_core._storage.experiment.reader import RunReader
    from neural_core._storage.journal.part import Part

__all__ = ["ROWS", "row_tables"]

ROWS = 65_536


def row_tables(reader: RunReader, rows: int = ROWS) -> Iterator[dict[str, Any]]:
    """Give the rows, at most `rows` at a time; a table as `MetricRows.columns` gives it.

    Raises:
        DamagedError: a page of a Parquet part is damaged.
    """
    streams = streams_of(reader.parts)
    parts = [part for stream in streams for part in stream if part.rows]
    order = merge_order(streams, lambda part: part.times())
    if order is None:
        for part in parts:
            for first in range(0, part.rows, rows):
                yield part.table(first, min(first + rows, part.rows))
        return
    ends = np.array(list(itertools.accumulate(part.rows for part in parts)))
    for first in range(0, len(order), rows):
        yield _merged(parts, ends, order[first : first + rows])


def _merged(parts: list[Part], ends: NDArray[np.int64], chosen: NDArray[np.intp]) -> dict[str, Any]:
    """Give some rows of several parts. Those of one part follow each other in it: the order never shuffles a writer."""
    table: dict[str, Any] = {
        "step": np.full(len(chosen), NO_STEP, np.int64),
        "timestamp": np.full(len(chosen), np.nan),
        "values": {},
        "present": {},
    }
    owner = np.searchsorted(ends, chosen, side="right")
    for index in np.unique(owner).tolist():
        places = np.flatnonzero(owner == index)
        begin = int(ends[index]) - parts[index].rows
        first, last = int(chosen[places[0]]) - begin, int(chosen[places[-1]]) - begin + 1
        _put(table, parts[index].table(first, last), places)
    return table


def _put(table: dict[str, Any], some: dict[str, Any], places: NDArray[np.intp]) -> None:
    for key in ("step", "timestamp"):
        table[key][places] = some[key]
    for name, values in some["values"].items():
        if name not in table["values"]:
            table["values"][name] = np.full(len(table["step"]), np.nan)
            table["present"][name] = np.zeros(len(table["step"]), np.bool_)
        table["values"][name][places] = values
        table["present"][name][places] = some["present"][name]
