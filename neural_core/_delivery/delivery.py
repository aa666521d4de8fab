"""Delivery as a tracker sees it: who hears of the experiment, how far they are, and waiting for them."""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_core._delivery import AUTO_PLOTS
from neural_core._delivery.behind import say_who_is_behind
from neural_core._delivery.beside import RelaysBeside
from neural_core._delivery.cursor import Cursor, cursors_of
from neural_core._delivery.launcher import companion_allowed, launcher
from neural_core._delivery.patience import waiting_seconds
from neural_core.errors import DeliveryError

if TYPE_CHECKING:
    from neural_core._delivery.guard import GuardedPlugin

__all__ = ["Delivery"]

_POLL_SECONDS = 0.01


class Delivery:
    """Everybody who hears of one experiment of this process.

    Attributes:
        backends: name → options, as asked for.
        complete: True when, at the end, everybody had heard everything.
    """

    def __init__(
        self,
        directory: Path,
        uid: str,
        *,
        plugins: Sequence[GuardedPlugin] = (),
        backends: Mapping[str, Mapping[str, Any]],
        plots: bool | str,
    ) -> None:
        self.directory = directory
        self.backends = dict(backends)
        self.complete = False
        self._uid = uid
        self._plots = plots
        self._pid = os.getpid()
        self._objects = plugins
        self._beside = RelaysBeside(directory, uid)
        self._followed = False
        self._changing = threading.Lock()  # of where plugins live: the end may come in the middle of a tick
        self._elsewhere = False
        self._always_on: set[str] = set()
        self._strangers: bool | None = None
        self._left: dict[tuple[str, str], int] = {}  # how often cursors were written before anybody here followed

    def start(self) -> None:
        """Start the relays of the script's own objects, and the companion when a backend was named."""
        self._beside.add_objects(self._objects)
        if self.backends:
            self._follow_once(math.inf)

    def tick(self) -> None:
        """On the housekeeping thread, after new rows: start the companion when there is work, tell of trouble."""
        if self._pid != os.getpid():
            return  # a forked child: the parent delivers what it writes
        # What another thread does at this moment is not waited for: the housekeeping thread has others to look after.
        if not self._followed:
            self._follow_once(0.0)
        elif self._elsewhere and not launcher.is_running():
            self._hurry(0.0)
        self.tell_errors()

    @contextlib.contextmanager
    def _alone(self, deadline: float) -> Iterator[bool]:
        """Give True to one thread at a time, False to one that has waited till the deadline."""
        left = min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX)
        alone = self._changing.acquire(timeout=left)
        try:
            yield alone
        finally:
            if alone:
                self._changing.release()

    def _follow_once(self, deadline: float) -> None:
        with self._alone(deadline) as alone:
            if alone and not self._followed:
                self._followed = True
                self._follow()

    def _follow_at_last(self, deadline: float) -> None:
        """Let plugins that are always on hear also of what is over before the first tick.

        A tick that has just begun to follow is waited for: who hears of the experiment is known only then.
        """
        from neural_core._delivery import discovery

        if not self._followed and self._strangers is None:  # looked up once: that takes ten milliseconds
            # At the end strangers draw in the companion: here they might hang, or end the training.
            self._strangers = isinstance(self._plots, str) or bool(discovery.always_on_names() - {AUTO_PLOTS})
        if self._followed or self._strangers:
            self._follow_once(deadline)

    def _follow(self) -> None:
        from neural_core._delivery import discovery

        installed = discovery.always_on_names()
        self._plots = AUTO_PLOTS in installed and self._plots
        self._always_on = installed - {AUTO_PLOTS}
        if not (self._plots or self.backends or self._always_on):
            return
        self._left = {(one.plugin, one.destination): one.written for one in cursors_of(self.directory, self._uid)}
        what = {"uid": self._uid, "backends": self.backends, "plots": self._plots}
        self._elsewhere = companion_allowed() and launcher.follow(self.directory, what)
        if not self._elsewhere:
            self._beside.add_backends(self.backends)
            self._beside.add_later({}, self._always_on)

    def _hurry(self, deadline: float) -> None:
        """Wake the companion, or do without one when it cannot work here."""
        with self._alone(deadline) as alone:
            if not (alone and self._elsewhere) or launcher.hurry(self.directory) or not launcher.is_broken:
                return
            launcher.say_broken()
            self._beside.add_later(self.backends, self._always_on)
            self._elsewhere = False  # now that whoever waits finds the others

    @property
    def draws_plots(self) -> bool:
        """Tell whether the companion draws, so that the caller need not."""
        if not self._followed and self._pid == os.getpid():
            self._follow_at_last(time.monotonic() + waiting_seconds())
        return self._elsewhere and bool(self._plots)

    def wait(self, position: Mapping[str, int], deadline: float, *, ended: bool = False) -> None:
        """Wait until everybody has heard everything before `position`, or the deadline has come.

        Args:
            position: part → ordinal.
            deadline: monotonic time.
            ended: the end of the experiment is to be heard, too.
        """
        if self._pid != os.getpid():
            return
        looked = 0.0
        while self._elsewhere and time.monotonic() < deadline and not self._companion_is_there(position, ended=ended):
            if time.monotonic() - looked > 1.0:
                looked = time.monotonic()
                self._hurry(deadline)
            time.sleep(_POLL_SECONDS)
        self._beside.wait(position, deadline)
        self.tell_errors()

    def _companion_is_there(self, position: Mapping[str, int], *, ended: bool) -> bool:
        """Tell whether all that live in the companion have heard everything, installed plugins among them."""
        cursors = self._cursors()
        installed = self._always_on | ({AUTO_PLOTS} if self._plots else set())
        expected = {(name, False) for name in self.backends} | {(name, True) for name in installed}
        if not expected <= {cursor.whose for cursor in cursors}:
            return False
        wanted = [cursor for cursor in cursors if cursor.whose in expected or self._is_in_companion(cursor)]
        return all(cursor.is_there(position, ended=ended) for cursor in wanted)

    def _cursors(self) -> list[Cursor]:
        """Give what was written since; what an earlier process left tells nothing of those who deliver now."""
        found = cursors_of(self.directory, self._uid)
        return [one for one in found if self._left.get((one.plugin, one.destination)) != one.written]

    def _is_in_companion(self, cursor: Cursor) -> bool:
        return self._elsewhere and cursor.holder.get("pid") == launcher.pid

    def flush(self, position: Mapping[str, int], seconds: float | None = None) -> None:
        """Wait for everybody, at most so many seconds.

        Raises:
            DeliveryError: somebody failed, with NEURAL_STRICT=1 only.
        """
        if self._pid != os.getpid():
            return
        deadline = time.monotonic() + waiting_seconds(seconds)
        self._follow_at_last(deadline)
        self.wait(position, deadline)
        self._raise_when_strict()

    def _raise_when_strict(self) -> None:
        failed = self.errors() if os.environ.get("NEURAL_STRICT") == "1" else []
        if failed:
            raise DeliveryError("; ".join(failed))

    def finish(self, position: Mapping[str, int], seconds: float | None = None) -> None:
        """Wait for everybody, then end the relays of this process; who is behind is said in one line.

        Raises:
            DeliveryError: somebody failed, with NEURAL_STRICT=1 only.
        """
        if self._pid != os.getpid():
            return
        deadline = time.monotonic() + waiting_seconds(seconds)
        if not self._followed:
            self._plots = False  # whoever ends the experiment has drawn them
        self._follow_at_last(deadline)
        self.wait(position, deadline, ended=True)
        made = self._beside.stop(position, deadline)
        cursors = [one for one in self._cursors() if one.plugin in self.backends or self._is_in_companion(one)]
        heard = say_who_is_behind(self.directory, cursors, self.backends, position)
        self.complete = self._beside.say_who_is_behind(position, self.backends) and made and heard
        launcher.forget(self.directory)
        self._raise_when_strict()

    def tell_errors(self) -> None:
        """Tell what the companion has warned of, each time once in this process."""
        for sentence in launcher.warnings():
            from neural_core._delivery import discovery

            discovery.warn_once(sentence)

    def errors(self) -> list[str]:
        """The errors of plugins that are not over."""
        return self._beside.errors() + [cursor.error for cursor in self._cursors() if cursor.error]
