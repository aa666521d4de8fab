"""A relay: one thread that follows one experiment's journal and tells one plugin.

The journal is the queue, so nothing is dropped and memory stays bounded however slow the plugin is. A plugin that
raises hears the same facts again: at once twice more, then after growing pauses up to a minute.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve

from neural_core._delivery.cursor import CursorFile
from neural_core._delivery.events import Call, calls_of, record_of
from neural_core._delivery.forking import PausableThread
from neural_core._delivery.guard import GuardedPlugin, PluginError
from neural_core._delivery.patience import Patience
from neural_core._storage.tail import Batch, Tail
from neural_core.errors import NeuralError

__all__ = ["POLL_SECONDS", "Relay"]

POLL_SECONDS = 0.2
CURSOR_SECONDS = 0.5
GRACE_SECONDS = 0.2
STARTED = "neural_experiment_started"
_log = logging.getLogger("neural")


class Relay:
    """Delivers one experiment to one plugin until it is stopped.

    Attributes:
        plugin: the guarded plugin.
        cursor_file: how far it is; None for a plugin that lives only as long as the script.
    """

    def __init__(
        self,
        directory: Path,
        plugin: GuardedPlugin,
        cursor_file: CursorFile | None = None,
        *,
        position: Mapping[str, int] | None = None,
    ) -> None:
        """Deliver from where the cursor is; without one from `position`, or from the beginning."""
        self.directory = directory
        self.plugin = plugin
        self.cursor_file = cursor_file
        self._tail: Tail | None = None
        self._patience = Patience()
        self._resting = threading.Event()
        self._stop_at: float | None = None
        self._finished = self._looked = self._open = self._ended = False
        self._called = 0
        self._saved = 0.0
        self._position: Mapping[str, int] = dict(position or {}) if cursor_file is None else cursor_file.cursor.position
        self._greeted = not self._position
        if cursor_file is not None and cursor_file.is_accused:
            self._patience.ended_processes(plugin)
        self._thread = PausableThread(f"neural-relay-{plugin.name}", self._run, self.hurry)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    @property
    def errors(self) -> int:
        """How often the plugin raised; `last_error` is what it said last."""
        return self._patience.errors

    @property
    def last_error(self) -> str | None:
        """See `errors`."""
        return self._patience.last_error

    @property
    def set_aside(self) -> bool:
        """Tell whether the plugin failed so often that it is left alone for a while."""
        return self._patience.is_over

    @property
    def finished(self) -> bool:
        """Tell whether the plugin has heard of the end of the experiment."""
        return self._finished

    @property
    def position(self) -> dict[str, int]:
        """Give part → ordinal up to which everything was delivered."""
        return dict(self._position)

    @property
    def idle(self) -> bool:
        """Tell whether the relay has ended."""
        return self._ended or self._thread.ended

    def has_delivered(self, position: Mapping[str, int]) -> bool:
        """Tell whether everything before `position` was delivered."""
        return all(self._position.get(part, 0) >= at for part, at in position.items())

    def wait(self, position: Mapping[str, int], deadline: float) -> bool:
        """Wait until everything before `position` was delivered, the plugin is set aside, or the deadline has come.

        Args:
            position: part → ordinal.
            deadline: monotonic time.
        """
        self.hurry()
        while not self.has_delivered(position) and time.monotonic() < deadline and not self.set_aside and not self.idle:
            time.sleep(0.005)
        return self.has_delivered(position)

    def hurry(self) -> None:
        """Look into the journal now."""
        self._resting.set()

    def stop(self, deadline: float) -> None:
        """End after what is there was delivered or the deadline has come; the plugin then hears of the end.

        A call that does not return is left alone: its thread ends with the process.
        """
        self._stop_at = deadline
        self.hurry()
        while not self.idle and time.monotonic() < deadline + GRACE_SECONDS:
            self._thread.join(0.05)

    def _run(self) -> None:
        while not self._thread.leaves():
            stopping = self._stop_at is not None
            if self._turn():
                continue
            self._save(force=True)
            if stopping:
                self._tell_end()
                self._save(force=True)
                self._ended = True
                return
            self._resting.wait(POLL_SECONDS)
            self._resting.clear()
            self._looked = False

    def _turn(self) -> bool:
        """Deliver what comes next; False when there is nothing, or the plugin is left alone for now."""
        now = time.monotonic()
        if now < self._patience.until or (self._stop_at is not None and now >= self._stop_at):
            return False
        try:
            batch = self._next()
        except (OSError, NeuralError) as error:
            self._failed(PluginError(f"the journal cannot be read for {self.plugin}: {error}"))
            return False
        if batch is not None:
            self._deliver(batch)
        return batch is not None

    def _next(self) -> Batch | None:
        self._tail = self._tail or Tail(self.directory, self._position)
        batch = self._tail.next()
        # One look between two rests: where rows come all the time, they would come one by one, and never a rest.
        if batch is None and (not self._looked or self._stop_at is not None):
            self._looked = True
            self._tail.refresh()
            batch = self._tail.next()
        if batch is None:
            self._position = dict(self._tail.position)
            self._finished = self._tail.ended
        return batch

    def _deliver(self, batch: Batch) -> None:
        """Make the calls of one batch; those that succeeded are not made again when a later one fails."""
        assert self._tail is not None
        self._open = True
        calls = self._calls(batch)[self._called :]
        try:
            self._call(calls, self._tail.position)
        except PluginError as error:
            self._failed(error)
            return
        self._called = 0
        self._patience.succeeded()
        self._greeted = True
        self._tail.done(batch)
        self._open = batch.fact is None or batch.fact.get("kind") != "experiment_finished"
        self._position = dict(self._tail.position)
        if self.cursor_file is not None:
            self.cursor_file.cursor.delivered += 0 if batch.rows is None else len(batch.rows)
            self.cursor_file.cursor.crashes = 0
        self._save()

    def _call(self, calls: list[Call], position: Mapping[str, int]) -> None:
        file = self.cursor_file if calls else None
        with contextlib.nullcontext() if file is None else file.calling(position):
            for hook, arguments in calls:
                self.plugin.call(hook, **arguments)
                self._called += 1

    def _calls(self, batch: Batch) -> list[Call]:
        """Give the calls of one batch; an object that goes on for another one first hears of the start."""
        assert self._tail is not None
        before = self._tail.state
        after = evolve(before)
        if batch.fact is not None:
            after.apply(batch.fact)
        calls = list(calls_of(self.directory, before, after, batch))
        if not self._greeted and not (calls and calls[0][0] == STARTED):
            calls.insert(0, (STARTED, {"experiment": record_of(self.directory, before)}))
        return [call for call in calls if self.plugin.hears(call[0])]

    def _failed(self, error: PluginError) -> None:
        self._patience.failed(error)
        if self.cursor_file is not None:
            self.cursor_file.cursor.crashes = 0
        self._save(force=True)

    def _tell_end(self) -> None:
        """Offer the end also to a plugin that has not heard everything, or has heard more after it."""
        if not self._open or self._tail is None:
            return
        experiment = record_of(self.directory, self._tail.state)
        try:
            told = {"experiment": experiment, "status": experiment.status, "complete": self._finished}
            self.plugin.call("neural_experiment_finished", **told)
        except PluginError as error:
            _log.debug("%s", error)

    def _save(self, *, force: bool = False) -> None:
        if self.cursor_file is None:
            return
        cursor = self.cursor_file.cursor
        position = self._position if self._tail is None else self._tail.position
        state = "complete" if self._finished else "set aside" if self.set_aside else "delivering"
        error = self.last_error if self._patience.in_a_row else None
        moved = cursor.calling or (position, state, error) != (cursor.position, cursor.state, cursor.error)
        now = time.monotonic()
        done = state == "complete"
        if (moved and (force or now - self._saved > CURSOR_SECONDS)) or (not done and self.cursor_file.due()):
            self._saved = now
            cursor.position, cursor.state, cursor.error, cursor.calling = dict(position), state, error, False
            if self._tail is not None:
                cursor.behind = self._tail.rows_behind()
            # Whoever waits for the end may take the folder away once it is told: nothing is written after it.
            if done:
                self.cursor_file.release(moved=True)
            else:
                self.cursor_file.write()
