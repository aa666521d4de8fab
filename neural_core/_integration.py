"""`create_integration`: one backend by itself, with the logging verbs of a tracker.

What is logged goes into a *spool*: an experiment that no list shows, delivered like any other, so that a dead server
loses nothing and the script does not wait. A spool goes when its backend has everything.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

from neural_core._logging_verbs import LoggingVerbs
from neural_core._storage import folder
from neural_core._storage.care.spools import remove_spool
from neural_core._storage.writing.session import Session
from neural_core._tracker import ExperimentTracker
from neural_core.errors import ArgumentTypeError
from neural_core.records import Status

if TYPE_CHECKING:
    from typing import Self

__all__ = ["BaseIntegration", "create_integration"]


class BaseIntegration(LoggingVerbs):
    """What `create_integration` gives: the logging verbs, going to one backend. A ``with`` block ends it.

    Attributes:
        name: of the backend.
        experiment_name: as the backend is told.
        experiment_dir: the folder of what is on its way; what the backend itself writes there stays.
    """

    def __init__(
        self, name: str, experiment_name: str, base_dir: str | os.PathLike[str], options: Mapping[str, Any]
    ) -> None:
        """Begin a run in a backend; see `create_integration`."""
        self.name = name
        self.experiment_name = experiment_name
        spools = folder.resolve_base_dir(base_dir) / folder.SPOOLS
        self._tracker = ExperimentTracker.spool(experiment_name, spools, {name: dict(options)})
        self.experiment_dir = self._tracker.experiment_dir
        self._disabled = self._tracker.is_disabled
        self._session = self._tracker._session
        self._log = self._tracker.log_metrics

    def _open_session(self) -> Session:
        assert self._session is not None
        return self._session

    def flush(self) -> None:
        """Wait until the backend has everything, at most NEURAL_FINISH_SECONDS (30)."""
        self._tracker.flush()

    def finish(self, status: Status | None = None) -> None:
        """End the run in the backend; a second call does nothing.

        What the backend could not take is kept and told, and ``neural sync --all --to NAME`` delivers it.

        Args:
            status: completed, failed or interrupted; None as for `ExperimentTracker.finish`.

        Raises:
            ArgumentValueError: another status.
        """
        self._tracker.finish(status)
        self._remove_when_delivered()

    def _remove_when_delivered(self) -> None:
        if self._tracker.delivered:
            remove_spool(self.experiment_dir)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._tracker.__exit__(kind, error, at)
        self._remove_when_delivered()

    def __repr__(self) -> str:
        return f"<integration {self.name!r} of {self.experiment_name!r}>"


def create_integration(
    name: str, experiment_name: str, *, base_dir: str | os.PathLike[str] = folder.DEFAULT_BASE_DIR, **options: Any
) -> BaseIntegration:
    """Give one backend by itself.

    Args:
        name: of an installed backend: ``mlflow``, ``wandb``, ``tensorboard``, or a third party's.
        experiment_name: the experiment there.
        base_dir: where what is on its way is kept, in a hidden folder; NEURAL_DIR stands in for the default.
        options: of the backend.

    Raises:
        NotInstalledError: the backend is not installed; the message says what to install.
        ConfigurationError: the folder cannot be used.
    """
    if not isinstance(name, str) or not isinstance(experiment_name, str):
        raise ArgumentTypeError(
            "create_integration takes the name of a backend and the name of an experiment, both text"
        )
    return BaseIntegration(name, experiment_name, base_dir, options)
