"""The visualizer ``plotly``: interactive plots as HTML files that open from the disk, without a server or a network."""

from __future__ import annotations

from collections.abc import Mapping

from neural_core import hookimpl
from neural_core.records import Experiment, PlotFile, Series

__all__ = ["PlotlyPlots"]


class PlotlyPlots:
    """Draws what the built-in plots show, to be zoomed and hovered over."""

    @hookimpl
    def neural_make_plots(self, experiment: Experiment, history: Mapping[str, Series]) -> Mapping[str, PlotFile]:
        """Give a page for each metric, for all of them, for their correlation and their distributions."""
        from neural_ui._plotly_page import plot_page
        from neural_ui._plotly_specs import figure_specs

        return {name: plot_page(experiment.name, name, spec) for name, spec in figure_specs(history).items()}
