"""Put the plots of an experiment into its ``plots`` folder."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neural_core._delivery.guard import GuardedPlugin
    from neural_core.records import Experiment, PlotFile, Series

__all__ = ["AUTO_PREFIX", "draw_experiment", "draw_plots"]

AUTO_PREFIX = "auto_"
"""Files that begin with it are ours and may be drawn again at any time."""
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_log = logging.getLogger("neural")


def draw_experiment(
    experiment: Experiment, visualizer: str | None = None, *, tidy: Callable[[], object] = bool
) -> dict[str, Path]:
    """Read all series of an experiment and draw them; see `draw_plots`."""
    from neural_core._storage.experiment.reader import RunReader

    reader = RunReader(experiment.directory)
    reader.refresh()
    history = {name: reader.series(name) for name in reader.names()}
    return draw_plots(experiment, history, visualizer=visualizer, tidy=tidy)


def draw_plots(
    experiment: Experiment,
    history: Mapping[str, Series],
    plugins: Iterable[GuardedPlugin] = (),
    *,
    visualizer: str | None = None,
    tidy: Callable[[], object] = bool,
) -> dict[str, Path]:
    """Draw everything that plugins have to draw of these series; each file is replaced at once.

    Args:
        experiment: whose plots they are.
        history: its series.
        plugins: the script's own objects, asked before the installed ones.
        visualizer: name of the one that draws beside them; the built-in one when None.
        tidy: called after each plot, when nobody here holds its figure any more.

    Returns:
        Plot name → file.

    Raises:
        OSError: the disk refuses.
    """
    from neural_core._delivery.questions import ask
    from neural_core._plotting.text import file_stems
    from neural_core._series import freeze

    folder = experiment.directory / "plots"
    folder.mkdir(exist_ok=True)
    drawn = {}
    given = ask("neural_make_plots", plugins, visualizer=visualizer, experiment=experiment, history=freeze(history))
    figures = {str(name): given.pop(name) for name in list(given)}
    stems = file_stems(figures)
    for name in list(figures):
        plot = _as_file(name, figures.pop(name))  # a figure holds the pixels of its last drawing, some megabytes
        if plot is not None:
            drawn[name] = _write(plot, folder / f"{AUTO_PREFIX}{stems[name]}{plot.suffix}")
            tidy()
    return drawn


def _as_file(name: str, answer: object) -> PlotFile | None:
    """Give what is to be written for a plugin's answer; None, with a warning, when it is no plot."""
    from neural_core._plotting.user_figure import render_figure
    from neural_core.errors import ArgumentTypeError
    from neural_core.records import PlotFile

    if isinstance(answer, PlotFile):
        if _is_safe(answer):
            return answer
        _log.warning("plot %r of a plugin has an unsafe suffix or file beside it, or no bytes: left out", name)
        return None
    try:
        return PlotFile(render_figure(answer), ".png")
    except ArgumentTypeError:
        _log.warning("plot %r of a plugin is neither a matplotlib Figure nor a PlotFile: left out", name)
    except Exception:  # noqa: BLE001 - a stranger's figure raises what it likes while it is drawn
        _log.warning("plot %r cannot be drawn: left out", name, exc_info=True)
    return None


def _is_safe(plot: PlotFile) -> bool:
    """Tell whether a plugin's file is one, and stays in its place; nobody holds a plugin to the types."""
    if not isinstance(plot.beside, Mapping):
        return False
    texts, contents = [plot.suffix, *plot.beside], [plot.content, *plot.beside.values()]
    typed = all(isinstance(one, str) for one in texts) and all(isinstance(one, bytes) for one in contents)
    beside = typed and all(_SAFE_NAME.fullmatch(file) and file.startswith(AUTO_PREFIX) for file in plot.beside)
    return beside and _SUFFIX.fullmatch(plot.suffix) is not None


def _write(plot: PlotFile, path: Path) -> Path:
    """Replace a plot; what it needs beside it is written first, and only where it is not there yet."""
    from neural_core._storage.experiment.documents import write_atomically

    for file, content in plot.beside.items():
        place = path.with_name(file)
        if not place.is_file() or place.stat().st_size != len(content):
            write_atomically(place, content, sync=False)
    write_atomically(path, plot.content, sync=False)
    return path
