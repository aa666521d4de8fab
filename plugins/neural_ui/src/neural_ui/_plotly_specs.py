"""Plotly figures of one experiment's metrics, as the JSON that both plotly.js and plotly.py draw.

Only scatter and bar are used, which plotly's basic bundle has. No colours of text and background: whoever draws them
has a theme.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_core.records import Series
from neural_ui._palette import RUN_COLOURS, faded, literal
from neural_ui._plotly_curves import Curve, make_curve, packed

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["figure_specs"]

Spec = dict[str, Any]
BLUE = RUN_COLOURS[0]
PER_PAGE = 20
MARKED = 50
MOST_CORRELATED = 40
_SHADES = ("#b4420a", "#f3a77c", "#f7f7f8", "#9dbcf5", "#2456c5")


def figure_specs(history: Mapping[str, Series]) -> dict[str, Spec]:
    """Draw each metric, all of them together, how they correlate, and how their values are distributed.

    Returns:
        Name → ``{"data": [...], "layout": {...}}``: ``metric_<name>``, ``combined``, ``correlation`` and
        ``distributions``, as the built-in plots are called. A metric without a finite value is left out.
    """
    curves = {name: make_curve(series) for name, series in history.items()}
    shown = {name: curve for name, curve in curves.items() if curve.ends is not None}
    specs = {stem: _metric(name, shown[name]) for name, stem in _stems(shown).items()}
    for key, names in _pages("combined", list(shown)):
        specs[key] = _grid(names, lambda name: _lines(shown[name], marks=False))
    if len(shown) > 1:
        specs["correlation"] = _correlation({name: history[name] for name in list(shown)[:MOST_CORRELATED]})
    for key, names in _pages("distributions", list(shown)):
        specs[key] = _grid(names, lambda name: [_histogram(history[name].value)], shared=False)
    return specs


def _stems(names: Iterable[str]) -> dict[str, str]:
    taken: dict[str, int] = {}
    stems = {}
    for name in names:
        stem = "metric_" + (re.sub(r"[^A-Za-z0-9.-]+", "_", name)[:60].strip("_.-") or "unnamed")
        taken[stem.lower()] = count = taken.get(stem.lower(), 0) + 1
        stems[name] = stem if count == 1 else f"{stem}_{count}"
    return stems


def _pages(key: str, names: list[str]) -> list[tuple[str, list[str]]]:
    starts = range(0, len(names), PER_PAGE)
    return [(key if at == 0 else f"{key}_{at // PER_PAGE + 1}", names[at : at + PER_PAGE]) for at in starts]


def _lines(curve: Curve, *, marks: bool = True) -> list[Spec]:
    """The mean, the band of extremes behind it, and marks at the smallest and the largest value."""
    traces: list[Spec] = []
    x = packed(curve.x)
    if curve.low is not None and curve.high is not None:
        edge = {"type": "scatter", "mode": "lines", "x": x, "line": {"width": 0}, "hoverinfo": "skip"}
        fill = {"fill": "tonexty", "fillcolor": faded(BLUE, 0.18)}
        traces = [{**edge, "y": packed(curve.low)}, {**edge, "y": packed(curve.high), **fill}]
    where = "step" if curve.stepped else "position"
    traces.append(
        {
            "type": "scatter",
            "mode": "lines+markers" if curve.count <= MARKED else "lines",
            "x": x,
            "y": packed(curve.mean),
            "line": {"color": BLUE, "width": 1.8},
            "marker": {"size": 5},
            "hovertemplate": f"{where} %{{x:,}}<br>%{{y:.6g}}<extra></extra>",
        }
    )
    return traces + (_marks(curve) if marks else [])


def _marks(curve: Curve) -> list[Spec]:
    ends = zip(("min", "max"), curve.ends or (), ("bottom center", "top center"), strict=False)
    return [
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": [x],
            "y": [y],
            "text": [f"{what} {y:.4g}"],
            "textposition": place,
            "cliponaxis": False,
            "marker": {"size": 9, "color": BLUE, "symbol": "circle-open", "line": {"width": 2}},
            "hovertemplate": f"{what} %{{y:.8g}}<br>at %{{x:,}}<extra></extra>",
        }
        for what, (x, y), place in ends
    ]


def _metric(name: str, curve: Curve) -> Spec:
    note = f"{curve.count:,} points" + (f", {curve.hidden:,} of them NaN or infinite" if curve.hidden else "")
    return {
        "data": _lines(curve),
        "layout": {
            "title": {"text": literal(name), "subtitle": {"text": note}},
            "xaxis": {"title": {"text": "step" if curve.stepped else "position"}},
            "yaxis": {"automargin": True},
            "showlegend": False,
            "hovermode": "closest",
            "meta": {"name": name, "note": note, "log": bool(curve.ends and curve.ends[0][1] > 0)},
        },
    }


def _grid(names: list[str], draw: Callable[[str], list[Spec]], *, shared: bool = True) -> Spec:
    """Put small figures into two columns; `shared` x axes zoom together."""
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    layout: Spec = {"showlegend": False, "annotations": [], "height": 120 + 220 * rows, "bargap": 0}
    data: list[Spec] = []
    for at, name in enumerate(names):
        number = "" if at == 0 else str(at + 1)
        column, row = at % columns, at // columns
        width, height = 1 / columns, 1 / rows
        across = [column * width + 0.04 * (column > 0), (column + 1) * width - 0.04 * (column < columns - 1)]
        down = [1 - (row + 1) * height + 0.22 * height, 1 - row * height - 0.14 * height]
        layout[f"xaxis{number}"] = {"domain": across, "anchor": f"y{number}"}
        if shared and at:
            layout[f"xaxis{number}"]["matches"] = "x"
        layout[f"yaxis{number}"] = {"domain": down, "anchor": f"x{number}"}
        layout["annotations"].append(_heading(name, across[0], down[1]))
        data += [{**trace, "xaxis": f"x{number}", "yaxis": f"y{number}"} for trace in draw(name)]
    return {"data": data, "layout": layout}


def _heading(name: str, x: float, y: float) -> Spec:
    place = {"x": x, "y": y, "xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom"}
    return {"text": f"<b>{literal(name)}</b>", "showarrow": False, **place}


@np.errstate(all="ignore")
def _histogram(value: NDArray[np.float64]) -> Spec:
    finite = value[np.isfinite(value)]
    size = float(np.abs(finite).max()) or 1.0  # near the largest and the smallest doubles differences are no numbers
    scaled = finite / size if size > 1e-300 else np.zeros(len(finite))
    bins = min(60, max(8, int(len(finite) ** (1 / 3)) * 2)) if np.ptp(scaled) > 1e-9 else 1
    counts, edges = np.histogram(scaled, bins)
    edges = edges * size
    return {
        "type": "bar",
        "x": packed(edges[:-1] / 2 + edges[1:] / 2),
        "y": packed(counts),
        "width": packed(np.diff(edges)),
        "marker": {"color": BLUE},
        "hovertemplate": "%{x:.4g}: %{y:,} values<extra></extra>",
    }


def _correlation(history: Mapping[str, Series]) -> Spec:
    """Pearson's coefficients as rows of stacked bars, since the basic bundle has no heat map."""
    names = [literal(name) for name in history]
    data: list[Spec] = [
        {
            "type": "bar",
            "x": names,
            "y": [1] * len(names),
            "marker": {"color": [_shade(r) for r in row]},
            "text": ["" if np.isnan(r) else f"{r:.2f}" for r in row],
            "textposition": "inside",
            "insidetextanchor": "middle",
            "customdata": [names[at]] * len(names),
            "hovertemplate": "%{customdata}, %{x}: %{text}<extra></extra>",
        }
        for at, row in enumerate(_coefficients(list(history.values())))
    ]
    ticks = {"tickvals": [at + 0.5 for at in range(len(names))], "ticktext": names, "automargin": True}
    layout = {"barmode": "stack", "bargap": 0.02, "showlegend": False, "height": 160 + 44 * len(names)}
    return {"data": data, "layout": {**layout, "yaxis": {**ticks, "autorange": "reversed", "showgrid": False}}}


def _shade(coefficient: float) -> str:
    """Give the colour of a coefficient: rust for -1, white for 0, blue for 1, grey where there is none."""
    if np.isnan(coefficient):
        return "#8a90a0"
    channels = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in _SHADES])
    shade = [round(float(np.interp(coefficient, np.linspace(-1, 1, len(_SHADES)), c))) for c in channels.T]
    return "#" + "".join(f"{channel:02x}" for channel in shade)


@np.errstate(all="ignore")
def _coefficients(every: list[Series]) -> NDArray[np.float64]:
    keys = [make_curve(series, points=len(series)) for series in every]
    table = _table([key.x for key in keys], [key.mean for key in keys])
    result = np.full((len(keys), len(keys)), np.nan)
    for i in range(len(keys)):
        for j in range(len(keys)):
            both = np.isfinite(table[:, i]) & np.isfinite(table[:, j])
            if both.sum() > 2:
                result[i, j] = np.corrcoef(table[both, i], table[both, j])[0, 1]
    return result


def _table(steps: Sequence[NDArray[np.float64]], values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Pair values by step, the last of a step, a column each; NaN where one has none."""
    if all(np.array_equal(one, steps[0]) for one in steps[1:]):
        return np.column_stack(values)  # metrics of the same calls, the usual case
    every = np.unique(np.concatenate(steps))
    table = np.full((len(every), len(steps)), np.nan)
    for column, (step, value) in enumerate(zip(steps, values, strict=True)):
        table[np.searchsorted(every, step), column] = value
    return table
