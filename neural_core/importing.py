"""Bring in what another tool recorded. For the authors of plugins; `neural import` is built on it.

A plugin says which runs a place holds, each as a `ForeignRun` that knows how to write itself, and registers a command
made by `import_command` under ``neural.commands``::

    [project.entry-points."neural.commands"]
    import-mlflow = "neural_mlflow.importing:command"

That command is then `neural import mlflow SOURCE`.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, SupportsFloat, SupportsIndex

from attrs import field, frozen

from neural_core.records import Status

if TYPE_CHECKING:
    import click

__all__ = ["ForeignRun", "ImportTarget", "Imported", "import_command", "import_run"]

Outcome = Literal["new", "replaced", "unchanged"]


class ImportTarget(ABC):
    """The experiment that a foreign run is written to: the logging verbs, with the times of the original.

    Nobody sees it before everything is written; an import that is killed leaves nothing behind that counts.
    """

    @abstractmethod
    def log_metrics(
        self,
        metrics: Mapping[str, SupportsFloat | SupportsIndex | None],
        step: SupportsIndex | None = None,
        timestamp: float | None = None,
    ) -> None:
        """Log one row.

        Args:
            metrics: name → number.
            step: an integer of 64 bits, or None.
            timestamp: Unix seconds of the original; now when None.

        Raises:
            ArgumentError: it cannot be kept.
        """

    @abstractmethod
    def log_hyperparameters(self, hyperparameters: Mapping[str, Any]) -> None:
        """Log hyperparameters, nested as you like."""

    @abstractmethod
    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Add tags."""

    @abstractmethod
    def set_notes(self, notes: str) -> None:
        """Set the notes."""

    @abstractmethod
    def log_artifact(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        kind: Literal["file", "model", "figure"] = "file",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Store a copy of a file or folder as the next version of `name`; of a figure, an image, as a plot.

        Raises:
            ArtifactError: it is not there or cannot be stored.
        """

    @abstractmethod
    def leave_out(self, what: str, count: int = 1) -> None:
        """Count what cannot be brought in, by its kind in the plural: ``histograms``; the user reads the sum."""

    @abstractmethod
    def end(self, status: Status, end_time: float | None = None) -> None:
        """Say how the run ended.

        Args:
            status: completed, failed or interrupted; a run that still goes on is brought in as interrupted.
            end_time: Unix seconds; the time of the last row when None, or none that a calendar has.
        """


@frozen
class ForeignRun(ABC):
    """One run of another tool.

    Attributes:
        source: names the run for ever: tool, place and id, the same text each time, without secrets.
        name: display name of the experiment.
        state: changes whenever the run does, such as its number of points with the time of its last change. A run that
            was brought in with the same state is left alone.
        start_time: Unix seconds; None when unknown, as is a time that no calendar has.
    """

    source: str
    name: str
    state: str
    start_time: float | None = None

    @abstractmethod
    def write_to(self, target: ImportTarget) -> None:
        """Log everything that the run holds."""


@frozen
class Imported:
    """What became of one foreign run.

    Attributes:
        outcome: ``new``; ``replaced`` when it has changed since the last import, whose experiment is in the trash;
            ``unchanged`` when the last import had all of it.
        experiment_id: of the experiment that holds it.
        directory: its folder.
        rows, hyperparameters, artifacts: how many were stored; 0 when nothing was written.
        left_out: kind in the plural → how many could not be brought in.
    """

    outcome: Outcome
    experiment_id: str
    directory: Path
    rows: int = 0
    hyperparameters: int = 0
    artifacts: int = 0
    left_out: Mapping[str, int] = field(factory=dict)


def import_run(run: ForeignRun, base_dir: str | os.PathLike[str]) -> Imported:
    """Write one foreign run as an experiment; safe to repeat.

    Raises:
        ExperimentInUseError: its experiment, or another import of it, is being written.
        ArgumentError: the run holds what cannot be kept.
        OSError: the disk refuses.
    """
    from neural_core._importing import bring_in

    return bring_in(run, base_dir)


def import_command(
    tool: str,
    read: Callable[..., Iterable[ForeignRun]],
    *,
    help: str,
    params: Sequence[click.Parameter] = (),
) -> click.Command:
    """Make the command ``neural import TOOL SOURCE``.

    Args:
        tool: what the user writes.
        read: called with ``source`` and with the options of `params`; gives the runs, one after the other. It raises a
            `NeuralError` when the place is none of its tool's.
        help: of the command; the first sentence is its summary.
        params: further options.
    """
    from neural_core._cli.importing import make_command

    return make_command(tool, read, help=help, params=params)
