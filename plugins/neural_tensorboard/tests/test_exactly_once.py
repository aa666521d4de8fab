"""Each event once: what is cut, what is kept, and what happens to files that somebody else changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from event_files import Loaded, run_folder
from neural_tensorboard import TensorBoardBackend

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.records import Experiment
from neural_core.testing import Delivered, deliver, following, run_script


def track(tmp_path: Path, steps: range, name: str = "once") -> ExperimentTracker:
    """Begin an experiment with a row for each step."""
    tracker = ExperimentTracker(name, tmp_path / "experiments", auto_visualize=False)
    log(tracker, steps)
    return tracker


def log(tracker: ExperimentTracker, steps: range) -> None:
    """Log a row for each step."""
    for step in steps:
        tracker.log_metrics({"loss": step / 4}, step=step)


def send(tmp_path: Path, tracker: ExperimentTracker, last: Delivered | None = None) -> Delivered:
    """Deliver to a new object, from the beginning or where the last delivery ended."""
    backend = TensorBoardBackend(tmp_path / "runs")
    if last is None:
        delivered = deliver(tracker.experiment_dir, backend)
    else:
        delivered = deliver(tracker.experiment_dir, backend, last.position, last.bookmark)
    assert delivered.complete, delivered.last_error
    return delivered


def folder(tmp_path: Path, tracker: ExperimentTracker) -> Path:
    """Give the run's folder."""
    return run_folder(tmp_path / "runs", tracker.experiment_id)


def event_files(tmp_path: Path, tracker: ExperimentTracker) -> list[str]:
    """Give the numbers of the run's event files."""
    return [path.suffix for path in sorted(folder(tmp_path, tracker).iterdir())]


def steps(tmp_path: Path, tracker: ExperimentTracker) -> list[int]:
    """Give the steps as TensorBoard reads them."""
    return [step for step, _ in Loaded.of(folder(tmp_path, tracker)).scalars("loss")]


def test_what_stands_behind_the_bookmark_is_cut(tmp_path: Path) -> None:
    """Rows that were written after the last bookmark, and come again, stand there once and in order."""
    tracker = track(tmp_path, range(5))
    first = send(tmp_path, tracker)
    log(tracker, range(5, 10))
    send(tmp_path, tracker, first)
    log(tracker, range(10, 15))
    send(tmp_path, tracker, first)
    assert steps(tmp_path, tracker) == list(range(15))
    tracker.finish()


def test_a_cut_waits_for_nothing(tmp_path: Path) -> None:
    """What stands behind the bookmark is gone as soon as another object goes on, whatever comes next."""
    tracker = track(tmp_path, range(5))
    first = send(tmp_path, tracker)
    log(tracker, range(5, 10))
    send(tmp_path, tracker, first)
    backend = TensorBoardBackend(tmp_path / "runs")
    backend.return_to(first.bookmark)
    (row,) = ExperimentManager(str(tmp_path / "experiments")).runs()
    record = Experiment(row.experiment_id, row.uid, row.name, tracker.experiment_dir, start_time=row.start_time)
    backend.neural_experiment_started(experiment=record)
    assert steps(tmp_path, tracker) == list(range(5))
    tracker.finish()


def test_rewritten_bytes_are_the_same(tmp_path: Path) -> None:
    """What is cut and written again has the same bytes, so a TensorBoard that reads the file does not notice."""
    tracker = track(tmp_path, range(5))
    (tmp_path / "notes.txt").write_text("text")
    tracker.log_artifact(str(tmp_path / "notes.txt"))
    first = send(tmp_path, tracker)
    log(tracker, range(5, 10))
    tracker.finish()
    send(tmp_path, tracker, first)
    before = {path.name: path.read_bytes() for path in folder(tmp_path, tracker).iterdir()}
    send(tmp_path, tracker)
    assert {path.name: path.read_bytes() for path in folder(tmp_path, tracker).iterdir()} == before


def test_from_the_very_beginning(tmp_path: Path) -> None:
    """A delivery from the beginning replaces this experiment's own files, and no others in the same folder."""
    tracker, other = track(tmp_path, range(5)), track(tmp_path, range(3))
    send(tmp_path, tracker)
    send(tmp_path, other)
    foreign = folder(tmp_path, tracker) / "events.out.tfevents.0000000001.host.profile"
    foreign.write_bytes(b"")
    send(tmp_path, tracker)
    assert steps(tmp_path, tracker) == list(range(5))
    assert steps(tmp_path, other) == list(range(3))
    assert foreign.exists()
    tracker.finish()
    other.finish()


def test_without_a_bookmark(tmp_path: Path) -> None:
    """An object that goes on without a bookmark leaves what is there, and begins another file behind it."""
    tracker = track(tmp_path, range(5))
    first = send(tmp_path, tracker)
    log(tracker, range(5, 10))
    delivered = deliver(tracker.experiment_dir, TensorBoardBackend(tmp_path / "runs"), first.position)
    assert delivered.complete
    assert event_files(tmp_path, tracker) == [".0000", ".0001", ".0002"]
    assert steps(tmp_path, tracker) == list(range(10))
    tracker.finish()


@pytest.mark.parametrize("cut", [1, 11, 20, 25])
def test_a_torn_end_hides_nothing(tmp_path: Path, cut: int) -> None:
    """Half a record, as a kill in the middle of a write leaves it, is cut off before the next is written."""
    tracker = track(tmp_path, range(5))
    first = send(tmp_path, tracker)
    log(tracker, range(5, 6))
    send(tmp_path, tracker, first)
    path = sorted(folder(tmp_path, tracker).iterdir())[-1]
    os.truncate(path, path.stat().st_size - cut)
    log(tracker, range(6, 8))
    send(tmp_path, tracker, first)
    assert steps(tmp_path, tracker) == list(range(8))
    tracker.finish()


def test_a_torn_description_is_replaced(tmp_path: Path) -> None:
    """Half a description is replaced as a whole."""
    tracker = track(tmp_path, range(1))
    tracker.log_hyperparameters({"lr": 0.5})
    first = send(tmp_path, tracker)
    path = min(folder(tmp_path, tracker).iterdir())
    os.truncate(path, path.stat().st_size - 3)
    tracker.finish()
    send(tmp_path, tracker, first)
    assert Loaded.of(folder(tmp_path, tracker)).hparams() == {"lr": 0.5}


@pytest.mark.parametrize("how", ["removed", "shortened", "folder removed"])
def test_somebody_removes_the_file(tmp_path: Path, how: str) -> None:
    """When somebody removes or shortens an event file, later rows arrive all the same, in another file."""
    tracker = track(tmp_path, range(5))
    with following(tracker.experiment_dir, TensorBoardBackend(tmp_path / "runs")) as catch_up:
        catch_up()
        paths = sorted(folder(tmp_path, tracker).iterdir())
        if how == "shortened":
            os.truncate(paths[-1], 30)
        for path in paths if how == "folder removed" else paths[-1:]:
            path.unlink() if how != "shortened" else None
        log(tracker, range(5, 8))
        assert catch_up().errors == 0
        tracker.finish()
        catch_up()
    assert steps(tmp_path, tracker) == [5, 6, 7] if how != "shortened" else steps(tmp_path, tracker)[-3:] == [5, 6, 7]


def test_a_refused_write_is_made_again(tmp_path: Path) -> None:
    """A disk that refuses is an error that the relay hears; when it takes the rows again, each stands there once."""
    tracker = track(tmp_path, range(5))
    runs = tmp_path / "runs"
    runs.write_text("a file where the folder belongs")
    with following(tracker.experiment_dir, TensorBoardBackend(runs), seconds=60) as catch_up:
        refused = catch_up()
        assert refused.errors
        assert not refused.complete
        runs.unlink()
        tracker.finish()
        while not catch_up().complete:
            pass
    assert steps(tmp_path, tracker) == list(range(5))


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """A write that stops in the middle leaves half a batch, which is cut before the rows are written again."""
    code = """
import logging, resource, sys
from neural_core.testing import following
from neural_tensorboard import TensorBoardBackend
logging.disable()
limits = resource.getrlimit(resource.RLIMIT_FSIZE)
with following(sys.argv[1], TensorBoardBackend("runs"), seconds=60) as catch_up:
    resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, limits[1]))
    full = catch_up()
    assert full.errors and not full.complete, full
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    while not catch_up().complete:
        pass
print(full.last_error)
"""
    tracker = track(tmp_path, range(3_000))
    tracker.finish()
    assert "File too large" in run_script(code, tracker.experiment_dir, cwd=tmp_path)
    assert steps(tmp_path, tracker) == list(range(3_000))


def test_edits_after_the_end(tmp_path: Path) -> None:
    """What is edited after the end changes the description and no scalar."""
    tracker = track(tmp_path, range(5))
    tracker.finish()
    first = send(tmp_path, tracker)
    ExperimentManager(str(tmp_path / "experiments")).get_experiment(tracker.experiment_id).set_notes("afterthought")
    send(tmp_path, tracker, first)
    run = Loaded.of(folder(tmp_path, tracker))
    assert run.text("neural/notes") == ["afterthought"]
    assert [step for step, _ in run.scalars("loss")] == list(range(5))
