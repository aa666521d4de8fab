"""The correlation of metrics: values paired by step, and the picture of the matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from neural_core._plotting.style import FAINT, INK, MUTED, add_axes, heading, new_figure, words
from neural_core._plotting.text import drawable_text
from neural_core._series import NO_STEP
from neural_core.records import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["correlation", "correlation_figure", "paired"]

_MOST = 40
_ROWS = 50_000
_NAME = 24
_STOPS = ("#b4420a", "#f3a77c", "#f7f7f8", "#9dbcf5", "#2456c5")


def paired(history: Mapping[str, Series]) -> Floats:
    """Put series side by side: one row per step, one column per metric, NaN where a metric has no finite value.

    A point without a step is paired by its time, as the metrics of one call share it; without either by position.
    The last value of a step counts. More than 50,000 rows are thinned evenly.
    """
    keys = _keys(history)
    rows = np.unique(np.concatenate(keys))
    if len(rows) > _ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, _ROWS).astype(np.intp)]
    table = np.full((len(rows), len(history)), np.nan)
    for column, (key, series) in enumerate(zip(keys, history.values(), strict=True)):
        place = np.searchsorted(rows, key).clip(max=len(rows) - 1)
        hit = rows[place] == key
        table[place[hit], column] = series.value[hit]
    table[~np.isfinite(table)] = np.nan
    return table


def _keys(history: Mapping[str, Series]) -> list[Floats]:
    if not any((series.step == NO_STEP).any() for series in history.values()):
        return [series.step.astype(np.float64) for series in history.values()]
    if all(np.isfinite(series.time).all() for series in history.values()):
        return [series.time for series in history.values()]
    return [np.arange(len(series), dtype=np.float64) for series in history.values()]


def correlation(table: Floats) -> Floats:
    """Pearson's coefficient of each pair of columns over the rows where both have a value.

    NaN where fewer than three rows have both, or one of the two is constant there.
    """
    count = table.shape[1]
    out = np.full((count, count), np.nan)
    finite = np.isfinite(table)
    for i in range(count):
        for j in range(i, count):
            both = finite[:, i] & finite[:, j]
            out[i, j] = out[j, i] = _pearson(table[both, i], table[both, j])
    return out


def _pearson(a: Floats, b: Floats) -> float:
    if len(a) < 3:
        return float("nan")
    a, b = (values / (np.abs(values).max() or 1.0) for values in (a, b))
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip((a @ b) / size, -1, 1)) if size > 1e-14 * len(a) else float("nan")


def correlation_figure(history: Mapping[str, Series], size: tuple[float, float]) -> Figure:
    """Draw the correlation matrix of the first 40 metrics; coefficients are written when there is room."""
    names = list(history)[:_MOST]
    matrix = correlation(paired({name: history[name] for name in names}))
    subtitle = "Pearson, values paired by step"
    if len(history) > _MOST:
        subtitle += f"  ·  the first {_MOST} of {len(history)} metrics"
    long = max(len(drawable_text(name, _NAME)) for name in names) * 0.083
    left = 0.45 + long
    side = max(1.0, min(size[1] - 1.7 - 0.6 * long, size[0] - left - 1.6), 0.2 * len(names))
    height = max(size[1], side + 1.6 + long * math.sin(math.radians(_slant(len(names), side))))
    figure = new_figure((max(size[0], left + side + 1.6), height))
    heading(figure, "Correlation", subtitle)
    axes = add_axes(figure, left, height - 1.1 - side, side, side, size=8)
    _cells(axes, matrix, side)
    _names(axes, names, side)
    _scale(figure, left + side + 0.35, height - 1.1 - side, side)
    return figure


def _shade(value: float) -> tuple[float, float, float]:
    """The colour between orange (-1), near white (0) and blue (1)."""
    from matplotlib.colors import to_rgb

    place = (value + 1) / 2 * (len(_STOPS) - 1)
    first = min(int(place), len(_STOPS) - 2)
    low, high = to_rgb(_STOPS[first]), to_rgb(_STOPS[first + 1])
    part = place - first
    return (low[0] + (high[0] - low[0]) * part, low[1] + (high[1] - low[1]) * part, low[2] + (high[2] - low[2]) * part)


def _cells(axes: Axes, matrix: Floats, side: float) -> None:
    count = len(matrix)
    colours = np.array([[_shade(v) if np.isfinite(v) else (0.93, 0.94, 0.95) for v in row] for row in matrix])
    axes.imshow(
        colours, interpolation="none", aspect="auto", origin="upper", extent=(-0.5, count - 0.5, count - 0.5, -0.5)
    )
    axes.grid(False)
    axes.spines["bottom"].set_visible(False)
    lines = np.arange(count + 1) - 0.5
    axes.vlines(lines, -0.5, count - 0.5, colors="white", linewidth=1.5)
    axes.hlines(lines, -0.5, count - 0.5, colors="white", linewidth=1.5)
    if side / count >= 0.36:
        for (i, j), value in np.ndenumerate(matrix):
            _coefficient(axes, i, j, float(value), min(10.0, side / count * 16))


def _coefficient(axes: Axes, i: int, j: int, value: float, size: float) -> None:
    text = f"{value:.2f}".replace("-", "\N{MINUS SIGN}") if np.isfinite(value) else "—"
    colour = "white" if abs(value) > 0.72 else INK
    words(axes, j, i, text, size=size, colour=colour if np.isfinite(value) else FAINT, ha="center", va="center")


def _slant(count: int, side: float) -> int:
    """The angle of the names below a matrix, in degrees."""
    cell = side / count
    return 0 if count <= 3 or cell >= 1.6 else 35 if cell > 0.35 else 60


def _names(axes: Axes, names: list[str], side: float) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    cell, count = side / len(names), len(names)
    size, slant = (8.5 if cell > 0.24 else 7), _slant(count, side)
    align = "right" if slant else "center"
    for place, name in enumerate(names):
        text = drawable_text(name, _NAME)
        words(axes, -0.5 - 0.08 / cell, place, text, size=size, ha="right", va="center")
        x, y = place + (0.1 if slant else 0), count - 0.5 + 0.1 / cell
        words(axes, x, y, text, size=size, ha=align, va="top", rotation=slant, rotation_mode="anchor")


def _scale(figure: Figure, left: float, bottom: float, side: float) -> None:
    height = min(side, 2.4)
    axes = add_axes(figure, left, bottom + side - height, 0.14, height, size=8)
    ramp = np.array([[_shade(value)] for value in np.linspace(1, -1, 101)])
    axes.imshow(ramp, aspect="auto", interpolation="none", extent=(0, 1, -1, 1), origin="upper")
    axes.grid(False)
    axes.spines["bottom"].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks([])
    for value, text in ((-1, "\N{MINUS SIGN}1"), (0, "0"), (1, "1")):
        words(axes, 1.6, value, text, size=8, colour=MUTED, va="center")
