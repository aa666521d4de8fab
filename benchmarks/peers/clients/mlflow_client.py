"""MLflow with its SQLite store and no server, by the calls of its documentation."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.peers.clients import base

_BATCH = 1_000
"""Metrics that one request may hold."""


class Client(base.Client):
    """One experiment in one database."""

    def load(self) -> None:
        """Import it, and the store that it loads on first use."""
        base.tool("mlflow.store.tracking.sqlalchemy_store")

    def start(self, name: str) -> base.Log:
        """Start a run."""
        mlflow = _opened()
        mlflow.start_run(run_name=name)
        return lambda metrics, step: mlflow.log_metrics(metrics, step=step)

    def finish(self) -> None:
        """End it."""
        base.tool("mlflow").end_run()

    def fill(self, name: str, rows: Iterator[tuple[int, base.Metrics]]) -> None:
        """Log in the largest batches that MLflow takes."""
        self.start(name)
        mlflow, Metric = base.tool("mlflow"), base.tool("mlflow.entities").Metric  # noqa: N806 - a class
        client, run, batch = mlflow.MlflowClient(), mlflow.active_run().info.run_id, []
        for step, metrics in rows:
            now = int(time.time() * 1000)
            batch += [Metric(metric, value, now, step) for metric, value in metrics.items()]
            if len(batch) > _BATCH - len(metrics):
                client.log_batch(run, metrics=batch)
                batch = []
        client.log_batch(run, metrics=batch)
        self.finish()

    def read(self) -> base.Points:
        """Take the history of the metric."""
        mlflow = _opened()
        (run,) = mlflow.search_runs(output_format="list")
        history = mlflow.MlflowClient().get_metric_history(run.info.run_id, base.METRIC)
        return [point.step for point in history], [point.value for point in history]

    def listed(self) -> dict[str, float]:
        """Search all runs."""
        runs = _opened().search_runs(output_format="list")
        return {run.info.run_name: run.data.metrics[base.METRIC] for run in runs}

    def store(self, path: str) -> None:
        """Log the file; a second one of the same name takes its place."""
        base.tool("mlflow").log_artifact(path)


def _opened() -> Any:
    mlflow = base.tool("mlflow")
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("bench")
    return mlflow
