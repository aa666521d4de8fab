"""A row of the list of experiments as a dictionary, under the names that every list uses."""

from __future__ import annotations

from typing import Any

from neural_core.records import MetricInfo, RunRow

__all__ = ["flat_row", "head_of_row", "row_document"]


def head_of_row(row: RunRow) -> dict[str, Any]:
    """Give what says which experiment it is, and how and when it went."""
    return {
        "experiment_id": row.experiment_id,
        "experiment_name": row.name,
        "status": row.status,
        "start_time": row.start_time,
        "end_time": row.end_time,
    }


def flat_row(row: RunRow) -> dict[str, Any]:
    """Give a row with dotted names: ``params.lr``, ``metrics.loss.min``, ``tags.paper``."""
    metrics = {
        f"metrics.{name}.{what}": getattr(info, what)
        for name, info in row.metrics.items()
        for what in ("last", "min", "max")
    }
    return {
        **head_of_row(row),
        **{f"params.{name}": value for name, value in row.params.items()},
        **metrics,
        **{f"tags.{name}": value for name, value in row.tags.items()},
    }


def row_document(row: RunRow, directory: str) -> dict[str, Any]:
    """Give a row with the experiment's folder as JSON values."""
    return {
        **head_of_row(row),
        "experiment_dir": directory,
        "params": dict(row.params),
        "metrics": {name: _metric(info) for name, info in row.metrics.items()},
        "tags": dict(row.tags),
        "notes": row.notes,
        "artifacts": row.artifacts,
        "error": row.error,
    }


def _metric(info: MetricInfo) -> dict[str, Any]:
    keys = ("count", "last", "last_step", "min", "min_step", "max", "max_step")
    return {key: getattr(info, key) for key in keys}
