"""Aim with a repository of its own, by the calls of its documentation."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from benchmarks.peers.clients import base


class Client(base.Client):
    """One repository in the current folder."""

    def load(self) -> None:
        """Import it."""
        base.tool("aim")
        logging.getLogger("aim").setLevel(logging.ERROR)

    def start(self, name: str) -> base.Log:
        """Begin a run."""
        aim = base.tool("aim")
        if not aim.Repo.exists("."):
            aim.Repo.from_path(".", init=True)
        run = self._run = aim.Run(repo=".")
        run.name = name
        return lambda metrics, step: run.track(metrics, step=step)

    def finish(self) -> None:
        """Close it."""
        self._run.close()

    def ready(self) -> None:
        """Index the repository, as `aim storage reindex` does and `aim up` does all the time."""
        base.tool("aim").Repo.from_path(".")._recreate_index()

    def read(self) -> base.Points:
        """Take the metric of the only run."""
        (metric,) = _metrics()
        steps, (values,) = metric.data.view(["val"]).numpy()
        return steps, values

    def found(self) -> list[int]:
        """Take the steps; a metric that was never written is not there."""
        return super().found() if _metrics() else []

    def listed(self) -> dict[str, float]:
        """Go through the last values of all runs."""
        return {
            run.name: metric["values"]["last"]
            for run in base.tool("aim").Repo.from_path(".").iter_runs()
            for metric in run.collect_sequence_info("metric")["metric"]
            if metric["name"] == base.METRIC
        }

    def store(self, path: str) -> None:
        """Copy the file below the artifacts of the run; a second one of the same name takes its place."""
        self._run.set_artifacts_uri(f"file://{Path('artifacts').absolute()}")
        self._run.log_artifact(path, block=True)


def _metrics() -> list[Any]:
    runs = base.tool("aim").Repo.from_path(".").iter_runs()
    return [metric for run in runs for metric in run.metrics() if metric.name == base.METRIC]
