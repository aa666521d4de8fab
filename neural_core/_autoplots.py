"""The automatic plots: an ordinary plugin, which lives in the companion process."""

from __future__ import annotations

import gc
import time

from neural_core.hookspecs import hookimpl
from neural_core.records import Experiment, MetricRows

__all__ = ["AutoPlots"]

EVERY_ROWS = 10
SHARE_OF_A_CORE = 0.1


class AutoPlots:
    """Draws the plots of an experiment again when it grew by ten rows; all of a process take a tenth of a core."""

    _not_before = 0.0  # of all experiments in this process: they share the tenth

    def __init__(self, visualizer: str | None = None) -> None:
        """Draw nothing yet.

        Args:
            visualizer: name of the one that draws; the built-in one when None.
        """
        self._visualizer = visualizer
        self._new_rows = 0
        self._fresh = False  # an earlier process may have been told of rows and have ended before it drew them
        self._experiment: Experiment | None = None

    @hookimpl
    def neural_metrics_logged(self, experiment: Experiment, rows: MetricRows) -> None:
        """Draw, unless too little is new or the last drawing was a moment ago."""
        self._experiment = experiment
        self._new_rows += len(rows)
        self._fresh = False
        self.while_idle()

    def while_idle(self) -> bool:
        """Draw what was put off: the training may rest now, and no row come for an hour. True when it was due."""
        if self._experiment is None or self._new_rows < EVERY_ROWS or time.monotonic() < AutoPlots._not_before:
            return False
        began = time.thread_time()
        self._draw(self._experiment)
        pause = (time.thread_time() - began) / SHARE_OF_A_CORE
        AutoPlots._not_before = max(AutoPlots._not_before, time.monotonic()) + pause
        return True

    @hookimpl
    def neural_experiment_finished(self, experiment: Experiment) -> None:
        """Draw for the last time."""
        if not self._fresh:
            self._draw(experiment)

    def _draw(self, experiment: Experiment) -> None:
        from neural_core._plots import draw_experiment

        # A figure is a cycle that holds megabytes of pixels: none waits for its turn with the collector. What was
        # there before is frozen meanwhile, or looking through it would take as long as drawing.
        gc.freeze()
        try:
            draw_experiment(experiment, self._visualizer, tidy=gc.collect)
        finally:
            gc.unfreeze()
        self._new_rows, self._fresh = 0, True  # only now: what was not drawn is asked for again
