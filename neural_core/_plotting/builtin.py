"""The built-in plots, registered like anybody's: an entry point of the group ``neural.visualizers``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from neural_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neural_core.records import ComparedExperiment, Series

__all__ = ["MatplotlibPlots"]


class MatplotlibPlots:
    """Draws with matplotlib; comes last, so that a plugin's plot of the same name takes the place of its own."""

    @hookimpl(trylast=True)
    def neural_make_plots(self, history: Mapping[str, Series]) -> Mapping[str, Figure]:
        """Draw each metric, all metrics together, their correlation and their distributions."""
        from neural_core._plotting.visualizer import make_plots

        return make_plots(history)

    @hookimpl(trylast=True)
    def neural_make_comparison_plots(self, experiments: Sequence[ComparedExperiment]) -> Mapping[str, Figure]:
        """Draw each metric of all experiments, their hyperparameters and their best values."""
        from neural_core._plotting.comparison import make_comparison_plots

        return make_comparison_plots(experiments)
