"""The tabs Hyperparameters and Best metrics of an export, as HTML that needs no script."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from neural_core.reading import StoredRun
from neural_core.records import MetricInfo

__all__ = ["best_values", "hyperparameters", "number", "swatch"]

SHOWN = 10
"""Metrics that are drawn as bars; the table below them has all."""
_MINUS = "\N{MINUS SIGN}"
_NONE = "\N{EN DASH}"


def swatch(at: int) -> str:
    """Give the box in the colour of the experiment at this place; the style sheet knows its colour."""
    return f'<i class="swatch" data-run="{at}" aria-hidden="true"></i>'


def number(value: float | None) -> str:
    """Write a number with six digits."""
    if value is None:
        return _NONE
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else f"{_MINUS}∞"
    return f"{value:.6g}".replace("-", _MINUS)


def _heads(runs: Sequence[StoredRun], first: str) -> str:
    names = "".join(
        f'<th scope="col" data-run="{at}">{swatch(at)}{escape(run.row.name)}</th>' for at, run in enumerate(runs)
    )
    return f"<thead><tr><th>{first}</th>{names}</tr></thead>"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def hyperparameters(runs: Sequence[StoredRun], base: str) -> str:
    """Give the parameters side by side: those that differ from the baseline, and the others folded.

    Args:
        runs: the experiments.
        base: id of the baseline; the first one when it is none of them.
    """
    baseline = next((run for run in runs if run.id == base), runs[0] if runs else None)
    if baseline is None:
        return '<p class="note">No experiment was selected.</p>'
    names = sorted({name for run in runs for name in run.row.params})
    rows = {name: [_text(run.row.params[name]) if name in run.row.params else None for run in runs] for name in names}
    differing = [name for name in names if len(set(rows[name])) > 1]
    same = [name for name in names if len(set(rows[name])) == 1]
    own = runs.index(baseline)
    table = _parameter_table(runs, differing, rows, own) if differing else '<p class="note">No parameter differs.</p>'
    if same:
        count = f"{len(same)} identical parameter{'' if len(same) == 1 else 's'}"
        table += f"<details><summary>{count}</summary>{_parameter_table(runs, same, rows, own)}</details>"
    return f'<p class="note">Baseline: {swatch(own)}{escape(baseline.row.name)}</p>{table}'


def _parameter_table(
    runs: Sequence[StoredRun], names: Iterable[str], rows: Mapping[str, Sequence[str | None]], base: int
) -> str:
    def cell(name: str, at: int, value: str | None) -> str:
        kind = ' class="base"' if at == base else ' class="other"' if value != rows[name][base] else ""
        return f'<td data-run="{at}"{kind}>{_NONE if value is None else escape(value)}</td>'

    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(cell(name, *pair) for pair in enumerate(rows[name]))}</tr>'
        for name in names
    )
    return f'<div class="scroll"><table>{_heads(runs, "Parameter")}<tbody>{body}</tbody></table></div>'


def best_values(runs: Sequence[StoredRun], directions: Mapping[str, str], base: str) -> str:
    """Give the best value of each metric: as bars for those that most experiments have, and all in a table.

    Args:
        runs: the experiments.
        directions: metric → ``min`` or ``max``.
        base: id of the baseline, for the differences.
    """
    names = sorted({name for run in runs for name in run.row.metrics})
    if not names:
        return '<p class="note">No metric was logged.</p>'
    baseline = next((run for run in runs if run.id == base), runs[0])
    shared = sorted(names, key=lambda name: -sum(name in run.row.metrics for run in runs))
    bars = "".join(_bars(runs, name, directions.get(name, "max"), baseline) for name in shared[:SHOWN])
    body = "".join(_best_row(runs, name, directions.get(name, "max")) for name in names)
    table = f'<div class="scroll"><table class="numbers">{_heads(runs, "Metric")}<tbody>{body}</tbody></table></div>'
    return f'<div class="bars">{bars}</div>{table}'


def _best(info: MetricInfo | None, direction: str) -> tuple[float | None, int | None]:
    if info is None:
        return None, None
    return (info.min, info.min_step) if direction == "min" else (info.max, info.max_step)


def _words(direction: str) -> str:
    return "lower is better" if direction == "min" else "higher is better"


def _best_row(runs: Sequence[StoredRun], name: str, direction: str) -> str:
    found = [_best(run.row.metrics.get(name), direction) for run in runs]
    values = [value for value, _ in found if value is not None]
    top = (min if direction == "min" else max)(values) if values else None
    cells = "".join(
        f'<td data-run="{at}"{" class=best" if value is not None and value == top else ""}>{number(value)}'
        + (f"<small>step {step:,}</small>" if step is not None else "")
        + "</td>"
        for at, (value, step) in enumerate(found)
    )
    return f'<tr><th scope="row">{escape(name)}<small>{_words(direction)}</small></th>{cells}</tr>'


def _bars(runs: Sequence[StoredRun], name: str, direction: str, baseline: StoredRun) -> str:
    """Draw one metric, the best at the top; bars begin a little below the worst, so that small differences show."""
    found = [(at, run, _best(run.row.metrics.get(name), direction)[0]) for at, run in enumerate(runs)]
    shown = [(at, run, value) for at, run, value in found if value is not None]
    shown.sort(key=lambda one: one[2], reverse=direction == "max")
    own = _best(baseline.row.metrics.get(name), direction)[0]
    low, high = min((one[2] for one in shown), default=0.0), max((one[2] for one in shown), default=0.0)
    span = high - low
    rows = "".join(
        f'<li data-run="{at}"><span>{escape(run.row.name)}</span>'
        f'<b><i data-run="{at}" style="width:{_share(value, low, span):.1f}%"></i></b>'
        f"<em>{number(value)}</em><small>{_difference(value, own, run is baseline)}</small></li>"
        for at, run, value in shown
    )
    return f"<article><h3>{escape(name)} <small>{_words(direction)}</small></h3><ol>{rows}</ol></article>"


def _share(value: float, low: float, span: float) -> float:
    if not 0 < span < math.inf:
        return 100.0
    return 12 + 88 * (value - low) / span


def _difference(value: float, own: float | None, is_baseline: bool) -> str:
    if is_baseline:
        return "baseline"
    return "" if own is None or value == own else f"{value - own:+.3g}".replace("-", _MINUS)
