"""Experiments as what comparisons and tables take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neural_core._storage.overview import experiment_record
from neural_core._storage.reader import RunReader
from neural_core.records import ComparedExperiment, RunRow

__all__ = ["flat_row", "load_compared"]


def load_compared(directory: Path) -> ComparedExperiment:
    """Read an experiment with all its series."""
    reader = RunReader(directory)
    state, _ = reader.state()
    return ComparedExperiment(
        experiment_record(directory, state), {name: reader.series(name) for name in reader.names()}
    )


def flat_row(row: RunRow) -> dict[str, Any]:
    """Give a row of a list with dotted names: ``params.lr``, ``metrics.loss.min``, ``tags.paper``."""
    metrics = {
        f"metrics.{name}.{what}": getattr(info, what)
        for name, info in row.metrics.items()
        for what in ("last", "min", "max")
    }
    return {
        "experiment_id": row.experiment_id,
        "experiment_name": row.name,
        "status": row.status,
        "start_time": row.start_time,
        "end_time": row.end_time,
        **{f"params.{name}": value for name, value in row.params.items()},
        **metrics,
        **{f"tags.{name}": value for name, value in row.tags.items()},
    }
