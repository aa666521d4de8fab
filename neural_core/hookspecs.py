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
    """An experiment was made, or is resumed.

    Called first, once for each span of the experiment. `experiment` is the record as it was then: id, uid, name,
    directory. Raise here when the plugin cannot work: its facts wait until it can.
    """


@hookspec
def neural_hyperparameters_logged(experiment: Experiment, hyperparameters: Mapping[str, Any]) -> None:
    """Hyperparameters were logged.

    `hyperparameters` holds the new pairs only, nested as they were logged; `experiment.hyperparameters` all of them.
    """


@hookspec
def neural_metrics_logged(experiment: Experiment, rows: MetricRows) -> None:
    """One to a thousand ``log_metrics`` calls were made.

    `rows` is a sequence of rows with ``step`` (int or None), ``timestamp`` (Unix seconds) and ``values`` (metric →
    float). ``rows.columns()`` gives them as arrays at once, ``rows.positions`` tells which rows they are.
    """


@hookspec
def neural_artifact_logged(experiment: Experiment, artifact: ArtifactVersion) -> None:
    """A file, a model or a figure was stored.

    `artifact.path` is the stored copy, complete and on the disk; `artifact.kind` says what it is.
    """


@hookspec
def neural_annotations_changed(experiment: Experiment, annotations: Annotations) -> None:
    """Tags, notes or the display name changed, by the script or by somebody else.

    `annotations` holds what changed; a tag with the text None was removed.
    """


@hookspec
def neural_status_changed(experiment: Experiment, status: str) -> None:
    """The status changed: created, running, completed, failed, interrupted."""


@hookspec
def neural_experiment_finished(experiment: Experiment, status: str, complete: bool) -> None:
    """The experiment ended.

    Called last, also for a plugin that was set aside. `complete` is False when the plugin has not heard everything:
    it failed, or the deadline of ``finish()`` came first.
    """


@hookspec
def neural_make_plots(experiment: Experiment, history: Mapping[str, Series]) -> Mapping[str, Figure | PlotFile] | None:
    """Draw plots of one experiment.

    Asked by ``generate_visualizations()`` and by the automatic plots. `history` has the series by metric. Return name →
    matplotlib Figure, or `PlotFile` for a format of your own; the results of all plugins are merged, and the visualizer
    (the built-in plots, when no other is named) comes last, so a plugin's plot takes the place of one of the same name.
    """


@hookspec
def neural_make_comparison_plots(experiments: Sequence[ComparedExperiment]) -> Mapping[str, Figure] | None:
    """Draw plots of several experiments side by side; asked by ``compare_experiments`` and ``export_comparison``."""
