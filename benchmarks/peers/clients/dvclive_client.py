"""DVCLive without Git and DVC experiments, by the calls of its documentation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from benchmarks.peers.clients import base


class Client(base.Client):
    """A folder for each run."""

    without: ClassVar = {
        "listed": "runs are listed by `dvc exp show`, in a Git repository",
        "store": "artifacts need a DVC repository",
    }

    def load(self) -> None:
        """Import it."""
        base.tool("dvclive")

    def start(self, name: str) -> base.Log:
        """Begin a run."""
        live = self._live = base.tool("dvclive").Live(f"runs/{name}", save_dvc_exp=False)

        def log(metrics: base.Metrics, step: int) -> None:
            for metric, value in metrics.items():
                live.log_metric(metric, value)
            live.next_step()  # which counts from 0, as `step` does

        return log

    def finish(self) -> None:
        """End it."""
        self._live.end()

    def fill(self, name: str, rows: Iterator[tuple[int, base.Metrics]]) -> None:
        """Write the summary only in the end."""
        self.start(name)
        for step, metrics in rows:
            self._live.step = step
            for metric, value in metrics.items():
                self._live.log_metric(metric, value)
        self.finish()

    def read(self) -> base.Points:
        """Parse the metric's file."""
        (path,) = Path("runs").glob(f"*/plots/metrics/{base.METRIC}.tsv")
        rows = [row for row in base.tool("dvclive.utils").parse_tsv(path) if row["step"] and row[base.METRIC]]
        return [int(row["step"]) for row in rows], [float(row[base.METRIC]) for row in rows]
