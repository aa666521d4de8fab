"""The automatic plots: what a failure costs."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from neural_core import ExperimentTracker, _plots
from neural_core._autoplots import AutoPlots
from neural_core.testing import deliver


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
