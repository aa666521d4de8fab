"""A relay: one thread that follows one experiment's journal and tells one plugin.

The journal is the queue, so nothing is dropped and memory stays bounded however slow the plugin is. A plugin that
raises hears the same facts again: at once twice more, then after growing pauses up to a minute.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve

from neural_core._delivery.cursor import CursorFile
from neural_core._delivery.events import Call, calls_of, record_of
from neural_core._delivery.forking import PausableThread
from neural_core._delivery.guard import GuardedPlugin, PluginError
from neural_core._delivery.ledger import Ledger
from neural_core._delivery.patience import Patience
from neural_core._delivery.turns import Turns
from neural_core._storage.experiment.tail import Batch, Tail
from neural_core.errors import NeuralError

__all__ = ["POLL_SECONDS", "Relay"]

POLL_SECONDS = 0.2
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
        bookmark: Mapping[str, Any] | None = None,
        beside_training: bool = False,
    ) -> None:
        """Deliver from where the cursor is; without one from `position` and `bookmark`, or from the beginning.

        `beside_training` says that the interpreter is shared with a training, which is not to notice.
        """
        self.directory, self.plugin, self.cursor_file = directory, plugin, cursor_file
        self._ledger = Ledger(cursor_file, position, bookmark)
        self._greeted = self._ledger.begins
        self._turns = Turns(beside_training=beside_training)
        self._tail: Tail | None = None
        self._patience = Patience()
        self._resting = threading.Event()
        self._stop_at: float | None = None
        self._finished = self._looked = self._open = self._returned = False
        self._called = 0
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
        return dict(self._ledger.position)

    @property
    def bookmark(self) -> dict[str, Any] | None:
        """What the plugin wants to be told when another object goes on from `position`."""
        return self._ledger.bookmark

    @property
    def idle(self) -> bool:
        """Tell whether the relay has ended."""
        return self._thread.ended

    def has_delivered(self, position: Mapping[str, int]) -> bool:
        """Tell whether everything before `position` was delivered."""
        return all(self._ledger.position.get(part, 0) >= at for part, at in position.items())

    def wait(self, position: Mapping[str, int], deadline: float) -> bool:
        """Wait until everything before `position` was delivered, the plugin is set aside, or the deadline has come.

        `position` gives part → ordinal; `deadline` is a monotonic time.
        """
        self.hurry()
        while not self.has_delivered(position) and time.monotonic() < deadline and not (self.set_aside or self.idle):
            time.sleep(0.005)
        return self.has_delivered(position)

    def hurry(self) -> None:
        """Look into the journal now."""
        self._resting.set()

    def end(self, deadline: float) -> None:
        """End after what is there was delivered or the deadline has come; the plugin then hears of the end."""
        self._stop_at = deadline
        self.hurry()

    def stop(self, deadline: float) -> None:
        """See `end`, and wait for it.

        A call that does not return is left alone: its thread ends with the process. Another process may deliver then.
        """
        self.end(deadline)
        while not self.idle and time.monotonic() < deadline + GRACE_SECONDS:
            self._thread.join(0.05)
        self._ledger.release()

    def _run(self) -> None:
        with self._turns:
            self._follow()

    def _follow(self) -> None:
        while not self._thread.leaves():
            stopping = self._stop_at is not None
            if self._turn():
                continue
            self._save(force=True)
            if stopping:
                self._tell_end()
                self._save(force=True)
                self._ledger.release()  # again: a call may come back when `stop` waits for it no more
                return
            self._patience.spend(self.plugin.idle_work, self._ledger.calling)
            self._resting.wait(POLL_SECONDS)
            self._resting.clear()
            self._looked = False
            self._turns.adapt()

    def _turn(self) -> bool:
        """Deliver what comes next; False when there is nothing, or the plugin is left alone for now."""
        now = time.monotonic()
        if now < self._patience.until or (self._stop_at is not None and now >= self._stop_at):
            return False
        try:
            with self._turns.looking():
                batch = self._next()
        except (OSError, NeuralError) as error:
            self._failed(PluginError(f"the journal cannot be read for {self.plugin}: {error}"))
            return False
        if batch is not None:
            self._deliver(batch)
        return batch is not None

    def _next(self) -> Batch | None:
        self._tail = self._tail or Tail(self.directory, self._ledger.position, batch_rows=self._turns.most_rows)
        batch = self._tail.next()
        # One look between two rests: where rows come all the time, they would come one by one, and never a rest.
        if batch is None and (not self._looked or self._stop_at is not None):
            self._looked = True
            self._tail.refresh()
            batch = self._tail.next()
        if batch is None:
            self._ledger.position, self._finished = dict(self._tail.position), self._tail.ended
        return batch

    def _deliver(self, batch: Batch) -> None:
        """Make the calls of one batch; those that succeeded are not made again when a later one fails."""
        assert self._tail is not None
        self._open = True
        calls = self._calls(batch)[self._called :]
        try:
            bookmark = self._call(calls)
        except PluginError as error:
            self._failed(error)
            return
        self._called, self._greeted = 0, True
        self._patience.succeeded()
        self._tail.done(batch)
        self._open = batch.fact is None or batch.fact.get("kind") != "experiment_finished"
        self._ledger.delivered(self._tail.position, bookmark, 0 if batch.rows is None else len(batch.rows))
        self._save()

    def _call(self, calls: list[Call]) -> dict[str, Any] | None:
        """Make calls; give what the plugin wants to be told when another object goes on from there."""
        with self._ledger.calling():
            if not self._returned:
                self.plugin.return_to(self._ledger.bookmark)
                self._returned = True
            for hook, arguments in calls:
                self.plugin.call(hook, **arguments)
                self._called += 1
            return self.plugin.bookmark()

    def _calls(self, batch: Batch) -> list[Call]:
        """Give the calls of one batch; an object that goes on for another one first hears of the start."""
        assert self._tail is not None
        before, after = self._tail.state, evolve(self._tail.state)
        if batch.fact is not None:
            after.apply(batch.fact)
        calls = list(calls_of(self.directory, before, after, batch))
        if not self._greeted and not (calls and calls[0][0] == STARTED):
            calls.insert(0, (STARTED, {"experiment": record_of(self.directory, before)}))
        return [call for call in calls if self.plugin.hears(call[0])]

    def _failed(self, error: PluginError) -> None:
        self._patience.failed(error)
        self._ledger.failed()
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
        state = "complete" if self._finished else "set aside" if self.set_aside else "delivering"
        error = self.last_error if self._patience.in_a_row else None
        self._ledger.save(state, error, self._tail.rows_behind if self._tail is not None else int, force=force)
