"""The look: colours, sizes and how figures and axes are made.

Matplotlib's ``rcParams`` are one global that belongs to the user, shared by all threads, so they are neither written
nor relied on: each property that they could change is given where an artist is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import FixedLocator, Formatter, LogLocator, MaxNLocator, NullLocator

from neural_core._plotting.text import compact, drawable_text, font_families, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.text import Text

__all__ = [
    "BEST", "DASHES", "DPI", "FAINT", "INK", "LINE", "MUTED", "PALETTE",
    "add_axes", "colour_of", "dash_of", "font", "heading", "new_figure", "scale_axis", "words",
]  # fmt: skip

PALETTE = (
    "#5588fb", "#fd5b0b", "#4fa46a", "#6f1360", "#1e6c8e", "#d071bb", "#344b0d", "#965b3b", "#2721af", "#8c2dd8",
)  # fmt: skip
"""Ten colours that stay apart with red-green blindness (OKLab difference ≥ 0.099), contrast ≥ 3:1 on white."""

DASHES: tuple[Any, ...] = ("solid", (0, (5, 2)), (0, (1.2, 1.6)))
"""The second and third ten lines repeat the colours with these."""

INK, MUTED, FAINT, LINE, BEST = "#1b2333", "#667085", "#98a2b3", "#e4e7ec", "#0b7a4b"
DPI = 120

Weight = Literal["normal", "bold"]


def colour_of(ordinal: int) -> str:
    """Give the colour of the line number `ordinal`, counted from 0."""
    return PALETTE[ordinal % len(PALETTE)]


def dash_of(ordinal: int) -> Any:
    """Give the dash of the line number `ordinal`, counted from 0."""
    return DASHES[ordinal // len(PALETTE) % len(DASHES)]


@cache
def font(size: float, weight: Weight = "normal") -> FontProperties:
    """Give the font of our texts at `size` points."""
    return FontProperties(
        family=list(font_families()), style="normal", variant="normal", weight=weight, stretch="normal", size=size
    )


def words(
    where: Figure | Axes,
    x: float,
    y: float,
    text: str,
    *,
    size: float = 9,
    weight: Weight = "normal",
    colour: str = INK,
    length: int = 200,
    **more: Any,
) -> Text:
    """Draw text as it is: never as TeX or mathtext, never with signs that the fonts lack."""
    return where.text(
        x,
        y,
        drawable_text(text, length),
        fontproperties=font(size, weight),
        color=colour,
        parse_math=False,
        usetex=False,
        **more,
    )


def new_figure(size: tuple[float, float]) -> Figure:
    """Make an empty figure of `size` inches that pyplot knows nothing of."""
    figure = Figure(figsize=size, dpi=DPI, facecolor="white", edgecolor="white", linewidth=0, frameon=True)
    figure.set_layout_engine("none")
    return figure


def heading(figure: Figure, title: str, subtitle: str = "") -> None:
    """Write title and subtitle at the upper left."""
    width, height = figure.get_size_inches()
    room = max(12, int((width - 0.6) / 0.142))
    words(figure, 0.3 / width, 1 - 0.42 / height, title, size=14, weight="bold", length=room, va="center")
    words(figure, 0.3 / width, 1 - 0.70 / height, subtitle, size=9, colour=MUTED, length=2 * room, va="center")


def add_axes(figure: Figure, left: float, bottom: float, width: float, height: float, *, size: float = 9) -> Axes:
    """Make axes at a rectangle given in inches: pale horizontal grid, one thin line below, no ticks."""
    whole_width, whole_height = figure.get_size_inches()
    rectangle = (left / whole_width, bottom / whole_height, width / whole_width, height / whole_height)
    axes = figure.add_axes(rectangle, facecolor="none")
    axes.set_axisbelow(True)
    axes.minorticks_off()
    for name, spine in axes.spines.items():
        spine.set(visible=name == "bottom", color=FAINT, linewidth=0.8)
    _plain_ticks(axes, size)
    return axes


def _plain_ticks(axes: Axes, size: float) -> None:
    axes.tick_params(
        which="both",
        length=0,
        width=0.8,
        pad=4,
        color=FAINT,
        labelsize=size,
        labelcolor=MUTED,
        labelrotation=0,
        direction="out",
        top=False,
        right=False,
        bottom=True,
        left=True,
        labelbottom=True,
        labelleft=True,
        labeltop=False,
        labelright=False,
    )
    axes.grid(False, which="both")
    axes.grid(True, axis="y", which="major", color=LINE, linewidth=0.8, linestyle="-", alpha=1.0)
    for axis in (axes.xaxis, axes.yaxis):
        _plain_labels(axis, size)


def _plain_labels(axis: Axis, size: float) -> None:
    """Style the first ticks; matplotlib copies the first to all it makes later (3.8 has made the second before)."""
    for tick in axis.get_major_ticks(2):
        tick.label1.set(fontproperties=font(size), color=MUTED, usetex=False, parse_math=False)


class NumberFormatter(Formatter):
    """Tick labels in plain text, with the digits that tell the ticks apart."""

    _gap = 0.0

    def set_locs(self, locs: Sequence[float]) -> None:
        """Take the smallest distance between ticks; matplotlib calls this before it asks for labels."""
        places = sorted(float(place) for place in locs)
        self._gap = min((high - low for low, high in pairwise(places) if high > low), default=0.0)

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Write the label of the tick at `x`."""
        return compact(float(x), self._gap) if self._gap else number(float(x))


class PowerFormatter(Formatter):
    """Tick labels of a logarithmic axis."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Write the label of the tick at `x`."""
        return compact(float(x), float(x))


def scale_axis(
    axes: Axes, which: Literal["x", "y"], low: float, high: float, *, log: bool, ticks: int, whole: bool = False
) -> None:
    """Set limits, scale, ticks and number format of one axis; `whole` for ticks at whole numbers only."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    if log:
        axes.set(**{f"{which}scale": "log"})
    axes.set(**{f"{which}lim": (low, high)})
    axis.set_major_locator(LogLocator(10, subs=(1.0,), numticks=ticks) if log else _linear(low, high, ticks, whole))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(PowerFormatter() if log else NumberFormatter())
    _plain_labels(axis, float(axes.xaxis.get_major_ticks(1)[0].label1.get_fontsize()))


def _linear(low: float, high: float, ticks: int, whole: bool) -> MaxNLocator | FixedLocator:
    """A locator that also survives a range that doubles can hardly resolve."""
    if high - low < 1e-12 * max(abs(low), abs(high)):
        return FixedLocator([(low + high) / 2])
    return MaxNLocator(nbins=ticks, steps=[1, 2, 2.5, 5, 10], integer=whole, min_n_ticks=1)
