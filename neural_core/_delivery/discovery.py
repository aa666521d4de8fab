"""Find installed plugins: metadata is read, and only what is asked for is imported, inside the guard."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from importlib import metadata
from typing import Any

from attrs import frozen

from neural_core._delivery.guard import GuardedPlugin, is_ctrl_c, said
from neural_core._installed import every_entry_point
from neural_core.errors import ConfigurationError, NeuralError

__all__ = [
    "GROUPS",
    "FoundPlugin",
    "always_on",
    "always_on_names",
    "destination_of",
    "find",
    "make_backend",
    "make_plugin",
    "warn_once",
]

GROUPS = (
    "neural.backends",
    "neural.visualizers",
    "neural.plugins",
    "neural.panels",
    "neural.commands",
    "neural.ui",
)
_log = logging.getLogger("neural")
_told: set[str] = set()
LEFT_OUT = "It is left out"


@frozen
class FoundPlugin:
    """An entry point of one of our groups.

    Attributes:
        group: the group.
        name: what a user writes, or what a message says.
        distribution: name and version of the package.
        blocked: True when a variable of the environment blocks it.
    """

    group: str
    name: str
    distribution: str
    blocked: bool
    _point: metadata.EntryPoint

    def load(self) -> Any:
        """Import it.

        Raises:
            ConfigurationError: it does not import; the cause is what it raised.
        """
        try:
            return self._point.load()
        except BaseException as error:
            if is_ctrl_c(error):
                raise
            raise ConfigurationError(f"{self} does not import: {type(error).__name__}: {said(error)}") from error

    def __str__(self) -> str:
        return f"plugin {self.name!r} ({self.distribution})"


def find(group: str) -> list[FoundPlugin]:
    """Give the entry points of a group, by name; nothing is imported.

    ``NEURAL_DISABLE_PLUGINS=a,b`` blocks plugins by name, ``*`` all of them; ``NEURAL_ENABLE_PLUGINS=a,b`` lets only
    these through. Backends are asked for by name and never blocked.
    """
    points = sorted(every_entry_point(group), key=lambda point: point.name)
    return [
        FoundPlugin(group, point.name, _distribution(point), _is_blocked(group, point.name), point) for point in points
    ]


def _distribution(point: metadata.EntryPoint) -> str:
    return "" if point.dist is None else f"{point.dist.name} {point.dist.version}"


def _names(variable: str) -> set[str] | None:
    text = os.environ.get(variable)
    return None if text is None else {name.strip() for name in text.split(",") if name.strip()}


def _is_blocked(group: str, name: str) -> bool:
    if group not in ("neural.plugins", "neural.visualizers", "neural.panels"):
        return False
    blocked, allowed = _names("NEURAL_DISABLE_PLUGINS") or set(), _names("NEURAL_ENABLE_PLUGINS")
    return name in blocked or "*" in blocked or (allowed is not None and name not in allowed)


def always_on_names() -> set[str]:
    """Give the names of the installed plugins that are not blocked; nothing is imported."""
    return {found.name for found in find("neural.plugins") if not found.blocked}


def always_on(
    group: str = "neural.plugins",
    tell: Callable[[str, str], None] | None = None,
    *,
    only: str | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[GuardedPlugin]:
    """Make every installed plugin of a group that is not blocked; a broken one is told of, and left out.

    Args:
        group: of entry points.
        tell: called with name and sentence; None warns, once for each sentence in a process.
        only: the name of the one to make; None for all.
        options: name → keywords for a plugin that takes some.
    """
    made = []
    taken: set[str] = set()
    for found in find(group):
        if found.blocked or only not in (None, found.name):
            continue
        if found.name in taken:  # `tell` is told of the other one
            warn_once(f"{found}: another package has registered this name. {LEFT_OUT}")
            continue
        taken.add(found.name)
        try:
            made.append(make_plugin(found, (options or {}).get(found.name, {})))
        except NeuralError as error:
            sentence = f"{error}. {LEFT_OUT}"
            if tell is None:
                warn_once(sentence)
            else:
                tell(found.name, sentence)
    return made


def warn_once(sentence: str) -> None:
    """Say once in a process what is wrong with a plugin, here or in the companion."""
    if sentence not in _told:
        _told.add(sentence)
        _log.warning("%s", sentence)


def make_plugin(found: FoundPlugin, options: Mapping[str, Any]) -> GuardedPlugin:
    """Import a plugin, make its object, and check its hooks.

    Raises:
        ConfigurationError: any of this fails.
    """
    loaded = found.load()
    try:
        plugin = loaded(**options) if callable(loaded) else loaded
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        names = ", ".join(map(repr, options)) or "none"  # their values may be secret, and this is kept
        raise ConfigurationError(
            f"{found} cannot be made (options: {names}): {type(error).__name__}: {said(error)}"
        ) from error
    try:
        return GuardedPlugin.wrap(plugin, found.name, found.distribution)
    except ConfigurationError as error:
        reason = " ".join(str(error).partition(": ")[2].split())  # pluggy writes several lines
        raise ConfigurationError(f"{found}: {reason}") from error


def make_backend(name: str, options: Mapping[str, Any]) -> GuardedPlugin:
    """Make the backend of this name.

    Raises:
        ConfigurationError: it is not installed or cannot be made.
    """
    found = [found for found in find("neural.backends") if found.name == name]
    if not found:
        raise ConfigurationError(f"backend {name!r} is not installed")
    for other in found[1:]:
        warn_once(f"{other}: {found[0].distribution} has registered this name, too, and is used. {LEFT_OUT}")
    return make_plugin(found[0], options)


def destination_of(plugin: GuardedPlugin) -> str:
    """Say where a backend delivers to, in its own words; two destinations have two cursors.

    Raises:
        ConfigurationError: it cannot say.
    """
    try:
        describe = getattr(plugin.plugin, "destination", None)
        return str(describe() if callable(describe) else describe or "")
    except BaseException as error:
        if is_ctrl_c(error):
            raise
        raise ConfigurationError(
            f"{plugin} cannot say where it delivers to: {type(error).__name__}: {said(error)}"
        ) from error
