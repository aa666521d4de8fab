"""What two threads, or a fork and a thread, do at the same moment: each test stops one of them in the middle."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from journal_support import listed, statuses, steps

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage.artifacts.store import ArtifactStore
from neural_core._storage.journal import check_cache
from neural_core._storage.writing.session import Session
from neural_core._storage.writing.writer import JournalWriter

SECONDS = 100
"""Whoever waits longer waits for ever."""


class Stop:
    """Stops a function in the thread of this name, until it may go on."""

    def __init__(self, function: Callable[..., Any], thread: str) -> None:
        self.reached, self.go_on = threading.Event(), threading.Event()
        self._function, self._thread = function, thread

    def __get__(self, instance: object, owner: type | None = None) -> Callable[..., Any]:
        return lambda *args, **named: self(instance, *args, **named)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Do what the function does, later."""
        if threading.current_thread().name == self._thread:
            self.reached.set()
            assert self.go_on.wait(SECONDS)
        return self._function(*args, **named)


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[ExperimentTracker]:
    """A tracker with one row."""
    made = ExperimentTracker("races", tmp_path / "runs", auto_visualize=False)
    made.log_metrics({"loss": 1.0}, 0)
    yield made
    made.finish()


def writer_of(tracker: ExperimentTracker) -> JournalWriter:
    """Give its writer."""
    assert tracker._session is not None
    return tracker._session.writer


def begin(work: Callable[[], object]) -> threading.Thread:
    """Do something in the thread that is stopped."""
    thread = threading.Thread(target=work, name="stopped", daemon=True)
    thread.start()
    return thread


def end(thread: threading.Thread) -> None:
    """Wait for a thread to end."""
    thread.join(SECONDS)
    assert not thread.is_alive()


def ends_in_a_child(work: Callable[[], object]) -> bool:
    """Tell whether something ends in a forked child."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(SECONDS)
        work()
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def end_beside(tracker: ExperimentTracker, stop: Stop, work: Callable[[], object]) -> None:
    """End the experiment while other work of its is stopped, and let that go on afterwards."""
    thread = begin(work)
    assert stop.reached.wait(SECONDS)
    tracker.finish()
    stop.go_on.set()
    end(thread)


def test_the_end_beside_a_sync(tracker: ExperimentTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sync of the housekeeping thread that the end overtakes is no trouble of the disk."""
    stop = Stop(JournalWriter.fsync, "stopped")
    monkeypatch.setattr(JournalWriter, "fsync", stop)
    end_beside(tracker, stop, writer_of(tracker)._upkeep.tick)
    assert tracker.health.ok


def test_the_end_beside_a_sign_of_life(tracker: ExperimentTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """No sign of life stays when the end overtakes the thread that gives it."""
    stop = Stop(Path.touch, "stopped")
    monkeypatch.setattr(Path, "touch", stop)
    end_beside(tracker, stop, writer_of(tracker)._upkeep._touch)
    assert not list(tracker.experiment_dir.rglob("*.alive"))


def test_interrupted_in_the_first_call(tmp_path: Path) -> None:
    """After Ctrl-C in the first call of a log verb there is a housekeeping thread all the same."""
    tracker = ExperimentTracker("races", tmp_path, auto_visualize=False)
    writer = writer_of(tracker)
    given = writer.on_first_row

    def interrupted() -> None:
        writer.on_first_row = given
        raise KeyboardInterrupt

    writer.on_first_row = interrupted
    with pytest.raises(KeyboardInterrupt):
        tracker.log_metrics({"loss": 1.0}, 0)
    tracker.log_metrics({"loss": 1.0}, 1)
    assert "neural-housekeeping" in [thread.name for thread in threading.enumerate()]
    tracker.finish()


def test_a_tick_beside_a_large_artifact(
    tracker: ExperimentTracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Housekeeping, for which a fork waits, does not wait for a thread that stores an artifact."""
    (tmp_path / "model.bin").write_bytes(b"weights")
    stop = Stop(ArtifactStore.store, "stopped")
    monkeypatch.setattr(ArtifactStore, "store", stop)
    thread = begin(lambda: tracker.log_artifact(tmp_path / "model.bin"))
    assert stop.reached.wait(SECONDS)
    tick = threading.Thread(target=writer_of(tracker)._upkeep.tick, daemon=True)
    tracker.log_metrics({"loss": 1.0}, 1)
    tick.start()
    end(tick)
    stop.go_on.set()
    end(thread)
    assert listed(tracker.experiment_dir).artifacts == 1


def test_the_end_from_two_threads(tracker: ExperimentTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two threads that end an experiment one does, and the other does nothing."""
    stop = Stop(ExperimentTracker.set_status, "stopped")
    monkeypatch.setattr(ExperimentTracker, "set_status", stop)
    first = begin(lambda: tracker.finish("failed"))
    assert stop.reached.wait(SECONDS)
    failures: list[BaseException] = []

    def also() -> None:
        try:
            tracker.finish("completed")
        except BaseException as error:
            failures.append(error)
            raise

    second = threading.Thread(target=also, daemon=True)
    second.start()
    stop.go_on.set()
    end(first)
    end(second)
    assert not failures
    assert listed(tracker.experiment_dir).status == "failed"


def test_a_fork_beside_a_look_into_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that is forked while a thread looks into the cache of checks looks into it, too."""
    checks, status = check_cache.shared_checks(), tmp_path.stat()
    stop = Stop(check_cache.CheckCache._execute, "stopped")
    monkeypatch.setattr(check_cache.CheckCache, "_execute", stop)
    thread = begin(lambda: checks.get(status))
    assert stop.reached.wait(SECONDS)
    assert ends_in_a_child(lambda: check_cache.shared_checks().get(status))
    stop.go_on.set()
    end(thread)


def test_a_stored_experiment_is_resumed_once(tracker: ExperimentTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two threads that write to a stored experiment one resumes it, and the numbers of both are there."""
    tracker.finish()
    stored = ExperimentManager(tracker.experiment_dir.parent).get_experiment(tracker.experiment_id)
    stop = Stop(Session.open, "stopped")
    opened: list[object] = []

    def opening(*args: Any, **named: Any) -> object:
        opened.append(args)
        return stop(*args, **named)

    monkeypatch.setattr(Session, "open", opening)
    first = begin(lambda: stored.log_metrics({"loss": 0.5}, 1))
    assert stop.reached.wait(SECONDS)
    second = threading.Thread(target=lambda: stored.log_metrics({"loss": 0.25}, 2), daemon=True)
    second.start()
    stop.go_on.set()
    end(first)
    end(second)
    stored.finish()
    assert len(opened) == 1
    assert sorted(step for step in steps(tracker.experiment_dir) if step is not None) == [0, 1, 2]
    assert list(statuses(tracker.experiment_dir.parent).values()) == ["completed"]
