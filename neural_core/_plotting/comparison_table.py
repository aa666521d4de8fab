"""The hyperparameters of several experiments side by side, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.patches import Rectangle

from neural_core._plotting.style import FAINT, INK, LINE, MUTED, colour_of, heading, new_figure, words
from neural_core._plotting.summary import Parameter, short_texts
from neural_core._plotting.text import drawable_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["table_figure"]

_ROW, _LEFT, _TOP, _BOTTOM = 0.29, 0.3, 1.45, 0.35
_EM = 0.079
_ROWS = 80
_TINT, _BAR = "#fff4e5", "#f79009"


def table_figure(rows: Sequence[Parameter], labels: Sequence[str], columns: Sequence[int]) -> Figure:
    """Draw the table for the experiments at `columns`; rows that differ come first, tinted and bold."""
    shown = rows[:_ROWS]
    names = [drawable_text(row.name, 34) for row in shown]
    cells = [[_cell(text) for text in _texts(row, columns)] for row in shown]
    heads = [drawable_text(labels[column], 20) for column in columns]
    widths = [_width([head, *(row[i] for row in cells)], 0.45) for i, head in enumerate(heads)]
    first = _width(names, 0.4)
    width = max(6.0, 2 * _LEFT + first + sum(widths))
    figure = new_figure((width, _TOP + len(shown) * _ROW + _BOTTOM))
    heading(figure, "Hyperparameters", _subtitle(rows))
    _head(figure, heads, columns, first, widths)
    for place, (row, name, texts) in enumerate(zip(shown, names, cells, strict=True)):
        _row(figure, place, row, name, texts, first, widths)
    return figure


def _texts(row: Parameter, columns: Sequence[int]) -> list[str | None]:
    texts = short_texts(row.texts)
    return [texts[column] for column in columns]


def _cell(text: str | None) -> str:
    return "—" if text is None else drawable_text(text, 24) or "(empty)"


def _width(texts: Sequence[str], pad: float) -> float:
    return max(len(text) for text in texts) * _EM * 1.08 + pad


def _subtitle(rows: Sequence[Parameter]) -> str:
    differing = sum(row.differs for row in rows)
    text = f"{differing} of {len(rows)} differ, marked" if differing else f"{len(rows)}, none differs"
    return f"{text}  ·  {len(rows) - _ROWS} more rows are not shown" if len(rows) > _ROWS else text


def _put(figure: Figure, x: float, y: float, text: str, **more: Any) -> None:
    """Write at inches from the upper left corner."""
    width, height = figure.get_size_inches()
    words(figure, x / width, 1 - y / height, text, va="center", **more)


def _box(figure: Figure, x: float, y: float, across: float, down: float, colour: str) -> None:
    width, height = figure.get_size_inches()
    corner = (x / width, 1 - (y + down) / height)
    figure.add_artist(
        Rectangle(
            corner,
            across / width,
            down / height,
            transform=figure.transFigure,
            facecolor=colour,
            edgecolor="none",
            linewidth=0,
            zorder=-1,
        )
    )


def _head(figure: Figure, heads: Sequence[str], columns: Sequence[int], first: float, widths: Sequence[float]) -> None:
    x = _LEFT + first
    for head, column, width in zip(heads, columns, widths, strict=True):
        _box(figure, x, _TOP - 0.36, 0.09, 0.16, colour_of(column))
        _put(figure, x + 0.15, _TOP - 0.28, head, size=9, weight="bold")
        x += width
    _box(figure, _LEFT, _TOP - 0.07, x - _LEFT, 0.012, FAINT)


def _row(
    figure: Figure, place: int, row: Parameter, name: str, texts: Sequence[str], first: float, widths: Sequence[float]
) -> None:
    y, x, whole = _TOP + place * _ROW, _LEFT + first, first + sum(widths)
    if row.differs:
        _box(figure, _LEFT, y, whole, _ROW, _TINT)
        _box(figure, _LEFT, y, 0.04, _ROW, _BAR)
    _box(figure, _LEFT, y + _ROW - 0.006, whole, 0.006, LINE)
    weight = "bold" if row.differs else "normal"
    _put(figure, _LEFT + 0.14, y + _ROW / 2, name, size=9, colour=INK if row.differs else MUTED, weight=weight)
    for text, width in zip(texts, widths, strict=True):
        _put(figure, x + 0.15, y + _ROW / 2, text, size=9, colour=INK if row.differs else MUTED)
        x += width
