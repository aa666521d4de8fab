"""Promises of docs/reliability.md that belong to no single room: forks, newer formats, reading without a trace."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage.journal import frames
from neural_core.errors import FormatVersionError

ROOT = Path(__file__).resolve().parents[2]
FORK = """
import os, sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker("forked", base_dir=sys.argv[1], auto_visualize=False)
tracker.log_metrics({"loss": 1.0}, step=1)
child = os.fork()
if not child:
    tracker.log_metrics({"loss": 2.0}, step=2)
    sys.exit(0)  # with all exit functions
assert os.waitpid(child, 0)[1] == 0
print(tracker.status)
tracker.log_metrics({"loss": 3.0}, step=3)
tracker.finish()
"""


def traces(folder: Path) -> dict[str, tuple[int, ...]]:
    """Give of every file and folder what would change if it was written, replaced or renamed."""
    every = [folder, *folder.rglob("*")]
    status = {str(path): path.lstat() for path in every}
    return {path: (one.st_ino, one.st_size, one.st_mtime_ns, one.st_ctime_ns) for path, one in status.items()}


@pytest.fixture
def tracker(tmp_path: Path) -> ExperimentTracker:
    """Give an experiment that is being written, in a base folder of its own."""
    tracker = ExperimentTracker("promise", tmp_path / "runs", False, hyperparameters={"lr": 0.1})
    tracker.log_metrics({"loss": 0.5}, step=1)
    return tracker


@pytest.mark.fault("C02")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_child_writes_beside_its_parent(tmp_path: Path) -> None:
    """A forked child's rows are kept in a part of its own, and its exit does not end the parent's experiment."""
    path = os.pathsep.join([str(ROOT), *sys.path])
    command = [sys.executable, "-W", "error", "-c", FORK, str(tmp_path)]
    result = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "running\n", "")
    [row] = ExperimentManager(tmp_path).list_experiments()
    experiment = ExperimentManager(tmp_path).get_experiment(row["experiment_id"])
    assert (row["status"], experiment.get_metrics("loss")) == ("completed", [1.0, 2.0, 3.0])
    assert len(list(experiment.experiment_dir.glob("metrics/*.parquet"))) == 2


@pytest.mark.fault("L02")
@pytest.mark.parametrize("finished", [False, True])
def test_reading_leaves_no_trace(
    tmp_path: Path, tracker: ExperimentTracker, finished: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listing, loading, reading, comparing, exporting and verifying change no file, no name and no time."""
    monkeypatch.setattr(
        "neural_core._storage.writing.upkeep.ALIVE_SECONDS", math.inf
    )  # the writer's sign, not a reader's
    (tmp_path / "model_1.pt").write_bytes(b"weights")
    tracker.log_model(tmp_path / "model_1.pt")
    if finished:
        tracker.finish()
    else:
        tracker.flush()
    before = traces(tmp_path / "runs")
    manager = ExperimentManager(tmp_path / "runs")
    [row] = manager.runs("params.lr = 0.1")
    run = manager.get_experiment(row.experiment_id)
    assert (run.get_metrics("loss"), run.damage, len(run.artifacts)) == ([0.5], [], 1)
    manager.compare_experiments([row.experiment_id])
    manager.export_comparison([row.experiment_id], tmp_path / "out")
    assert manager.verify() == {row.folder: []}
    assert traces(tmp_path / "runs") == before
    tracker.finish()


@pytest.mark.fault("I06")
def test_newer_journal_is_refused(tracker: ExperimentTracker) -> None:
    """A journal of another major version is refused with a sentence that names both; its row shows it as damaged."""
    [part] = tracker.experiment_dir.glob("metrics/*.nj")
    tracker.flush()
    data = bytearray(part.read_bytes())
    data[len(frames.MAGIC)] = ord("2")
    part.write_bytes(data)
    manager = ExperimentManager(tracker.experiment_dir.parent)
    for _ in range(2):  # a second look must not take for empty what the first one refused
        [row] = manager.list_experiments()
        assert (row["experiment_id"], row["experiment_name"]) == (tracker.experiment_id, "promise")
        assert row["status"] == "damaged"
        assert "journal format 2; this neural reads format 1" in row["error"]
    loaded = manager.get_experiment(tracker.experiment_id)
    for _ in range(2):
        with pytest.raises(FormatVersionError, match="upgrade neural"):
            loaded.get_metrics("loss")


def test_newer_document_is_refused(tracker: ExperimentTracker) -> None:
    """A document of a newer format is refused, not repaired from the journal."""
    tracker.finish()
    path = tracker.experiment_dir / "metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_bytes()), "format": 2}))
    [row] = ExperimentManager(tracker.experiment_dir.parent).list_experiments()
    assert "has format 2; this neural reads format 1" in row["error"]


@pytest.mark.fault("I06")
def test_strangers_in_a_journal_are_skipped(tracker: ExperimentTracker) -> None:
    """Facts of an unknown kind and frames that are no facts change nothing, and stay where they are at the end."""
    [part] = tracker.experiment_dir.glob("metrics/*.nj")
    stranger = frames.encode_fact({"kind": "written_by_a_later_minor_version", "time": 0.0, "what": 7})
    with part.open("ab") as file:
        file.write(stranger + frames.frame(frames.FACT, b"no JSON!"))
    tracker.log_metrics({"loss": 0.25}, step=2)
    tracker.finish()
    assert tracker.get_metrics("loss") == [0.5, 0.25]
    assert tracker.damage == []
    [kept] = tracker.experiment_dir.glob("metrics/*.facts.nj")
    assert stranger in kept.read_bytes()
    assert b"no JSON!" in kept.read_bytes()
