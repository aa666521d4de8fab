#!/usr/bin/env python3
"""A hook object of a script: it raises the alarm when the loss becomes NaN or infinite.

The object lives in this process, on a thread of its own: the loop does not wait for it. `stop` is how it speaks back.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

from neural_core import ExperimentTracker, hookimpl


class NanAlert:
    """Watches one metric and sets `stop` when it becomes NaN or infinite.

    Attributes:
        stop: set when the training is not worth going on with.
        step: the step at which it went wrong, None so far.
    """

    def __init__(self, metric: str = "loss") -> None:
        self.metric = metric
        self.stop = threading.Event()
        self.step: int | None = None

    @hookimpl
    def neural_metrics_logged(self, rows: Sequence[Any]) -> None:
        """Look at the new rows; the first bad one is told."""
        for row in rows:
            if not math.isfinite(row.values.get(self.metric, 0.0)) and not self.stop.is_set():
                self.step = row.step
                self.stop.set()
                print(f"{self.metric} is {row.values[self.metric]} at step {row.step}: stop and look at the rate")


def train(alert: NanAlert, rate: float, steps: int = 2_000) -> ExperimentTracker:
    """Minimise x⁴ by gradient descent; a rate that is too large makes it diverge."""
    with ExperimentTracker("nan-alert", auto_visualize=False, plugins=[alert]) as tracker:
        tracker.log_hyperparameters({"rate": rate, "steps": steps})
        x = 2.0
        for step in range(steps):
            gradient = x * x * x * 4.0
            x -= rate * gradient
            tracker.log_metrics({"loss": x * x * x * x}, step=step)
            if alert.stop.wait(0.001):  # a real step takes longer than this
                tracker.set_status("failed")
                break
    return tracker


if __name__ == "__main__":
    for rate in (0.01, 0.5):
        alert = NanAlert()
        tracker = train(alert, rate)
        stopped = "ran to the end" if alert.step is None else f"was stopped after {len(tracker.metrics_history)} steps"
        print(f"rate {rate}: {stopped}")
