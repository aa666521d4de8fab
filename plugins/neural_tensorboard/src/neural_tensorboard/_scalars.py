"""Rows of metrics as scalar events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_core.records import NO_STEP
from neural_tensorboard._events import scalars
from neural_tensorboard._names import as_text
from neural_tensorboard._telling import tell_once

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["scalar_records"]

Cell = tuple[str, float]


def scalar_records(columns: Mapping[str, Any], following: dict[str, int]) -> list[bytes]:
    """Give rows as records, a record for each row.

    A row without a step gets for each metric the number of earlier rows without a step that had it: 0, 1, 2 …

    Args:
        columns: as `MetricRows.columns` gives them.
        following: metric → step of its next row without one; is moved on.
    """
    cells = _cells(columns)
    records = []
    for time, step, row in zip(columns["timestamp"].tolist(), columns["step"].tolist(), cells, strict=True):
        if step == NO_STEP:
            records += [scalars(time, at, some) for at, some in _counted(row, following)]
        else:
            records.append(scalars(time, step, row))
    return records


def _cells(columns: Mapping[str, Any]) -> list[list[Cell]]:
    """Give (tag, value) of each row. Columns are gone through, as most may be empty in most rows."""
    cells: list[list[Cell]] = [[] for _ in columns["step"]]
    for name, values in columns["values"].items():
        tag = as_text(name)
        if tag != name:
            tell_once("renamed", f"a metric is called {tag!r:.80} there, as its name cannot be written in UTF-8")
        there = np.flatnonzero(columns["present"][name])
        _tell_rounding(tag, values[there])
        for at, value in zip(there.tolist(), values[there].tolist(), strict=True):
            cells[at].append((tag, value))
    return cells


def _counted(row: Iterable[Cell], following: dict[str, int]) -> Iterator[tuple[int, list[Cell]]]:
    """Give the values of a row without a step by the steps that they get; nearly always it is one."""
    by_step: dict[int, list[Cell]] = {}
    for tag, value in row:
        step = following.get(tag, 0)
        following[tag] = step + 1
        by_step.setdefault(step, []).append((tag, value))
    yield from by_step.items()


def _tell_rounding(tag: str, values: NDArray[np.float64]) -> None:
    with np.errstate(over="ignore"):
        kept = values.astype(np.float32).astype(np.float64)
    if np.any(np.isinf(kept) & np.isfinite(values)):
        tell_once(
            "infinite", f"{tag!r:.80} has values beyond 3.4e38, where TensorBoard's numbers end: they become infinite"
        )
    if not np.array_equal(kept, values, equal_nan=True):
        tell_once("rounded", "numbers are rounded to 7 digits, TensorBoard's float32; the experiment keeps all of them")
