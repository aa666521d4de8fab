"""Names that a store, a file system or a URL cannot take as they are: what stands there instead, and what is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from mlflow.entities import Run
from neural_mlflow import MlflowBackend
from neural_mlflow.importing import runs_of

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.importing import import_run
from neural_core.testing import deliver

TWICE = """
import sys
from neural_core.testing import deliver
from neural_mlflow import MlflowBackend

done = deliver(sys.argv[1], MlflowBackend(tracking_uri=sys.argv[2]))
assert (done.complete, done.errors) == (True, 0), done.last_error
"""


def track(tmp_path: Path) -> ExperimentTracker:
    """Begin an experiment that nobody draws."""
    return ExperimentTracker("names", tmp_path / "experiments", auto_visualize=False)


def mirror(store, tracker: ExperimentTracker) -> Run:
    """Deliver everything twice and give the run that MLflow has then."""
    for _ in range(2):
        done = deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=store.uri))
        assert (done.complete, done.errors) == (True, 0), done.last_error
    (run,) = store.runs()
    return run


def imported(uri: str, tmp_path: Path) -> ExperimentTracker:
    """Bring the one run of a store in."""
    (found,) = runs_of(uri)
    import_run(found, tmp_path / "again")
    (row,) = ExperimentManager(str(tmp_path / "again")).list_experiments()
    return ExperimentManager(str(tmp_path / "again")).get_experiment(row["experiment_id"])


@pytest.fixture
def files(store_of, tmp_path: Path):
    """A folder of files of the test's own."""
    return store_of((tmp_path / "mlruns").as_uri())


def test_figures_have_their_names(database, tmp_path: Path) -> None:
    """A figure stands in MLflow by its own name, as an image, whatever its file is called in the experiment."""
    figure = Figure()
    figure.add_subplot().plot([1, 2])
    with track(tmp_path) as tracker:
        for name in ("Confusion Matrix", "ROC.PNG", "loss/val"):
            tracker.log_figure(figure, name)
    found = sorted(database.files(mirror(database, tracker)))
    assert found[:2] == ["plots/Confusion Matrix.png", "plots/ROC.PNG"]
    assert (found[2].startswith("plots/loss_val-"), found[2].endswith(".png"), len(found)) == (True, True, 3)


def test_checkpoints_keep_their_names(database, tmp_path: Path) -> None:
    """What a trainer calls its checkpoints needs no other name."""
    path = tmp_path / "epoch=3-step=100.ckpt"
    path.write_text("weights")
    with track(tmp_path) as tracker:
        tracker.log_model(str(path), framework="pytorch")
    assert list(database.files(mirror(database, tracker))) == ["models/epoch.ckpt/v1/epoch=3-step=100.ckpt"]


def test_a_folder_takes_the_place_of_another(store_of, tmp_path: Path) -> None:
    """An unversioned folder that changed is stored again by a user who may write stored files as little as we may."""
    (tmp_path / "tree").mkdir()
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    tracker = track(tmp_path)
    bound = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
    for content in ("one", "two"):
        (tmp_path / "tree" / "file").write_text(content)
        tracker.log_artifact(str(tmp_path / "tree"), version=False)
        command = [*bound, sys.executable, "-c", TWICE, str(tracker.experiment_dir), uri]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    tracker.finish()
    store = store_of(uri)
    (run,) = store.runs()
    assert store.files(run)["tree/latest/file"].read_text() == "two"


def test_what_is_too_long_for_a_tag(database, tmp_path: Path) -> None:
    """The metadata of an artifact stands whole in a document where a tag cannot hold it, and comes back."""
    (tmp_path / "file.txt").write_text("text")
    framework = "ours " * 2_000
    with track(tmp_path) as tracker:
        tracker.log_model(str(tmp_path / "file.txt"), framework=framework)
    run = mirror(database, tracker)
    document = json.loads(run.data.tags["neural.artifact.file.txt.v1"])["document"]
    assert json.loads(database.files(run)[document].read_text())["metadata"] == {"framework": framework}
    assert (
        imported(database.uri, tmp_path).get_artifact_version("file.txt", version=1).metadata["framework"] == framework
    )


def test_names_that_are_files(files, tmp_path: Path) -> None:
    """In a folder of files ``a`` and ``a/b`` stand together, as do names that are long in bytes, and come back."""
    long, longer = "ü" * 120, "ü" * 200
    with track(tmp_path) as tracker:
        tracker.log_hyperparameters({"a": 1, "a/b": 2, longer: 3})
        tracker.log_hyperparameters({"a": 4, "a/b": 5})
        tracker.set_tags({"t/u": "1", "t": "2", longer: "3", "gone": "", "gone/b": ""})
        tracker.set_tags({"gone/b": None})
        tracker.log_metrics({"a/b": 1.0, long: 2.0}, step=0)
        tracker.log_metrics({"a": 3.0, "a/b": 4.0, "a/b/c": 5.0, longer: 6.0}, step=1)
    run = mirror(files, tracker)
    assert files.points(run, "a/b") == [(0, 1.0), (1, 4.0)]
    assert len(run.data.metrics) == 5
    again = imported(str(tmp_path / "mlruns"), tmp_path)
    assert [dict(row.values) for row in again.metrics_history] == [dict(row.values) for row in tracker.metrics_history]
    assert again.hyperparameters == tracker.hyperparameters
    assert again.tags == {**tracker.tags, "mlflow.experiment": "names"}


def test_files_beside_a_database(database, store_of, tmp_path: Path) -> None:
    """Artifacts of the default store leave a folder ``./mlruns`` beside it as it is: MLflow reads it as before."""
    (tmp_path / "file.txt").write_text("text")
    with ExperimentTracker("my runs: ü", tmp_path / "experiments", auto_visualize=False) as tracker:
        tracker.log_artifact(str(tmp_path / "file.txt"))
    run = mirror(database, tracker)
    assert run.info.artifact_uri.startswith((tmp_path / "mlartifacts").as_uri())
    assert deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=str(tmp_path / "mlruns"))).complete
    (other,) = store_of((tmp_path / "mlruns").as_uri()).runs()
    assert other.data.tags["neural.uid"] == run.data.tags["neural.uid"]


def test_a_long_name(database, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The name of an experiment that is too long is shortened, told once, and stands whole in a tag."""
    name = "long " * 100
    with ExperimentTracker(name, tmp_path / "experiments", auto_visualize=False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    assert deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=database.uri)).complete
    (run,) = database.runs()
    assert run.data.tags["neural.name"] == tracker.experiment_name
    assert len(database.client.get_experiment(run.info.experiment_id).name) == 250
    assert [record.message.count("another name there") for record in caplog.records] == [1]


def test_artifacts_with_paths_as_names(database, tmp_path: Path) -> None:
    """An artifact may be called like a file of another, or like a folder of ours: each stands by itself."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.pt").write_text("in data")
    (tmp_path / "x.pt").write_text("x")
    with track(tmp_path) as tracker:
        for name in ("data", "plots/curve.png", "models/x.pt", "data/x.pt"):
            tracker.log_artifact(
                str(tmp_path / ("data" if name == "data" else "x.pt")), name=name, version=name != "data"
            )
        tracker.log_model(str(tmp_path / "data" / "x.pt"), framework="pytorch")
        figure = Figure()
        tracker.log_figure(figure, "curve")
    files = {path: file.read_bytes() for path, file in database.files(mirror(database, tracker)).items()}
    assert files.pop("plots/curve.png").startswith(b"\x89PNG")
    assert files == {
        "data/latest/x.pt": b"in data",
        "data/x.pt/v1/x.pt": b"x",
        "models/x.pt/v1/x.pt": b"in data",
        "user.models/x.pt/v1/x.pt": b"x",
        "user.plots/curve.png/v1/x.pt": b"x",
    }
