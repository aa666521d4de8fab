"""Figures of many small panels, in pages; texts placed beside axes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from matplotlib.transforms import ScaledTranslation, Transform

from neural_core._plotting.style import INK, MUTED, add_axes, heading, new_figure, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "PER_PAGE",
    "axis_word",
    "columns_of",
    "grid",
    "page_key",
    "pages",
    "panel_title",
    "size_of",
    "tick_room",
    "width_of",
]

PER_PAGE = 20
_TOP, _BOTTOM, _LEFT, _RIGHT = 1.3, 0.62, 0.8, 0.35
_GAP_X, _GAP_Y = 0.72, 0.6
_MIN_PANEL = 0.95

T = TypeVar("T")


def pages(items: Sequence[T], per_page: int = PER_PAGE) -> Iterator[tuple[int, Sequence[T]]]:
    """Cut `items` into pages of about the same length; give (page counted from 1, its items)."""
    count = math.ceil(len(items) / per_page)
    length = math.ceil(len(items) / count) if count else 1
    for page in range(count):
        yield page + 1, items[page * length : (page + 1) * length]


def page_key(key: str, page: int) -> str:
    """Name page 1 `key` and the further ones ``key_2`` and so on."""
    return key if page == 1 else f"{key}_{page}"


def columns_of(count: int) -> int:
    """Say how many columns hold `count` panels well."""
    if count in (1, 2, 4):
        return min(count, 2)
    return 3 if count <= 9 else 4


def grid(
    title: str,
    subtitle: str,
    count: int,
    size: tuple[float, float],
    *,
    columns: int = 0,
    panel: float = _MIN_PANEL,
    left: float = _LEFT,
    gap: float = _GAP_X,
) -> tuple[Figure, list[Axes]]:
    """Make a figure with `count` panels, row by row; it is higher than asked for when the rows need it.

    Args:
        title: the figure's title.
        subtitle: the line below it.
        count: how many panels.
        size: width and least height in inches.
        columns: how many panels lie side by side; 0 chooses.
        panel: least height of a panel in inches.
        left: room for labels left of the first column, in inches.
        gap: room between columns.
    """
    columns = columns or columns_of(count)
    rows = math.ceil(count / columns)
    height = max(size[1], _TOP + _BOTTOM + rows * (panel + _GAP_Y) - _GAP_Y)
    across = max(0.3, (size[0] - left - _RIGHT + gap) / columns - gap)
    up = (height - _TOP - _BOTTOM + _GAP_Y) / rows - _GAP_Y
    figure = new_figure((size[0], height))
    heading(figure, title, subtitle)
    places = [
        (left + (i % columns) * (across + gap), height - _TOP - (i // columns) * (up + _GAP_Y) - up)
        for i in range(count)
    ]
    return figure, [add_axes(figure, x, y, across, up, size=8) for x, y in places]


def width_of(text: str, size: float = 9, *, bold: bool = False) -> float:
    """Estimate the width of a text in inches; DejaVu Sans is about 0.6 em per character, bold 0.68."""
    return len(text) * size * (0.68 if bold else 0.6) / 72


def figure_of(axes: Axes) -> Figure:
    """Give the figure that axes were made in."""
    return cast("Figure", axes.get_figure())  # ours are never detached, nor within a SubFigure


def size_of(axes: Axes) -> tuple[float, float]:
    """Give width and height of axes in inches."""
    box = axes.get_position()
    width, height = figure_of(axes).get_size_inches()
    return float(box.width * width), float(box.height * height)


def tick_room(axes: Axes) -> tuple[int, int]:
    """Say how many tick labels find room across and up."""
    width, height = size_of(axes)
    return max(2, min(9, int(width / 0.75))), max(3, min(7, int(height / 0.35)))


def beside(axes: Axes, right: float, up: float) -> Transform:
    """Place texts relative to axes, moved by inches."""
    return axes.transAxes + ScaledTranslation(right, up, figure_of(axes).dpi_scale_trans)


def panel_title(axes: Axes, text: str, values: Sequence[tuple[str, str]] = ()) -> None:
    """Write the name of a panel above it, and at its right some short texts, each with its colour."""
    width = room = size_of(axes)[0]
    above = beside(axes, 0, 0.07)
    for value, colour in reversed(values):
        words(axes, room / width, 1, value, size=8.5, colour=colour, transform=above, ha="right", va="bottom")
        room -= width_of(value, 8.5) + 0.1
    length = max(6, int(room / width_of("x", 9, bold=True)))
    words(axes, 0, 1, text, weight="bold", colour=INK, length=length, transform=above, ha="left", va="bottom")


def axis_word(axes: Axes, text: str) -> None:
    """Write what the horizontal axis is, below its middle."""
    words(axes, 0.5, 0, text, colour=MUTED, transform=beside(axes, 0, -0.3), ha="center", va="top")
