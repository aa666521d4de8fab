"""What the user chooses: names, tags, places."""

from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from neural_mlflow import MlflowBackend

from neural_core import ExperimentTracker
from neural_core.errors import ArgumentValueError
from neural_core.testing import deliver


def mirrored(store, tmp_path: Path, name: str = "mirror", **options: object) -> Run:
    """Mirror a small experiment and give the run that MLflow has then."""
    (tmp_path / "file.txt").write_text("text")
    with ExperimentTracker(name, tmp_path / "experiments", auto_visualize=False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
        tracker.log_artifact(str(tmp_path / "file.txt"))
    done = deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=store.uri, **options))
    assert (done.complete, done.errors) == (True, 0), done.last_error
    return store.client.get_run(done.bookmark["run_id"])


def test_options(database, tmp_path: Path) -> None:
    """Names, tags and the place of artifacts can be chosen; an unknown option is an error."""
    elsewhere = tmp_path / "elsewhere"
    chosen = {"experiment_name": "theirs", "run_name": "mine", "tags": {"team": "a"}}
    run = mirrored(database, tmp_path, **chosen, artifact_location=str(elsewhere))
    experiment = database.client.get_experiment(run.info.experiment_id)
    assert (experiment.name, run.info.run_name, run.data.tags["team"]) == ("theirs", "mine", "a")
    assert (elsewhere / run.info.run_id / "artifacts" / "file.txt" / "v1" / "file.txt").is_file()
    with pytest.raises(TypeError, match="traking_uri"):
        MlflowBackend(traking_uri="http://elsewhere")


def test_options_of_a_command_line(database, tmp_path: Path) -> None:
    """A name that looks like a number is a name; a time that is none is refused before anything is made."""
    run = mirrored(database, tmp_path, experiment_name=2024, run_name=7)
    assert database.client.get_experiment(run.info.experiment_id).name == "2024"
    assert run.info.run_name == "7"
    for timeout in ("soon", "5", 0, -1, math.nan, math.inf):
        with pytest.raises(ArgumentValueError, match="number of seconds above 0"):
            MlflowBackend(timeout=timeout)


def test_runs_of_one_experiment_stand_together(database, tmp_path: Path) -> None:
    """Several runs of a name are runs of one MLflow experiment of that name, told apart by their ids."""
    runs = [mirrored(database, tmp_path, "Größe / ☃") for _ in range(3)]
    assert len({run.info.run_name for run in runs}) == 3
    assert {database.client.get_experiment(run.info.experiment_id).name for run in runs} == {"Größe / ☃"}


def test_several_begin_at_once(tmp_path: Path) -> None:
    """Runs that begin at once in a new folder of files are runs of one MLflow experiment."""
    trackers = [ExperimentTracker("at once", tmp_path / "experiments", auto_visualize=False) for _ in range(8)]
    for tracker in trackers:
        tracker.finish()
    ready = threading.Barrier(len(trackers))

    def mirror(tracker: ExperimentTracker) -> bool:
        backend = MlflowBackend(tracking_uri=str(tmp_path / "mlruns"))
        ready.wait()
        return deliver(tracker.experiment_dir, backend).complete

    with ThreadPoolExecutor(len(trackers)) as pool:
        assert all(pool.map(mirror, trackers))
    names = [found.name for found in MlflowClient((tmp_path / "mlruns").as_uri()).search_experiments()]
    assert sorted(names) == ["Default", "at once"]
