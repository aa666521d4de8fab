"""Experiments as what comparisons take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from neural_core._storage.experiment.overview import experiment_record
from neural_core._storage.experiment.reader import RunReader
from neural_core.records import ComparedExperiment

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["comparison_figures", "load_compared"]


def load_compared(directory: Path) -> ComparedExperiment:
    """Read an experiment with all its series."""
    reader = RunReader(directory)
    state, _ = reader.state()
    return ComparedExperiment(
        experiment_record(directory, state), {name: reader.series(name) for name in reader.names()}
    )


def comparison_figures(experiments: Sequence[ComparedExperiment], metrics: Sequence[str] | None) -> dict[str, Figure]:
    """Let every plugin draw a comparison; keys are safe as file names.

    Raises:
        ArgumentValueError: none of the experiments has a metric that was asked for.
    """
    from neural_core._delivery.questions import ask
    from neural_core._plotting.summary import chosen_metrics
    from neural_core._plotting.text import file_stems
    from neural_core._series import freeze

    names = chosen_metrics(experiments, metrics)
    chosen = [
        ComparedExperiment(one.experiment, freeze({name: one.series[name] for name in names if name in one.series}))
        for one in experiments
    ]
    answers = ask("neural_make_comparison_plots", experiments=chosen)
    stems = file_stems(answers)
    return {stems[name]: figure for name, figure in answers.items()}
