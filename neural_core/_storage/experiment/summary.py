"""Count, last, min and max of every metric, kept up to date by looking at new rows only."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from attrs import asdict, evolve

from neural_core._series import NO_STEP, extremes
from neural_core._storage.experiment.plain import to_plain
from neural_core.records import MetricInfo

if TYPE_CHECKING:
    from neural_core._storage.journal.part import Column, Part

__all__ = ["Summary", "from_document", "to_document"]


class Summary:
    """What is known of the metrics of some streams. Give it to `update` again after they grew."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}
        self._by_part: dict[str, dict[str, tuple[MetricInfo, float]]] = {}
        self._streams: list[list[str]] = []

    def update(self, streams: Sequence[Sequence[Part]]) -> None:
        """Look at the rows that came since the last call."""
        self._streams = [[part.stem for part in stream] for stream in streams]
        for part in (part for stream in streams for part in stream):
            first = self._seen.get(part.stem, 0)
            if part.rows < first:  # its file was cut under the reader
                first, self._by_part[part.stem] = 0, {}
            if part.rows > first:
                known = self._by_part.setdefault(part.stem, {})
                for name in part.names():
                    column = part.column(name, first)
                    if len(column.value):
                        known[name] = _extend(known.get(name), name, column)
                self._seen[part.stem] = part.rows

    def infos(self) -> dict[str, MetricInfo]:
        """Give what is known, by metric. Of several streams the one that logged last has the last value."""
        merged: dict[str, tuple[MetricInfo, float]] = {}
        for stream in self._streams:
            own: dict[str, tuple[MetricInfo, float]] = {}
            for stem in stream:
                for name, later in self._by_part.get(stem, {}).items():
                    own[name] = _join(own[name], later, later_wins=True) if name in own else later
            for name, other in own.items():
                known = merged.get(name)
                merged[name] = other if known is None else _join(known, other, later_wins=other[1] >= known[1])
        return {name: info for name, (info, _) in merged.items()}


def _step(number: int) -> int | None:
    return None if number == NO_STEP else number


def _of_column(name: str, column: Column) -> tuple[MetricInfo, float]:
    found = extremes(column.value)
    low, high = (None, None) if found is None else found
    info = MetricInfo(
        name=name,
        count=len(column.value),
        last=float(column.value[-1]),
        last_step=_step(int(column.step[-1])),
        min=None if low is None else float(column.value[low]),
        min_step=None if low is None else _step(int(column.step[low])),
        max=None if high is None else float(column.value[high]),
        max_step=None if high is None else _step(int(column.step[high])),
    )
    return info, float(column.time.max())


def _extend(known: tuple[MetricInfo, float] | None, name: str, column: Column) -> tuple[MetricInfo, float]:
    new = _of_column(name, column)
    return new if known is None else _join(known, new, later_wins=True)


def _join(
    first: tuple[MetricInfo, float], second: tuple[MetricInfo, float], *, later_wins: bool
) -> tuple[MetricInfo, float]:
    """Put two together; of equal extremes the first one's step is kept."""
    a, b = first[0], second[0]
    changes: dict[str, Any] = {"count": a.count + b.count}
    if later_wins:
        changes |= {"last": b.last, "last_step": b.last_step}
    if b.min is not None and (a.min is None or b.min < a.min):
        changes |= {"min": b.min, "min_step": b.min_step}
    if b.max is not None and (a.max is None or b.max > a.max):
        changes |= {"max": b.max, "max_step": b.max_step}
    return evolve(a, **changes), max(first[1], second[1])


def to_document(infos: Iterable[MetricInfo]) -> list[dict[str, Any]]:
    """Give strict JSON of what is known."""
    return [to_plain(asdict(info)) for info in infos]


def from_document(document: object) -> dict[str, MetricInfo]:
    """Give what `to_document` was given, by metric; what has another shape is left out."""
    from cattrs import BaseValidationError  # cattrs takes longer to import than a short experiment to finish

    from neural_core._storage.experiment.converter import converter

    found = {}
    for item in document if isinstance(document, list) else []:
        # cattrs gathers every fault of a value of another shape in one group.
        with contextlib.suppress(BaseValidationError, TypeError, ValueError):
            info = converter().structure(item, MetricInfo)
            found[info.name] = info
    return found
