"""Several experiments in one picture per metric, and their hyperparameters and best values side by side."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from neural_core._plotting.summary import best_of, chosen_metrics, labels, parameters
from neural_core._plotting.text import file_stems
from neural_core._plotting.visualizer import attempt
from neural_core.records import ComparedExperiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["make_comparison_plots"]

_log = logging.getLogger("neural")
_COLUMNS = 8
_BARS = 12


def make_comparison_plots(
    experiments: Sequence[ComparedExperiment], metrics: Sequence[str] | None = None
) -> dict[str, Figure]:
    """Draw experiments beside each other.

    Args:
        experiments: in the order that gives each its colour (ten colours, then the same ones dashed, then dotted).
            Those that share a name are told apart by their id.
        metrics: the metrics to draw; None for all.

    Returns:
        ``metric_<name>`` per metric with a line per experiment; ``best_metrics`` with the best finite value of each
        experiment per metric, the direction told from the metric's name (12 metrics a page, then ``best_metrics_2``
        …); ``hyperparameters`` with the values side by side, differing ones marked (8 experiments a page). The
        names are safe file stems. What there is nothing of is left out.

    Raises:
        ArgumentValueError: there is no experiment, or none of them has a metric that was asked for.
    """
    names = chosen_metrics(experiments, metrics)
    shown = labels(compared.experiment for compared in experiments)
    figures = _lines(experiments, names, shown)
    figures |= _bars(experiments, names, shown)
    return figures | _table(experiments, shown)


def _lines(experiments: Sequence[ComparedExperiment], names: list[str], shown: list[str]) -> dict[str, Figure]:
    from neural_core._plotting.comparison_lines import comparison_figure
    from neural_core._plotting.curves import make_curve

    figures: dict[str, Figure] = {}
    for name, stem in file_stems(names, "metric_").items():
        curves = [make_curve(c.series[name]) if name in c.series else None for c in experiments]
        if all(curve is None for curve in curves):
            _log.warning("plots: metric %.80r has no finite value in any experiment; it is not drawn", name)
        else:
            attempt(figures, stem, comparison_figure, name, shown, curves)
    return figures


def _bars(experiments: Sequence[ComparedExperiment], names: list[str], shown: list[str]) -> dict[str, Figure]:
    from neural_core._plotting.comparison_bars import best_figure
    from neural_core._plotting.layout import page_key, pages

    best = {name: [best_of(c.series[name], name) if name in c.series else None for c in experiments] for name in names}
    drawn = [(name, values) for name, values in best.items() if any(values)]
    figures: dict[str, Figure] = {}
    for page, part in pages(drawn, _BARS):
        attempt(figures, page_key("best_metrics", page), best_figure, dict(part), shown)
    return figures


def _table(experiments: Sequence[ComparedExperiment], shown: list[str]) -> dict[str, Figure]:
    from neural_core._plotting.comparison_table import table_figure
    from neural_core._plotting.layout import page_key, pages

    rows = parameters(experiments)
    figures: dict[str, Figure] = {}
    if rows:
        for page, part in pages(range(len(shown)), _COLUMNS):
            attempt(figures, page_key("hyperparameters", page), table_figure, rows, shown, list(part))
    return figures
