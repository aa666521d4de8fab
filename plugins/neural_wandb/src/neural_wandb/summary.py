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

    def __init__(self, state: Mapping[str, float | str]) -> None:
        """Go on with what `state` gave; an empty one at the beginning."""
        self.values = {name: float(value) for name, value in state.items()}

    @property
    def state(self) -> dict[str, float | str]:
        """The values as JSON has room for them: NaN and infinities as text."""
        return {name: value if np.isfinite(value) else str(value) for name, value in self.values.items()}

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
