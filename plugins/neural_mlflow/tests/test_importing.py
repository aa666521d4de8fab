"""``neural import mlflow``: runs that MLflow recorded, and those that neural mirrored there."""

from __future__ import annotations

import math
import shutil
import sqlite3
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, LoggedModelOutput, Metric
from neural_mlflow import MlflowBackend
from neural_mlflow.importing import runs_of

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.errors import ConfigurationError
from neural_core.importing import import_run
from neural_core.testing import deliver

START = 1_700_000_000_000


def foreign_run(client: MlflowClient, folder: Path, experiment: str = "theirs", status: str = "FINISHED") -> str:
    """Make a run with MLflow's own client."""
    found = client.get_experiment_by_name(experiment)
    location = (folder / "stored").as_uri()
    experiment_id = found.experiment_id if found else client.create_experiment(experiment, artifact_location=location)
    run_id = client.create_run(experiment_id, start_time=START, run_name="brave-fox", tags={"team": "a"}).info.run_id
    points = [Metric(name, step / 3 + at, START + step, step) for step in range(300) for at, name in enumerate("ab")]
    client.log_batch(run_id, metrics=points[:500])
    client.log_batch(run_id, metrics=points[500:])
    for at, value in enumerate([math.nan, math.inf, -math.inf]):
        client.log_metric(run_id, "odd", value, START + 1_000 + at, at)
    for name, value in {"lr": 0.1, "layers": [1, 2], "name": "tiny", "on": True, "date": "010"}.items():
        client.log_param(run_id, name, value)
    client.set_tag(run_id, "mlflow.note.content", "what was tried")
    client.log_text(run_id, "text", "notes.txt")
    client.log_text(run_id, "flavors: {}", "model/MLmodel")
    client.log_text(run_id, "weights", "model/data/weights.bin")
    client.log_inputs(run_id, [DatasetInput(Dataset("digits", "abc", "local", "here"))])
    client.set_terminated(run_id, status, START + 5_000)
    return run_id


def values(tracker: ExperimentTracker, name: str) -> list[tuple[int, str, float]]:
    """Step, value and time of each point of a metric."""
    return [(row.step, repr(row.values[name]), row.timestamp) for row in tracker.metrics_history if name in row.values]


def only(base: Path) -> ExperimentTracker:
    """The one experiment of a base folder."""
    (row,) = ExperimentManager(str(base)).list_experiments()
    return ExperimentManager(str(base)).get_experiment(row["experiment_id"])


def test_everything_of_a_foreign_run(database, neural, tmp_path: Path) -> None:
    """Metrics with steps and times, typed parameters, tags, notes, name, status, times and local artifacts come in."""
    foreign_run(database.client, tmp_path, status="KILLED")
    done = neural("import", "mlflow", "mlflow.db", "--base-dir", "mine")
    assert done.returncode == 0, done.stderr
    assert "303 rows, 5 hyperparameters, 2 artifacts; left out: datasets (1)" in done.stdout
    tracker = only(tmp_path / "mine")
    assert values(tracker, "a") == [(step, repr(step / 3), (START + step) / 1_000) for step in range(300)]
    assert [row.values["b"] for row in tracker.metrics_history if "a" in row.values] == [s / 3 + 1 for s in range(300)]
    assert [value for _, value, _ in values(tracker, "odd")] == ["nan", "inf", "-inf"]
    assert tracker.hyperparameters == {"lr": 0.1, "layers": [1, 2], "name": "tiny", "on": True, "date": "010"}
    assert (tracker.experiment_name, tracker.notes, tracker.status) == ("brave-fox", "what was tried", "interrupted")
    assert tracker.tags == {"team": "a", "mlflow.experiment": "theirs"}
    (row,) = ExperimentManager(str(tmp_path / "mine")).list_experiments()
    times = [datetime.fromisoformat(row[key]).timestamp() * 1_000 for key in ("start_time", "end_time")]
    assert times == [START, START + 5_000]
    assert tracker.get_artifact_version("notes.txt", version=1).path.read_text() == "text"
    model = tracker.get_artifact_version("model", version=1)
    assert (model.kind, (model.path / "data" / "weights.bin").read_text()) == ("model", "weights")


def test_repeat_and_change(database, tmp_path: Path) -> None:
    """To import again brings nothing twice; a run that has changed takes the place of its earlier import."""
    run_id = foreign_run(database.client, tmp_path)

    def imported():
        (run,) = runs_of(database.uri)
        return import_run(run, tmp_path / "mine")

    assert [imported().outcome, imported().outcome] == ["new", "unchanged"]
    before = only(tmp_path / "mine").experiment_id
    database.client.log_metric(run_id, "a", 7.0, START + 9_000, 300)
    assert imported().outcome == "replaced"
    database.client.log_text(run_id, "other text", "notes.txt")
    assert [imported().outcome, imported().outcome] == ["replaced", "unchanged"]
    again = only(tmp_path / "mine")
    assert (again.experiment_id, len(values(again, "a"))) == (before, 301)


TRACED = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("traced")
with mlflow.start_run():
    for at in range(3):
        with mlflow.start_span(f"call {at}"):
            pass
    mlflow.log_metric("loss", 0.5)
mlflow.flush_trace_async_logging()
"""


def test_traces_are_counted(database, tmp_path: Path) -> None:
    """The traces of a run, which nothing here can hold, are counted as left out."""
    database.client.create_experiment("traced", artifact_location=(tmp_path / "stored").as_uri())
    subprocess.run([sys.executable, "-c", TRACED, database.uri], cwd=tmp_path, check=True, capture_output=True)
    (run,) = runs_of(database.uri)
    imported = import_run(run, tmp_path / "mine")
    assert (imported.rows, dict(imported.left_out)) == (1, {"traces": 3})


def test_the_source_is_only_read(tmp_path: Path) -> None:
    """A folder of files is imported without a change to it, and one that was moved brings its artifacts along."""
    (tmp_path / "old").mkdir()
    client = MlflowClient((tmp_path / "old" / "mlruns").as_uri())
    experiment_id = client.create_experiment("files")
    run_id = client.create_run(experiment_id, start_time=START).info.run_id
    client.log_metric(run_id, "loss", math.inf, START, 3)
    client.log_text(run_id, "text", "notes.txt")
    moved = shutil.move(tmp_path / "old", tmp_path / "new")
    shutil.rmtree(Path(moved, "mlruns", ".trash"))
    before = sorted(path.relative_to(moved) for path in Path(moved).rglob("*"))
    (run,) = runs_of(str(Path(moved, "mlruns")))
    imported = import_run(run, tmp_path / "mine")
    assert (imported.rows, imported.artifacts, dict(imported.left_out)) == (1, 1, {})
    assert values(only(tmp_path / "mine"), "loss") == [(3, "inf", START / 1_000)]
    assert sorted(path.relative_to(moved) for path in Path(moved).rglob("*")) == before


def test_a_damaged_run_harms_no_other(neural, tmp_path: Path) -> None:
    """A run whose files are damaged is named and counted; the others come in."""
    client = MlflowClient((tmp_path / "mlruns").as_uri())
    experiment_id = client.create_experiment("files")
    runs = [client.create_run(experiment_id).info.run_id for _ in range(5)]
    for run_id in runs:
        client.log_metric(run_id, "loss", 0.5)
    client.delete_run(runs[2])
    stored = tmp_path / "mlruns" / experiment_id
    (stored / runs[1] / "meta.yaml").write_text("")
    (stored / runs[3] / "meta.yaml").write_text("a: [")
    (stored / runs[4] / "metrics" / "loss").write_text("1 torn")
    done = neural("import", "mlflow", "mlruns", "--base-dir", "mine")
    assert done.returncode == 1
    assert all(f"{runs[at]}: not brought in" in done.stderr for at in (1, 3, 4))
    assert "4 runs: 1 brought in, 0 there already, 3 failed" in done.stdout


def test_one_experiment(database, tmp_path: Path) -> None:
    """--experiment takes the runs of one; a name that is not there is told with those that are."""
    foreign_run(database.client, tmp_path)
    foreign_run(database.client, tmp_path, "other")
    assert len(list(runs_of(database.uri))) == 2
    (run,) = runs_of(database.uri, experiment="other")
    assert import_run(run, tmp_path / "mine").outcome == "new"
    assert only(tmp_path / "mine").tags["mlflow.experiment"] == "other"
    with pytest.raises(ConfigurationError, match="'other', 'theirs'"):
        list(runs_of(database.uri, experiment="nowhere"))


@pytest.mark.parametrize("kind", ["nothing", "text", "foreign database", "folder"])
def test_no_store(tmp_path: Path, kind: str) -> None:
    """What is no store of MLflow is refused in one sentence, and left as it is."""
    source = tmp_path / "source"
    if kind == "text":
        source.write_text("no database " * 1_000)
    if kind == "foreign database":
        with sqlite3.connect(source) as connection:
            connection.execute("CREATE TABLE mine(x)")
        connection.close()
    if kind == "folder":
        source.mkdir()
    before = source.read_bytes() if source.is_file() else None
    with pytest.raises(ConfigurationError) as refused:
        list(runs_of(str(source)))
    assert str(source) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert before is None or source.read_bytes() == before


def test_round_trip(database, tmp_path: Path) -> None:
    """What neural mirrored into MLflow comes back equal: numbers, times, parameters, names, notes, artifacts."""
    model = tmp_path / "model_10.pt"
    with ExperimentTracker("Größe", tmp_path / "mine", auto_visualize=False) as tracker:
        tracker.log_hyperparameters({"lr": 0.1, "model": {"depth": 3}, "long": "x" * 9_000, "quote's": None})
        tracker.set_tags({"plain": "", "neural.mine": "yes", "a'b": "text"})
        tracker.set_notes("notes " * 3_000)
        for step in range(1_500):
            tracker.log_metrics({"loss": 1 / (step + 3), 'quote"d': step / 7}, step=step)
        for step, value in enumerate([math.nan, math.inf, -math.inf, 5e-324, 1e308]):
            tracker.log_metrics({"odd": value}, step=step)
        for content in ("one", "two"):
            model.write_text(content)
            tracker.log_model(str(model), framework="pytorch")
    assert deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=database.uri)).complete
    (run,) = runs_of(database.uri)
    imported = import_run(run, tmp_path / "again")
    assert dict(imported.left_out) == {}
    again = only(tmp_path / "again")
    for name in ("loss", 'quote"d', "odd"):
        was, now = values(tracker, name), values(again, name)
        assert [point[:2] for point in now] == [point[:2] for point in was]
        assert [time for _, _, time in now] == pytest.approx([time for _, _, time in was], abs=0.000_6)  # milliseconds
    assert again.hyperparameters == tracker.hyperparameters
    assert (again.experiment_name, again.notes, again.status) == ("Größe", tracker.notes, "completed")
    assert again.tags == {**tracker.tags, "mlflow.experiment": "Größe"}
    for version in (1, 2):
        was, now = (one.get_artifact_version("model.pt", version=version) for one in (tracker, again))
        assert (now.checksum, now.kind, now.metadata, now.path.name) == (
            was.checksum,
            "model",
            was.metadata,
            was.path.name,
        )


def test_artifacts_elsewhere(database, tmp_path: Path) -> None:
    """Artifacts that do not lie here are counted."""
    experiment_id = database.client.create_experiment("remote", artifact_location="s3://bucket/path")
    database.client.create_run(experiment_id)
    (run,) = runs_of(database.uri)
    assert dict(import_run(run, tmp_path / "mine").left_out) == {"artifacts that lie elsewhere": 1}


@pytest.mark.parametrize("kind", ["database", "files"])
def test_logged_models(database, store_of, tmp_path: Path, kind: str) -> None:
    """A model that MLflow 3 keeps beside the run comes in with it, also from a store that was moved."""
    old, new, made = (tmp_path / name for name in ("old", "new", "made"))
    old.mkdir()
    shutil.move(tmp_path / "mlflow.db", old)
    is_files = kind == "files"
    client = store_of(old.as_uri() if is_files else f"sqlite:///{old / 'mlflow.db'}").client
    experiment_id = client.create_experiment("theirs", None if is_files else (old / "mlruns" / "1").as_uri())
    run_id = client.create_run(experiment_id, start_time=START).info.run_id
    made.mkdir()
    (made / "MLmodel").write_text("flavors: {}")
    model = client.create_logged_model(experiment_id, name="net", source_run_id=run_id)
    client.log_model_artifacts(model.model_id, str(made))
    client.finalize_logged_model(model.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    shutil.move(old, new)
    source = str(new if is_files else new / "mlflow.db")
    (run,) = runs_of(source)
    imported = import_run(run, tmp_path / "mine")
    assert (imported.artifacts, dict(imported.left_out)) == (1, {})
    stored = only(tmp_path / "mine").get_artifact_version("net", version=1)
    assert (stored.kind, (stored.path / "MLmodel").read_text()) == ("model", "flavors: {}")
    for artifacts in new.rglob(f"models/{model.model_id}/artifacts"):
        shutil.rmtree(artifacts)
    (bare,) = runs_of(source)
    assert dict(import_run(bare, tmp_path / "bare").left_out) == {"logged models": 1}
