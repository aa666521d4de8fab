"""The points of a foreign run as rows: what was logged together comes back together."""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from numpy.typing import NDArray

__all__ = ["Points"]

Row = tuple[float, int, dict[str, float]]
LARGEST = sys.float_info.max


class Points:
    """The metrics of one run, as arrays."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._columns: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]] = []

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

        MLflow's databases hold the largest float in place of an infinity: it becomes one again.

        Args:
            infinite: how the names of metrics begin that tell where another is infinite.
        """
        if not self._names:
            return
        lengths = [len(values) for _, _, values in self._columns]
        which = np.repeat(np.arange(len(lengths)), lengths)
        times, steps, values = (np.concatenate([columns[at] for columns in self._columns]) for at in range(3))
        turns = np.concatenate([_turns(columns[0]) for columns in self._columns])
        order = np.lexsort((which, steps, turns, times))
        keys = zip(times[order].tolist(), turns[order].tolist(), steps[order].tolist(), strict=True)
        points = zip(keys, which[order].tolist(), values[order].tolist(), strict=True)
        for (time, _, step), group in groupby(points, key=lambda point: point[0]):
            row: dict[str, float] = {}
            for _, at, value in group:
                name, number = _meant(self._names[at], value, infinite)
                row[name] = number
            yield time / 1_000, step, row


def _turns(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give for each point how many of the same metric stand before it in the same millisecond."""
    order = np.argsort(times, kind="stable")
    ordered = times[order]
    first = np.searchsorted(ordered, ordered, side="left")
    turns = np.empty(len(times), np.int64)
    turns[order] = np.arange(len(times)) - first
    return turns


def _meant(name: str, value: float, infinite: str | None) -> tuple[str, float]:
    if infinite is not None and name.startswith(infinite):
        return name.removeprefix(infinite), math.copysign(math.inf, value)
    return name, math.copysign(math.inf, value) if abs(value) == LARGEST else value
