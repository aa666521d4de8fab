"""Rows as requests of points, each no larger than a server takes, with the position that it reaches."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from neural_core.records import NO_STEP, MetricRows
from neural_mlflow.keys import MetricKeys

if TYPE_CHECKING:
    import numpy as np
    from mlflow.entities import Metric
    from numpy.typing import NDArray

__all__ = ["Doubt", "Position", "Request", "requests_of"]

REQUEST_POINTS = 990
"""MLflow takes 1,000 metrics, parameters and tags together in one request."""
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


@frozen(eq=False)
class Request:
    """One request.

    Attributes:
        points: what to log.
        position: how far that reaches; None when the row goes on in the next request.
    """

    points: list[Metric]
    position: Position | None


def requests_of(rows: MetricRows, after: Position, key: MetricKeys) -> Iterator[Request]:
    """Give the requests that deliver what comes after a position.

    Args:
        rows: of one part.
        after: up to where that part was delivered.
        key: gives the keys of metrics.
    """
    import numpy as np

    columns, ordinals = rows.columns(), rows.positions
    first = int(np.searchsorted(ordinals, after.ordinal, side="right"))
    steps = np.array(columns["step"])
    unstepped = np.cumsum(steps == NO_STEP) - (np.cumsum(steps == NO_STEP)[first - 1] if first else 0) + after.unstepped
    steps = np.where(steps == NO_STEP, unstepped - 1, steps)
    times = np.maximum(np.rint(columns["timestamp"] * 1_000), 0).astype(np.int64)
    for begin, end in _spans(columns["present"], first, len(ordinals), _most_points(columns["values"], key)):
        points = list(_points(columns, begin, end, times, steps, key))
        reached = Position(int(ordinals[end - 1]), int(unstepped[end - 1]))
        for at in range(0, max(len(points), 1), REQUEST_POINTS):
            last = at + REQUEST_POINTS >= len(points)
            yield Request(points[at : at + REQUEST_POINTS], reached if last else None)


def _most_points(names: Mapping[str, Any], key: MetricKeys) -> int:
    longest = max((len(json.dumps(key(name))) for name in names), default=0)
    return min(REQUEST_POINTS, REQUEST_BYTES // (longest + _POINT_BYTES))


def _spans(present: Mapping[str, NDArray[np.bool_]], first: int, end: int, most: int) -> Iterator[tuple[int, int]]:
    """Split rows into spans of so many points; a row with more is a span of its own."""
    import numpy as np

    points = np.zeros(end + 1, np.int64)
    for mask in present.values():
        points[1:] += mask
    points = np.cumsum(points)
    while first < end:
        last = int(np.searchsorted(points, points[first] + most, side="right")) - 1
        last = min(max(last, first + 1), end)
        yield first, last
        first = last


def _points(
    columns: Mapping[str, Any],
    begin: int,
    end: int,
    times: NDArray[np.int64],
    steps: NDArray[np.int64],
    key: MetricKeys,
) -> Iterator[Metric]:
    import numpy as np
    from mlflow.entities import Metric

    for name, values in columns["values"].items():
        rows = np.flatnonzero(columns["present"][name][begin:end]) + begin
        plain, told = key(name), None
        triples = zip(values[rows].tolist(), times[rows].tolist(), steps[rows].tolist(), strict=True)
        for value, time, step in triples:
            if not math.isinf(value):
                yield Metric(plain, value, time, step)
                continue
            told = told or key(name, infinite=True)
            yield Metric(told, value if told == plain else math.copysign(1.0, value), time, step)


class Doubt:
    """Keeps points from a file store that it may have already: MLflow's files, unlike its databases, take them twice.

    What a killed process wrote last may stand there without its position: at most one request.
    """

    def __init__(self, history: Callable[[str], list[Metric]]) -> None:
        self._history = history
        self._known: dict[str, Counter[tuple[float, int, int]]] = {}
        self._points = REQUEST_POINTS

    def new(self, points: list[Metric]) -> list[Metric]:
        """Give those points that are not there yet."""
        if self._points <= 0:
            return points
        self._points -= len(points)
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
