"""The best value of each experiment, one small panel of bars per metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from neural_core._plotting.layout import grid, panel_title, size_of
from neural_core._plotting.style import BEST, FAINT, INK, MUTED, colour_of, scale_axis, words
from neural_core._plotting.summary import Best, finite_spread
from neural_core._plotting.text import drawable_text, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["best_figure"]

_NAME = 22
_ROW = 0.27


def best_figure(best: Mapping[str, Sequence[Best | None]], labels: Sequence[str]) -> Figure:
    """Draw bars of the best values; the best experiment of a metric is bold."""
    columns = 1 if len(best) == 1 else 2 if len(best) <= 4 else 3
    names = [drawable_text(label, _NAME) for label in labels]
    left = 0.5 + max(len(name) for name in names) * 0.078
    width = left + columns * 2.9 + (columns - 1) * 0.4
    figure, panels = grid(
        "Best values",
        "bold: best of the metric  ·  axes are fitted to the values, not all begin at 0",
        len(best),
        (max(8.0, width), 3.0),
        columns=columns,
        panel=max(0.9, len(labels) * _ROW + 0.1),
        left=left,
        gap=0.4,
    )
    for place, (axes, (metric, values)) in enumerate(zip(panels, best.items(), strict=True)):
        _panel(axes, metric, values)
        if place % columns == 0:
            _names(axes, names)
    return figure


def _panel(axes: Axes, metric: str, values: Sequence[Best | None]) -> None:
    there = [best for best in values if best is not None]
    numbers = [_held(best.value) for best in there]
    low, high = finite_spread(numbers)
    lower = there[0].mode == "min"
    winner = min(numbers) if lower else max(numbers)
    room = (high - low) * 0.42 or 1.0
    scale_axis(axes, "y", len(values) - 0.4, -0.6, log=False, ticks=2)
    scale_axis(axes, "x", low - (room if low < 0 else 0), high + room, log=False, ticks=4)
    axes.set_yticks([])
    axes.grid(False)
    left_out = False
    for place, best in enumerate(values):
        left_out |= best is None
        _bar(axes, place, best, base=max(low, min(0.0, high)), bold=best is not None and _held(best.value) == winner)
    panel_title(axes, metric, [("lower is better" if lower else "higher is better", MUTED)])


def _held(value: float) -> float:
    """A value that an axis can hold."""
    return min(max(value, -1e300), 1e300)


def _bar(axes: Axes, place: int, best: Best | None, *, base: float, bold: bool) -> None:
    pad = 0.06 / size_of(axes)[0] * (axes.get_xlim()[1] - axes.get_xlim()[0])
    if best is None:
        words(axes, base + pad, place, "—", colour=FAINT, va="center")
        return
    value = _held(best.value)
    axes.barh(place, value - base, 0.62, left=base, color=colour_of(place), edgecolor="none", linewidth=0)
    back = value < base
    words(
        axes,
        value - pad if back else value + pad,
        place,
        number(best.value),
        size=8.5,
        weight="bold" if bold else "normal",
        colour=BEST if bold else INK,
        va="center",
        ha="right" if back else "left",
    )


def _names(axes: Axes, names: Sequence[str]) -> None:
    width = size_of(axes)[0]
    for place, name in enumerate(names):
        words(
            axes,
            -0.1 / width,
            place,
            name,
            size=9,
            colour=INK,
            ha="right",
            va="center",
            transform=axes.get_yaxis_transform(),
        )
