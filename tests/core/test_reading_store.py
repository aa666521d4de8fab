"""The list of a store for pages: ids, ordinals, changes; edits and the trash; files by id."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from neural_core import ExperimentManager, ExperimentTracker, hookimpl
from neural_core.errors import (
    ArgumentError,
    ArtifactNotFoundError,
    EditConflictError,
    ExperimentInUseError,
    ExperimentNotFoundError,
)
from neural_core.reading import Edit, ExperimentStore, tree_files

KILLED = """
import os, signal, sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker("killed", sys.argv[1], False)
tracker.log_metrics({"loss": 1.0}, step=0)
print(tracker.experiment_id, flush=True)
sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""


def track(base: Path, name: str, **more: Any) -> ExperimentTracker:
    """Make a finished experiment."""
    with ExperimentTracker(name, base, False, **more) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    return tracker


def snapshot(base: Path) -> dict[str, tuple[int, int]]:
    """Give size and time of every file and folder."""
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in [base, *base.rglob("*")]}


def ordinals(store: ExperimentStore) -> dict[str, int]:
    """Give name → ordinal."""
    return {run.row.name: run.ordinal for run in store.listed().runs}


class TestList:
    @pytest.mark.fault("L02")
    def test_looking_touches_nothing(self, tmp_path: Path) -> None:
        """Listing, reading and asking for changes create, rename and touch nothing."""
        tracker = track(tmp_path, "one")
        before = snapshot(tmp_path)
        store = ExperimentStore(tmp_path)
        cursor = store.listed().cursor
        store.read_series([tracker.experiment_id], "loss")
        store.changes(cursor), store.detail(tracker.experiment_id), store.directions()
        assert snapshot(tmp_path) == before

    def test_ordinals_survive_the_trash(self, tmp_path: Path) -> None:
        """An experiment keeps its ordinal when another one goes to the trash, and when that comes back."""
        runs = {name: track(tmp_path, name) for name in "abc"}
        store = ExperimentStore(tmp_path)
        assert ordinals(store) == {"a": 0, "b": 1, "c": 2}
        store.throw_away(runs["a"].experiment_id)
        assert ordinals(store) == {"b": 1, "c": 2}
        assert ordinals(ExperimentStore(tmp_path)) == {"b": 1, "c": 2}
        store.restore(runs["a"].experiment_id)
        assert ordinals(store) == {"a": 0, "b": 1, "c": 2}

    def test_newest_first(self, tmp_path: Path) -> None:
        """The list begins with the newest experiment."""
        for name in "abc":
            track(tmp_path, name)
        assert [run.row.name for run in ExperimentStore(tmp_path).listed().runs] == ["c", "b", "a"]

    def test_copies(self, tmp_path: Path) -> None:
        """A copy has an id of its own, by its folder; both are found, and the original's plain id when it is alone."""
        tracker = track(tmp_path, "one")
        copy = tmp_path / "copied here"
        shutil.copytree(tracker.experiment_dir, copy)
        store = ExperimentStore(tmp_path)
        listed = store.listed()
        ids = {run.row.folder: run.id for run in listed.runs}
        short = tracker.experiment_id
        assert ids == {
            copy.name: f"{short}~copied%20here",
            tracker.experiment_dir.name: f"{short}~{tracker.experiment_dir.name}",
        }
        assert {curve.kind for curve in store.read_series(list(ids.values()), "loss").curves} == {"raw"}
        store.throw_away(ids[copy.name])
        changes = store.changes(listed.cursor)
        assert [run.id for run in changes.runs] == [short]
        assert set(changes.removed) == set(ids.values())
        store.restore(ids[copy.name])
        assert copy.exists()

    def test_without_id(self, tmp_path: Path) -> None:
        """A damaged experiment that has lost its id is listed with its error, by its folder."""
        track(tmp_path, "one")
        (tmp_path / "lost" / "metrics").mkdir(parents=True)
        lost = next(run for run in ExperimentStore(tmp_path).listed().runs if run.row.error)
        assert (lost.id, lost.row.status) == ("~lost", "damaged")

    def test_no_folder(self, tmp_path: Path) -> None:
        """A base folder that is not there has no experiments, and is not made."""
        store = ExperimentStore(tmp_path / "none")
        assert (store.listed().runs, store.listed().trash) == ([], 0)
        assert not (tmp_path / "none").exists()


class TestChanges:
    def test_what_grew(self, tmp_path: Path) -> None:
        """A cursor tells which metrics have more points, and nothing when nothing happened."""
        tracker = ExperimentTracker("live", tmp_path, False)
        tracker.log_metrics({"loss": 1.0, "acc": 1.0}, step=0)
        store = ExperimentStore(tmp_path)
        cursor = store.listed().cursor
        assert store.changes(cursor) == type(store.changes(cursor))(cursor, [], [], [])
        tracker.log_metrics({"loss": 2.0}, step=1)
        changes = store.changes(cursor)
        assert list(changes.grown) == [(tracker.experiment_id, "loss", 2)]
        assert [run.row.metrics["loss"].last for run in changes.runs] == [2.0]
        assert store.changes(changes.cursor).runs == []
        tracker.finish()
        assert [run.row.status for run in store.changes(changes.cursor).runs] == ["completed"]

    def test_new_and_gone(self, tmp_path: Path) -> None:
        """A cursor tells which experiments are new and which are gone."""
        first = track(tmp_path, "first")
        store = ExperimentStore(tmp_path)
        cursor = store.listed().cursor
        second = track(tmp_path, "second")
        shutil.rmtree(first.experiment_dir)
        changes = store.changes(cursor)
        assert [run.id for run in changes.runs] == [second.experiment_id]
        assert list(changes.removed) == [first.experiment_id]
        assert list(changes.grown) == [(second.experiment_id, "loss", 1)]

    @pytest.mark.parametrize("cursor", [None, "", "x", "0-0", "deadbeef-7", "-", "1-²", "a" * 10_000])
    def test_a_cursor_of_somebody_else(self, tmp_path: Path, cursor: str | None) -> None:
        """With the cursor of another server, or none, everything is new."""
        track(tmp_path, "one")
        store = ExperimentStore(tmp_path)
        assert [run.row.name for run in store.changes(cursor).runs] == ["one"]

    def test_a_writer_that_dies(self, tmp_path: Path) -> None:
        """That a writing process was killed is a change, although no file changed."""
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout
        assert child.stdout.readline()
        store = ExperimentStore(tmp_path)
        listed = store.listed()
        assert [run.row.status for run in listed.runs] == ["running"]
        child.communicate()
        assert child.returncode == -signal.SIGKILL
        assert [run.row.status for run in store.changes(listed.cursor).runs] == ["interrupted"]

    def test_a_sign_of_life(self, tmp_path: Path) -> None:
        """That a writer lives which logs nothing at the moment is a change of its last sign."""
        tracker = ExperimentTracker("live", tmp_path, False)
        tracker.log_metrics({"loss": 1.0}, step=0)
        store = ExperimentStore(tmp_path)
        listed = store.listed()
        store.changes(listed.cursor)
        later = listed.runs[0].last_sign + 60.0
        sign = tracker.experiment_dir / "metrics" / "x.alive"
        sign.touch()
        os.utime(sign, (later, later))
        changes = store.changes(listed.cursor)
        assert [run.last_sign for run in changes.runs] == [later]
        assert store.changes(changes.cursor).runs == []
        tracker.finish()

    def test_the_dead_are_read_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An experiment whose writer was killed is not read again at each look."""
        subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], stdin=subprocess.DEVNULL, check=False)
        store = ExperimentStore(tmp_path)
        assert [run.row.status for run in store.listed().runs] == ["interrupted"]
        monkeypatch.setattr("neural_core._reading_api.listing.RowReader", None)
        assert [run.row.status for run in store.listed().runs] == ["interrupted"]


class Ears:
    """Hears of annotations."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    @hookimpl
    def neural_annotations_changed(self, annotations: Any) -> None:
        """Note it."""
        self.heard.append(annotations)


class TestEdits:
    @pytest.mark.parametrize("when", ["live", "finished"])
    def test_everything(self, tmp_path: Path, when: str) -> None:
        """Name, notes, tags and colour change while an experiment lives and after it, and stay after its end."""
        tracker = ExperimentTracker("old", tmp_path, False, tags={"keep": "1", "drop": ""})
        tracker.log_metrics({"loss": 1.0}, step=0)
        if when == "finished":
            tracker.finish()
        store = ExperimentStore(tmp_path)
        run = store.run(tracker.experiment_id)
        change = Edit("new\N{SNOWMAN}", "some\nnotes", {"drop": None, "more": "2"}, "#AABBCC")
        edited = store.edit(run.id, run.revision, change)
        tracker.finish()
        for row in (edited.row, ExperimentStore(tmp_path).run(run.id).row):
            assert (row.name, row.notes, row.color) == ("new\N{SNOWMAN}", "some\nnotes", "#aabbcc")
            assert dict(row.tags) == {"keep": "1", "more": "2"}
        assert ExperimentManager(tmp_path).runs()[0].status == "completed"
        assert store.edit(run.id, edited.revision, Edit(color="")).row.color == ""

    def test_conflict(self, tmp_path: Path) -> None:
        """An edit with the revision of before somebody else's is refused and changes nothing."""
        tracker = track(tmp_path, "one")
        store, other = ExperimentStore(tmp_path), ExperimentStore(tmp_path)
        revision = store.run(tracker.experiment_id).revision
        other.edit(tracker.experiment_id, revision, Edit(notes="theirs"))
        with pytest.raises(EditConflictError):
            store.edit(tracker.experiment_id, revision, Edit(notes="mine"))
        assert store.run(tracker.experiment_id).row.notes == "theirs"

    @pytest.mark.parametrize(
        "change",
        [
            Edit(name=""),
            Edit(name="x" * 10_001),
            Edit(notes="x" * 1_000_001),
            Edit(notes=7),  # type: ignore[arg-type]
            Edit(tags={"": "x"}),
            Edit(tags={"a": 7}),  # type: ignore[dict-item]
            Edit(tags=["a"]),  # type: ignore[arg-type]
            Edit(tags={str(i): "" for i in range(1_001)}),
            Edit(color="red"),
            Edit(color="#12345g"),
            Edit(color=7),  # type: ignore[arg-type]
        ],
        ids=str,
    )
    def test_what_cannot_be_kept(self, tmp_path: Path, change: Edit) -> None:
        """An edit that cannot be kept raises and leaves every file as it was."""
        tracker = track(tmp_path, "one")
        store = ExperimentStore(tmp_path)
        run = store.run(tracker.experiment_id)
        before = snapshot(tmp_path)
        with pytest.raises(ArgumentError):
            store.edit(run.id, run.revision, change)
        assert snapshot(tmp_path) == before

    def test_backends_do_not_hear_of_colours(self, tmp_path: Path) -> None:
        """A colour reaches no backend; a note beside it does."""
        ears = Ears()
        tracker = ExperimentTracker("one", tmp_path, False, plugins=[ears])
        tracker.log_metrics({"loss": 1.0}, step=0)
        store = ExperimentStore(tmp_path)
        run = store.edit(tracker.experiment_id, store.run(tracker.experiment_id).revision, Edit(color="#123456"))
        store.edit(run.id, run.revision, Edit(notes="hello"))
        tracker.finish()
        assert [(heard.notes, dict(heard.tags), heard.name) for heard in ears.heard] == [("hello", {}, None)]

    def test_trash_refuses_the_living(self, tmp_path: Path) -> None:
        """An experiment that is being written is not thrown away."""
        tracker = ExperimentTracker("live", tmp_path, False)
        tracker.log_metrics({"loss": 1.0}, step=0)
        with pytest.raises(ExperimentInUseError):
            ExperimentStore(tmp_path).throw_away(tracker.experiment_id)
        tracker.finish()

    def test_restore_of_nothing(self, tmp_path: Path) -> None:
        """Only what is in the trash comes back."""
        tracker = track(tmp_path, "one")
        store = ExperimentStore(tmp_path)
        for run_id in (tracker.experiment_id, "000000000000", "~x", "../.."):
            with pytest.raises(ExperimentNotFoundError):
                store.restore(run_id)

    def test_directions(self, tmp_path: Path) -> None:
        """Which values are better goes by the metric's name until the user says otherwise, for this base folder."""
        with ExperimentTracker("one", tmp_path, False) as tracker:
            tracker.log_metrics({"val_loss": 1.0, "score": 1.0}, step=0)
        store = ExperimentStore(tmp_path)
        store.listed()
        assert store.directions() == {"val_loss": "min", "score": "max"}
        store.set_direction("score", "min")
        other = ExperimentStore(tmp_path)
        other.listed()
        assert other.directions()["score"] == "min"
        store.set_direction("score", None)
        assert store.directions()["score"] == "max"
        with pytest.raises(ArgumentError):
            store.set_direction("score", "up")
        assert [run.row.name for run in store.listed().runs] == ["one"]


class TestFiles:
    def test_artifacts_and_plots(self, tmp_path: Path) -> None:
        """Artifacts and plots are found by their ids, with what is known of them."""
        (tmp_path / "w.bin").write_bytes(b"weights")
        (tmp_path / "folder" / "in").mkdir(parents=True)
        (tmp_path / "folder" / "in" / "a.txt").write_text("a")
        base = tmp_path / "base"
        with ExperimentTracker("one", base, False) as tracker:
            for _ in range(2):
                tracker.log_artifact(tmp_path / "w.bin", name="w")
                (tmp_path / "w.bin").write_bytes(b"other")
            tracker.log_artifact(tmp_path / "folder")
            tracker.log_figure(Figure(), "shape")
        store = ExperimentStore(base)
        detail = store.detail(tracker.experiment_id)
        known = [(one.name, one.details["version"], one.details["is_tree"]) for one in detail.artifacts]
        assert known == [("w", 1, False), ("w", 2, False), ("folder", 1, True), ("shape", None, False)]
        assert len({one.fid for one in detail.artifacts}) == 4
        assert [store.artifact(tracker.experiment_id, one.fid) for one in detail.artifacts] == list(detail.artifacts)
        assert store.artifact(tracker.experiment_id, detail.artifacts[0].fid).path.read_bytes() == b"weights"
        assert [name for name, _ in tree_files(detail.artifacts[2].path)] == ["in/a.txt"]
        (plot,) = detail.plots
        assert (plot.name, plot.details["auto"], plot.details["suffix"]) == ("shape", False, ".png")
        assert store.plot(tracker.experiment_id, plot.fid) == plot

    def test_links_that_lead_out(self, tmp_path: Path) -> None:
        """A stored file that was exchanged for a link out of the experiment is not there, nor is a link in a folder."""
        secret = tmp_path / "secret.txt"
        secret.write_text("secret")
        (tmp_path / "w.bin").write_bytes(b"weights")
        base = tmp_path / "base"
        with ExperimentTracker("one", base, False) as tracker:
            version = tracker.log_artifact(tmp_path / "w.bin")
        store = ExperimentStore(base)
        (file,) = store.detail(tracker.experiment_id).artifacts
        version.path.unlink()
        version.path.symlink_to(secret)
        (tracker.experiment_dir / "plots").mkdir(exist_ok=True)
        (tracker.experiment_dir / "plots" / "x.png").symlink_to(secret)
        (tracker.experiment_dir / "plots" / "loop.png").symlink_to("loop.png")
        os.mkfifo(tracker.experiment_dir / "plots" / "pipe.png")
        detail = store.detail(tracker.experiment_id)
        assert (list(detail.artifacts), list(detail.plots)) == ([], [])
        with pytest.raises(ArtifactNotFoundError):
            store.artifact(tracker.experiment_id, file.fid)
        (tmp_path / "tree").mkdir()
        (tmp_path / "tree" / "link").symlink_to(secret)
        assert list(tree_files(tmp_path / "tree")) == []
