"""Rows as requests of points, each no larger than a server takes, with the position that it reaches."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from attrs import frozen

from neural_core.records import NO_STEP, MetricRows
from neural_mlflow.keys import MetricKeys

if TYPE_CHECKING:
    from mlflow.entities import Metric

__all__ = ["Doubt", "NewRows", "Position"]

CALL_ROWS = 1_000
"""A hook is called with so many rows at most."""
REQUEST_POINTS = 1_000
REQUEST_BYTES = 900_000
_POINT_BYTES = 120


@frozen
class Position:
    """How far a part of the journal was delivered.

    Attributes:
        ordinal: of its last row that was.
        unstepped: how many of the run's rows had no step up to there: the step that the next such row gets.
    """

    ordinal: int = -1
    unstepped: int = 0

    @classmethod
    def read(cls, text: str) -> Position:
        """Read it from a tag; what is no position counts as none."""
        try:
            ordinal, unstepped = map(int, text.split())
        except ValueError:
            return cls()
        return cls(ordinal, unstepped)

    def __str__(self) -> str:
        """Give the text of the tag."""
        return f"{self.ordinal} {self.unstepped}"


class NewRows:
    """The rows of one part that follow a position.

    Attributes:
        reached: the position behind them.
    """

    def __init__(self, rows: MetricRows, after: Position) -> None:
        import numpy as np

        columns = rows.columns()
        first = int(np.searchsorted(rows.positions, after.ordinal, side="right"))
        ordinals, steps = rows.positions[first:], columns["step"][first:]
        unstepped = after.unstepped + np.cumsum(steps == NO_STEP)
        self.reached = Position(int(ordinals[-1]), int(unstepped[-1])) if len(ordinals) else after
        self._steps = np.where(steps == NO_STEP, unstepped - 1, steps)
        self._times = np.maximum(np.rint(columns["timestamp"][first:] * 1_000), 0).astype(np.int64)
        self._values = {name: values[first:] for name, values in columns["values"].items()}
        self._present = {name: mask[first:] for name, mask in columns["present"].items()}

    def __len__(self) -> int:
        """Give how many they are."""
        return len(self._steps)

    def requests(self, key: MetricKeys) -> Iterator[tuple[int, list[Metric]]]:
        """Give the requests that deliver them: how many rows end with one, and its points.

        Args:
            key: gives the keys of metrics.
        """
        longest = max((len(json.dumps(key(name))) for name in self._values), default=0)
        most = min(REQUEST_POINTS, REQUEST_BYTES // (longest + _POINT_BYTES))
        for begin, end in self._spans(most):
            points = list(self._points(begin, end, key))
            for at in range(0, len(points), most):
                yield end - begin if at + most >= len(points) else 0, points[at : at + most]

    def _spans(self, most: int) -> Iterator[tuple[int, int]]:
        """Split the rows into spans of so many points; a row with more is a span of its own."""
        import numpy as np

        before = np.zeros(len(self._steps) + 1, np.int64)
        for mask in self._present.values():
            before[1:] += mask
        before = np.cumsum(before)
        begin = 0
        while begin < len(self._steps):
            end = int(np.searchsorted(before, before[begin] + most, side="right")) - 1
            end = max(end, begin + 1)
            yield begin, end
            begin = end

    def _points(self, begin: int, end: int, key: MetricKeys) -> Iterator[Metric]:
        import numpy as np
        from mlflow.entities import Metric

        for name, values in self._values.items():
            at = np.flatnonzero(self._present[name][begin:end]) + begin
            plain = key(name)
            columns = (column[at].tolist() for column in (values, self._times, self._steps))
            for value, time, step in zip(*columns, strict=True):
                if math.isinf(value) and not key.keeps_infinity:
                    yield Metric(key(name, infinite=True), math.copysign(1.0, value), time, step)
                else:
                    yield Metric(plain, value, time, step)


class Doubt:
    """Keeps points from a store that it may have already: MLflow's files take them twice, older databases fail.

    What a killed process wrote last may stand there without its position: the rows of at most one call.
    """

    def __init__(self, history: Callable[[str], list[Metric]]) -> None:
        self._history = history
        self._known: dict[str, Counter[tuple[float, int, int]]] = {}
        self._rows = CALL_ROWS

    def new(self, rows: int, points: list[Metric]) -> list[Metric]:
        """Give those points that are not there yet; `rows` of them end with these."""
        if self._rows <= 0:
            return points
        self._rows -= rows
        return [point for point in points if not self._is_there(point)]

    def _is_there(self, point: Metric) -> bool:
        if point.key not in self._known:
            self._known[point.key] = Counter(map(_identity, self._history(point.key)))
        known, identity = self._known[point.key], _identity(point)
        known[identity] -= 1
        return known[identity] >= 0


def _identity(point: Metric) -> tuple[float, int, int]:
    value = point.value
    return (math.nan if math.isnan(value) else value, point.timestamp, point.step)
