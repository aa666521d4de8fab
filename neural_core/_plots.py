"""Put the plots of an experiment into its ``plots`` folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neural_core._delivery.guard import GuardedPlugin
    from neural_core.records import Experiment, Series

__all__ = ["AUTO_PREFIX", "draw_experiment", "draw_plots"]

AUTO_PREFIX = "auto_"
"""Files that begin with it are ours and may be drawn again at any time."""
_log = logging.getLogger("neural")


def draw_experiment(experiment: Experiment, *, tidy: Callable[[], object] = bool) -> dict[str, Path]:
    """Read all series of an experiment and draw them; see `draw_plots`."""
    from neural_core._storage.reader import RunReader

    reader = RunReader(experiment.directory)
    reader.refresh()
    return draw_plots(experiment, {name: reader.series(name) for name in reader.names()}, tidy=tidy)


def draw_plots(
    experiment: Experiment,
    history: Mapping[str, Series],
    plugins: Iterable[GuardedPlugin] = (),
    *,
    tidy: Callable[[], object] = bool,
) -> dict[str, Path]:
    """Draw everything that plugins have to draw of these series; each file is replaced at once.

    Args:
        experiment: whose plots they are.
        history: its series.
        plugins: the script's own objects, asked before the installed ones.
        tidy: called after each plot, when nobody here holds its figure any more.

    Returns:
        Plot name → file.

    Raises:
        OSError: the disk refuses.
    """
    from neural_core._delivery.questions import ask
    from neural_core._plotting.text import file_stems
    from neural_core._plotting.user_figure import render_figure
    from neural_core._storage.documents import write_atomically
    from neural_core.errors import ArgumentTypeError

    folder = experiment.directory / "plots"
    folder.mkdir(exist_ok=True)
    drawn = {}
    figures = ask("neural_make_plots", plugins, experiment=experiment, history=history)
    stems = file_stems(figures)
    for name in list(figures):
        try:
            data = render_figure(figures.pop(name))  # each holds the pixels of its last drawing, some megabytes
        except ArgumentTypeError:
            _log.warning("plot %r of a plugin is no matplotlib Figure: left out", name)
            continue
        drawn[name] = folder / f"{AUTO_PREFIX}{stems[name]}.png"
        write_atomically(drawn[name], data, sync=False)
        tidy()
    return drawn
