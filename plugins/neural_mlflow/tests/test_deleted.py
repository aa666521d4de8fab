"""Runs and experiments that somebody deleted in MLflow, and stores that lost them."""

from __future__ import annotations

from pathlib import Path

import pytest
from neural_mlflow import MlflowBackend

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.testing import deliver, following, wait_for


def track(tmp_path: Path) -> ExperimentTracker:
    """Begin an experiment that nobody draws."""
    return ExperimentTracker("mirror", tmp_path / "experiments", auto_visualize=False)


def test_a_run_deleted_in_mlflow(database, tmp_path: Path) -> None:
    """A run that was deleted in MLflow is told with the line that restores it, and goes on once it is restored."""
    with track(tmp_path) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    first = deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=database.uri))
    (run,) = database.runs()
    assert first.bookmark == {"run_id": run.info.run_id}
    database.client.delete_run(run.info.run_id)
    ExperimentManager(tracker.experiment_dir.parent).get_experiment(tracker.experiment_id).set_notes("later")

    def later():
        backend = MlflowBackend(tracking_uri=database.uri)
        return deliver(tracker.experiment_dir, backend, first.position, bookmark=first.bookmark)

    refused = later()
    assert not refused.complete
    assert f"is deleted: restore it with `mlflow runs restore --run-id {run.info.run_id}`" in refused.last_error
    assert f"neural sync {tracker.experiment_id} --to mlflow" in refused.last_error
    assert deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=database.uri)).complete
    (anew,) = database.runs()
    assert (anew.info.run_id != run.info.run_id, database.points(anew, "loss")) == (True, [(0, 1.0)])
    database.client.delete_run(anew.info.run_id)
    database.client.restore_run(run.info.run_id)
    assert later().complete
    assert database.client.get_run(run.info.run_id).data.tags["mlflow.note.content"] == "later"


def test_an_experiment_deleted_in_mlflow(database, tmp_path: Path) -> None:
    """An MLflow experiment that was deleted is told with the line that restores it."""
    experiment_id = database.client.create_experiment("mirror")
    database.client.delete_experiment(experiment_id)
    with track(tmp_path) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    refused = deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=database.uri))
    assert f"`mlflow experiments restore --experiment-id {experiment_id}`" in refused.last_error
    database.client.restore_experiment(experiment_id)
    assert deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=database.uri)).complete


@pytest.mark.parametrize("known", [{"run_id": "0" * 32}, None], ids=["bookmark", "no bookmark"])
def test_a_store_that_lost_the_run(database, tmp_path: Path, known: dict[str, str] | None) -> None:
    """A store that no longer has the run is told, with what to do: the rows it had are not passed over in silence."""
    with track(tmp_path) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    end = deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=str(tmp_path / "files"))).position
    ExperimentManager(tracker.experiment_dir.parent).get_experiment(tracker.experiment_id).set_notes("later")
    backend = MlflowBackend(tracking_uri=database.uri)
    refused = deliver(tracker.experiment_dir, backend, end, bookmark=known)
    assert not refused.complete
    assert "no longer has the run of 'mirror'" in refused.last_error
    assert f"neural sync {tracker.experiment_id} --to mlflow" in refused.last_error
    assert database.runs() == []


def test_names_outlive_a_deletion(database, tmp_path: Path) -> None:
    """A run that is deleted and restored while a training logs goes on with the names that its metrics had."""
    with (
        track(tmp_path) as tracker,
        following(tracker.experiment_dir, MlflowBackend(tracking_uri=database.uri)) as told,
    ):
        tracker.log_metrics({"val:loss": 1.0}, step=0)
        assert told().complete
        (run,) = database.runs()
        database.client.delete_run(run.info.run_id)
        tracker.log_metrics({"val:loss": 2.0}, step=1)
        assert not told().complete
        database.client.restore_run(run.info.run_id)
        wait_for(lambda: told().complete)
    assert database.points(run, "val:loss") == [(0, 1.0), (1, 2.0)]
    assert list(database.client.get_run(run.info.run_id).data.metrics) == ["val:loss"]
