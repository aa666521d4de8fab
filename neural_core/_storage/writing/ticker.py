"""The one housekeeping thread of a process: every two seconds it lets each open writer look after its file.

It is started by the first row, never by an import, is away during a fork, and is never waited for at exit.
"""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Callable

__all__ = ["TICK_SECONDS", "Ticker", "ticker"]

TICK_SECONDS = 2.0
_log = logging.getLogger("neural")


class Ticker:
    """Calls weakly held methods every `TICK_SECONDS`, on a daemon thread that exists only while there are any."""

    def __init__(self) -> None:
        self._tasks: list[weakref.WeakMethod[Callable[[], None]]] = []
        self._lock = threading.RLock()  # the end of a forgotten tracker may come in the middle of any line, ours too
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._forking = 0
        # Before there is anything to look after: a fork beside the first row would inherit a lock that is held.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._pause, after_in_parent=self._resume, after_in_child=self._forget)

    def add(self, task: Callable[[], None]) -> None:
        """Call the bound method `task` from the next tick on, as long as its object lives."""
        method = weakref.WeakMethod(task)
        with self._lock:
            self._tasks.append(method)
            self._start()

    def remove(self, task: Callable[[], None]) -> None:
        """Call `task` no more; the thread ends when it was the last."""
        with self._lock:
            self._tasks = [kept for kept in self._tasks if kept() not in (None, task)]
            if not self._tasks:
                self._wake.set()

    def _start(self) -> None:
        # A thread whose event is set is on its way out, alive or not.
        running = self._thread is not None and not self._wake.is_set() and self._thread.is_alive()
        if self._tasks and not self._forking and not running:
            self._wake = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._wake,), name="neural-housekeeping", daemon=True
            )
            self._thread.start()

    def _run(self, wake: threading.Event) -> None:
        while not wake.wait(TICK_SECONDS):
            for task in list(self._tasks):
                call = task()
                if call is not None:
                    _look_after(call)
                del call  # the thread must not keep a tracker alive while it sleeps
            with self._lock:
                self._tasks = [task for task in self._tasks if task() is not None]
                if not self._tasks:
                    wake.set()

    def _pause(self) -> None:
        """Before a fork: a child of a process with threads may inherit a lock that nobody will release."""
        with self._lock:  # whoever starts a thread holds it until the thread runs
            self._forking += 1
            thread = self._thread
            self._wake.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        self._lock.acquire()

    def _resume(self) -> None:
        self._thread = None
        self._forking -= 1
        self._start()
        self._lock.release()

    def _forget(self) -> None:
        self._lock = threading.RLock()
        self._tasks = []
        self._thread = None
        self._forking = 0


def _look_after(task: Callable[[], None]) -> None:
    try:
        task()
    except Exception:  # noqa: BLE001 - one thread looks after all trackers of the process
        _log.warning("looking after a journal failed", exc_info=True)


ticker = Ticker()
