"""A delivery that is killed at the worst moments, and goes on in another process: each point stands there once."""

from __future__ import annotations

from pathlib import Path

import pytest
from neural_mlflow import MlflowBackend

from neural_core import ExperimentTracker
from neural_core.testing import deliver

DELIVERY = """
import itertools, os, signal, sys
import mlflow
from importlib import import_module
from neural_core.testing import deliver
from neural_mlflow import MlflowBackend

folder, uri, module, kind, method, at, only = sys.argv[1:]
store = getattr(import_module(f"mlflow.store.tracking.{module}"), kind)
real, calls = getattr(store, method), itertools.count(1)


def dies(self, run, what):
    if (not only or only in str(what)) and next(calls) == int(at):
        os.kill(os.getpid(), signal.SIGKILL)
    return real(self, run, what)


setattr(store, method, dies)
deliver(folder, MlflowBackend(tracking_uri=uri))
"""
MOMENTS = [
    ("sqlite", "sqlalchemy_store", "SqlAlchemyStore", "_set_tags", "2", "neural.position"),
    ("sqlite", "sqlalchemy_store", "SqlAlchemyStore", "_log_metrics", "3", ""),
    ("files", "file_store", "FileStore", "_set_run_tag", "2", "neural.position"),
    ("files", "file_store", "FileStore", "_log_run_metric", "1500", ""),
]
ROWS = 1_700


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: f"{moment[0]} {moment[3]}")
def test_each_point_once(script, store_of, tmp_path: Path, database, moment: tuple[str, ...]) -> None:
    """Killed between points and position, or among the points, nothing is missing after the next delivery or twice."""
    uri = database.uri if moment[0] == "sqlite" else (tmp_path / "mlruns").as_uri()
    with ExperimentTracker("killed", tmp_path / "experiments", auto_visualize=False) as tracker:
        for step in range(ROWS):
            tracker.log_metrics({"loss": 1 / (step + 1)}, step=step)
            if step % 100 == 0:
                tracker.log_metrics({"free": 0.5})
    killed = script(DELIVERY, arguments=(str(tracker.experiment_dir), uri, *moment[1:]))
    assert killed.returncode == -9, killed.stderr
    store = store_of(uri)
    (run,) = store.runs()
    assert store.points(run, "loss")
    assert run.info.status == "RUNNING"
    for _ in range(2):
        done = deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=uri))
        assert (done.complete, done.errors) == (True, 0), done.last_error
    (run,) = store.runs()
    assert sorted(store.points(run, "loss")) == [(step, 1 / (step + 1)) for step in range(ROWS)]
    assert sorted(store.points(run, "free")) == [(step, 0.5) for step in range(17)]
    assert run.info.status == "FINISHED"
