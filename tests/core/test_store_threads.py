"""Several threads and one tracker: no deadlock between the first row and a fact, no number lost."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

import pytest
from journal_support import contents, steps

from neural_core import ExperimentTracker
from neural_core.errors import ExperimentFinishedError


def test_a_first_row_beside_a_fact_does_not_deadlock(tmp_path: Path) -> None:
    """The first row (it sets the status) and hyperparameters logged at that moment by another thread both pass."""
    tracker = ExperimentTracker("threads", tmp_path, auto_visualize=False)
    session = tracker._session
    assert session is not None
    inside, fact_waits = threading.Event(), threading.Event()
    original = session.writer.on_first_row
    assert original is not None

    def first_row() -> None:
        inside.set()
        fact_waits.wait(60)
        original()

    def log_fact() -> None:
        inside.wait(60)
        with session.lock:
            fact_waits.set()
            tracker.log_hyperparameters({"lr": 1})

    session.writer.on_first_row = first_row
    threads = [
        threading.Thread(target=tracker.log_metrics, args=({"loss": 1.0}, 0), daemon=True),
        threading.Thread(target=log_fact, daemon=True),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    assert contents(tracker.experiment_dir)["hyperparameters"] == {"lr": 1}
    assert steps(tracker.experiment_dir) == [0]
    assert tracker.status == "running"
    tracker.finish()


@pytest.mark.fault("C03")
def test_threads_share_a_tracker(tmp_path: Path) -> None:
    """Four threads with metrics of their own lose no row, and each thread's rows keep their order."""
    tracker = ExperimentTracker("threads", tmp_path, auto_visualize=False)

    def work(number: int) -> None:
        for step in range(200):
            tracker.log_metrics({f"m{number}": float(step)} | ({"odd": 1.0} if step % 3 else {}), step)
            if step % 50 == 0:
                tracker.log_hyperparameters({f"p{number}": step})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    for when in ("live", "finished"):
        if when == "finished":
            tracker.finish()
        assert len(tracker.metrics_history) == 800
        assert all(tracker.get_metrics(f"m{n}") == [float(step) for step in range(200)] for n in range(4))
        assert tracker.hyperparameters == {f"p{n}": 150 for n in range(4)}
    assert tracker.damage == []


def test_finish_beside_threads_that_log(tmp_path: Path) -> None:
    """Threads that still log while the experiment is finished are refused at some row; all before it are stored."""
    for attempt in range(8):
        tracker = ExperimentTracker("fenced", tmp_path / str(attempt), auto_visualize=False)
        counts, begun = [0] * 3, threading.Barrier(4)

        def work(number: int, tracker: ExperimentTracker, counts: list[int], begun: threading.Barrier) -> None:
            begun.wait()
            with contextlib.suppress(ExperimentFinishedError):
                while True:
                    tracker.log_metrics({f"m{number}": float(counts[number])}, counts[number])
                    counts[number] += 1

        threads = [threading.Thread(target=work, args=(n, tracker, counts, begun), daemon=True) for n in range(3)]
        for thread in threads:
            thread.start()
        begun.wait()
        time.sleep(0.01)
        tracker.finish()
        for thread in threads:
            thread.join(120)
        assert not any(thread.is_alive() for thread in threads)
        for number in range(3):
            assert tracker.get_metrics(f"m{number}") == [float(step) for step in range(counts[number])]
        assert (tracker.health.ok, tracker.damage) == (True, [])
