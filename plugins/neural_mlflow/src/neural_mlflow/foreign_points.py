"""The points of a foreign run as rows: what was logged together comes back together."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from numpy.typing import NDArray

__all__ = ["Points"]

Row = tuple[float, int, dict[str, float]]
Columns: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]"
LARGEST = sys.float_info.max


class Points:
    """The metrics of one run, as arrays."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._columns: list[Columns] = []

    def add(self, name: str, history: Iterable[Metric]) -> None:
        """Take the points of one metric, in the order of the store."""
        points = [(point.timestamp, point.step, point.value) for point in history]
        times, steps, values = zip(*points, strict=True) if points else ((), (), ())
        self._names.append(name)
        self._columns.append((np.array(times, np.int64), np.array(steps, np.int64), np.array(values, np.float64)))

    def digest(self) -> bytes:
        """Give what changes when any point does."""
        digest = hashlib.sha256()
        for name, columns in zip(self._names, self._columns, strict=True):
            digest.update(name.encode("utf-8", "surrogatepass") + b"\0")
            for column in columns:
                digest.update(column.tobytes())
        return digest.digest()

    def rows(self, infinite: str | None = None) -> Iterator[Row]:
        """Give time in Unix seconds, step and values, by time.

        MLflow's databases hold the largest float in place of an infinity: it becomes one again, except where other
        metrics tell the infinities.

        Args:
            infinite: how the names of metrics begin that tell where another is infinite.
        """
        if not self._names:
            return
        meant = self._meant(infinite)
        names, columns = list(meant), list(meant.values())
        which = np.repeat(np.arange(len(names)), [len(one[0]) for one in columns])
        times, steps, values = (np.concatenate([one[at] for one in columns]) for at in range(3))
        if any(np.any((np.diff(one[0]) == 0) & (np.diff(one[1]) < 0)) for one in columns):  # of files: keep their order
            turns = np.concatenate([_turns(one[0]) for one in columns])
            order = np.lexsort((which, steps, turns, times))
        else:
            turns = np.concatenate([_turns(one[0], one[1]) for one in columns])
            order = np.lexsort((which, turns, steps, times))
        keys = zip(times[order].tolist(), turns[order].tolist(), steps[order].tolist(), strict=True)
        points = zip(keys, which[order].tolist(), values[order].tolist(), strict=True)
        for (time, _, step), group in groupby(points, key=lambda point: point[0]):
            yield time / 1_000, step, {names[at]: value for _, at, value in group}

    def _meant(self, infinite: str | None) -> dict[str, Columns]:
        """Give name → times, steps, values, with the infinities at their places."""
        found: dict[str, Columns] = {}
        for name, (times, steps, values) in zip(self._names, self._columns, strict=True):
            tells = infinite is not None and name.startswith(infinite)
            is_infinite = np.abs(values) == LARGEST if infinite is None else np.full(len(values), tells)
            columns = times, steps, np.where(is_infinite, np.copysign(np.inf, values), values)
            own = name.removeprefix(infinite or "") if tells else name
            found[own] = _merged(found[own], columns) if own in found else columns
        return found


def _merged(one: Columns, other: Columns) -> Columns:
    times, steps, values = (np.concatenate(pair) for pair in zip(one, other, strict=True))
    order = np.lexsort((steps, times))
    return times[order], steps[order], values[order]


def _turns(*keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give for each point how many of the same metric stand before it with the same keys."""
    order = np.lexsort(keys[::-1])
    is_new = np.ones(len(order), bool)
    is_new[1:] = np.any([np.diff(key[order]) != 0 for key in keys], axis=0)
    at = np.arange(len(order))
    turns = np.empty(len(order), np.int64)
    turns[order] = at - np.maximum.accumulate(np.where(is_new, at, 0))
    return turns
