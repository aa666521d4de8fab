"""What separately installed plugins provide: found by entry point, or said in one sentence how to install."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from neural_core.errors import ArgumentTypeError, NotInstalledError

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

__all__ = [
    "BACKENDS",
    "UI",
    "VISUALIZERS",
    "backend_names",
    "entry_points",
    "every_entry_point",
    "load",
    "no_visualizer",
    "not_installed",
]

BACKENDS = "neural.backends"
UI = "neural.ui"
VISUALIZERS = "neural.visualizers"
_DAMAGED = (TypeError, ValueError, AttributeError, OSError)
_TITLES = {"mlflow": "MLflow", "wandb": "W&B", "tensorboard": "TensorBoard", "ui": "Dash"}


def entry_points(group: str) -> dict[str, EntryPoint]:
    """Give the entry points of a group by name; none of them is imported."""
    return {point.name: point for point in every_entry_point(group)}


def every_entry_point(group: str) -> list[EntryPoint]:
    """Give the entry points of a group, also those of the same name; a package that cannot say which it has has none.

    One that is half installed, whoever's it is, must keep no plugin away, and end no training.
    """
    from importlib import metadata  # 15 ms, only for those who name a plugin

    try:
        return list(metadata.entry_points(group=group))
    except _DAMAGED:  # of one package, but none is given
        points = [point for package in metadata.distributions() for point in _entry_points_of(package)]
        return [point for point in dict.fromkeys(points) if point.group == group]


def _entry_points_of(package: Distribution) -> list[EntryPoint]:
    try:
        return list(package.entry_points)
    except _DAMAGED:
        return []


def load(group: str, name: str) -> Any:
    """Import what an entry point names.

    Raises:
        NotInstalledError: there is no such entry point.
    """
    points = entry_points(group)
    if name not in points:
        raise not_installed(name, points)
    return points[name].load()


def not_installed(name: str, present: Iterable[str] = ()) -> NotInstalledError:
    """Give the error for a plugin that is not there: what it is, what is there, and the line that installs it."""
    title = _TITLES.get(name)
    others = ", ".join(sorted(present)) or "none"
    if title is None:
        return NotInstalledError(
            f"backend {name!r} is not installed (installed: {others}). "
            f"A backend is a package that registers an entry point in {BACKENDS}; by custom it is called neural-{name}"
        )
    verb = "available" if name == "ui" else "installed"
    return NotInstalledError(
        f"{title} not {verb}: the plugin neural-{name} is missing. "
        f'In a checkout of neural: pip install -e ".[{name}]"; '
        f"from the package index: pip install neural-{name}"
    )


def no_visualizer(name: str, present: Iterable[str]) -> NotInstalledError:
    """Give the error for a visualizer that is not there: what is, and the line that installs the one that we know."""
    known = (
        'It comes with neural-ui. In a checkout of neural: pip install -e ".[ui]"; '
        "from the package index: pip install neural-ui"
        if name == "plotly"
        else f"A visualizer is a package that registers an entry point in {VISUALIZERS}"
    )
    others = ", ".join(sorted(present)) or "none"
    return NotInstalledError(f"visualizer {name!r} is not installed (installed: {others}). {known}")


def backend_names(backend: object) -> dict[str, Mapping[str, Any]]:
    """Give name → options of ``backend=``: None, a name, several names, or a mapping of names to options.

    None stands for the names in NEURAL_BACKENDS, separated by commas.

    Raises:
        ArgumentTypeError: it is none of these.
    """
    if backend is None:
        named = os.environ.get("NEURAL_BACKENDS", "")
        return {name.strip(): {} for name in named.split(",") if name.strip()}
    if isinstance(backend, str):
        return {backend: {}}
    if isinstance(backend, Mapping) and all(isinstance(options, Mapping) for options in backend.values()):
        return {str(name): dict(options) for name, options in backend.items()}
    if isinstance(backend, (list, tuple)) and all(isinstance(name, str) for name in backend):
        return {name: {} for name in backend}
    raise ArgumentTypeError(
        f"backend is a name, a list of names, or a mapping of names to options, not {backend!r:.80}"
    )
