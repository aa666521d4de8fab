"""The backend: an experiment's facts as events, each of them once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_core import hookimpl
from neural_core.errors import ConfigurationError
from neural_tensorboard._installed import require_tensorboard

if TYPE_CHECKING:
    from neural_core.records import ArtifactVersion, Experiment, MetricRows
    from neural_tensorboard._files import EventStream

__all__ = ["TensorBoardBackend"]


class TensorBoardBackend:
    """Writes ``<log_dir>/<experiment name>/<id>``: one run of TensorBoard for each experiment.

    What a hook was told is on the disk when it returns. A later object goes on at the bookmark of the last one and
    cuts off what stands behind it, since that is told again; so everything stands there once.
    """

    delivery = "exactly once"

    def __init__(self, log_dir: str | os.PathLike[str] = "runs") -> None:
        """Say where the event files go.

        Args:
            log_dir: a folder, relative to the current one; made when something is written.

        Raises:
            NotInstalledError: TensorBoard is missing.
            ConfigurationError: `log_dir` is no path.
        """
        require_tensorboard()
        if not isinstance(log_dir, str | os.PathLike) or not os.fspath(log_dir):
            raise ConfigurationError(f"log_dir is the folder for event files, such as 'runs', not {log_dir!r:.80}")
        self._log_dir = Path(log_dir).expanduser().absolute()
        self._bookmark: Mapping[str, Any] | None = None
        self._following: dict[str, int] = {}
        self._open: EventStream | None = None

    def destination(self) -> str:
        """Say where it delivers to: another folder gets everything, too."""
        return str(self._log_dir)

    def return_to(self, bookmark: Mapping[str, Any] | None) -> None:
        """Take the bookmark to go on at; see `bookmark`."""
        self._bookmark = bookmark

    def bookmark(self) -> dict[str, Any]:
        """Say up to where events count: the event file, its length, and the next step of what has none of its own."""
        if self._open is None:
            return {}
        return {**self._open.bookmark(), "steps": dict(self._following)}

    @hookimpl
    def neural_experiment_started(self, experiment: Experiment) -> None:
        """Find the place of the run, and go on where the last object stopped."""
        from neural_tensorboard._events import begin
        from neural_tensorboard._files import EventStream, RunFiles, unix_seconds

        if self._open is None:
            first = begin(unix_seconds(experiment.start_time))
            self._open = EventStream(RunFiles(self._log_dir, experiment), first, self._bookmark)
            self._following = dict((self._bookmark or {}).get("steps", {}))
        self._describe(experiment)

    @hookimpl
    def neural_hyperparameters_logged(self, experiment: Experiment) -> None:
        """Write all hyperparameters so far."""
        self._describe(experiment)

    @hookimpl
    def neural_annotations_changed(self, experiment: Experiment) -> None:
        """Write tags, notes and name as they are now."""
        self._describe(experiment)

    @hookimpl
    def neural_status_changed(self, experiment: Experiment) -> None:
        """Write the status, once it is an end."""
        self._describe(experiment)

    @hookimpl
    def neural_experiment_finished(self, experiment: Experiment) -> None:
        """Write the end; of an experiment that goes on without this object, what is known of it."""
        self._describe(experiment)

    @hookimpl
    def neural_metrics_logged(self, rows: MetricRows) -> None:
        """Write an event for each row."""
        from neural_tensorboard._scalars import scalar_records

        following = dict(self._following)
        self._append(scalar_records(rows.columns(), following), following)

    @hookimpl
    def neural_artifact_logged(self, experiment: Experiment, artifact: ArtifactVersion) -> None:
        """Write what is known of the file, and its picture when it is an image."""
        from neural_tensorboard._artifacts import artifact_records

        following = dict(self._following)
        self._append(list(artifact_records(artifact, experiment.directory, following)), following)

    def _append(self, records: list[bytes], following: dict[str, int]) -> None:
        """Write records; the steps given to them count only once they are written."""
        self._stream.append(records)
        self._following = following

    def _describe(self, experiment: Experiment) -> None:
        from neural_tensorboard._description import description

        self._stream.files.describe(description(experiment))

    @property
    def _stream(self) -> EventStream:
        assert self._open is not None, "whatever is told, the start is told first"
        return self._open
