"""Strangers in the base folder: files, folders and links that are none of ours neither show up nor break anything."""

from __future__ import annotations

import math
import os
import shutil
import socket
from pathlib import Path

import pytest
from journal_support import contents, problems, statuses, steps, stored, tree

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage.experiment.reader import RunReader


@pytest.fixture
def tracker(tmp_path: Path) -> ExperimentTracker:
    """A finished experiment."""
    tracker = ExperimentTracker("sound", tmp_path / "base", auto_visualize=False)
    tracker.log_metrics({"loss": 1.0}, 0)
    (tmp_path / "a.bin").write_bytes(b"1")
    tracker.log_artifact(tmp_path / "a.bin")
    tracker.finish()
    return tracker


@pytest.mark.fault("I08")
def test_strangers_in_the_base_folder(tmp_path: Path, tracker: ExperimentTracker) -> None:
    """Foreign folders, system files, pipes, links and loops are ignored; the experiment is listed as ever."""
    base = tmp_path / "base"
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", ".metadata.json.swp", "notes.txt", "x_0123456789ab"):
        (base / name).write_bytes(b"\0\1")
    for name in (".trash", ".git", "lost+found", "plots", "experiment_0123456789ab", ".integrations", "\udcff"):
        (base / name).mkdir()
    (base / "file").symlink_to(base / "notes.txt")
    (base / "broken").symlink_to(base / "nowhere")
    (base / "loop").symlink_to(base / "loop")
    (base / "up").symlink_to(base)
    os.mkfifo(base / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(base / "socket"))
    assert statuses(base) == {tracker.experiment_dir.name: "completed"}
    assert ExperimentManager(base).verify() == {tracker.experiment_dir.name: []}
    assert ExperimentManager(base).get_experiment(tracker.experiment_id).get_metrics("loss") == [1.0]


@pytest.mark.fault("I08")
def test_strangers_in_an_experiment(tracker: ExperimentTracker) -> None:
    """Editors' and systems' files inside an experiment change nothing of what is read."""
    before, directory = contents(tracker.experiment_dir), tracker.experiment_dir
    for folder in (directory, directory / "metrics", directory / "versions"):
        for name in (".DS_Store", "Thumbs.db", ".x.nj.swp", "copy of metadata.json", "notes~", "x.parquet.bak"):
            (folder / name).write_bytes(b"\0\1")
        os.mkfifo(folder / "pipe.tmp")
        (folder / "broken").symlink_to(folder / "nowhere")
        (folder / "__pycache__").mkdir()
    assert contents(directory) == before
    assert statuses(directory.parent) == {directory.name: "completed"}
    assert problems(directory) == []


@pytest.mark.fault("I08")
@pytest.mark.parametrize("name", ["stranger-0001.nj", "r00000-h-1-a-0001.nj", "x.facts.nj"])
@pytest.mark.parametrize("kind", ["text", "folder", "pipe", "link", "broken link", "loop", "device"])
def test_something_that_is_called_like_a_part(tracker: ExperimentTracker, name: str, kind: str) -> None:
    """What has a part's name and is none is named as damage; it is not followed, not waited for, and hides no row."""
    path = tracker.experiment_dir / "metrics" / name
    outside = tracker.experiment_dir.parent.parent / "outside.nj"
    outside.write_bytes(b"secret")
    match kind:
        case "text":
            path.write_text("hello")
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "link":
            path.symlink_to(outside)
        case "broken link":
            path.symlink_to("nowhere")
        case "loop":
            path.symlink_to(path)
        case "device":
            path.symlink_to("/dev/zero")
    reader = RunReader(tracker.experiment_dir)
    assert reader.series("loss").value.tolist() == [1.0]
    assert problems(tracker.experiment_dir)
    assert tracker.experiment_dir.name in statuses(tracker.experiment_dir.parent)


@pytest.mark.fault("N05")
@pytest.mark.parametrize("suffix", [".parquet", ".facts.nj"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "loop", "device"])
def test_a_part_that_became_something_else(tracker: ExperimentTracker, suffix: str, kind: str) -> None:
    """A file of a compacted part that is a folder, a pipe or a link is named, not followed and not waited for."""
    (path,) = (tracker.experiment_dir / "metrics").glob(f"*{suffix}")
    outside = tracker.experiment_dir.parent.parent / "outside"
    path.rename(outside)
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "link":
            path.symlink_to(outside)
        case "loop":
            path.symlink_to(path)
        case "device":
            path.symlink_to("/dev/zero")
    assert RunReader(tracker.experiment_dir).damage or RunReader(tracker.experiment_dir).check()
    assert problems(tracker.experiment_dir)
    assert tracker.experiment_dir.name in statuses(tracker.experiment_dir.parent)


@pytest.mark.fault("N05")
@pytest.mark.parametrize("name", ["metadata.json", "hyperparameters.json", "artifacts.json", "summary.json"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "link", "loop", "device"])
def test_something_that_is_called_like_a_document(tracker: ExperimentTracker, name: str, kind: str) -> None:
    """A document that is a folder, a pipe or a link is not followed nor waited for; the facts of the journal stand."""
    path = tracker.experiment_dir / name
    before = contents(tracker.experiment_dir)
    path.unlink(missing_ok=True)
    outside = tracker.experiment_dir.parent.parent / "outside.json"
    outside.write_text('{"format": 1, "name": "outside"}')
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "link":
            path.symlink_to(outside)
        case "loop":
            path.symlink_to(path)
        case "device":
            path.symlink_to("/dev/zero")
    assert contents(tracker.experiment_dir) == before
    assert statuses(tracker.experiment_dir.parent).keys() == {tracker.experiment_dir.name}
    if name != "summary.json":
        assert problems(tracker.experiment_dir)


@pytest.mark.fault("N05")
def test_links_to_experiments(tmp_path: Path, tracker: ExperimentTracker) -> None:
    """A link inside the base is another name, one that leads out is not followed; nothing is deleted through either."""
    outside = tmp_path / "outside_0123456789ab"
    shutil.copytree(tracker.experiment_dir, outside)
    base = tracker.experiment_dir.parent
    (base / "outside").symlink_to(outside)
    assert list(statuses(base)) == list(ExperimentManager(base).verify()) == [tracker.experiment_dir.name]
    before = dict(tree(outside))
    assert ExperimentManager(base).delete_experiment(tracker.experiment_id)
    assert dict(tree(outside)) == before
    assert statuses(base) == {}


def test_reading_touches_nothing(tmp_path: Path, tracker: ExperimentTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Listing, loading, comparing metrics and verifying leave every file, name and time as they were."""
    # What a slow writer touches itself is no trace of a reader.
    monkeypatch.setattr("neural_core._storage.writing.upkeep.ALIVE_SECONDS", math.inf)
    base = tmp_path / "base"
    live = ExperimentTracker("live", base, auto_visualize=False)
    live.log_metrics({"loss": 1.0}, 0)

    def state() -> list[tuple[str, int, int, int]]:
        found = ((path, path.lstat()) for path in sorted(base.rglob("*")))
        return [(str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in found]

    before = state()
    manager = ExperimentManager(base)
    manager.list_experiments(), manager.verify(), manager.best("loss")
    for one in manager.list_experiments():
        loaded = manager.get_experiment(one["experiment_id"])
        assert (loaded.get_metrics("loss"), loaded.damage) == ([1.0], [])
        assert list(loaded.metrics_history)
        assert loaded.status == one["status"]
    assert state() == before
    live.finish()


@pytest.mark.fault("A08")
def test_a_store_that_was_moved(tmp_path: Path, tracker: ExperimentTracker) -> None:
    """A store that is moved, or opened by another path, is whole: all paths in it are relative."""
    moved = tmp_path / "else" / "where"
    moved.parent.mkdir()
    tracker.experiment_dir.parent.rename(moved)
    directory = moved / tracker.experiment_dir.name
    assert problems(directory) == []
    version = stored(directory).get_artifact_version("a.bin")
    assert version is not None
    assert version.path.read_bytes() == b"1"
    resumed = ExperimentTracker.resume(tracker.experiment_id, moved)
    resumed.auto_visualize = False
    resumed.log_metrics({"loss": 2.0}, 1)
    resumed.finish()
    assert steps(directory) == [0, 1]
