"""`create_integration`: one backend by itself, with the verbs of a tracker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from neural_core import _installed
from neural_core.errors import ArgumentTypeError

__all__ = ["BaseIntegration", "create_integration"]


class BaseIntegration(ABC):
    """What `create_integration` gives: the logging verbs, going to one backend."""

    @abstractmethod
    def log_hyperparameters(self, hyperparameters: Mapping[str, Any]) -> None:
        """Log hyperparameters."""

    @abstractmethod
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log metrics."""

    @abstractmethod
    def log_artifact(self, path: str, name: str | None = None) -> None:
        """Log a file."""

    @abstractmethod
    def finish(self) -> None:
        """End the run in the backend."""


def create_integration(name: str, experiment_name: str, **options: Any) -> BaseIntegration:
    """Give one backend by itself.

    Args:
        name: of an installed backend: ``mlflow``, ``wandb``, ``tensorboard``, or a third party's.
        experiment_name: the experiment there.
        options: of the backend.

    Raises:
        NotInstalledError: the backend is not installed; the message says what to install.
    """
    if not isinstance(name, str) or not isinstance(experiment_name, str):
        raise ArgumentTypeError(
            "create_integration takes the name of a backend and the name of an experiment, both text"
        )
    made: BaseIntegration = _installed.load(_installed.BACKENDS, name).integration(experiment_name, **options)
    return made
