"""Tell a plugin what an experiment holds, through a relay of its own, as a training run does."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from neural_core._delivery.guard import GuardedPlugin
from neural_core._delivery.relay import Relay
from neural_core._storage.experiment.tail import Tail
from neural_core._storage.index.find import existing_experiment
from neural_core._testing.scripts import PATIENCE_SECONDS

__all__ = ["Delivered", "deliver", "following"]


@frozen
class Delivered:
    """What a delivery came to.

    Attributes:
        position: part of the journal → ordinal up to which the plugin was told; the next delivery may begin there.
        bookmark: what the plugin said there, None when it says nothing.
        complete: True when everything that was logged was told.
        errors: how often the plugin raised.
        last_error: what it raised last, in one sentence.
    """

    position: Mapping[str, int]
    bookmark: Mapping[str, Any] | None
    complete: bool
    errors: int
    last_error: str | None


def deliver(
    experiment_dir: str | os.PathLike[str],
    plugin: object,
    position: Mapping[str, int] | None = None,
    bookmark: Mapping[str, Any] | None = None,
    *,
    seconds: float = PATIENCE_SECONDS,
) -> Delivered:
    """Tell `plugin` everything that an experiment holds.

    A plugin that raises is asked three times, then the delivery ends without it.

    Args:
        experiment_dir: the experiment's folder; it may be running or finished.
        plugin: an object with hooks.
        position: where an earlier delivery ended, None for the beginning.
        bookmark: what the plugin said there.
        seconds: how long the plugin may take.

    Raises:
        ConfigurationError: the object is no plugin.
        ExperimentNotFoundError: the folder is no experiment.
    """
    directory, deadline = existing_experiment(Path(experiment_dir)), time.monotonic() + seconds
    relay = Relay(directory, GuardedPlugin.wrap(plugin), position=position, bookmark=bookmark)
    relay.start()
    return _end(relay, directory, deadline)


@contextlib.contextmanager
def following(
    experiment_dir: str | os.PathLike[str], plugin: object, *, seconds: float = PATIENCE_SECONDS
) -> Iterator[Callable[[], Delivered]]:
    """Tell `plugin` of an experiment while it is written.

    Gives a function that waits until the plugin has heard all that is logged so far, and says how far it is.

    Args:
        experiment_dir: the experiment's folder.
        plugin: an object with hooks.
        seconds: how long the plugin may take for each wait.

    Raises:
        ConfigurationError: the object is no plugin.
        ExperimentNotFoundError: the folder is no experiment.
    """
    directory = existing_experiment(Path(experiment_dir))
    relay = Relay(directory, GuardedPlugin.wrap(plugin))
    relay.start()
    try:
        yield lambda: _catch_up(relay, directory, time.monotonic() + seconds)
    finally:
        relay.stop(time.monotonic() + seconds)


def _catch_up(relay: Relay, directory: Path, deadline: float) -> Delivered:
    complete = relay.wait(Tail(directory).end(), deadline)
    return Delivered(relay.position, relay.bookmark, complete, relay.errors, relay.last_error)


def _end(relay: Relay, directory: Path, deadline: float) -> Delivered:
    caught_up = _catch_up(relay, directory, deadline)
    relay.stop(deadline)
    return caught_up
