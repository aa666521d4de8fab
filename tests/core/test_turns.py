"""Turns: a relay and a training share one interpreter, and neither waits for the other."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neural_core import ExperimentTracker
from neural_core.testing import RecordingPlugin, wait_for

USUAL = 0.004
THEIRS = 0.003
PATIENCE = 120.0


class Looking(RecordingPlugin):
    """Notes the switch interval at each call."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def heard(self, hook: str, arguments: dict[str, Any]) -> None:
        """Note it."""
        self.seen.append(sys.getswitchinterval())


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    """Use an interval that nobody else sets, and put things back."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(USUAL)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def plugin() -> Looking:
    """Give a plugin that looks."""
    return Looking()


@pytest.fixture
def tracker(tmp_path: Path, plugin: Looking) -> Iterator[ExperimentTracker]:
    """Give a tracker with that plugin beside it, and nothing else."""
    made = ExperimentTracker("turns", tmp_path, auto_visualize=False, plugins=[plugin])
    yield made
    made.finish()


def log_until_seen(tracker: ExperimentTracker, plugin: Looking, *, short: bool) -> None:
    """Log until the plugin was called in short turns, or in usual ones."""

    def seen() -> bool:
        tracker.log_metrics({"loss": 1.0})
        return any((interval < USUAL / 10) == short for interval in plugin.seen[before:])

    before = len(plugin.seen)
    wait_for(seen, PATIENCE)


def test_short_beside_a_training(tracker: ExperimentTracker, plugin: Looking) -> None:
    """While the training alone computes, a hook object is called in short turns; then all is as it was."""
    log_until_seen(tracker, plugin, short=True)
    tracker.finish()
    assert sys.getswitchinterval() == USUAL


def test_usual_where_other_threads_compute(tracker: ExperimentTracker, plugin: Looking) -> None:
    """While two threads of the script compute, a hook object is called in the script's own turns; afterwards not."""
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(1_000))

    threads = [threading.Thread(target=compute) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        log_until_seen(tracker, plugin, short=False)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    log_until_seen(tracker, plugin, short=True)


def test_own_setting_of_the_script(tracker: ExperimentTracker, plugin: Looking) -> None:
    """An interval that the script sets meanwhile is left alone."""
    log_until_seen(tracker, plugin, short=True)
    sys.setswitchinterval(THEIRS)
    tracker.finish()
    assert sys.getswitchinterval() == THEIRS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # forking beside threads is what is tested
def test_usual_in_a_forked_child(tracker: ExperimentTracker, plugin: Looking) -> None:
    """A forked child, which delivers nothing, has the interval of before."""
    log_until_seen(tracker, plugin, short=True)
    child = os.fork()
    if child == 0:
        os._exit(0 if sys.getswitchinterval() == USUAL else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
