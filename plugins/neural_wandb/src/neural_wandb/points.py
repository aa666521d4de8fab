"""Rows as W&B's history holds them: told apart, so that one that comes twice is logged once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from attrs import field, frozen

from neural_core.records import NO_STEP, MetricRows
from neural_wandb.names import STEP, metric_name
from neural_wandb.values import as_integer, as_number, said_in

__all__ = ["Known", "Point", "key_of", "logged_rows", "point_of"]


@frozen
class Point:
    """One row.

    Attributes:
        step: the step that was logged; None without one.
        time: Unix seconds, None when unknown.
        values: name in W&B → number.
        others: name → what is no number: media, histograms, texts.
        count: W&B's own ``_step``, which only counts.
    """

    step: int | None
    time: float | None
    values: Mapping[str, float]
    others: Mapping[str, Any] = field(factory=dict)
    count: int | None = None

    def data(self) -> dict[str, float]:
        """Give what to hand to ``Run.log``."""
        ours: dict[str, float] = {} if self.step is None else {STEP: self.step}
        return {**self.values, **ours, **({} if self.time is None else {"_timestamp": self.time})}


class Known:
    """Rows that are in a file already. Each is known as often as it is there."""

    def __init__(self) -> None:
        self._keys: Counter[bytes] = Counter()

    def __bool__(self) -> bool:
        return bool(self._keys)

    def add(self, point: Point) -> None:
        """Note a row."""
        self._keys[key_of(point)] += 1

    def take(self, point: Point) -> bool:
        """Tell whether a row is known, and forget it once."""
        key = key_of(point)
        if not self._keys[key]:
            del self._keys[key]
            return False
        self._keys[key] -= 1
        if not self._keys[key]:
            del self._keys[key]
        return True


def key_of(point: Point) -> bytes:
    """Give what two rows share only when they are the same call: time to the microsecond, step and values."""
    figures = sorted(name for name, value in point.others.items() if isinstance(value, Mapping))
    said = repr((point.step, point.time, sorted(point.values.items()), figures))
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=12).digest()


def logged_rows(rows: MetricRows) -> Iterator[Point]:
    """Give the rows of a delivery under their names in W&B."""
    columns = rows.columns()
    present = columns["present"]
    series = [
        (metric_name(name), values.tolist(), present[name].tolist()) for name, values in columns["values"].items()
    ]
    steps, times = columns["step"].tolist(), columns["timestamp"].tolist()
    for at, (step, time) in enumerate(zip(steps, times, strict=True)):
        values = {name: numbers[at] for name, numbers, there in series if there[at]}
        yield Point(None if step == NO_STEP else step, time, values)


def point_of(history: Any, step_metric: str | None = STEP) -> Point:
    """Read a row of W&B's.

    Args:
        history: the record.
        step_metric: the metric that carries the step; None for W&B's own count.
    """
    said = said_in(history.item)
    time, count = said.pop("_timestamp", None), said.pop("_step", None)
    if count is None and history.HasField("step"):
        count = float(history.step.num)
    for own in ("_runtime", "_wandb"):
        said.pop(own, None)
    step = said.pop(step_metric, None) if step_metric else count
    values: dict[str, float] = {}
    others: dict[str, Any] = {}
    for name, value in said.items():
        if isinstance(value, float | bool):
            values[name] = float(value)
        elif value is not None:
            others[name] = value
    return Point(as_integer(step), as_number(time), values, others, as_integer(count))
