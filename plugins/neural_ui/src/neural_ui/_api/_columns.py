"""The list of experiments in columns: each cell is made once and kept until its experiment changes."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from neural_core.reading import StoredRun
from neural_core.records import MetricInfo, RunRow
from neural_ui._api._answers import json_text

__all__ = ["Columns", "row_form", "unix_seconds"]

NAMES = (
    "id",
    "ordinal",
    "name",
    "status",
    "started",
    "ended",
    "last_sign",
    "tags",
    "notes",
    "color",
    "revision",
    "error",
    "artifacts",
    "params",
    "metrics",
)


def unix_seconds(text: str | None) -> float | None:
    """Give the Unix time of UTC ISO 8601 text, None for none."""
    if not text:
        return None
    try:
        return datetime.datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _numbers(info: MetricInfo) -> list[Any]:
    return [info.count, info.last, info.last_step, info.min, info.min_step, info.max, info.max_step]


def row_form(run: StoredRun) -> dict[str, Any]:
    """Give one experiment as name → cell."""
    row: RunRow = run.row
    cells = (
        run.id,
        run.ordinal,
        row.name,
        row.status,
        unix_seconds(row.start_time),
        unix_seconds(row.end_time),
        run.last_sign,
        dict(row.tags),
        bool(row.notes),
        row.color or None,
        run.revision,
        row.error,
        row.artifacts,
        dict(row.params),
        {name: _numbers(info) for name, info in row.metrics.items()},
    )
    return dict(zip(NAMES, cells, strict=True))


class Columns:
    """Gives experiments in columns as JSON text."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[StoredRun, tuple[str, ...]]] = {}

    def text(self, runs: Iterable[StoredRun]) -> str:
        """Give ``{"id": [...], "ordinal": [...], ...}``."""
        rows = [self._cells(run) for run in runs]
        columns = zip(*rows, strict=True) if rows else ((),) * len(NAMES)
        return (
            "{" + ",".join(f'"{name}":[{",".join(column)}]' for name, column in zip(NAMES, columns, strict=True)) + "}"
        )

    def _cells(self, run: StoredRun) -> tuple[str, ...]:
        known = self._kept.get(run.id)
        if known is None or known[0] is not run:
            known = run, tuple(json_text(cell) for cell in row_form(run).values())
            self._kept[run.id] = known
        return known[1]
