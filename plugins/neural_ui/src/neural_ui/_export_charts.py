"""The curves of an export: about a thousand buckets each, with mean, smallest and largest value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_core.reading import CurveView, ExperimentStore, StoredRun, Window
from neural_ui._plotly_curves import packed

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MOST_CURVES", "MOST_POINTS", "chart_data"]

POINTS = 1_000
FEWEST = 100
MOST_POINTS = 1_200_000
"""Of all curves together: some thirty megabytes."""
MOST_CURVES = MOST_POINTS // FEWEST


def chart_data(store: ExperimentStore, runs: Sequence[StoredRun], x: str) -> tuple[list[dict[str, Any]], int]:
    """Give the charts in the order of their metrics' names, and how many metrics had to be left out.

    Args:
        store: of the experiments.
        runs: the experiments.
        x: as for `ExperimentStore.read_series`.
    """
    names = sorted({name for run in runs for name in run.row.metrics})
    sizes = [sum(name in run.row.metrics for run in runs) for name in names]
    kept = int(np.searchsorted(np.cumsum(sizes), MOST_CURVES, side="right"))
    points = int(np.clip(MOST_POINTS // max(1, sum(sizes[:kept])), FEWEST, POINTS))
    ids = [run.id for run in runs]
    charts = []
    for name in names[:kept]:
        curves = store.read_series(ids, name, x, Window(points=points)).curves
        shown = [{"run": at, **_curve(curve)} for at, curve in enumerate(curves) if len(curve.x)]
        charts.append({"metric": name, "curves": shown})
    return charts, len(names) - kept


def _curve(curve: CurveView) -> dict[str, Any]:
    """Give one curve; single precision is enough for what is drawn, exact values stand in the tables."""
    found = {"n": curve.total, "hidden": curve.hidden, "x": packed(curve.x), "mean": _values(curve.mean)}
    if curve.low is not None and curve.high is not None:
        found |= {"low": _values(curve.low), "high": _values(curve.high)}
    return found


def _values(values: NDArray[np.float64]) -> dict[str, str]:
    finite = values[np.isfinite(values)]
    fits = not len(finite) or 1e-37 < float(np.abs(finite).max()) < 1e37
    return packed(values, "f4" if fits else "f8")
