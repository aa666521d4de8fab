"""The backend keeps the contract of backends, with a database and with a folder of files."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
from mlflow import MlflowClient
from neural_mlflow import MlflowBackend

from neural_core.testing import BackendContract, ReadBack

STATUSES = {"FINISHED": "completed", "FAILED": "failed", "KILLED": "interrupted", "RUNNING": "running"}


class MlflowContract(BackendContract):
    """What both kinds of store have in common."""

    exactly_once = True
    ordered = False  # MLflow orders the points of a millisecond by step and value

    def uri(self, tmp_path):
        """Say where the store is."""
        raise NotImplementedError

    def make_backend(self, tmp_path):
        """Give a backend that writes below `tmp_path`."""
        return MlflowBackend(tracking_uri=self.uri(tmp_path))

    def read_back(self, tmp_path, experiment):
        """Read with MLflow's client: names as the tags tell them, infinities where the other metrics tell them."""
        client = MlflowClient(self.uri(tmp_path))
        ids = [found.experiment_id for found in client.search_experiments()]
        (run,) = client.search_runs(ids, f"tags.`neural.uid` = '{experiment.uid}'")
        points = []
        for key in run.data.metrics:
            told = run.data.tags.get(f"neural.original.{key}", key)
            name = told.removeprefix("neural.infinite/")
            for point in client.get_metric_history(run.info.run_id, key):
                value = point.value if name == told else math.copysign(math.inf, point.value)
                points.append((name, point.step, value))
        artifacts = [tag for tag in run.data.tags if tag.startswith("neural.sha256.")]
        return ReadBack(points, list(run.data.params), artifacts, STATUSES[run.info.status])


class TestDatabase(MlflowContract):
    """With SQLite."""

    @pytest.fixture(autouse=True)
    def _template(self, empty_database: Path) -> None:
        self.template = empty_database

    def uri(self, tmp_path):
        """A copy of an empty database, as to make its tables takes seconds."""
        if not (tmp_path / "mlflow.db").exists():
            shutil.copy(self.template, tmp_path / "mlflow.db")
        return f"sqlite:///{tmp_path / 'mlflow.db'}"


class TestFiles(MlflowContract):
    """With an explicit folder."""

    def uri(self, tmp_path):
        """The folder."""
        return str(tmp_path / "mlruns")
