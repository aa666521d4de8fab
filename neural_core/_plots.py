"""Put the plots of an experiment into its ``plots`` folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neural_core.records import Series

__all__ = ["AUTO_PREFIX", "draw_plots"]

AUTO_PREFIX = "auto_"
"""Files that begin with it are ours and may be drawn again at any time."""


def draw_plots(directory: Path, history: Mapping[str, Series]) -> dict[str, Path]:
    """Draw everything there is to draw of these series; each file is replaced at once.

    Returns:
        Plot name → file.

    Raises:
        OSError: the disk refuses.
    """
    from neural_core._plotting.render import save_png
    from neural_core._plotting.visualizer import make_plots

    folder = directory / "plots"
    folder.mkdir(exist_ok=True)
    drawn = {}
    for name, figure in make_plots(history).items():
        drawn[name] = folder / f"{AUTO_PREFIX}{name}.png"
        save_png(figure, drawn[name])
    return drawn
