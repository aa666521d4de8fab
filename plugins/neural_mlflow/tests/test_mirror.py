"""What stands in MLflow, value by value."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import datetime
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from mlflow.entities import Run
from neural_mlflow import MlflowBackend

from neural_core import ExperimentTracker
from neural_core.reading import Edit, ExperimentStore
from neural_core.testing import deliver


def track(tmp_path: Path, name: str = "mirror") -> ExperimentTracker:
    """Begin an experiment that nobody draws."""
    return ExperimentTracker(name, tmp_path / "experiments", auto_visualize=False)


def mirror(store, tracker: ExperimentTracker, **options: object) -> Run:
    """Deliver everything and give the run that MLflow has then."""
    done = deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=store.uri, **options))
    assert (done.complete, done.errors) == (True, 0), done.last_error
    return store.run(_uid(tracker))


def _uid(tracker: ExperimentTracker) -> str:
    return str(json.loads((tracker.experiment_dir / "metadata.json").read_text())["uid"])


def test_every_point_with_step_and_time(database, tmp_path: Path) -> None:
    """Every point has the value, the step and the millisecond of the original."""
    with track(tmp_path) as tracker:
        for step in range(1_234):
            tracker.log_metrics({"loss": 1 / (step + 3), "accuracy": step / 7}, step=step)
    run = mirror(database, tracker)
    for name in ("loss", "accuracy"):
        rows = [(row.step, row.values[name], round(row.timestamp * 1_000)) for row in tracker.metrics_history]
        history = database.client.get_metric_history(run.info.run_id, name)
        assert [(point.step, point.value, point.timestamp) for point in sorted(history, key=lambda p: p.step)] == rows


def test_infinities_are_told_by_another_metric(database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A database gets no infinity, which it would change: another metric and a tag tell it, and it is said once."""
    with track(tmp_path) as tracker:
        for step, value in enumerate([1.0, math.inf, -math.inf, math.nan, math.inf]):
            tracker.log_metrics({"loss": value, "other": math.inf}, step=step)
    run = mirror(database, tracker)
    assert [(step, repr(value)) for step, value in database.points(run, "loss")] == [(0, "1.0"), (3, "nan")]
    assert sorted(database.points(run, "neural.infinite/loss")) == [(1, 1.0), (2, -1.0), (4, 1.0)]
    assert "neural.infinite/loss" in run.data.tags["neural.infinite.loss"]
    assert sum("infinities" in record.message for record in caplog.records) == 1


def test_rows_without_step_are_counted(database, tmp_path: Path) -> None:
    """A row without a step gets the number of such rows before it, over resumes; so none takes another's place."""
    tracker = track(tmp_path)
    for _ in range(3):
        tracker.log_metrics({"loss": 0.5})
    tracker.finish()
    with ExperimentTracker.resume(str(tracker.experiment_dir)) as again:
        again.auto_visualize = False
        again.log_metrics({"loss": 0.5})
        again.log_metrics({"loss": 0.5}, step=70)
        again.log_metrics({"loss": 0.5})
    run = mirror(database, tracker)
    assert sorted(database.points(run, "loss")) == [(step, 0.5) for step in (0, 1, 2, 3, 4, 70)]


def test_parameters_are_flat_and_whole(database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nested ones get dots; a long or oddly named one is changed, said once, and stands whole in an artifact."""
    given = {"lr": 0.1, "model": {"depth": 3, "layers": [1, 2]}, "none": None, "on": True, "empty": "", "two": "a\nb"}
    odd = {"long": "é" * 9_000, 'quote"s': 1, "../up": 2, "": 3}
    with track(tmp_path) as tracker:
        tracker.log_hyperparameters({**given, **odd, "many": {f"p{at}": at for at in range(250)}})
    run = mirror(database, tracker)
    params = run.data.params
    flat = {"lr": "0.1", "model.depth": "3", "model.layers": "[1, 2]", "none": "None", "on": "True", "empty": ""}
    assert {name: params[name] for name in flat} == flat
    assert params["two"] == "a\nb"
    assert all(params[f"many.p{at}"] == str(at) for at in range(250))
    assert params["long"] == "é" * 5_999 + "…"
    names = {run.data.tags[f"neural.original.{key}"] for key in params if f"neural.original.{key}" in run.data.tags}
    assert names == {'quote"s', "../up", ""}
    whole = json.loads(database.files(run)["neural/hyperparameters.json"].read_text())
    assert whole == tracker.hyperparameters
    assert [record.message.count("is renamed") for record in caplog.records].count(1) == 1


def test_a_changed_hyperparameter(database, tmp_path: Path) -> None:
    """MLflow keeps the first value of a parameter; the tag has the newest, also when it is the first again."""
    with track(tmp_path) as tracker:
        for rate in (0.1, 0.2):
            tracker.log_hyperparameters({"lr": rate})
    run = mirror(database, tracker)
    assert (run.data.params["lr"], run.data.tags["neural.hyperparameter.lr"]) == ("0.1", "0.2")
    with ExperimentTracker.resume(str(tracker.experiment_dir)) as again:
        again.log_hyperparameters({"lr": 0.1})
    run = mirror(database, tracker)
    assert (run.data.params["lr"], run.data.tags["neural.hyperparameter.lr"]) == ("0.1", "0.1")


def test_tags_notes_and_name(database, tmp_path: Path) -> None:
    """Tags are tags, notes the description, a new name the name of the run; what is removed is removed."""
    tracker = track(tmp_path)
    tracker.set_tags({"baseline": "", "who": "me", "gone": "soon", "neural.uid": "mine", "sch'ön": "ü\n☃"})
    tracker.set_tags({"gone": None})
    tracker.set_notes("# tried\n" + "long " * 2_000)
    tracker.finish()
    run = mirror(database, tracker)
    assert run.info.run_name == f"mirror-{tracker.experiment_id}"
    tags = run.data.tags
    assert (tags["baseline"], tags["who"], tags["user.neural.uid"]) == ("", "me", "mine")
    assert "gone" not in tags
    (key,) = [key for key in tags if tags.get(f"neural.original.{key}") == "sch'ön"]
    assert tags[key] == "ü\n☃"
    assert tags["mlflow.note.content"].startswith("# tried\n")
    whole = json.loads(database.files(run)["neural/annotations.json"].read_text())
    assert whole["mlflow.note.content"] == tracker.notes
    reader = ExperimentStore(tracker.experiment_dir.parent)
    seen = reader.run(tracker.experiment_id)
    reader.edit(seen.row.experiment_id, seen.revision, Edit(name="Größe", tags={"who": "you"}))
    run = mirror(database, tracker)
    assert (run.info.run_name, run.data.tags["who"], run.info.status) == ("Größe", "you", "FINISHED")


@pytest.mark.parametrize(
    ("ours", "theirs"), [("completed", "FINISHED"), ("failed", "FAILED"), ("interrupted", "KILLED")]
)
def test_status_and_times(database, tmp_path: Path, ours: str, theirs: str) -> None:
    """Start and end are those of the original, and the status is MLflow's word for it."""
    tracker = track(tmp_path)
    tracker.log_metrics({"loss": 1.0}, step=0)
    tracker.finish(ours)
    said = json.loads((tracker.experiment_dir / "metadata.json").read_text())
    run = mirror(database, tracker)
    times = [round(datetime.fromisoformat(said[key]).timestamp() * 1_000) for key in ("start_time", "end_time")]
    assert (run.info.status, run.info.start_time, run.info.end_time) == (theirs, *times)


def test_a_resume_opens_the_run_again(database, tmp_path: Path) -> None:
    """The second span of an experiment goes on in the same run, which is RUNNING until it ends."""
    tracker = track(tmp_path)
    tracker.log_metrics({"loss": 1.0}, step=0)
    tracker.finish("failed")
    first = mirror(database, tracker)
    again = ExperimentTracker.resume(str(tracker.experiment_dir))
    again.auto_visualize = False
    again.log_metrics({"loss": 0.5}, step=1)
    second = mirror(database, tracker)
    again.finish()
    third = mirror(database, tracker)
    assert first.info.run_id == second.info.run_id == third.info.run_id
    assert [run.info.status for run in (first, second, third)] == ["FAILED", "RUNNING", "FINISHED"]
    assert sorted(database.points(third, "loss")) == [(0, 1.0), (1, 0.5)]


def test_artifacts_models_figures_and_folders(database, tmp_path: Path) -> None:
    """Each stands under its name and version, byte for byte, with its SHA-256 in a tag."""
    model, odd, tree = tmp_path / "model_10.pt", tmp_path / "100% #1?.txt", tmp_path / "tree"
    (tree / "below").mkdir(parents=True)
    (tree / "below" / "inner.txt").write_text("inner")
    odd.write_text("odd")
    figure = Figure()
    figure.add_subplot().plot([1, 2, 3])
    with track(tmp_path) as tracker:
        for content in ("one", "two"):
            model.write_text(content)
            tracker.log_model(str(model), framework="pytorch")
        tracker.log_artifact(str(odd), name="../od:d/name")
        tracker.log_artifact(str(tree))
        tracker.log_artifact(str(model), version=False)
        tracker.log_figure(figure, "curve")
    run = mirror(database, tracker)
    files, tags = database.files(run), run.data.tags
    assert files["models/model.pt/v1/model_10.pt"].read_text() == "one"
    assert files["models/model.pt/v2/model_10.pt"].read_text() == "two"
    assert files["tree/v1/below/inner.txt"].read_text() == "inner"
    assert files["model_10.pt/latest/model_10.pt"].read_text() == "two"
    assert files["plots/curve.png"].read_bytes()[:4] == b"\x89PNG"
    assert tags["neural.sha256.model.pt.v2"] == hashlib.sha256(b"two").hexdigest()
    assert tags["neural.sha256.tree.v1"] == tracker.get_artifact_version("tree", version=1).checksum
    assert tags["neural.sha256.curve"] == hashlib.sha256(files["plots/curve.png"].read_bytes()).hexdigest()
    described = [json.loads(text) for key, text in tags.items() if key.startswith("neural.artifact.")]
    (about,) = [one for one in described if one["name"] == "../od:d/name"]
    assert files[about["path"]].read_text() == "odd"
    assert json.loads(tags["neural.artifact.model.pt.v1"])["metadata"] == {"framework": "pytorch"}
    assert run.info.artifact_uri.startswith((tmp_path / "mlartifacts").as_uri())


def test_an_artifact_that_is_gone(database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An artifact whose bytes were deleted from the experiment is named, and holds nothing else up."""
    (tmp_path / "gone.txt").write_text("gone")
    with track(tmp_path) as tracker:
        stored = tracker.log_artifact(str(tmp_path / "gone.txt"))
        tracker.log_metrics({"loss": 1.0}, step=0)
    stored.path.unlink()
    run = mirror(database, tracker)
    assert database.points(run, "loss") == [(0, 1.0)]
    assert run.data.tags["neural.sha256.gone.txt.v1"] == hashlib.sha256(b"gone").hexdigest()
    assert any("'gone.txt' is not there any more" in record.message for record in caplog.records)


def test_names_of_metrics_that_mlflow_refuses(database, tmp_path: Path) -> None:
    """Two names that would become one key stay two metrics, and tags have the names; no name stops the others."""
    names = ["a$b", "a%b", "x" * 300, "/abs", "a//b", "..", "val:loss", "ok"]
    with track(tmp_path) as tracker:
        for at, name in enumerate(names):
            tracker.log_metrics({name: float(at)}, step=at)
    run = mirror(database, tracker)
    stored = {run.data.tags.get(f"neural.original.{key}", key): value for key, value in run.data.metrics.items()}
    assert stored == {name: float(at) for at, name in enumerate(names)}


def test_a_row_wider_than_a_request(database, tmp_path: Path) -> None:
    """A row with more metrics than one request takes arrives whole, once, also when it comes again."""
    wide = {f"größe {at} {'ü' * 100}": float(at) for at in range(2_500)}
    with track(tmp_path) as tracker:
        for step in range(2):
            tracker.log_metrics(wide, step=step)
    for _ in range(2):
        run = mirror(database, tracker)
        assert dict(run.data.metrics) == wide
    assert database.points(run, f"größe 7 {'ü' * 100}") == [(0, 7.0), (1, 7.0)]
