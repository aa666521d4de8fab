"""One metric of several experiments: a line each, named at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from neural_core._plotting.curve_plots import remarks
from neural_core._plotting.curves import Curve, draw, fit
from neural_core._plotting.layout import axis_word, size_of, tick_room
from neural_core._plotting.style import (
    INK,
    LINE,
    MUTED,
    add_axes,
    colour_of,
    dash_of,
    heading,
    new_figure,
    words,
)
from neural_core._plotting.text import drawable_text, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["comparison_figure", "spread"]

_WIDTH, _LEFT, _BOTTOM, _TOP = 10.0, 0.85, 0.7, 1.1
_ROW = 0.24
_NAMED = 60
_BANDS = 6
_NAME = 30


def comparison_figure(name: str, labels: Sequence[str], curves: Sequence[Curve | None]) -> Figure:
    """Draw a metric of several experiments; a curve is None where an experiment has none of it."""
    drawn = [(place, curve) for place, curve in enumerate(curves) if curve is not None]
    named = drawn[:_NAMED]
    height = max(6.0, _TOP + _BOTTOM + len(named) * _ROW)
    names = [drawable_text(label, _NAME) for label in labels]
    right = 0.9 + max(len(names[place]) for place, _ in named) * 0.078 + 0.8
    figure = new_figure((_WIDTH + max(0.0, right - 2.4), height))
    across = figure.get_size_inches()[0] - _LEFT - right
    axes = add_axes(figure, _LEFT, _BOTTOM, across, height - _TOP - _BOTTOM)
    for place, curve in drawn:
        width = 1.8 if len(drawn) <= 8 else 1.3
        draw(axes, curve, colour_of(place), dash=dash_of(place), width=width, band=len(drawn) <= _BANDS)
    log = fit(axes, [curve for _, curve in drawn], ticks=tick_room(axes))
    heading(figure, name, _subtitle([curve for _, curve in drawn], len(curves), log))
    stepped = {curve.stepped for _, curve in drawn}
    axis_word(axes, "step, or position without one" if len(stepped) > 1 else "step" if True in stepped else "position")
    _name_lines(axes, named, names, left_out=len(drawn) - len(named))
    return figure


def _subtitle(curves: Sequence[Curve], experiments: int, log: bool) -> str:
    text = f"{len(curves)} of {experiments} experiments" if len(curves) < experiments else f"{experiments} experiments"
    text = text if experiments > 1 else "1 experiment"
    return f"{text}  ·  {remarks(curves, log=log, band=len(curves) <= _BANDS)}"


def spread(wanted: Sequence[float], distance: float, low: float, high: float) -> list[float]:
    """Move sorted places apart to `distance` between `low` and `high`, each as near to where it wants to be.

    Places that meet form a block that is centred on the mean of its wishes (pool adjacent violators).
    """
    blocks: list[tuple[list[float], float]] = []
    for place in wanted:
        block, middle = [place], min(max(place, low), high)
        while blocks and blocks[-1][1] + (len(blocks[-1][0]) + len(block)) * distance / 2 > middle:
            block = blocks.pop()[0] + block
            half = (len(block) - 1) * distance / 2
            middle = max(low + half, min(high - half, sum(block) / len(block)))
        blocks.append((block, middle))
    return [middle + (i - (len(block) - 1) / 2) * distance for block, middle in blocks for i in range(len(block))]


def _name_lines(axes: Axes, named: Sequence[tuple[int, Curve]], names: Sequence[str], *, left_out: int) -> None:
    """Write names and last values at the right, near the ends of their lines."""
    width, height = size_of(axes)
    ends = sorted(((_part(axes, curve.last), place, curve) for place, curve in named), key=lambda end: end[0][1])
    places = spread([end[0][1] * height for end in ends], _ROW * 0.85, 0.0, height)
    column = 0.74 + max(len(names[place]) for place, _ in named) * 0.078 + 0.62
    style: dict[str, Any] = {"transform": axes.transAxes, "va": "center"}
    for (end, place, curve), up in zip(ends, places, strict=True):
        if end[0] > 0.9:  # a long way back to a line that ended early would cross the others
            _join(axes, end, 1 + 0.30 / width, up / height)
        _key(axes, place, 1 + 0.34 / width, 1 + 0.66 / width, up / height)
        words(axes, 1 + 0.74 / width, up / height, names[place], colour=INK, **style)
        value = number(curve.last[1], 3)
        words(axes, 1 + column / width, up / height, value, size=8.5, colour=MUTED, ha="right", **style)
    if left_out:
        words(axes, 1 + 0.34 / width, -0.3 / height, f"and {left_out} more", colour=MUTED, **style)


def _part(axes: Axes, point: tuple[float, float]) -> tuple[float, float]:
    """Where a point lies within axes, from 0 to 1."""
    x, y = axes.transAxes.inverted().transform(axes.transData.transform(point))
    return float(x), float(y)


def _join(axes: Axes, end: tuple[float, float], x: float, y: float) -> None:
    axes.plot(
        [end[0], x],
        [end[1], y],
        color=LINE,
        linewidth=0.8,
        linestyle="-",
        marker="None",
        transform=axes.transAxes,
        clip_on=False,
        zorder=1,
    )


def _key(axes: Axes, place: int, left: float, right: float, y: float) -> None:
    axes.plot(
        [left, right],
        [y, y],
        color=colour_of(place),
        linestyle=dash_of(place),
        linewidth=2.2,
        marker="None",
        transform=axes.transAxes,
        clip_on=False,
    )
