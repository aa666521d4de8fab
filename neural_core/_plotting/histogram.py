"""How the values of metrics are distributed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from neural_core._plotting.curves import presentable, spans_decades
from neural_core._plotting.layout import grid, panel_title, tick_room
from neural_core._plotting.style import INK, MUTED, PALETTE, scale_axis, words
from neural_core._plotting.text import number
from neural_core.records import Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["bin_edges", "distribution_figure"]


@np.errstate(all="ignore")
def bin_edges(value: Floats) -> tuple[Floats, bool]:
    """Choose the edges of 8 to 60 bins for finite values; True when they are logarithmic (three decades or more).

    The width is Freedman's and Diaconis' 2 IQR / n^(1/3) (1981), which outliers hardly change.
    """
    low, high = float(value.min()), float(value.max())
    log = spans_decades(low, high)
    scaled = np.log10(value) if log else value
    low, high = float(scaled.min()), float(scaled.max())
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = max(abs(low), abs(high)) * 0.05 or 0.5
        return np.array([low - half, low + half]), False
    quarter, three = np.percentile(scaled, (25, 75))
    width = 2 * (three - quarter) / len(value) ** (1 / 3)
    bins = int(np.clip((high - low) / width, 8, 60)) if width > 0 else 24
    edges = np.linspace(low, high, bins + 1)
    edges = 10**edges if log else edges
    edges[0], edges[-1] = value.min(), value.max()  # which the way by logarithms may miss by a rounding
    return edges, log


def distribution_figure(title: str, shown: Mapping[str, Series], size: tuple[float, float]) -> Figure:
    """Draw one small histogram per metric, its median marked."""
    total = sum(len(series) for series in shown.values())
    subtitle = f"{len(shown)} metric{'s' if len(shown) != 1 else ''}  ·  {total:,} values  ·  the line is the median"
    figure, panels = grid(title, subtitle, len(shown), size)
    for axes, (name, series) in zip(panels, shown.items(), strict=True):
        value = presentable(series.value)
        value = value[np.isfinite(value)]
        _histogram(axes, name, value, len(series) - len(value))
    return figure


def _histogram(axes: Axes, name: str, value: Floats, left_out: int) -> None:
    edges, log = bin_edges(value)
    counts = np.histogram(value, edges)[0]
    if len(edges) == 2:
        counts[:] = len(value)
    middle = float(np.median(value))
    axes.bar(
        edges[:-1], counts, np.diff(edges), align="edge", color=PALETTE[0], edgecolor="white", linewidth=0.8, zorder=2
    )
    axes.plot(
        [middle, middle], [0, counts.max() * 1.06], color=INK, linewidth=1.2, linestyle="-", marker="None", zorder=3
    )
    _axes_of(axes, edges, int(counts.max()), log=log)
    _median_word(axes, middle, float(counts.max()), log=log)
    panel_title(axes, name, [(f"{left_out:,} not finite", MUTED)] if left_out else ())


def _axes_of(axes: Axes, edges: Floats, highest: int, *, log: bool) -> None:
    pad = (edges[-1] - edges[0]) * (0.02 if len(edges) > 2 else 1.5)
    low, high = (edges[0] / 1.1, edges[-1] * 1.1) if log else (edges[0] - pad, edges[-1] + pad)
    scale_axis(axes, "x", float(low), float(high), log=log, ticks=tick_room(axes)[0])
    scale_axis(axes, "y", 0, highest * 1.24, log=False, whole=True, ticks=tick_room(axes)[1])


def _median_word(axes: Axes, middle: float, highest: float, *, log: bool) -> None:
    low, high = axes.get_xlim()
    part = np.log(middle / low) / np.log(high / low) if log else (middle - low) / (high - low)
    side = "left" if part < 0.2 else "right" if part > 0.8 else "center"
    words(axes, middle, highest * 1.08, number(middle, 3), size=8, colour=INK, ha=side, va="bottom")
