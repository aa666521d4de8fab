"""What a tracker needs while it is made, and what it says of verbs that it does not have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neural_core import _installed

__all__ = ["PEERS_VERBS", "do_nothing", "existing", "require_backends"]

PEERS_VERBS = {
    "log": "log_metrics(metrics, step)",
    "add_scalar": "log_metric(name, value, step)",
    "log_param": "log_hyperparameters(mapping)",
    "log_params": "log_hyperparameters(mapping)",
    "config": "log_hyperparameters(mapping)",
    "log_image": "log_figure(figure, name) or log_artifact(path)",
    "save": "log_artifact(path)",
    "end_run": "finish()",
    "end": "finish()",
    "close": "finish()",
}
"""Verbs of other trackers, which newcomers try first, and what they are called here: one verb per fact."""


def do_nothing(metrics: Any, step: Any = None) -> None:
    """Stand in for ``log_metrics`` when tracking is disabled."""


def existing(directory: Path) -> Path:
    from neural_core._storage.find import existing_experiment

    return existing_experiment(directory)


def require_backends(backend: object) -> None:
    """Fail before the first step when a named backend cannot work."""
    present = _installed.entry_points(_installed.BACKENDS) if backend is not None else {}
    for name in _installed.backend_names(backend):
        if name not in present:
            raise _installed.not_installed(name, present)
