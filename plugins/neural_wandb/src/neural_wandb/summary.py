"""The summary of a run: of each metric the last value, the smallest and the largest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neural_core.records import MetricRows
from neural_wandb.names import LARGEST, SMALLEST, metric_name

__all__ = ["Extremes"]


class Extremes:
    """The smallest and largest finite value of each metric so far."""

    def __init__(self, known: Mapping[str, Any] | None = None) -> None:
        """Go on with what `state` gave."""
        self._known = {str(name): (float(low), float(high)) for name, (low, high) in (known or {}).items()}

    @property
    def state(self) -> dict[str, list[float]]:
        """What another process needs to go on."""
        return {name: list(pair) for name, pair in self._known.items()}

    def add(self, rows: MetricRows) -> dict[str, float]:
        """Take in some rows; give what changes in the summary."""
        columns = rows.columns()
        changes: dict[str, float] = {}
        for metric, values in columns["values"].items():
            there = values[columns["present"][metric]]
            if len(there):
                name = metric_name(metric)
                changes[name] = float(there[-1])
                changes |= self._widen(name, there[np.isfinite(there)])
        return changes

    def _widen(self, name: str, finite: Any) -> dict[str, float]:
        if not len(finite):
            return {}
        low, high = float(finite.min()), float(finite.max())
        before = self._known.get(name, (low, high))
        self._known[name] = low, high = min(low, before[0]), max(high, before[1])
        return {f"{SMALLEST}{name}": low, f"{LARGEST}{name}": high}
