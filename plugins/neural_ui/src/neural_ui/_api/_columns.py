"""Experiments in columns, as JSON text."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any

from neural_core.reading import StoredRun
from neural_core.records import MetricInfo, RunRow
from neural_ui._api._answers import json_text

__all__ = ["columns_text", "row_form", "unix_seconds"]

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
_DEEP = ("params", "metrics")
"""Made cell by cell: a value that JSON lacks costs its own cell a slow way, not the column."""


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


def columns_text(runs: Iterable[StoredRun]) -> str:
    """Give experiments in columns as JSON text: ``{"id": [...], "ordinal": [...], ...}``."""
    forms = [row_form(run) for run in runs]
    return "{" + ",".join(f'"{name}":{_column(name, forms)}' for name in NAMES) + "}"


def _column(name: str, forms: list[dict[str, Any]]) -> str:
    cells = [form[name] for form in forms]
    if name not in _DEEP:
        return json_text(cells)
    return f"[{','.join(map(json_text, cells))}]"
