"""The hooks: what neural tells plugins, and what it asks them. docs/hooks.md has the long form of each.

*Facts* are in the past tense. Each plugin hears them on a relay of its own: one thread, in the order of logging, never
two at once, from started to finished. A plugin may be slow and may raise: it is then asked again with the same fact, so
a fact may come twice, and `MetricRows.positions` tells which. *Questions* are imperative and are answered on the
thread of whoever asks.

A plugin is any object with methods that carry `hookimpl`; each names only the arguments that it needs. Arguments are
frozen records and copies, never the live tracker. Specifications only gain arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neural_core.records import (
        Annotations,
        ArtifactVersion,
        ComparedExperiment,
        Experiment,
        MetricRows,
        PlotFile,
        Series,
    )

__all__ = [
    "PROJECT",
    "hookimpl",
    "hookspec",
    "neural_annotations_changed",
    "neural_artifact_logged",
    "neural_experiment_finished",
    "neural_experiment_started",
    "neural_hyperparameters_logged",
    "neural_make_comparison_plots",
    "neural_make_plots",
    "neural_metrics_logged",
    "neural_status_changed",
]

PROJECT = "neural"
"""The name that pluggy knows the hooks by."""
hookspec = pluggy.HookspecMarker(PROJECT)
"""Mark a specification; for the core itself."""
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Mark a method of a plugin as the implementation of the hook of its name."""


@hookspec
def neural_experiment_started(experiment: Experiment) -> None:
    """An experiment was made, is resumed, or is taken up by a new object of the plugin.

    Called by the plugin's relay, on its thread, first in each span of the experiment. Raise here when the plugin
    cannot work: its facts wait until it can.

    Args:
        experiment: id, uid, name, directory and the rest, as they were at that moment.

    Example:
        ```python
        @hookimpl
        def neural_experiment_started(self, experiment):
            self.file = (experiment.directory / "heard.txt").open("a")
        ```
    """


@hookspec
def neural_hyperparameters_logged(experiment: Experiment, hyperparameters: Mapping[str, Any]) -> None:
    """Hyperparameters were logged.

    Called by the plugin's relay, on its thread, after each `log_hyperparameters`.

    Args:
        experiment: its `hyperparameters` are all pairs so far.
        hyperparameters: the new pairs only, nested as they were logged.

    Example:
        ```python
        @hookimpl
        def neural_hyperparameters_logged(self, hyperparameters):
            self.seen.update(hyperparameters)
        ```
    """


@hookspec
def neural_metrics_logged(experiment: Experiment, rows: MetricRows) -> None:
    """One to a thousand `log_metrics` calls were made.

    Called by the plugin's relay, on its thread, about 0.2 s after the calls; with more rows at once when it is behind.

    Args:
        experiment: the record.
        rows: a sequence with a row for each call: its step (int or None), timestamp (Unix seconds) and values
            (metric → float). Its `columns()` gives them as arrays at once, its `positions` tell which rows they are.

    Example:
        ```python
        @hookimpl
        def neural_metrics_logged(self, rows):
            self.best = max([self.best, *(row.values.get("accuracy", 0.0) for row in rows)])
        ```
    """


@hookspec
def neural_artifact_logged(experiment: Experiment, artifact: ArtifactVersion) -> None:
    """A file, a folder, a model or a figure was stored.

    Called by the plugin's relay, on its thread, once the copy is complete and on the disk.

    Args:
        experiment: the record.
        artifact: its `path` is the stored copy, to be read only; its `kind` says what it is.

    Example:
        ```python
        @hookimpl
        def neural_artifact_logged(self, artifact):
            shutil.copy(artifact.path, self.folder)
        ```
    """


@hookspec
def neural_annotations_changed(experiment: Experiment, annotations: Annotations) -> None:
    """Tags, notes or the display name changed, by the script or by somebody else.

    Called by the plugin's relay, on its thread; an edit may come after the end.

    Args:
        experiment: the record with the change.
        annotations: what changed; a tag with the text None was removed.

    Example:
        ```python
        @hookimpl
        def neural_annotations_changed(self, annotations):
            self.tags.update(annotations.tags)
        ```
    """


@hookspec
def neural_status_changed(experiment: Experiment, status: str) -> None:
    """The status changed.

    Called by the plugin's relay, on its thread.

    Args:
        experiment: the record with the new status.
        status: created, running, completed, failed or interrupted.

    Example:
        ```python
        @hookimpl
        def neural_status_changed(self, experiment, status):
            self.send(f"{experiment.name} is {status}")
        ```
    """


@hookspec
def neural_experiment_finished(experiment: Experiment, status: str, complete: bool) -> None:
    """The experiment ended, or nobody goes on telling this object of it.

    Called by the plugin's relay, on its thread, last, also for a plugin that was set aside.

    Args:
        experiment: the record at its end.
        status: completed, failed or interrupted; of an experiment that still runs, the status that it has.
        complete: False when the plugin has not heard everything: it failed, or the deadline of `finish()` came first.

    Example:
        ```python
        @hookimpl
        def neural_experiment_finished(self):
            self.file.close()
        ```
    """


@hookspec
def neural_make_plots(experiment: Experiment, history: Mapping[str, Series]) -> Mapping[str, Figure | PlotFile] | None:
    """Draw plots of one experiment.

    Asked by `generate_visualizations()` and `flush()`, and by the automatic plots in the companion process, on a thread
    of its own.

    Args:
        experiment: the record.
        history: metric → its series.

    Returns:
        Name → matplotlib Figure, or `PlotFile` for a format of your own; None for nothing. The answers of all plugins
        are merged. The visualizer (the built-in plots, when no other is named) comes last, so a plugin's plot takes
        the place of one of the same name.

    Example:
        ```python
        @hookimpl
        def neural_make_plots(self, history):
            figure = Figure()
            figure.add_subplot().semilogy(history["loss"].step, history["loss"].value)
            return {"loss_log": figure}
        ```
    """


@hookspec
def neural_make_comparison_plots(experiments: Sequence[ComparedExperiment]) -> Mapping[str, Figure] | None:
    """Draw plots of several experiments side by side.

    Asked by `compare_experiments` and `export_comparison`, on a thread of its own; only installed plugins are.

    Args:
        experiments: the record and the series of each.

    Returns:
        As for `neural_make_plots`.

    Example:
        ```python
        @hookimpl
        def neural_make_comparison_plots(self, experiments):
            best = {one.experiment.name: one.series["loss"].value.min() for one in experiments}
            figure = Figure()
            figure.add_subplot().bar(list(best), list(best.values()))
            return {"metrics": figure}
        ```
    """
