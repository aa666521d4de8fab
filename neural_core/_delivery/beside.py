"""Plugins on threads of the training process: the script's own, and without a companion everybody else."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_core._delivery.cursor import INSTALLED, CursorFile
from neural_core._delivery.forking import PausableThread
from neural_core.errors import NeuralError

if TYPE_CHECKING:
    from neural_core._delivery.guard import GuardedPlugin
    from neural_core._delivery.relay import Relay

__all__ = ["RelaysBeside"]

_POLL_SECONDS = 0.01
_SHORTLY = 0.2
_log = logging.getLogger("neural")


@contextlib.contextmanager
def _leaving_out() -> Iterator[None]:
    """Tell of a plugin that cannot be made here, and do without it."""
    from neural_core._delivery import discovery

    try:
        yield
    except NeuralError as error:
        discovery.warn_once(f"{error}. {discovery.LEFT_OUT}")


class RelaysBeside:
    """The relays of one experiment beside its training. Threads may share it.

    Attributes:
        relays: those that were started.
    """

    def __init__(self, directory: Path, uid: str) -> None:
        self.relays: list[Relay] = []
        self._directory, self._uid = directory, uid
        self._lock = threading.Lock()
        self._closed = False
        self._maker: PausableThread | None = None

    def add_objects(self, plugins: Sequence[GuardedPlugin]) -> None:
        """Let the script's own objects hear from now on, as long as it lives."""
        for plugin in {id(one.plugin): one for one in plugins}.values():  # given twice, it still hears on one thread
            self._start(plugin, None)

    def add_backends(self, backends: Mapping[str, Mapping[str, Any]]) -> None:
        """Make backends and let them hear from now on.

        Raises:
            ConfigurationError: one is not installed or cannot be made.
        """
        from neural_core._delivery import discovery

        for name, options in backends.items():
            plugin = discovery.make_backend(name, options)
            self._add(plugin, discovery.destination_of(plugin))

    def add_later(self, backends: Mapping[str, Mapping[str, Any]], installed: Collection[str]) -> None:
        """Make plugins on a thread of its own: whoever calls this waits for no import.

        Args:
            backends: name → options; one that cannot be made is told of, and left out.
            installed: names of installed plugins.
        """
        if backends or installed:
            self._maker = PausableThread("neural-plugins", partial(self._make, backends, installed), lambda: None)
            self._maker.start()

    def _make(self, backends: Mapping[str, Mapping[str, Any]], installed: Collection[str]) -> None:
        from neural_core._delivery import discovery

        for name, options in backends.items():
            with _leaving_out():
                self.add_backends({name: options})
        for plugin in discovery.always_on() if installed else ():
            if plugin.name in installed:
                with _leaving_out():
                    self._add(plugin, INSTALLED)

    def _add(self, plugin: GuardedPlugin, destination: str) -> None:
        file = CursorFile(self._directory, self._uid, plugin.name, destination)
        with self._lock:
            if not self._closed and file.acquire():
                self._start(plugin, file)

    def _start(self, plugin: GuardedPlugin, file: CursorFile | None) -> None:
        from neural_core._delivery.relay import Relay  # brings NumPy, which most trackers do without

        relay = Relay(self._directory, plugin, file, beside_training=True)
        relay.start()
        self.relays.append(relay)

    @property
    def _is_making(self) -> bool:
        return self._maker is not None and not self._maker.ended

    def wait(self, position: Mapping[str, int], deadline: float) -> None:
        """Wait until every plugin is made and has heard everything before `position`, or the deadline has come."""
        while self._is_making and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        for relay in list(self.relays):
            relay.wait(position, deadline)

    def stop(self, position: Mapping[str, int], deadline: float) -> bool:
        """End every relay; False when a plugin is still being made, which will hear nothing."""
        with self._lock:
            made, self._closed = not self._is_making, True
        shortly = time.monotonic() + _SHORTLY
        ends = [(one, deadline if one.has_delivered(position) else shortly) for one in self.relays]
        for relay, end in ends:
            relay.end(end)  # all of them before the first is waited for: ten that hang cost no more than one
        for relay, end in ends:
            relay.stop(end)
        if not made:
            _log.warning("plugins have not heard of %s: they are still being imported", self._directory.name)
        return made

    def say_who_is_behind(self, position: Mapping[str, int], backends: Collection[str]) -> bool:
        """Warn of each plugin that is behind, but for `backends`, whose cursors tell; True when nobody is."""
        told = [relay for relay in self.relays if relay.cursor_file is None or relay.plugin.name not in backends]
        slow = [relay for relay in told if not relay.has_delivered(position)]
        for relay in slow:
            _log.warning("%s has not heard everything (%s)", relay.plugin, relay.last_error or "it is too slow")
        return not slow

    def errors(self) -> list[str]:
        """The errors of plugins that are set aside."""
        return [relay.last_error for relay in list(self.relays) if relay.set_aside and relay.last_error]
