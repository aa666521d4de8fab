"""Tabs of the comparison page from other packages. For the authors of plugins.

A panel is an object with a `title` and a method `figure`, registered under ``neural.panels``::

    [project.entry-points."neural.panels"]
    gap = "neural_gap:Gap"

It becomes a tab behind the four of the page, drawn again when other experiments are selected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from neural_core.reading import SeriesView, StoredRun
from neural_ui._palette import dash_of, faded, literal
from neural_ui._palette import run_colour as colour_of

__all__ = ["Panel", "SeriesReader", "colour_of", "dash_of", "faded", "literal"]


class SeriesReader(Protocol):
    """Reads a metric of the selected experiments."""

    def __call__(self, metric: str, *, x: str = "step", points: int = 700) -> SeriesView:
        """Give the metric's curve of each experiment, in their order.

        Args:
            metric: its name; an experiment that has not got it has an empty curve of the kind ``none``.
            x: ``step``, ``wall`` (Unix seconds), ``relative`` (seconds since the first row) or ``metric:NAME``.
            points: up to so many are given as they are; more become as many buckets with mean, low and high.
        """


class Panel(Protocol):
    """What the entry point names, or what that gives when it is called without arguments.

    Attributes:
        title: of the tab, a word or two.
    """

    title: str

    def figure(self, experiments: Sequence[StoredRun], series: SeriesReader) -> Any:
        """Draw the selected experiments.

        Called on a thread of the server, one call at a time for each panel; it may raise, which the tab then says.

        Args:
            experiments: the newest first. Each has `id`, `ordinal` and `row`: name, status, times, parameters by
                dotted name, and metrics with count, last, min and max.
            series: reads metrics, from as many points as there are.

        Returns:
            A Plotly figure, or its JSON: ``{"data": [...], "layout": {...}}`` with lists or NumPy arrays. The page
            draws with plotly.js's basic bundle (scatter, bar, pie), and brings fonts, background and grid. Text from
            experiments goes through `literal`, colours of experiments come from `colour_of`.
        """
