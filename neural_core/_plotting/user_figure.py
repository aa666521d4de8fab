"""A figure of the user's, as the bytes of an image file."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

from neural_core._plotting.render import render_png
from neural_core.errors import ArgumentTypeError

__all__ = ["render_figure"]


def render_figure(figure: object, suffix: str = ".png") -> bytes:
    """Draw a figure in the format that a file suffix names; the figure is neither closed nor changed.

    Raises:
        ArgumentTypeError: no matplotlib figure.
    """
    if not isinstance(figure, Figure):
        # A pyplot user has the figure one attribute away: ax.figure, plt.gcf().
        raise ArgumentTypeError(f"log_figure takes a matplotlib Figure, not {type(figure).__name__}: try ax.figure")
    if suffix == ".png":
        return render_png(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=suffix[1:])
    return buffer.getvalue()
