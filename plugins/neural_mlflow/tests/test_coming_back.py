"""What neural mirrored into MLflow, brought in again: the newest of everything, whole, with the numbers it had."""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric
from neural_mlflow import MlflowBackend
from neural_mlflow.importing import runs_of

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.importing import Imported, import_run
from neural_core.testing import deliver


def track(tmp_path: Path) -> ExperimentTracker:
    """Begin an experiment that nobody draws."""
    return ExperimentTracker("back", tmp_path / "experiments", auto_visualize=False)


def mirror(uri: str, tracker: ExperimentTracker) -> None:
    """Deliver an experiment."""
    done = deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=uri))
    assert (done.complete, done.errors) == (True, 0), done.last_error


def bring_in(uri: str, tmp_path: Path, into: str = "again") -> Imported:
    """Bring the one run of a store in."""
    (run,) = runs_of(uri)
    return import_run(run, tmp_path / into)


def come_back(uri: str, tmp_path: Path) -> ExperimentTracker:
    """Bring the one run of a store in, and open it."""
    imported = bring_in(uri, tmp_path)
    return ExperimentManager(str(tmp_path / "again")).get_experiment(imported.experiment_id)


@pytest.mark.parametrize("kind", ["database", "files"])
def test_the_largest_numbers(database, tmp_path: Path, kind: str) -> None:
    """The largest float comes back as it was, beside infinities, which are others."""
    numbers = [sys.float_info.max, -sys.float_info.max, math.inf, -math.inf, math.nan, 5e-324, 1 / 3]
    with track(tmp_path) as tracker:
        for step, number in enumerate(numbers):
            tracker.log_metrics({"loss": number}, step=step)
    uri = database.uri if kind == "database" else str(tmp_path / "mlruns")
    mirror(uri, tracker)
    again = come_back(uri, tmp_path)
    assert [(row.step, repr(row.values["loss"])) for row in again.metrics_history] == [
        (step, repr(number)) for step, number in enumerate(numbers)
    ]


def test_what_is_logged_after_something_long(database, tmp_path: Path) -> None:
    """Hyperparameters, tags and notes that follow long ones come back with them, and as they were at the end."""
    with track(tmp_path) as tracker:
        tracker.log_hyperparameters({"long": "x" * 9_000, "lr": 0.1})
        tracker.log_hyperparameters({"later": 1, "model": {"depth": 3}})
        tracker.set_notes("notes " * 3_000)
        tracker.set_tags({"long": "y" * 9_000})
        tracker.set_tags({"other": "z" * 9_000, "long": "short now"})
        tracker.set_notes(tracker.notes + "more")
    mirror(database.uri, tracker)
    again = come_back(database.uri, tmp_path)
    assert again.hyperparameters == tracker.hyperparameters
    assert again.tags == {**tracker.tags, "mlflow.experiment": "back"}
    assert again.notes == tracker.notes


def test_the_newest_value(database, tmp_path: Path) -> None:
    """A hyperparameter that changed comes back as it was at the end, also where its document does not lie here."""
    with track(tmp_path) as tracker:
        for rate in (0.1, 0.2):
            tracker.log_hyperparameters({"lr": rate})
    mirror(database.uri, tracker)
    shutil.rmtree(tmp_path / "mlartifacts")
    assert come_back(database.uri, tmp_path).hyperparameters == {"lr": 0.2}


def test_a_store_that_was_moved(database, tmp_path: Path) -> None:
    """A database that was moved with its artifacts brings them along; without them they are counted as left out."""
    (tmp_path / "file.txt").write_text("text")
    with track(tmp_path) as tracker:
        tracker.log_artifact(str(tmp_path / "file.txt"))
    mirror(database.uri, tracker)
    (tmp_path / "new").mkdir()
    for name in ("mlflow.db", "mlartifacts"):
        shutil.move(tmp_path / name, tmp_path / "new" / name)
    moved = f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}"
    whole = bring_in(moved, tmp_path)
    assert (whole.artifacts, dict(whole.left_out)) == (1, {})
    shutil.rmtree(tmp_path / "new" / "mlartifacts")
    bare = bring_in(moved, tmp_path, "bare")
    assert (bare.artifacts, dict(bare.left_out)) == (0, {"artifacts that lie elsewhere": 1})


@pytest.mark.parametrize("kind", ["database", "files"])
def test_rows_of_one_millisecond(database, tmp_path: Path, kind: str) -> None:
    """What has the same step and millisecond is one row, whatever else was logged in that millisecond."""
    uri = database.uri if kind == "database" else (tmp_path / "mlruns").as_uri()
    client = MlflowClient(uri)
    run_id = client.create_run(client.create_experiment("theirs")).info.run_id
    points = {"a": [1, 2, 3, 3, 4], "b": [3, 4], "c": [2, 4]}
    logged = [Metric(name, at / 7, 5_000, step) for name, steps in points.items() for at, step in enumerate(steps)]
    client.log_batch(run_id, metrics=[*logged, Metric("a", 9.0, 6_000, 1)])
    again = come_back(uri, tmp_path)
    rows = [(row.step, "".join(sorted(row.values))) for row in again.metrics_history]
    assert rows == [(1, "a"), (2, "ac"), (3, "ab"), (3, "a"), (4, "abc"), (1, "a")]
    assert [row.values["a"] for row in again.metrics_history] == [0, 1 / 7, 2 / 7, 3 / 7, 4 / 7, 9.0]


def test_files_keep_the_order_of_a_millisecond(tmp_path: Path) -> None:
    """Steps that go backwards in one millisecond come in as a folder of files has them."""
    uri = (tmp_path / "mlruns").as_uri()
    client = MlflowClient(uri)
    run_id = client.create_run(client.create_experiment("theirs")).info.run_id
    steps = [3, 2, 2, 5, 1]
    client.log_batch(run_id, metrics=[Metric("a", at / 7, 5_000, step) for at, step in enumerate(steps)])
    rows = [(row.step, row.values["a"]) for row in come_back(uri, tmp_path).metrics_history]
    assert rows == [(step, at / 7) for at, step in enumerate(steps)]


def test_a_database_by_any_path(database, tmp_path: Path) -> None:
    """The path of a database is a path: nothing in it is read as a part of a URI."""
    with track(tmp_path) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    mirror(database.uri, tracker)
    moved = shutil.move(tmp_path / "mlflow.db", tmp_path / "größe #1 100%41?.db")
    assert bring_in(str(moved), tmp_path).rows == 1


@pytest.mark.parametrize("kind", ["database", "files"])
def test_no_copies_of_copies(database, tmp_path: Path, kind: str) -> None:
    """What was brought in and mirrored back does not come in once more, unless it was gone on with or changed."""
    uri = database.uri if kind == "database" else (tmp_path / "mlruns").as_uri()
    client = MlflowClient(uri)
    run_id = client.create_run(client.create_experiment("theirs"), start_time=1_000, tags={"team": "a"}).info.run_id
    client.log_batch(run_id, metrics=[Metric("loss", value, 5_000, at) for at, value in enumerate([0.5, math.nan])])
    client.log_param(run_id, "lr", 0.10)
    client.set_terminated(run_id, end_time=9_000)
    brought = come_back(uri, tmp_path)
    mirror(uri, brought)
    assert [run.source for run in runs_of(uri)] == [f"mlflow run {run_id}"]
    brought.set_notes("changed")
    mirror(uri, brought)
    assert len(list(runs_of(uri))) == 2


def test_tags_that_somebody_changed(database, tmp_path: Path) -> None:
    """Our tags are believed where they can be true; whatever else stands there, the files come in as they lie."""
    (tmp_path / "file.txt").write_text("text")
    with track(tmp_path) as tracker:
        tracker.log_artifact(str(tmp_path / "file.txt"))
    mirror(database.uri, tracker)
    (run,) = database.runs()
    said = {"name": "x", "version": 1, "kind": "file", "path": "file.txt/v1/file.txt"}
    odd = [[], "x", {**said, "name": 5, "path": ".."}, {**said, "kind": "odd"}, {**said, "version": "x"}]
    for at, value in enumerate([*odd, {**said, "metadata": 5}, {"document": 7}, {"document": "../../x"}]):
        database.client.set_tag(run.info.run_id, f"neural.artifact.odd{at}", json.dumps(value))
    assert bring_in(database.uri, tmp_path).artifacts == 1
    database.client.set_tag(run.info.run_id, "neural.artifact.file.txt.v1", "[")
    again = come_back(database.uri, tmp_path)
    assert (again.get_artifact_version("file.txt", version=1).path / "v1" / "file.txt").read_text() == "text"
