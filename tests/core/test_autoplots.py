"""The automatic plots: when they are drawn, and what a failure costs."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import Any

import pytest

from neural_core import ExperimentTracker, _autoplots, _plots
from neural_core._autoplots import AutoPlots
from neural_core.records import Experiment
from neural_core.testing import deliver, following, wait_for


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names of the experiments as they are drawn, which takes the processor a while."""
    names: list[str] = []

    def draw(experiment: Experiment, *_: Any, **__: Any) -> dict[str, Path]:
        sum(range(100_000))
        names.append(experiment.name)
        return {}

    monkeypatch.setattr(_plots, "draw_experiment", draw)
    monkeypatch.setattr(AutoPlots, "_not_before", 0.0)
    return names


def log(tracker: ExperimentTracker, rows: int) -> None:
    """Log some rows."""
    for step in range(rows):
        tracker.log_metrics({"loss": step / 8}, step)


def test_what_was_put_off_is_drawn_without_further_rows(
    tmp_path: Path, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that came a moment after a drawing are drawn when it is time, although the training rests."""
    tracker = ExperimentTracker("rests", tmp_path, auto_visualize=False)
    with following(tracker.experiment_dir, AutoPlots()) as catch_up:
        log(tracker, 9)
        assert (catch_up().complete, drawn) == (True, [])
        log(tracker, 1)
        assert (catch_up().complete, drawn) == (True, ["rests"])
        monkeypatch.setattr(AutoPlots, "_not_before", time.monotonic() + 1_000_000.0)
        log(tracker, 30)
        assert (catch_up().complete, drawn) == (True, ["rests"])
        monkeypatch.setattr(AutoPlots, "_not_before", 0.0)
        wait_for(lambda: drawn == ["rests", "rests"])
    tracker.finish()


def test_what_was_refused_while_the_training_rests(
    tmp_path: Path, drawn: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Plots that the disk refused while the training rests are one warning, and drawn when it takes them."""
    tracker = ExperimentTracker("refused", tmp_path, auto_visualize=False)
    refusals, draw = [1, 2], _plots.draw_experiment

    def refuse(*what: Any, **more: Any) -> dict[str, Path]:
        if refusals:
            raise OSError(errno.ENOSPC, f"no space left on device, {refusals.pop()}")
        return draw(*what, **more)

    with following(tracker.experiment_dir, AutoPlots()) as catch_up:
        monkeypatch.setattr(AutoPlots, "_not_before", time.monotonic() + 1_000_000.0)
        log(tracker, 10)
        assert catch_up().complete
        monkeypatch.setattr(_plots, "draw_experiment", refuse)
        monkeypatch.setattr(AutoPlots, "_not_before", 0.0)
        wait_for(lambda: drawn == ["refused"])
        assert catch_up().errors == 2
    assert len(caplog.records) == 1
    tracker.finish()


def test_all_share_a_tenth_of_a_core(tmp_path: Path, drawn: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """After a drawing of one experiment another of the same process waits, too; the end is drawn at once."""
    monkeypatch.setattr(_autoplots, "SHARE_OF_A_CORE", 1e-9)
    first, second = (ExperimentTracker(name, tmp_path, auto_visualize=False) for name in ("first", "second"))
    with following(first.experiment_dir, AutoPlots()) as one, following(second.experiment_dir, AutoPlots()) as other:
        log(first, 10)
        assert (one().complete, drawn) == (True, ["first"])
        log(second, 10)
        assert (other().complete, drawn) == (True, ["first"])
        second.finish()
        assert (other().complete, drawn) == (True, ["first", "second"])
        first.finish()


def test_what_was_not_drawn_is_drawn_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots that the disk refused at the end of an experiment are drawn when their plugin is told of it again."""
    tracker = ExperimentTracker("drawn", tmp_path, auto_visualize=False)
    for step in range(3):
        tracker.log_metrics({"loss": step / 8}, step)
    tracker.finish()
    given, refusals = _plots.draw_experiment, [OSError(errno.ENOSPC, "no space left on device")]

    def draw(*what: Any, **more: Any) -> dict[str, Path]:
        if refusals:
            raise refusals.pop()
        return given(*what, **more)

    monkeypatch.setattr(_plots, "draw_experiment", draw)
    assert deliver(tracker.experiment_dir, AutoPlots()).complete
    assert not refusals
    assert list((tracker.experiment_dir / "plots").glob("auto_*loss*.png"))
