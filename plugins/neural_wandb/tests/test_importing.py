"""`neural import wandb`: runs that W&B's own API wrote, and our own, brought in."""

from __future__ import annotations

import math
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wandb
from matplotlib.figure import Figure
from neural_wandb import WandbBackend
from neural_wandb.importing import read_runs
from neural_wandb.run_log import RunLog

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.errors import ArgumentValueError, DamagedError
from neural_core.importing import Imported, import_run
from neural_core.testing import deliver, wait_for

NEURAL = """
from importlib.metadata import entry_points
(command,) = entry_points(group="console_scripts", name="neural")
command.load()()
"""
MORE = {"silent": True, "console": "off", "x_disable_stats": True, "x_disable_meta": True, "disable_git": True}


def begin(folder: Path, run_id: str, **more: Any) -> wandb.Run:
    """Begin an offline run as W&B's users do."""
    settings = wandb.Settings(**MORE, x_save_requirements=False, x_disable_machine_info=True)
    more = {"project": "p", **more}
    return wandb.init(id=run_id, mode="offline", dir=str(folder), reinit="create_new", settings=settings, **more)


def end(run: wandb.Run, exit_code: int = 0) -> None:
    """End a run, and wait until W&B's service has written its file, which it does a moment later."""
    run.finish(exit_code=exit_code)
    file = Path(run.settings.sync_file)
    with RunLog(file) as log:
        wait_for(lambda: any(record.WhichOneof("record_type") == "exit" for record in log.records()))


def bring(source: Path, base: Path) -> list[Imported]:
    """Import all runs of a place."""
    return [import_run(run, base) for run in read_runs(source)]


def only(imported: list[Imported], base: Path) -> tuple[Imported, Any]:
    """Give the only one that was brought in, and its experiment."""
    (one,) = imported
    return one, ExperimentManager(str(base)).get_experiment(one.experiment_id)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with one rich run of W&B's own API."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "weights.pt").write_text("weights")
    (folder / "extra.txt").write_text("extra")
    run = begin(
        folder,
        "rich",
        name="a name",
        notes="notes ☃",
        tags=["a", "b"],
        group="g",
        config={"lr": 0.1, "model": {"depth": 3}, "big": 2**60},
    )
    for step in range(5):
        run.log({"loss": step / 4, "n": step, "train": {"acc": 0.5}})
    run.log({"loss": math.nan, "flag": True}, step=10)
    run.log({"picture": wandb.Image(np.zeros((4, 4, 3), np.uint8)), "text": "hello", "h": wandb.Histogram([1, 2])})
    run.config.update({"lr": 0.2}, allow_val_change=True)
    run.summary["best"] = 0.75
    artifact = wandb.Artifact("model", "model", metadata={"k": 1})
    artifact.add_file(str(folder / "weights.pt"))
    run.log_artifact(artifact)
    gone = wandb.Artifact("gone", "dataset")
    gone.add_file(str(folder / "extra.txt"), policy="immutable")
    run.log_artifact(gone)
    run.save(str(folder / "extra.txt"), base_path=str(folder), policy="now")
    end(run)
    (folder / "extra.txt").write_text("changed since")
    return folder


def test_all_of_a_run(foreign: Path, tmp_path: Path) -> None:
    """Rows with steps and times, config, tags, notes, name and status, files and artifacts that lie here, come in."""
    one, found = only(bring(foreign, tmp_path), tmp_path)
    assert (one.outcome, one.rows, one.hyperparameters) == ("new", 7, 3)
    assert (found.experiment_name, found.notes, found.status) == ("a name", "notes ☃", "completed")
    assert found.hyperparameters == {"lr": 0.2, "model": {"depth": 3}, "big": 2**60}
    assert found.tags == {"a": "", "b": "", "wandb.project": "p", "wandb.run_group": "g"}
    rows = list(found.metrics_history)
    assert [row.step for row in rows] == [0, 1, 2, 3, 4, 10, None]
    assert dict(rows[1].values) == {"loss": 0.25, "n": 1.0, "train.acc": 0.5}
    assert repr(dict(rows[5].values)) == repr({"flag": 1.0, "loss": math.nan}) or math.isnan(rows[5].values["loss"])
    assert dict(rows[6].values) == {"best": 0.75}
    assert abs(rows[0].timestamp - time.time()) < 600


def test_what_is_left_out_is_counted(foreign: Path, tmp_path: Path) -> None:
    """Media, texts, and artifacts whose files changed since are counted, each by its kind."""
    one, _ = only(bring(foreign, tmp_path), tmp_path)
    assert one.left_out == {"images": 1, "texts": 1, "histograms": 1, "artifacts": 1}


def test_artifacts_and_files(foreign: Path, tmp_path: Path) -> None:
    """An artifact has its kind, metadata and bytes; a saved file comes in under its path."""
    _, found = only(bring(foreign, tmp_path), tmp_path)
    (model,) = found.list_artifact_versions("model")
    assert (model.path.read_text(), model.kind, dict(model.metadata)) == ("weights", "model", {"k": 1})
    assert len(found.list_artifact_versions("extra.txt")) == 1


def test_safe_to_repeat(foreign: Path, tmp_path: Path) -> None:
    """An import that is repeated changes nothing, whichever name of the place is given."""
    (first,) = bring(foreign, tmp_path)
    (folder,) = foreign.glob("wandb/offline-run-*")
    (file,) = folder.glob("*.wandb")
    for place in (foreign, foreign / "wandb", folder, file, foreign / "wandb" / "latest-run"):
        (again,) = bring(place, tmp_path)
        assert (again.outcome, again.experiment_id) == ("unchanged", first.experiment_id), place


def test_a_run_that_goes_on(tmp_path: Path) -> None:
    """A run that has grown is brought in again; one without an end is interrupted."""
    run = begin(tmp_path, "grows")
    run.log({"loss": 1.0})
    end(run, 3)
    base = tmp_path / "base"
    one, found = only(bring(tmp_path, base), base)
    assert (one.rows, found.status) == (1, "failed")
    more = begin(tmp_path, "grows")
    more.log({"loss": 0.5}, step=5)
    end(more)
    (file, _) = sorted(tmp_path.glob("wandb/*run-*/*.wandb"), key=lambda path: path.parent.name)
    one, found = only(bring(tmp_path, base), base)
    assert (one.outcome, one.rows, found.status) == ("replaced", 2, "completed")
    assert found.get_metrics("loss") == [1.0, 0.5]
    data = file.read_bytes()
    shutil.rmtree(file.parent)
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "run-grows.wandb").write_bytes(data[:-120])
    _, found = only(bring(tmp_path / "cut", base), base)
    assert found.status == "interrupted"


ODD = [0.1 + 0.2, -0.0, 5e-324, math.nan, math.inf, -math.inf, 2.0**53 + 2]


def test_round_trip(tmp_path: Path) -> None:
    """What was mirrored and is brought in again equals the original: every bit of every row, and all beside them."""
    with ExperimentTracker("Größe: 损失", tmp_path / "first", auto_visualize=False) as tracker:
        tracker.log_hyperparameters(
            {"lr": 0.1, "model": {"depth": 3}, "list": [1, None], "big": 2**60, "_wandb": 1, "neural/run": 2}
        )
        tracker.set_tags({"k": "v" * 100, "plain": ""})
        tracker.set_notes("notes")
        for at, value in enumerate(ODD):
            tracker.log_metrics({"loss": value, "_step": float(at), "a.b/c": 1.0}, step=2**62 - at)
        tracker.log_metrics({"loss": 1.0})
        (tmp_path / "a b.txt").write_text("a")
        (tmp_path / "tree" / "deep").mkdir(parents=True)
        (tmp_path / "tree" / "deep" / "x.txt").write_text("x")
        for _ in range(2):
            (tmp_path / "a b.txt").write_text("a" + (tmp_path / "a b.txt").read_text())
            tracker.log_artifact(str(tmp_path / "a b.txt"))
        tracker.log_model(str(tmp_path / "a b.txt"), framework="pytorch")
        tracker.log_artifact(str(tmp_path / "tree"))
        tracker.log_figure(Figure(), "curve")
        tracker.set_status("failed")
    assert deliver(tracker.experiment_dir, WandbBackend(mode="offline", dir=tmp_path / "there")).complete
    shutil.move(tmp_path / "there", tmp_path / "elsewhere")
    one, found = only(bring(tmp_path / "elsewhere", tmp_path / "second"), tmp_path / "second")
    assert one.left_out == {}
    original = ExperimentManager(str(tmp_path / "first")).get_experiment(tracker.experiment_id)
    for name in ("experiment_name", "status", "notes", "tags", "hyperparameters"):
        assert getattr(found, name) == getattr(original, name), name
    ((first,), (second,)) = (ExperimentManager(str(tmp_path / at)).list_experiments() for at in ("first", "second"))
    assert [first[name] for name in ("start_time", "end_time")] == [second[name] for name in ("start_time", "end_time")]
    pairs = zip(original.metrics_history, found.metrics_history, strict=True)
    for before, after in pairs:
        assert (before.step, before.timestamp) == (after.step, after.timestamp)
        assert {name: repr(value) for name, value in before.values.items()} == {
            name: repr(value) for name, value in after.values.items()
        }
    for name in ("a b.txt", "tree", "curve"):
        before, after = original.list_artifact_versions(name), found.list_artifact_versions(name)
        assert [one.checksum for one in before] == [one.checksum for one in after], name
        assert [(one.kind, one.metadata) for one in before] == [(one.kind, one.metadata) for one in after], name


def test_damaged_sources(foreign: Path, tmp_path: Path) -> None:
    """What is no run is refused; a damaged file costs its own rows only, and says so; a torn one its end."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(ArgumentValueError, match="no folder of a run"):
        bring(tmp_path / "empty", tmp_path / "base")
    (tmp_path / "bad.wandb").write_bytes(b"no log")
    with pytest.raises(DamagedError, match=r"bad\.wandb"):
        bring(tmp_path / "bad.wandb", tmp_path / "base")
    (file,) = foreign.glob("wandb/offline-run-*/*.wandb")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "run-rich.wandb").write_bytes(data)
    (one,) = bring(tmp_path / "one", tmp_path / "base")
    assert one.left_out["damaged places"] == 1
    assert one.rows > 0


def test_the_command(foreign: Path, tmp_path: Path) -> None:
    """`neural import wandb SOURCE` says what it took and what it could not."""
    command = [sys.executable, "-c", NEURAL, "import", "wandb", str(foreign), "--base-dir", str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "7 rows, 3 hyperparameters, 2 artifacts" in done.stdout
    assert "left out: artifacts (1), histograms (1), images (1), texts (1)" in done.stdout
    again = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "has it already" in again.stdout
