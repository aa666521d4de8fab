"""neural, by its public interface."""

from __future__ import annotations

from typing import Any

from benchmarks.peers.clients import base


class Client(base.Client):
    """Arguments are those of `ExperimentTracker`."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def load(self) -> None:
        """Import the core."""
        base.tool("neural_core")

    def load_reader(self) -> None:
        """Import what `from neural_core import ExperimentManager` does, and numpy."""
        base.tool("numpy")
        self._manager = base.tool("neural_core").ExperimentManager

    def start(self, name: str) -> base.Log:
        """Make an experiment below the current folder."""
        self._tracker = base.tool("neural_core").ExperimentTracker(name, **self._options)
        log: base.Log = self._tracker.log_metrics
        return log

    def finish(self) -> None:
        """Finish it, and wait for mirrors and plots where there are some."""
        self._tracker.finish()

    def read(self) -> base.Points:
        """Read the series of the only experiment; every checksum is checked."""
        manager = self._manager()
        (row,) = manager.runs()
        series = manager.get_experiment(row.uid).get_series(base.METRIC)
        return series.step, series.value

    def listed(self) -> dict[str, float]:
        """List the store."""
        runs = self._manager().runs(limit=None)
        return {row.name: row.metrics[base.METRIC].last for row in runs}

    def store(self, path: str) -> None:
        """Log the file; every call makes a version."""
        self._tracker.log_artifact(path)
