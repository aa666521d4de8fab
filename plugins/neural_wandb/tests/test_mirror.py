"""Everything that is mirrored, value by value, as it stands in W&B's files."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from neural_wandb import WandbBackend
from wandb_files import Written

from neural_core import ExperimentTracker
from neural_core.testing import deliver

Mirrored = Callable[..., tuple[ExperimentTracker, Written]]


@pytest.fixture
def mirrored(tmp_path: Path) -> Mirrored:
    """Give a function that tracks what a function logs, delivers it, and reads it back."""

    def mirror(log: Callable[[ExperimentTracker], Any], name: str = "mirror", **options: Any) -> Any:
        tracker = ExperimentTracker(name, tmp_path / "experiments", auto_visualize=False)
        log(tracker)
        tracker.finish()
        delivered = deliver(tracker.experiment_dir, WandbBackend(mode="offline", dir=tmp_path, **options))
        assert (delivered.complete, delivered.last_error) == (True, None)
        return tracker, Written(tmp_path, tracker.experiment_id)

    return mirror


ODD = [0.1 + 0.2, -0.0, 5e-324, sys.float_info.max, math.nan, math.inf, -math.inf, 2.0**53 + 2]


def test_every_bit_of_a_value(mirrored: Mirrored) -> None:
    """Values arrive bit by bit; NaN and the infinities are what they are."""
    _, written = mirrored(lambda t: [t.log_metrics({"loss": value}, step=at) for at, value in enumerate(ODD)])
    assert [repr(value) for _, _, value in written.points("loss")] == [repr(value) for value in ODD]


def test_steps_are_the_axis(mirrored: Mirrored) -> None:
    """Every step is there, decreasing and 64-bit ones too; W&B's own count only grows."""
    steps = [5, 3, 3, 2**62 + 1, -(2**62), 0]
    _, written = mirrored(lambda t: [t.log_metrics({"loss": 1.0}, step=step) for step in steps])
    assert [step for _, step, _ in written.points("loss")] == steps
    assert [row["_step"] for row in written.history] == list(range(len(steps)))
    axes = [
        (record.metric.glob_name, record.metric.step_metric) for record in written.records if record.metric.step_metric
    ]
    assert axes == [("*", "neural/step")]


def test_what_wandb_reads(mirrored: Mirrored) -> None:
    """W&B's own reader of these files gives every row with every value, in the order of logging."""
    logged = [(2**53 - at * 7 % 11, 0.1 * at, math.nan if at % 3 else float(at)) for at in range(2_000)]
    log = [{"loss": loss, "ü/b": other} for _, loss, other in logged]
    _, written = mirrored(
        lambda t: [t.log_metrics(row, step=step) for row, (step, *_) in zip(log, logged, strict=True)]
    )
    command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(written.files[0])]
    said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
    records = [json.loads(line) for line in said.splitlines()]
    rows = [record["history"]["item"] for record in records if record["type"] == "history"]
    read = [(row["neural/step"], float(row["loss"]), float(row["ü/b"])) for row in rows]
    assert repr(read) == repr(logged)
    assert {"num", "type", "exit"} == records[-1].keys()


def test_rows_without_steps(mirrored: Mirrored) -> None:
    """Without any step, W&B's own count is the axis, and no step is made up."""
    _, written = mirrored(lambda t: [t.log_metrics({"loss": float(at)}) for at in range(3)])
    assert written.points() == [("loss", None, 0.0), ("loss", None, 1.0), ("loss", None, 2.0)]
    assert not [record for record in written.records if record.WhichOneof("record_type") == "metric"]


def test_times_are_the_original_ones(mirrored: Mirrored) -> None:
    """A row has the time of its call, to the microsecond."""
    tracker, written = mirrored(lambda t: [t.log_metrics({"loss": 1.0}, step=step) for step in range(3)])
    assert [row["_timestamp"] for row in written.history] == [row.timestamp for row in tracker.metrics_history]


def test_names_that_are_taken(mirrored: Mirrored) -> None:
    """Metrics named as W&B's or our own keys get another name, which the config translates."""
    taken = ["_step", "_timestamp", "_runtime", "_wandb", "neural/step"]
    kept = ["step", "größe/π", "a.b", "损失", 'q"']
    _, written = mirrored(lambda t: t.log_metrics(dict.fromkeys(taken + kept, 0.5), step=7))
    assert sorted(name for name, _, _ in written.points()) == sorted([f"{name}~2" for name in taken] + kept)
    assert written.about["metrics"] == {f"{name}~2": name for name in taken}


def test_hyperparameters(mirrored: Mirrored) -> None:
    """The config is nested as it was logged; what is logged again changes it."""

    def log(tracker: ExperimentTracker) -> None:
        tracker.log_hyperparameters({"lr": 0.1, "model": {"depth": 3, "kind": "tiny"}, "list": [1, "a", None]})
        tracker.log_hyperparameters({"lr": 0.2, "late": True})

    _, written = mirrored(log)
    config = {name: value for name, value in written.config.items() if not name.startswith(("_", "neural/"))}
    assert config == {
        "lr": 0.2,
        "model": {"depth": 3, "kind": "tiny"},
        "list": [1, "a", None],
        "late": True,
    }


def test_summary(mirrored: Mirrored) -> None:
    """The summary holds of each metric the last value, and the smallest and largest finite ones."""
    values = [3.0, 0.5, math.nan, math.inf, 2.0]
    _, written = mirrored(lambda t: [t.log_metrics({"loss": value}, step=at) for at, value in enumerate(values)])
    summary = {name: value for name, value in written.summary.items() if not name.startswith("_")}
    assert summary == {"loss": 2.0, "neural/min/loss": 0.5, "neural/max/loss": 3.0}


def test_annotations(mirrored: Mirrored) -> None:
    """Name, notes and tags arrive, also changed ones; long tags are cut, and whole in the config."""

    def log(tracker: ExperimentTracker) -> None:
        tracker.set_tags({"baseline": "", "host": "a1", "long": "x" * 100})
        tracker.set_notes("first\nsecond")
        tracker.log_metrics({"loss": 1.0}, step=0)
        tracker.set_notes("third ☃")

    _, written = mirrored(log, "Größe: 损失", tags=["mine"])
    assert (written.run.display_name, written.run.notes) == ("Größe: 损失", "third ☃")
    assert list(written.run.tags) == ["mine", "baseline", "host:a1", "long:" + "x" * 59]
    assert written.about["tags"] == {"baseline": "", "host": "a1", "long": "x" * 100}


def test_where_a_run_stands(mirrored: Mirrored) -> None:
    """Project, entity, group and job type are as the options say; the run's id is the experiment's."""
    options = {"project": "p1", "entity": "team", "group": "g", "job_type": "train"}
    tracker, written = mirrored(lambda t: t.log_metrics({"loss": 1.0}, step=0), **options)
    run = written.run
    assert (run.project, run.entity, run.run_group, run.job_type) == ("p1", "team", "g", "train")
    assert run.run_id == tracker.experiment_id
    assert [file.parent.name.startswith("offline-run-") for file in written.files] == [True]


@pytest.mark.parametrize(("status", "code"), [("completed", 0), ("failed", 1), ("interrupted", 255)])
def test_status(mirrored: Mirrored, status: str, code: int) -> None:
    """Each end has its exit code; the config has our own word for it, with the original times."""
    tracker, written = mirrored(lambda t: (t.log_metrics({"loss": 1.0}, step=0), t.set_status(status)))
    assert written.exit_codes == [code]
    about = written.about
    assert (about["status"], about["experiment_id"]) == (status, tracker.experiment_id)
    row = written.history[0]["_timestamp"]
    assert datetime.fromisoformat(about["start_time"]).timestamp() <= row
    assert row <= datetime.fromisoformat(about["end_time"]).timestamp()


def test_artifacts(mirrored: Mirrored, tmp_path: Path) -> None:
    """Each version of a file, folder or model is an artifact with type, aliases, SHA-256 and a copy in the run."""

    def log(tracker: ExperimentTracker) -> None:
        for content in ("one", "two"):
            (tmp_path / "weights 1.bin").write_text(content)
            tracker.log_artifact(str(tmp_path / "weights 1.bin"))
        (tmp_path / "model.pt").write_text("model")
        tracker.log_model(str(tmp_path / "model.pt"), framework="pytorch")
        (tmp_path / "tree" / "deep").mkdir(parents=True)
        (tmp_path / "tree" / "deep" / "a.txt").write_text("a")
        (tmp_path / "tree" / "b.txt").write_text("b")
        tracker.log_artifact(str(tmp_path / "tree"))

    tracker, written = mirrored(log)
    for path in tracker.experiment_dir.rglob("*"):
        path.chmod(0o700)
    first, second, model, tree = written.artifacts
    assert first.name == second.name
    assert first.name.startswith("weights-1.bin-")
    assert [sorted(one.aliases) for one in (first, second)] == [["latest", "version-1"], ["latest", "version-2"]]
    assert (model.name, model.type, tree.name, tree.type) == ("model.pt", "model", "tree", "file")
    assert '"framework":"pytorch"' in model.metadata
    assert hashlib.sha256(b"two").hexdigest() in second.metadata
    contents = [{e.path: Path(e.local_path).read_text() for e in one.manifest.contents} for one in written.artifacts]
    assert contents == [
        {"weights 1.bin": "one"},
        {"weights 1.bin": "two"},
        {"model.pt": "model"},
        {"deep/a.txt": "a", "b.txt": "b"},
    ]
    own = written.files[0].parent
    assert all(Path(e.local_path).is_relative_to(own) for one in written.artifacts for e in one.manifest.contents)


def test_figures(mirrored: Mirrored) -> None:
    """A figure is an image with its SHA-256, and its file is in the run's folder; vector graphics are artifacts."""

    def log(tracker: ExperimentTracker) -> None:
        tracker.log_figure(Figure(), "curve")
        tracker.log_figure(Figure(), "vector.svg")

    _, written = mirrored(log)
    (picture,) = [row["figures/curve"] for row in written.history]
    stored = written.files[0].parent / "files" / picture["path"]
    assert stored.read_bytes().startswith(b"\x89PNG")
    assert picture["sha256"] == hashlib.sha256(stored.read_bytes()).hexdigest()
    assert picture["caption"] == "curve"
    assert [(artifact.name, artifact.type) for artifact in written.artifacts] == [("vector.svg", "figure")]


def test_nothing_of_the_companion(mirrored: Mirrored) -> None:
    """Nothing is collected of the process that delivers: no console, no packages, no code, no system metrics."""
    _, written = mirrored(lambda t: t.log_metrics({"loss": 1.0}, step=0))
    kinds = {record.WhichOneof("record_type") for record in written.records}
    assert kinds == {"header", "run", "config", "summary", "metric", "history", "telemetry", "exit"}
    assert not [path for path in (written.files[0].parent / "files").rglob("*") if path.is_file()]


def test_disabled(tmp_path: Path) -> None:
    """A disabled W&B writes nothing, and the delivery is complete."""
    with ExperimentTracker("off", tmp_path / "experiments", auto_visualize=False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
        tracker.log_figure(Figure(), "curve")
    assert deliver(tracker.experiment_dir, WandbBackend(mode="disabled", dir=tmp_path)).complete
    assert not (tmp_path / "wandb").exists()
