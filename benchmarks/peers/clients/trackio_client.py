"""Trackio with its local store: no Space, no dashboard."""

from __future__ import annotations

from typing import Any

from benchmarks.peers.clients import base

_PROJECT = "bench"


class Client(base.Client):
    """One project in one database."""

    def load(self) -> None:
        """Import it."""
        base.tool("trackio")

    def start(self, name: str) -> base.Log:
        """Begin a run."""
        trackio = base.tool("trackio")
        trackio.init(project=_PROJECT, name=name)
        return lambda metrics, step: trackio.log(metrics, step=step)

    def finish(self) -> None:
        """Finish it."""
        base.tool("trackio").finish()

    def read(self) -> base.Points:
        """Take the values of the metric from the local store."""
        trackio, storage = _tools()
        (run,) = trackio.Api().runs(_PROJECT)
        points = storage.get_metric_values(_PROJECT, run.name, base.METRIC, run_id=run.id)
        points.sort(key=lambda point: point["step"])
        return [point["step"] for point in points], [point["value"] for point in points]

    def found(self) -> list[int]:
        """Take the steps; a project that was never written to is not there."""
        trackio, storage = _tools()
        there = storage.get_project_db_path(_PROJECT).exists() and len(trackio.Api().runs(_PROJECT))
        return super().found() if there else []

    def listed(self) -> dict[str, float]:
        """Go through the runs of the project."""
        trackio, storage = _tools()
        last = {}
        for run in trackio.Api().runs(_PROJECT):
            step = storage.get_last_step(_PROJECT, run.name, run_id=run.id)
            (point,) = storage.get_metric_values(_PROJECT, run.name, base.METRIC, step=step, run_id=run.id)
            last[run.name] = point["value"]
        return last

    def store(self, path: str) -> None:
        """Log the file; every call makes a version, unless nothing has changed."""
        base.tool("trackio").log_artifact(path, name="checkpoint", type="model")


def _tools() -> tuple[Any, Any]:
    return base.tool("trackio"), base.tool("trackio.sqlite_storage").SQLiteStorage
