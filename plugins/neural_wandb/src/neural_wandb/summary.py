"""The summary of a run: of each metric the last value, and the smallest and largest finite ones."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neural_core.records import MetricRows
from neural_wandb.names import LARGEST, SMALLEST, metric_name

__all__ = ["Summary"]


class Summary:
    """What the summary of the whole run says, whichever segments its rows are in.

    Attributes:
        values: by key.
    """

    def __init__(self, values: Mapping[str, float]) -> None:
        self.values = dict(values)

    def add(self, rows: MetricRows) -> dict[str, float]:
        """Take in some rows; give what they change."""
        columns = rows.columns()
        changes: dict[str, float] = {}
        for metric, values in columns["values"].items():
            there = values[columns["present"][metric]]
            if not len(there):
                continue
            name = metric_name(metric)
            changes[name] = float(there[-1])
            finite = there[np.isfinite(there)]
            if len(finite):
                low, high = f"{SMALLEST}{name}", f"{LARGEST}{name}"
                changes[low] = min(float(finite.min()), self.values.get(low, np.inf))
                changes[high] = max(float(finite.max()), self.values.get(high, -np.inf))
        self.values |= changes
        return changes
