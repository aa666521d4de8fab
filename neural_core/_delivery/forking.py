"""Relay threads are away during a fork: a child of a process with threads may inherit a lock nobody will release."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable

__all__ = ["PAUSE_SECONDS", "PausableThread"]

PAUSE_SECONDS = 0.2
"""A fork waits at most so long for plugins to return; the thread of one that does not return stays."""


class PausableThread:
    """A daemon thread that ends before a fork, and is followed by another one after it."""

    def __init__(self, name: str, work: Callable[[], None], wake: Callable[[], None]) -> None:
        """Start nothing yet.

        Args:
            name: of the thread.
            work: what it does; it asks `leaves` again and again, and returns when that is True.
            wake: called when `leaves` is to be asked soon.
        """
        self._name, self._work, self._wake = name, work, wake
        self._gate = threading.RLock()
        self._forks: set[int] = set()  # under way, each by the thread that forks
        self._away = False
        self._thread: threading.Thread | None = None
        self._done = threading.Event()  # Ctrl-C in a join makes threading believe that the thread is over

    def start(self) -> None:
        """Begin to work, at once or when the fork that is under way is over."""
        _pauses.add(self)
        with self._gate:
            self._away = bool(self._forks)
            if not self._away:
                self._begin()

    def _begin(self) -> None:
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(self._done,), name=self._name, daemon=True)
        self._thread.start()

    def _run(self, done: threading.Event) -> None:
        try:
            self._work()
        finally:
            done.set()

    @property
    def ended(self) -> bool:
        """Tell whether the work is done; the thread of another process does none here."""
        with self._gate:  # between two threads, before and after a fork, the work is not done
            return not self._away and (self._thread is None or self._done.is_set())

    def leaves(self) -> bool:
        """Tell whether the work is to return now."""
        with self._gate:
            self._away = bool(self._forks)
            return self._away

    def pause(self, fork: int) -> None:
        """Let the thread end as soon as it can."""
        with self._gate:
            self._forks.add(fork)
        self._wake()

    def resume(self, fork: int) -> None:
        """Go on after a pause."""
        with self._gate:
            self._forks.discard(fork)
            if self._away and not self._forks:
                self._away = False
                self._begin()

    def join(self, seconds: float) -> None:
        """Wait for the thread to end, at most so long; it does not wait for itself."""
        thread, done = self._thread, self._done
        if thread is not None and thread is not threading.current_thread() and done.wait(seconds):
            thread.join()

    def forget(self) -> None:
        """In a forked child: this is the parent's."""
        self._gate = threading.RLock()
        self._away = False
        self._thread = None


class _Pauses:
    """All such threads of this process.

    The lock is held for a moment only: a fork also waits for other threads, and those may be about to start one here.
    """

    def __init__(self) -> None:
        self._threads: weakref.WeakSet[PausableThread] = weakref.WeakSet()
        self._lock = threading.RLock()
        self._away: dict[int, list[PausableThread]] = {}  # by the thread that forks
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._before, after_in_parent=self._after, after_in_child=self._in_child)

    def add(self, thread: PausableThread) -> None:
        """Let a thread be away during forks, also during those that are under way."""
        with self._lock:
            self._threads.add(thread)
            for fork, away in self._away.items():
                away.append(thread)
                thread.pause(fork)

    def _before(self) -> None:
        fork = threading.get_ident()
        with self._lock:
            threads = list(self._threads)
            self._away[fork] = list(threads)  # first of all: Ctrl-C may end this at any point
            for thread in threads:
                thread.pause(fork)
        deadline = time.monotonic() + PAUSE_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _after(self) -> None:
        fork = threading.get_ident()
        with self._lock:
            for thread in self._away.pop(fork, ()):  # none when this module is younger than the fork
                thread.resume(fork)

    def _in_child(self) -> None:
        for thread in list(self._threads):
            thread.forget()
        self._lock = threading.RLock()
        self._threads = weakref.WeakSet()
        self._away = {}


_pauses = _Pauses()
