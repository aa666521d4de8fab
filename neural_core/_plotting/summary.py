"""What a comparison says in words and numbers: labels, differing hyperparameters, best values."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import field, frozen

from neural_core._series import NO_STEP, extremes, lower_is_better
from neural_core.errors import ArgumentValueError
from neural_core.records import ComparedExperiment, Experiment, Series

__all__ = [
    "Best", "ComparisonRow", "Parameter", "best_of", "chosen_metrics", "comparison_rows", "finite_spread", "flatten",
    "labels", "last_of", "parameters", "short_texts", "value_text",
]  # fmt: skip


@frozen
class Best:
    """The best finite value of a metric, by the direction that its name tells.

    Attributes:
        value: the value; `step` where it came first, None when that point has no step.
        mode: ``min`` or ``max``.
    """

    value: float
    step: int | None
    mode: str


@frozen
class Parameter:
    """One hyperparameter, nested ones joined with dots.

    Attributes:
        name: the flattened name.
        texts: its value in each experiment as text, None where it was not logged.
        differs: True when the experiments do not all have the same.
    """

    name: str
    texts: tuple[str | None, ...]
    differs: bool


@frozen
class ComparisonRow:
    """One experiment of a comparison, for a table in a terminal.

    Attributes:
        name, experiment_id, status: of the experiment.
        hyperparameters: name → text of those that differ within the comparison; only those it has.
        best: metric → best value.
    """

    name: str
    experiment_id: str
    status: str
    hyperparameters: Mapping[str, str] = field(factory=dict)
    best: Mapping[str, Best] = field(factory=dict)


def comparison_rows(experiments: Sequence[ComparedExperiment]) -> list[ComparisonRow]:
    """Give one row per experiment, in the order given, with what tells it from the others."""
    differing = [parameter for parameter in parameters(experiments) if parameter.differs]
    rows = []
    for place, compared in enumerate(experiments):
        own = {p.name: text for p in differing if (text := p.texts[place]) is not None}
        best = {name: found for name, series in compared.series.items() if (found := best_of(series, name))}
        record = compared.experiment
        rows.append(ComparisonRow(record.name, record.experiment_id, record.status, own, best))
    return rows


def best_of(series: Series, name: str) -> Best | None:
    """Give the best finite value of a series; None when it has none."""
    if (found := extremes(series.value)) is None:
        return None
    lower = lower_is_better(name)
    place = found[0] if lower else found[1]
    step = int(series.step[place])
    return Best(float(series.value[place]), None if step == NO_STEP else step, "min" if lower else "max")


def labels(experiments: Iterable[Experiment]) -> list[str]:
    """Name each experiment; one whose name another has too gets its id behind it."""
    records = list(experiments)
    shared = Counter(record.name for record in records)
    length = 8 if len({record.experiment_id[:8] for record in records}) == len(records) else 32
    return [
        f"{record.name} ({record.experiment_id[:length]})" if shared[record.name] > 1 else record.name or "unnamed"
        for record in records
    ]


def parameters(experiments: Sequence[ComparedExperiment]) -> list[Parameter]:
    """List all hyperparameters, those that differ first, otherwise in the order in which they were logged."""
    flat = [flatten(compared.experiment.hyperparameters) for compared in experiments]
    names = dict.fromkeys(name for values in flat for name in values)
    rows = [(name, tuple(value_text(values[name]) if name in values else None for values in flat)) for name in names]
    made = [Parameter(name, texts, len(set(texts)) > 1) for name, texts in rows]
    return sorted(made, key=lambda parameter: not parameter.differs)


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Join nested names with dots. An empty mapping stays, as a value."""
    flat: dict[str, Any] = {}
    stack = [(prefix, values)]
    while stack:  # not recursive: a mapping nested a thousand deep must not end a comparison
        base, mapping = stack.pop()
        nested = []
        for name, value in mapping.items():
            if isinstance(value, Mapping) and value:
                nested.append((f"{base}{name}.", value))
            else:
                flat[f"{base}{name}"] = value
        stack += reversed(nested)
    return flat


def value_text(value: object) -> str:
    """Write the value of a hyperparameter: text as it is, the rest as Python writes it."""
    return value if isinstance(value, str) else repr(value)


def short_texts(texts: Sequence[str | None]) -> list[str | None]:
    """Write long decimals of one row with six digits, unless that would make different values look the same."""
    short = [_six_digits(text) if text is not None and len(text) > 10 else text for text in texts]
    return short if len(set(short)) == len(set(texts)) else list(texts)


def _six_digits(text: str) -> str:
    try:
        return f"{float(text):.6g}" if "." in text else text
    except ValueError:
        return text


def chosen_metrics(experiments: Sequence[ComparedExperiment], metrics: Sequence[str] | None) -> list[str]:
    """Give the metrics to compare: those asked for, or all in the order of their first appearance.

    Raises:
        ArgumentValueError: there is no experiment, or none has a metric that was asked for.
    """
    if not experiments:
        raise ArgumentValueError("a comparison needs at least one experiment; the list of ids is empty")
    known = dict.fromkeys(name for compared in experiments for name in compared.series)
    asked = list(known) if metrics is None else list(dict.fromkeys([metrics] if isinstance(metrics, str) else metrics))
    if missing := [name for name in asked if name not in known]:
        there = ", ".join(f"{name:.60}" for name in list(known)[:30]) or "none"
        raise ArgumentValueError(f"no experiment has the metric {missing[0]!r:.100}; there are: {there}")
    return asked


def last_of(series: Series) -> tuple[float, int | None] | None:
    """Give the last value, whatever it is, and its step; None when the series is empty."""
    if not len(series):
        return None
    step = int(series.step[-1])
    return float(series.value[-1]), None if step == NO_STEP else step


def finite_spread(values: Sequence[float]) -> tuple[float, float]:
    """Choose an axis that shows differences: from zero when that hides none, else fitted to the values."""
    low, high = min(values), max(values)
    span = high - low
    if not math.isfinite(span) or np.isclose(low, high, rtol=1e-12, atol=0.0):
        return min(0.0, low), max(0.0, high) or 1.0
    if low > 0 and span < 0.4 * high:
        return max(0.0, low - 0.6 * span), high
    if high < 0 and span < 0.4 * -low:
        return low - 0.6 * span, min(0.0, high + 0.6 * span)
    return min(0.0, low), max(0.0, high)
