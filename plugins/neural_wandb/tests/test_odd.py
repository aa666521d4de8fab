"""What W&B would refuse, change or stumble over, on its way there and back."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from neural_wandb import WandbBackend
from neural_wandb.importing import read_runs
from wandb_files import Written

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.importing import import_run
from neural_core.testing import deliver

HALF = "\udcff"
"""Half of a character: a name of a file that is no UTF-8 has such."""
Trip = Callable[..., tuple[Any, Any, Written]]


@pytest.fixture
def trip(tmp_path: Path) -> Trip:
    """Give a function that tracks, delivers and imports; it gives the original, what came back, and W&B's files."""

    def go(log: Callable[[ExperimentTracker], Any], name: str = "odd", **options: Any) -> Any:
        with ExperimentTracker(name, tmp_path / "first", auto_visualize=False) as tracker:
            log(tracker)
        told = deliver(tracker.experiment_dir, WandbBackend(mode="offline", dir=tmp_path / "there", **options))
        assert (told.complete, told.last_error) == (True, None)
        (run,) = read_runs(tmp_path / "there")
        imported = import_run(run, tmp_path / "second")
        assert imported.left_out == {}
        found = ExperimentManager(str(tmp_path / "second")).get_experiment(imported.experiment_id)
        original = ExperimentManager(str(tmp_path / "first")).get_experiment(tracker.experiment_id)
        return original, found, Written(tmp_path / "there")

    return go


def test_metrics_called_as_others_are_renamed(trip: Trip) -> None:
    """No metric takes the place of another one, also not where one is called as a renamed one is."""
    names = ["_step", "_step~2", "_step~2~2", "neural/step", "neural/step~2", "loss~2", f"a{HALF}"]
    values = {name: float(at) for at, name in enumerate(names)}
    original, found, _ = trip(lambda tracker: tracker.log_metrics(values, step=1))
    assert dict(found.metrics_history[0].values) == dict(original.metrics_history[0].values) == values


def test_hyperparameters_that_wandb_changes(trip: Trip) -> None:
    """Names with outer dashes, NaN, infinities, and what W&B takes for its artifacts come back as they were."""
    logged = {
        "-lr": 1,
        "lr": 2,
        "lr~2": 3,
        "-": 4,
        "_wandb": 5,
        "neural/run": 6,
        "numbers": {"nan": [math.nan, -0.0], "inf": [math.inf, -math.inf], "big": 2**70},
        "data": "wandb-artifact://entity/project/data:v0",
        "nested": {"data": ["wandb-artifact://data:v0"], "model": {"_type": "artifactVersion", "id": "x"}},
        f"half{HALF}": HALF,
    }
    original, found, written = trip(lambda tracker: tracker.log_hyperparameters(logged))
    assert repr(found.hyperparameters["numbers"]) == repr(original.hyperparameters["numbers"])
    for name in logged.keys() - {"numbers"}:
        assert found.hyperparameters[name] == original.hyperparameters[name] == logged[name]
    assert found.hyperparameters.keys() == logged.keys()
    assert (written.config["lr"], written.config["lr~2"]) == (2, 1)
    assert written.config["numbers"]["inf"] == ["Infinity", "-Infinity"]


def test_texts_that_wandb_stumbles_over(trip: Trip) -> None:
    """Tags that read like W&B's artifacts, and halves of characters wherever they are, stop no delivery."""

    def log(tracker: ExperimentTracker) -> None:
        tracker.set_tags({"data": "wandb-artifact://data:v0", HALF: "half"})
        tracker.set_notes(f"notes {HALF}")
        tracker.log_figure(Figure(), HALF)
        tracker.log_artifact(__file__, HALF, metadata={"from": HALF})

    original, found, written = trip(log, f"name {HALF}")
    assert found.tags == original.tags
    assert dict(found.artifacts[-1].metadata) == {"from": HALF}
    assert (written.run.display_name, written.run.notes) == ("name \\udcff", "notes \\udcff")


def test_tags_of_the_options(trip: Trip) -> None:
    """A further tag that is too long for W&B is cut, as a tag of the experiment is; an empty one is none."""
    _, _, written = trip(lambda tracker: tracker.set_tags(["own"]), tags=["x" * 100, ""])
    assert list(written.run.tags) == ["x" * 64, "own"]


def test_figures_called_anything(trip: Trip) -> None:
    """A figure may be called anything, and comes back under its name."""
    names = ["a/b", "../../up", "x" * 300, "c:d*?.png", "new\nline", "n\0l", "ü", ".."]
    original, found, written = trip(lambda tracker: [tracker.log_figure(Figure(), name) for name in names])
    for name in names:
        (before,), (after,) = original.list_artifact_versions(name), found.list_artifact_versions(name)
        assert (before.checksum, before.kind) == (after.checksum, after.kind), name
    own = written.files[0].parent
    assert all((own / "files" / row[key]["path"]).is_file() for row in written.history for key in row if "/" in key)


def test_a_figure_that_is_no_image(tmp_path: Path) -> None:
    """A figure's file that cannot be read as an image is an artifact; the delivery goes on."""
    with ExperimentTracker("odd", tmp_path / "first", auto_visualize=False) as tracker:
        tracker.log_figure(Figure(), "curve")
        tracker.log_metrics({"loss": 1.0}, step=0)
    (figure,) = tracker.artifacts
    figure.path.chmod(0o600)
    figure.path.write_bytes(b"no image")
    told = deliver(tracker.experiment_dir, WandbBackend(mode="offline", dir=tmp_path))
    assert (told.complete, told.last_error) == (True, None)
    written = Written(tmp_path)
    assert [(artifact.name, artifact.type) for artifact in written.artifacts] == [("curve", "figure")]
    assert written.points("loss") == [("loss", 0, 1.0)]


def test_artifacts_called_anything(trip: Trip, tmp_path: Path) -> None:
    """Names of artifacts, and of the files in them, may be anything; a program in a folder comes back as one."""
    tree = tmp_path / "tree"
    (tree / "in").mkdir(parents=True)
    (tree / "in" / "half.sh").write_text("#!/bin/sh")
    (tree / "in" / "half.sh").chmod(0o755)
    (tmp_path / "one.txt").write_text("one")
    names = ["..", ".", "a/b", "x" * 300, "ü", "n\0l"]

    def log(tracker: ExperimentTracker) -> None:
        for name in names:
            tracker.log_artifact(str(tmp_path / "one.txt"), name)
        tracker.log_artifact(str(tree))

    original, found, _ = trip(log)
    for name in [*names, "tree"]:
        (before,), (after,) = original.list_artifact_versions(name), found.list_artifact_versions(name)
        assert before.checksum == after.checksum, name


def test_rows_without_any_step(trip: Trip) -> None:
    """Rows of an experiment that has no steps come back without one, not with W&B's count."""
    _, found, _ = trip(lambda tracker: [tracker.log_metrics({"loss": float(at)}) for at in range(3)])
    assert [row.step for row in found.metrics_history] == [None, None, None]
