"""Training scripts of the backends' benchmark, each in a fresh interpreter: through neural, and with a tool alone."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import metrics_of
from benchmarks.work import compute

__all__ = ["backfill", "record", "tool", "tool_backfill", "train"]

BATCH = 1_000
"""What one request to MLflow takes."""
Log = Callable[[Mapping[str, float], int], object]


def _quiet(folder: str) -> None:
    """Work in `folder`; nobody phones home, nothing is written to the terminal."""
    os.chdir(folder)
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
    os.environ |= {"WANDB_ERROR_REPORTING": "false", "NEURAL_FINISH_SECONDS": "1000"}
    for name in ("neural", "mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _loop(log: Log, steps: int, work: int = 0) -> float:
    """Train, each step so much work of Python's own; give the mean seconds of a call."""
    metrics, clock, taken = metrics_of(4), time.perf_counter, 0.0
    for step in range(steps):
        compute(work)
        began = clock()
        log(metrics, step)
        taken += clock() - began
    return taken / steps


def train(folder: str, name: str, steps: int, work: int) -> dict[str, float]:
    """Log through neural with a backend; give the seconds of a call, and of the script until all has arrived."""
    began = time.perf_counter()
    _quiet(folder)
    from neural_core import ExperimentTracker

    tracker = ExperimentTracker("bench", auto_visualize=False, backend=name)
    call = _loop(tracker.log_metrics, steps, work)
    tracker.finish()
    assert tracker.delivered
    return {"call": call, "total": time.perf_counter() - began}


def tool(folder: str, name: str, steps: int, work: int) -> dict[str, float]:
    """Log with a tool as its documentation shows; give the same."""
    began = time.perf_counter()
    _quiet(folder)
    log, end = _TOOLS[name]()
    call = _loop(log, steps, work)
    end()
    return {"call": call, "total": time.perf_counter() - began}


def _mlflow() -> tuple[Log, Callable[[], object]]:
    import mlflow

    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("bench")
    mlflow.start_run()
    return lambda metrics, step: mlflow.log_metrics(dict(metrics), step=step), mlflow.end_run


def _wandb() -> tuple[Log, Callable[[], object]]:
    import wandb

    run = wandb.init(project="bench", mode="offline")
    return lambda metrics, step: run.log(dict(metrics), step=step), run.finish


def _tensorboard() -> tuple[Log, Callable[[], object]]:
    from tensorboard.summary import Writer

    writer = Writer("runs/bench")

    def log(metrics: Mapping[str, float], step: int) -> None:
        for name, value in metrics.items():
            writer.add_scalar(name, value, step)

    return log, writer.close


_TOOLS: Mapping[str, Callable[[], tuple[Log, Callable[[], object]]]] = {
    "mlflow": _mlflow,
    "tensorboard": _tensorboard,
    "wandb": _wandb,
}


def record(folder: str, rows: int) -> str:
    """Record an experiment without any backend; give its folder."""
    _quiet(folder)
    from neural_core import ExperimentTracker

    tracker, metrics = ExperimentTracker("long", auto_visualize=False), metrics_of(4)
    for step in range(rows):
        tracker.log_metrics(metrics, step)
    tracker.finish()
    return str(tracker.experiment_dir)


def backfill(folder: str, name: str, directory: str) -> float:
    """Deliver a stored experiment to a backend; give the seconds."""
    _quiet(folder)
    from neural_core._delivery.replay import replay

    began = time.perf_counter()
    done = replay(Path(directory), name, {})
    taken = time.perf_counter() - began
    assert done.complete, done.error
    return taken


def tool_backfill(folder: str, name: str, rows: int) -> float:
    """Log as many rows with the tool's fastest own way; give the seconds."""
    _quiet(folder)
    began = time.perf_counter()
    if name == "mlflow":
        _mlflow_batches(rows)
    else:
        log, end = _TOOLS[name]()
        _loop(log, rows)
        end()
    return time.perf_counter() - began


def _mlflow_batches(rows: int) -> None:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

    client = MlflowClient("sqlite:///mlflow.db")
    run = client.create_run(client.create_experiment("batches")).info.run_id
    batch: list[Any] = []
    for step in range(rows):
        now = int(time.time() * 1000)
        batch += [Metric(name, value, now, step) for name, value in metrics_of(4).items()]
        if len(batch) >= BATCH:
            client.log_batch(run, metrics=batch[:BATCH])
            batch = batch[BATCH:]
    client.log_batch(run, metrics=batch)
    client.set_terminated(run)
