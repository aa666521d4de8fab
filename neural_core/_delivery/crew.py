"""The relays of one experiment inside a companion: one for each backend and each installed plugin."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from neural_core._delivery import AUTO_PLOTS, discovery
from neural_core._delivery.cursor import INSTALLED, TRIAL, CursorFile
from neural_core._delivery.guard import GuardedPlugin
from neural_core._delivery.relay import Relay
from neural_core._storage.care.finalise import finalise
from neural_core.errors import ExperimentInUseError, NeuralError

__all__ = ["Crew"]

RETRY_SECONDS = 1.0
HANGING_SECONDS = 5.0
_log = logging.getLogger("neural")


class Crew:
    """Delivers one experiment to everybody who is to hear of it.

    Attributes:
        named: the backends, with their options, and the plots that were asked for.
    """

    def __init__(
        self, directory: Path, uid: str, *, backends: Mapping[str, Mapping[str, Any]], plots: bool | str
    ) -> None:
        """Begin to make the plugins.

        Args:
            directory: of the experiment.
            uid: of the experiment.
            backends: name → options.
            plots: draw plots by itself: True, or the name of the visualizer.
        """
        self.directory = directory
        self.named = (backends, plots)
        self._relays: list[Relay] = []
        self._waiting: list[tuple[GuardedPlugin, CursorFile]] = []
        self._finalised = False
        self._try_again = 0.0
        self._uid = uid
        self._made: queue.SimpleQueue[tuple[GuardedPlugin, CursorFile]] = queue.SimpleQueue()
        installed = discovery.always_on_names() - (set() if plots else {AUTO_PLOTS})
        self._makers: list[threading.Thread] = []
        # A plugin whose import hangs shall hang alone.
        for name in installed:
            self._begin(partial(self._make_installed, name, plots))
        self._begin(partial(self._make_backends, backends))

    def _begin(self, work: Callable[[], None]) -> threading.Thread:
        maker = threading.Thread(target=work, name="neural-plugins", daemon=True)
        maker.start()
        self._makers.append(maker)
        return maker

    def _make_installed(self, name: str, plots: bool | str) -> None:
        drawing = {AUTO_PLOTS: {"visualizer": plots if isinstance(plots, str) else None}}
        for plugin in discovery.always_on(tell=self._tell_broken, only=name, options=drawing):
            self._made.put((plugin, CursorFile(self.directory, self._uid, plugin.name, INSTALLED)))

    def _make_backends(self, backends: Mapping[str, Mapping[str, Any]]) -> None:
        """Make one after the other, as large packages may not bear it at once; but wait for none for ever."""
        for name, options in backends.items():
            self._begin(partial(self._make_backend, name, options)).join(HANGING_SECONDS)

    def _make_backend(self, name: str, options: Mapping[str, Any]) -> None:
        """Make a backend; one whose import ended process after process is left out."""
        trial = CursorFile(self.directory, self._uid, name, TRIAL)
        if trial.acquire() and trial.is_accused:
            self._leave_out(trial, f"backend {name!r} ended the process that imports it, several times in a row")
            return
        try:
            with trial.calling({}):
                plugin = discovery.make_backend(name, options)
                destination = discovery.destination_of(plugin)
        except NeuralError as error:
            self._leave_out(trial, str(error))
        else:
            self._made.put((plugin, CursorFile(self.directory, self._uid, name, destination)))
            trial.discard()

    def _tell_broken(self, name: str, sentence: str) -> None:
        """Write beside the experiment what is wrong, where the trainer and ``neural status`` find it."""
        self._leave_out(CursorFile(self.directory, self._uid, name, INSTALLED), sentence)

    def _leave_out(self, cursor_file: CursorFile, sentence: str) -> None:
        _log.warning("%s", sentence)
        cursor_file.cursor.state, cursor_file.cursor.error = "set aside", sentence
        cursor_file.release()

    def _start_free(self) -> None:
        """Start the relays whose cursor nobody else holds; the others are tried again later."""
        while not self._made.empty():
            self._waiting.append(self._made.get())
        busy = []
        for plugin, cursor_file in self._waiting:
            if cursor_file.acquire():
                relay = Relay(self.directory, plugin, cursor_file)
                self._relays.append(relay)
                relay.start()
            else:
                busy.append((plugin, cursor_file))
        self._waiting = busy

    def wait_until_made(self, seconds: float) -> None:
        """Wait until every plugin is made, or hangs while it is made."""
        deadline = time.monotonic() + seconds
        for maker in self._makers:
            maker.join(max(0.0, deadline - time.monotonic()))

    def hurry(self) -> None:
        """Let every relay look into the journal now."""
        for relay in self._relays:
            relay.hurry()

    @property
    def finished(self) -> bool:
        """Tell whether everybody has heard of the end of the experiment."""
        making = any(maker.is_alive() for maker in self._makers)
        self._start_free()
        return not making and not self._waiting and all(relay.finished for relay in self._relays)

    def trainer_is_gone(self) -> None:
        """Bring the experiment to its end, when nobody writes it any more and nothing is said of its end."""
        if self._finalised or time.monotonic() < self._try_again:
            return
        self._try_again = time.monotonic() + RETRY_SECONDS
        try:
            finalise(self.directory)
            self._finalised = True
        except ExperimentInUseError:
            pass  # a forked child or another rank still writes it
        except (OSError, NeuralError) as error:
            self._finalised = True
            _log.warning("%s: %s", self.directory.name, error)
        self.hurry()

    def close(self, deadline: float) -> None:
        """End the relays and let others deliver.

        One that has heard the end looks no more: what a resume has written since is for its successor.
        """
        for relay in self._relays:
            relay.stop(time.monotonic() if relay.finished else max(deadline, time.monotonic() + 0.1))
