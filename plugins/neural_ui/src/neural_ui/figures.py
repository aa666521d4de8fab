"""The figures of the visualizer ``plotly`` for notebooks: ``experiment_figures(tracker)["metric_loss"].show()``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from neural_core import ExperimentTracker

__all__ = ["experiment_figures"]


def experiment_figures(experiment: ExperimentTracker) -> dict[str, Figure]:
    """Draw the metrics of an experiment, running or finished.

    Args:
        experiment: a tracker, or what `ExperimentManager.get_experiment` gives.

    Returns:
        Name → Plotly figure: ``metric_<name>``, ``combined``, ``correlation``, ``distributions``. A metric without a
        finite value is left out.
    """
    from plotly.graph_objects import Figure

    from neural_ui._plotly_specs import figure_specs

    history = {name: experiment.get_series(name) for name in experiment.metrics}
    return {name: Figure(spec) for name, spec in figure_specs(history).items()}
