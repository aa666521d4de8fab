"""What is installed, for people: each plugin with its package, its hooks and what is wrong with it."""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path
from typing import Any

import pluggy
from attrs import asdict, frozen

from neural_core._delivery import discovery
from neural_core._delivery.cursor import cursors_of
from neural_core._delivery.elsewhere import BEGUN, give_elsewhere
from neural_core._delivery.guard import GuardedPlugin, alone
from neural_core._storage import folder
from neural_core.errors import ConfigurationError, NeuralError

__all__ = ["Failure", "ListedPlugin", "last_failures", "list_plugins", "look_from"]


@frozen
class ListedPlugin:
    """One entry point.

    Attributes:
        group: the group of entry points.
        name: in that group.
        distribution: name and version of the package.
        state: ``ok``, ``blocked`` by the environment, ``broken``.
        hooks: the hooks that it implements; empty for a verb, a UI, and what is made by a function.
        error: what is wrong with it, None when nothing is.
        delivery: of a backend, as it says of itself: ``exactly once`` or ``at least once``; empty for others.
    """

    group: str
    name: str
    distribution: str
    state: str
    hooks: tuple[str, ...] = ()
    error: str | None = None
    delivery: str = ""


@frozen
class Failure:
    """What a plugin said when it failed last.

    Attributes:
        experiment: name of the folder of the experiment that it was told of.
        error: what it said, one sentence.
    """

    experiment: str
    error: str


_LOOKING = """
import sys
sys.path += [path for path in sys.argv[2:] if path not in sys.path]
from neural_core._delivery.listing import look_from
look_from(int(sys.argv[1]))
"""


def list_plugins() -> list[ListedPlugin]:
    """Give all installed plugins. Those that are not blocked are imported, in another process; none is made."""
    every = _every()
    listed: list[ListedPlugin] = []
    while len(listed) < len(every):
        looked, what = give_elsewhere(_LOOKING, len(listed))
        if looked is None:
            return [_look(found, again=again) for found, again in every]
        listed += [ListedPlugin(**one, hooks=tuple(hooks)) for one, hooks in looked]
        for found, _ in every[len(listed) :][:1]:
            about = found.group, found.name, found.distribution
            listed.append(ListedPlugin(*about, "broken", error=f"{found}: its import {what}"))
    return listed


def look_from(first: int) -> None:
    """Import one plugin after the other, and write what is found as lines of JSON, for `list_plugins`."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as told:
        os.dup2(2, 1)  # what plugins print is no line of ours
        print(json.dumps(BEGUN), file=told, flush=True)
        for found, again in _every()[first:]:
            one = asdict(_look(found, again=again))
            hooks = one.pop("hooks")
            print(json.dumps([one, hooks]), file=told, flush=True)


def _every() -> list[tuple[discovery.FoundPlugin, bool]]:
    """Give every entry point, and whether another package has registered its name before."""
    every = []
    for group in discovery.GROUPS:
        taken: set[str] = set()
        for found in discovery.find(group):
            every.append((found, found.name in taken))
            taken.add(found.name)
    return every


def _look(found: discovery.FoundPlugin, *, again: bool) -> ListedPlugin:
    about = found.group, found.name, found.distribution
    if found.blocked:
        return ListedPlugin(*about, "blocked")
    if again:
        return ListedPlugin(*about, "broken", error="another package has registered this name")
    try:
        loaded = found.load()
        delivery = str(getattr(loaded, "delivery", "at least once")) if found.group == "neural.backends" else ""
        return ListedPlugin(*about, "ok", tuple(_hooks_of(loaded, found.name)), delivery=delivery)
    except NeuralError as error:
        return ListedPlugin(*about, "broken", error=str(error))


def _hooks_of(loaded: Any, name: str) -> list[str]:
    """Give the hooks of an object, or of the objects of a class; a class is not called, as it may need options.

    Raises:
        ConfigurationError: a hook of an unknown name, an unknown argument.
    """
    if not inspect.isclass(loaded):
        return [] if callable(loaded) else GuardedPlugin.wrap(loaded, name).hooks
    try:
        manager = alone(loaded, name)
    except (pluggy.PluginValidationError, ValueError) as error:
        raise ConfigurationError(" ".join(str(error).split())) from error
    return sorted(caller.name for caller in manager.get_hookcallers(loaded) or [])


def last_failures(base: Path) -> dict[str, Failure]:
    """Give, by name of the plugin, its last failure that is not over, among the experiments of a base folder."""
    found: dict[str, Failure] = {}
    for directory in sorted(folder.with_spools(base), key=_last_delivery):
        found |= {one.plugin: Failure(directory.name, one.error) for one in cursors_of(directory) if one.error}
    return found


def _last_delivery(directory: Path) -> float:
    """When a cursor of an experiment was written last, which replaces its file."""
    try:
        return (directory / "delivery").stat().st_mtime
    except OSError:
        return 0.0
