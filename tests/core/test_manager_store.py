"""The manager: looking changes nothing, deleting is a move by exact id, artifacts are found where the store lies."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from neural.tracking import ArtifactVersion, ExperimentManager, ExperimentTracker
from neural_core.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    ArtifactChangedError,
    ArtifactError,
    ArtifactNotFoundError,
    ExperimentInUseError,
    ExperimentNotFoundError,
)
from neural_core.reading import Edit, ExperimentStore

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base folder."""
    return tmp_path / "base"


@pytest.fixture
def manager(base: Path) -> ExperimentManager:
    """Its manager."""
    return ExperimentManager(base)


def finished(base: Path, name: str = "x", **options: Any) -> ExperimentTracker:
    """Make an experiment of three rows that has ended."""
    with ExperimentTracker(name, base, False, hyperparameters={"lr": 0.1}, **options) as tracker:
        for step in range(3):
            tracker.log_metrics({"loss": 1.0 / (step + 1), "acc": step / 3}, step=step)
    return tracker


def picture(folder: Path) -> dict[str, tuple[int, int, int, str]]:
    """Give every file and folder with its inode, size, time of change and content."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        facts = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (facts.st_ino, facts.st_size, facts.st_mtime_ns, content)
    return found


def look_at_everything(manager: ExperimentManager, experiment_id: str) -> list[float]:
    """Use every verb that reads."""
    manager.list_experiments()
    manager.runs("metrics.loss.last < 2")
    manager.best("acc")
    manager.verify()
    manager.list_trash()
    manager.compare_experiments([experiment_id])
    tracker = manager.get_experiment(experiment_id)
    list(tracker.metrics_history)
    _ = (tracker.metrics, tracker.artifacts, tracker.damage, tracker.tags, tracker.hyperparameters, tracker.status)
    tracker.get_best_metric("acc", mode="max")
    tracker.list_artifact_versions("model.pt")
    tracker.finish()
    tracker.flush()
    return tracker.get_metrics("loss")


class TestLooking:
    @pytest.mark.fault("L02")
    def test_looking_changes_nothing(
        self, tmp_path: Path, base: Path, manager: ExperimentManager, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Every reading verb, on living and ended experiments, leaves the store byte by byte and time by time."""
        monkeypatch.setattr(
            "neural_core._storage.writing.upkeep.ALIVE_SECONDS", math.inf
        )  # the writer's sign, not a reader's
        model = tmp_path / "model.pt"
        model.write_bytes(b"weights")
        ended = finished(base)
        living = ExperimentTracker("y", base, False)
        living.log_metrics({"loss": 1.0}, step=0)
        living.log_model(model)
        living.flush()
        before = picture(base)
        for one in (ended, living):
            for _ in range(2):
                assert look_at_everything(manager, one.experiment_id)
        assert picture(base) == before

    def test_a_base_folder_that_is_not_there_is_empty(self, base: Path, manager: ExperimentManager) -> None:
        """Listing what does not exist gives nothing, and makes nothing."""
        assert (manager.list_experiments(), manager.runs(), manager.verify(), manager.list_trash()) == ([], [], {}, [])
        with pytest.raises(ExperimentNotFoundError, match="neural ls"):
            manager.get_experiment("abcd")
        assert manager.delete_experiment("abcd") is False
        assert not base.exists()

    @pytest.mark.fault("L02")
    @pytest.mark.privileged("mount")
    def test_a_read_only_store_is_read(self, tmp_path: Path, base: Path) -> None:
        """A store on a read-only mount is listed, loaded, verified and compared; writing to it says why not."""
        tracker = finished(base)
        mount = tmp_path / "mount"
        mount.mkdir()
        subprocess.run(["mount", "--bind", base, mount], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,bind,ro", mount], check=True)
            manager = ExperimentManager(mount)
            assert look_at_everything(manager, tracker.experiment_id) == [1.0, 0.5, 1 / 3]
            assert manager.verify() == {tracker.experiment_dir.name: []}
            with pytest.raises(ValueError, match="may write"):
                ExperimentTracker("x", mount)
        finally:
            subprocess.run(["umount", mount], check=True)

    @pytest.mark.privileged("setpriv")
    def test_a_store_of_somebody_else_is_read(self) -> None:
        """A user who may only read the store lists, loads and verifies it, without a cache folder of his own."""
        script = """
import sys
from neural.tracking import ExperimentManager, ExperimentTracker
manager = ExperimentManager(sys.argv[1])
assert manager.list_experiments()[0]["status"] == "completed"
assert manager.get_experiment(sys.argv[2]).get_metrics("loss") == [1.0, 0.5, 1 / 3]
assert not any(manager.verify().values())
try:
    ExperimentTracker("x", sys.argv[1])
except ValueError as error:
    print(type(error).__name__, error)
"""
        nowhere = {"NEURAL_CACHE_DIR": "/nonexistent/cache", "HOME": "/nonexistent"}
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            base = Path(folder) / "base"
            tracker = finished(base)
            before = picture(base)
            other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", script]
            result = subprocess.run(
                [*other, base, tracker.experiment_id],
                capture_output=True,
                text=True,
                timeout=200,
                check=False,
                env={**os.environ, "PYTHONPATH": str(ROOT), **nowhere},
            )
            assert picture(base) == before
        if result.returncode in (126, 127):
            pytest.skip("privileged: another user may not start this Python")
        assert result.stdout.startswith("ConfigurationError base_dir"), result.stderr

    def test_what_is_no_experiment_is_passed_over(self, base: Path, manager: ExperimentManager) -> None:
        """Foreign files and folders, hidden ones, broken links and links that lead out are not listed."""
        tracker = finished(base)
        outside = finished(base.parent / "outside")
        for name in (".DS_Store", "Thumbs.db", "notes.txt", "x.swp"):
            (base / name).write_text("mine")
        for name in ("folder", ".hidden", "plots"):
            (base / name).mkdir()
        (base / "broken").symlink_to(base / "nowhere")
        (base / "loop").symlink_to(base / "loop")
        (base / "out").symlink_to(outside.experiment_dir)
        assert [row["experiment_id"] for row in manager.list_experiments()] == [tracker.experiment_id]
        with pytest.raises(ExperimentNotFoundError):
            manager.get_experiment(outside.experiment_id)
        assert manager.delete_experiment(outside.experiment_id) is False

    def test_one_bad_experiment_costs_the_others_nothing(self, base: Path, manager: ExperimentManager) -> None:
        """A damaged experiment is a row with its error beside the sound ones, which load and compare."""
        bad, good = finished(base, "bad"), finished(base, "good")
        (bad.experiment_dir / "metadata.json").write_text('{"uid": ')
        rows = {row["experiment_name"]: row for row in manager.list_experiments()}
        assert rows["good"]["status"] == "completed"
        assert rows["good"]["error"] is None
        broken = next(row for row in rows.values() if row["status"] == "damaged")
        assert "metadata.json" in broken["error"]
        assert manager.compare_experiments([good.experiment_id])

    def test_rows_of_the_list(self, base: Path, manager: ExperimentManager) -> None:
        """Each row has the documented keys, newest first; what a caller does to it changes no later list."""
        first, second = finished(base, "first", tags={"a": "b"}), finished(base, "second")
        rows = manager.list_experiments()
        assert [row["experiment_id"] for row in rows] == [second.experiment_id, first.experiment_id]
        assert list(rows[1]) == [
            "experiment_id", "experiment_name", "status", "start_time", "end_time", "experiment_dir", "tags", "error",
        ]  # fmt: skip
        assert rows[1]["experiment_dir"] == str(first.experiment_dir)
        assert rows[1]["start_time"] < rows[1]["end_time"]
        rows[1]["tags"]["a"] = "changed"
        assert manager.list_experiments()[1]["tags"] == {"a": "b"}

    def test_create_experiment_is_a_tracker_here(self, base: Path, manager: ExperimentManager) -> None:
        """``create_experiment`` makes a tracker in this folder with the arguments of one."""
        tracker = manager.create_experiment("made", auto_visualize=False, notes="n")
        assert (tracker.experiment_dir.parent, tracker.experiment_name, tracker.notes) == (base, "made", "n")

    @pytest.mark.parametrize("ids", ["abcd", None, 3, {"a"}])
    def test_comparing_wants_a_list(self, manager: ExperimentManager, ids: Any) -> None:
        """One id as text is not taken for a list of characters."""
        with pytest.raises(ArgumentTypeError, match="list of ids"):
            manager.compare_experiments(ids)

    def test_comparing_says_what_is_missing(self, base: Path, manager: ExperimentManager) -> None:
        """No ids, an unknown id and an unknown metric each raise with what to do."""
        tracker = finished(base)
        with pytest.raises(ArgumentValueError, match="empty"):
            manager.compare_experiments([])
        with pytest.raises(ExperimentNotFoundError, match="feedfeed"):
            manager.compare_experiments([tracker.experiment_id, "feedfeed"])
        with pytest.raises(ArgumentValueError, match="typo"):
            manager.compare_experiments([tracker.experiment_id], metrics=["typo"])

    def test_comparing_experiments_without_rows(
        self, base: Path, manager: ExperimentManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Experiments with nothing in common, no rows at all, and best values of 0 are compared and exported."""
        monkeypatch.chdir(tmp_path)
        empty = ExperimentTracker("empty", base, False)
        zero = ExperimentTracker("zero", base, False)
        zero.log_metrics({"acc": 0.0}, step=0)
        ids = [empty.experiment_id, zero.experiment_id]
        assert manager.compare_experiments(ids)
        folder = manager.export_comparison(ids)
        assert folder.is_absolute()
        assert (folder / "report.html").is_file()

    def test_a_copy_over_a_tagged_copy_keeps_the_tag(
        self, base: Path, manager: ExperimentManager, tmp_path: Path
    ) -> None:
        """A tag given to a copy shows in the list after the experiment, gone on with, is copied over it once more."""
        tracker = finished(tmp_path / "cluster")
        copy = base / tracker.experiment_dir.name
        shutil.copytree(tracker.experiment_dir, copy)
        store = ExperimentStore(base)
        store.edit(tracker.experiment_id, store.run(tracker.experiment_id).revision, Edit(tags={"kept": "yes"}))
        ExperimentTracker.resume(tracker.experiment_id, tmp_path / "cluster").finish()
        shutil.copytree(tracker.experiment_dir, copy, dirs_exist_ok=True)
        assert manager.get_experiment(tracker.experiment_id).tags == {"kept": "yes"}
        assert [row.tags for row in manager.runs()] == [{"kept": "yes"}]


class TestDeleting:
    def test_a_deleted_experiment_comes_back(self, base: Path, manager: ExperimentManager) -> None:
        """Deleting moves to the trash, restoring brings every byte back; neither touches another experiment."""
        gone, stays = finished(base, "gone"), finished(base, "stays")
        before = picture(gone.experiment_dir)
        assert manager.delete_experiment(gone.experiment_id) is True
        assert [row["experiment_name"] for row in manager.list_experiments()] == ["stays"]
        assert [row["experiment_name"] for row in manager.list_trash()] == ["gone"]
        with pytest.raises(ExperimentNotFoundError):
            manager.get_experiment(gone.experiment_id)
        assert manager.delete_experiment(gone.experiment_id) is False
        assert manager.restore_experiment(stays.experiment_id) is False
        assert manager.restore_experiment(gone.experiment_id) is True
        assert picture(gone.experiment_dir) == before
        assert manager.list_trash() == []
        assert manager.get_experiment(gone.experiment_id).get_metrics("loss") == [1.0, 0.5, 1 / 3]

    @pytest.mark.fault("N06")
    def test_only_a_whole_id_deletes(self, base: Path, manager: ExperimentManager) -> None:
        """Names, folders, parts of an id, globs and paths delete nothing."""
        tracker = finished(base, "my_data")
        other = finished(base, "precious")
        (base / "folder_data").mkdir()
        (base / "folder_data" / "file").write_text("mine")
        before = picture(base)
        identifier = tracker.experiment_id
        for wanted in (
            "", ".", "..", "*", "?" * 12, "data", "my_data", "precious", "precious_", "folder_data", identifier[:4],
            identifier[:11], identifier[1:], identifier + " ", identifier.upper() + "x", tracker.experiment_dir.name,
            str(tracker.experiment_dir), f"../base/{tracker.experiment_dir.name}", "\0", "%", "_" * 12,
        ):  # fmt: skip
            assert manager.delete_experiment(wanted) is False
            assert manager.restore_experiment(wanted) is False
        assert picture(base) == before
        assert manager.delete_experiment(other.experiment_id) is True

    @pytest.mark.fault("C07")
    def test_a_living_experiment_is_not_deleted(self, base: Path, manager: ExperimentManager) -> None:
        """While its writer lives an experiment is not moved, and logging goes on; afterwards it is."""
        tracker = ExperimentTracker("x", base, False)
        tracker.log_metrics({"loss": 1.0})
        with pytest.raises(ExperimentInUseError, match="Nothing was deleted"):
            manager.delete_experiment(tracker.experiment_id)
        tracker.log_metrics({"loss": 2.0})
        assert tracker.get_metrics("loss") == [1.0, 2.0]
        tracker.finish()
        assert manager.delete_experiment(tracker.experiment_id) is True

    def test_an_experiment_with_a_living_rank_is_not_deleted(self, base: Path, manager: ExperimentManager) -> None:
        """Somebody who is attached keeps an ended experiment from being moved."""
        tracker = finished(base)
        late = ExperimentTracker.attach(tracker.experiment_dir)
        late.log_metrics({"test": 1.0})
        with pytest.raises(ExperimentInUseError):
            manager.delete_experiment(tracker.experiment_id)
        late.finish()
        assert manager.delete_experiment(tracker.experiment_id) is True

    @pytest.mark.fault("N05")
    def test_links_are_not_followed(self, base: Path, manager: ExperimentManager, tmp_path: Path) -> None:
        """Deleting an experiment that holds a link moves the link, and leaves what it points to."""
        precious = tmp_path / "precious"
        precious.mkdir()
        (precious / "file").write_text("mine")
        tracker = finished(base)
        (tracker.experiment_dir / "artifacts" / "link").symlink_to(precious)
        assert manager.delete_experiment(tracker.experiment_id) is True
        assert (precious / "file").read_text() == "mine"

    def test_nothing_is_restored_over_another(self, base: Path, manager: ExperimentManager) -> None:
        """When its folder is there again, an experiment stays in the trash."""
        tracker = finished(base)
        shutil.copytree(tracker.experiment_dir, base.parent / "copy")
        manager.delete_experiment(tracker.experiment_id)
        shutil.copytree(base.parent / "copy", tracker.experiment_dir)
        with pytest.raises(ExperimentInUseError, match="nothing was restored"):
            manager.restore_experiment(tracker.experiment_id)
        assert len(manager.list_trash()) == 1


class TestArtifacts:
    @pytest.fixture
    def tracker(self, base: Path) -> ExperimentTracker:
        """A tracker that draws nothing."""
        return ExperimentTracker("artifacts", base, False)

    def log(self, tracker: ExperimentTracker, folder: Path, name: str, data: bytes, **how: Any) -> ArtifactVersion:
        """Log a model of these bytes."""
        folder.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
        stored = tracker.log_model(folder / name, framework="pytorch", **how)
        assert stored is not None
        return stored

    def test_the_guides_checkpoints_are_versions_of_one_model(self, tracker: ExperimentTracker, tmp_path: Path) -> None:
        """``model_10.pt``, ``model_20.pt`` … are found as versions of ``model.pt``, and by their own names."""
        for epoch in (10, 20, 30):
            self.log(tracker, tmp_path, f"model_{epoch}.pt", b"weights %d" % epoch)
        versions = tracker.list_artifact_versions("model.pt")
        assert [version.version for version in versions] == [1, 2, 3]
        assert [version.path.read_bytes() for version in versions] == [b"weights 10", b"weights 20", b"weights 30"]
        assert [v.checksum for v in versions] == [hashlib.sha256(v.path.read_bytes()).hexdigest() for v in versions]
        assert [version.version for version in tracker.list_artifact_versions("model_20.pt")] == [2]
        latest, second = (
            tracker.get_artifact_version("model.pt", version=-1),
            tracker.get_artifact_version("model.pt", 2),
        )
        assert (latest, second) == (versions[2], versions[1])
        assert versions[0].metadata == {"framework": "pytorch"}

    @pytest.mark.fault("A07")
    @pytest.mark.parametrize("version", [0, -2, 99, "1", None, 1.5])
    def test_a_version_that_is_not_there_is_none(
        self, tracker: ExperimentTracker, tmp_path: Path, version: Any
    ) -> None:
        """Asking for a number that was never given, or for no number, gives None, never another version."""
        self.log(tracker, tmp_path, "model.pt", b"1")
        assert tracker.get_artifact_version("model.pt", version) is None
        assert tracker.get_artifact_version("unknown") is None
        assert tracker.list_artifact_versions("unknown") == []

    def test_unversioned_replaces_only_itself(self, tracker: ExperimentTracker, tmp_path: Path, base: Path) -> None:
        """``version=False`` keeps one entry beside the versions, whose files and checksums stay as they were."""
        for data in (b"v1", b"v2", b"v3"):
            self.log(tracker, tmp_path, "model.pt", data)
        for data in (b"u1", b"u2"):
            self.log(tracker, tmp_path, "model.pt", data, version=False)
        versions = tracker.list_artifact_versions("model.pt")
        assert [(one.version, one.path.read_bytes()) for one in versions] == [
            (1, b"v1"), (2, b"v2"), (3, b"v3"), (None, b"u2"),
        ]  # fmt: skip
        newest = tracker.get_artifact_version("model.pt")
        assert newest is not None
        assert newest.version == 3
        tracker.finish()
        assert ExperimentManager(base).verify() == {tracker.experiment_dir.name: []}

    def test_the_same_bytes_are_a_new_version(self, tracker: ExperimentTracker, tmp_path: Path) -> None:
        """Bytes that were logged before, also under one base name from two folders, are versions like any others."""
        self.log(tracker, tmp_path / "a", "model.pt", b"same")
        self.log(tracker, tmp_path / "b", "model.pt", b"same")
        self.log(tracker, tmp_path / "b", "model.pt", b"other")
        versions = tracker.list_artifact_versions("model.pt")
        assert [one.version for one in versions] == [1, 2, 3]
        assert versions[0].checksum == versions[1].checksum != versions[2].checksum

    @pytest.mark.fault("A08")
    def test_a_moved_store_is_whole(self, tracker: ExperimentTracker, tmp_path: Path, base: Path) -> None:
        """A store that was moved, or one experiment that was copied alone, gives its artifacts where it lies."""
        self.log(tracker, tmp_path, "model.pt", b"weights")
        tracker.finish()
        moved = base.rename(tmp_path / "moved")
        (version,) = ExperimentManager(moved).get_experiment(tracker.experiment_id).list_artifact_versions("model.pt")
        assert version.path.is_relative_to(moved)
        assert version.path.read_bytes() == b"weights"
        assert ExperimentManager(moved).verify() == {tracker.experiment_dir.name: []}

    @pytest.mark.fault("A01")
    def test_a_missing_file_uses_up_no_version(self, tracker: ExperimentTracker, tmp_path: Path) -> None:
        """A file that is not there raises with its path, and the next one is version 1."""
        for call in (tracker.log_artifact, tracker.log_model):
            with pytest.raises(ArtifactNotFoundError, match=r"gone\.pt"):
                call(tmp_path / "gone.pt")
        assert tracker.artifacts == []
        assert self.log(tracker, tmp_path, "gone.pt", b"there").version == 1

    @pytest.mark.parametrize("path", [None, 3, ["a"]])
    def test_a_path_is_a_path(self, tracker: ExperimentTracker, path: Any) -> None:
        """Anything else raises a TypeError that says so."""
        with pytest.raises(ArgumentTypeError, match="path is a path"):
            tracker.log_artifact(path)

    def test_pipes_and_devices_are_refused_unopened(self, tracker: ExperimentTracker, tmp_path: Path) -> None:
        """A FIFO and ``/dev/zero`` raise at once and leave nothing."""
        os.mkfifo(tmp_path / "pipe")
        for path in (tmp_path / "pipe", Path("/dev/zero")):
            with pytest.raises(ArtifactError):
                tracker.log_artifact(path)
        assert tracker.artifacts == []

    @pytest.mark.fault("N03")
    @pytest.mark.parametrize(
        "name",
        ["../../x", "/etc/passwd", "metadata.json", "../../metadata.json", "a/b", "nul", "\ud800", "x" * 300, "."],
        ids=lambda name: ascii(name)[:12],
    )
    def test_names_stay_inside(self, tracker: ExperimentTracker, tmp_path: Path, base: Path, name: str) -> None:
        """Whatever an artifact is called, its file lies in the experiment, its name is kept, nothing is replaced."""
        (tmp_path / "model.pt").write_bytes(b"weights")
        tracker.set_status("running")
        before = (tracker.experiment_dir / "metadata.json").read_bytes()
        stored = tracker.log_artifact(tmp_path / "model.pt", name=name)
        assert stored is not None
        assert stored.path.resolve().is_relative_to(tracker.experiment_dir)
        assert (tracker.experiment_dir / "metadata.json").read_bytes() == before
        loaded = ExperimentManager(base).get_experiment(tracker.experiment_id)
        assert [one.artifact_name for one in loaded.list_artifact_versions(name)] == [name]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["base", "model.pt"]

    def test_changed_bytes_are_named(self, tracker: ExperimentTracker, tmp_path: Path, base: Path) -> None:
        """A stored file that somebody changed raises when it is opened, and ``verify`` names it."""
        stored = self.log(tracker, tmp_path, "model.pt", b"weights")
        tracker.finish()
        with stored.open() as file:
            assert file.read() == b"weights"
        stored.path.chmod(0o644)
        stored.path.write_bytes(b"wEights")
        with pytest.raises(ArtifactChangedError, match=r"model\.pt"):
            stored.open()
        (damage,) = ExperimentManager(base).verify(tracker.experiment_id)[tracker.experiment_dir.name]
        assert "model" in damage.file
