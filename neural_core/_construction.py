"""What a tracker needs while it is made, and what it says of verbs that it does not have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_core import _installed
from neural_core._logging_verbs import tag_pairs
from neural_core._storage.experiment.plain import as_mapping
from neural_core.errors import ArgumentTypeError, ArgumentValueError

if TYPE_CHECKING:
    from neural_core._delivery.delivery import Delivery
    from neural_core._delivery.guard import GuardedPlugin
    from neural_core._delivery.late import LateDelivery
    from neural_core._storage.writing.session import Session

__all__ = [
    "PEERS_VERBS",
    "check_annotations",
    "check_end",
    "check_rank",
    "existing",
    "guard_plugins",
    "make_delivery",
    "require_backends",
    "require_visualizer",
]

_ENDS = ("completed", "failed", "interrupted")

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


def existing(directory: Path) -> Path:
    from neural_core._storage.index.find import existing_experiment

    return existing_experiment(directory)


def require_backends(backend: object) -> dict[str, Mapping[str, Any]]:
    """Fail before the first step when a named backend cannot work."""
    names = _installed.backend_names(backend)
    present = _installed.entry_points(_installed.BACKENDS) if names else {}
    for name in names:
        if name not in present:
            raise _installed.not_installed(name, present)
    if names:
        from neural_core._delivery.launcher import check_options

        check_options(names)
    return names


def require_visualizer(auto_visualize: object) -> None:
    """Fail before the first step when the plots are to be drawn by a visualizer that is not installed.

    Raises:
        ArgumentTypeError: neither a truth value nor a name.
        NotInstalledError: there is none of this name.
    """
    if not isinstance(auto_visualize, (bool, str)):
        raise ArgumentTypeError(
            f"auto_visualize is True, False or the name of a visualizer, not {type(auto_visualize).__name__}"
        )
    if isinstance(auto_visualize, str):
        present = _installed.entry_points(_installed.VISUALIZERS)
        if auto_visualize not in present:
            raise _installed.no_visualizer(auto_visualize, present)


def guard_plugins(plugins: object) -> list[GuardedPlugin]:
    """Check the hooks of the script's own plugin objects.

    Raises:
        ArgumentTypeError: no list of objects.
        ConfigurationError: a class instead of an object, a hook or an argument that there is not.
    """
    if not isinstance(plugins, (list, tuple)):
        raise ArgumentTypeError(f"plugins is a list of objects with hooks, not {type(plugins).__name__}")
    if not plugins:
        return []
    from neural_core._delivery.guard import GuardedPlugin

    return [GuardedPlugin.wrap(plugin) for plugin in plugins]


def make_delivery(
    session: Session, plugins: Sequence[GuardedPlugin], backends: Mapping[str, Mapping[str, Any]], *, plots: bool | str
) -> Delivery | LateDelivery:
    """Let plugins, backends and automatic plots hear of a session from now on; `plots` may name the visualizer."""
    if not (plugins or backends or plots):
        from neural_core._delivery.late import LateDelivery

        late = LateDelivery(session.directory, session.state.uid)
        session.after_tick = late.tick
        return late
    from neural_core._delivery.delivery import Delivery

    delivery = Delivery(session.directory, session.state.uid, plugins=plugins, backends=backends, plots=plots)
    session.after_tick = delivery.tick
    delivery.start()
    return delivery


def check_annotations(hyperparameters: object, tags: object, notes: object) -> dict[str, str | None]:
    """Refuse what cannot be kept before a folder is made for it; give the tags as pairs.

    Raises:
        ArgumentTypeError: one of them cannot be kept.
    """
    if hyperparameters is not None:
        as_mapping(hyperparameters)
    if not isinstance(notes, (str, type(None))):
        raise ArgumentTypeError(f"notes are text, not {type(notes).__name__}")
    return {} if tags is None else tag_pairs(tags)


def check_rank(rank: object) -> int:
    """Give the rank of a process in its job.

    Raises:
        ArgumentTypeError: no integer.
        ArgumentValueError: a negative one.
    """
    if not isinstance(rank, int):
        raise ArgumentTypeError(f"rank is an integer, not {type(rank).__name__}")
    if rank < 0:
        raise ArgumentValueError(f"rank {rank} is negative: ranks count from 0")
    return rank


def check_end(status: object) -> None:
    """Refuse to end an experiment with a status that is no end.

    Raises:
        ArgumentValueError: it is none.
    """
    if status is not None and status not in _ENDS:
        raise ArgumentValueError(f"finish() ends with one of {', '.join(_ENDS)}, not {status!r:.80}")
