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
        self._gate = threading.Lock()
        self._pauses = 0
        self._away = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work, at once or when the fork that is under way is over."""
        _pauses.add(self)
        with self._gate:
            self._away = self._pauses > 0
            if not self._away:
                self._begin()

    def _begin(self) -> None:
        self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        self._thread.start()

    @property
    def ended(self) -> bool:
        """Tell whether the work is done; the thread of another process does none here."""
        return not self._away and (self._thread is None or not self._thread.is_alive())

    def leaves(self) -> bool:
        """Tell whether the work is to return now."""
        with self._gate:
            self._away = self._pauses > 0
            return self._away

    def pause(self) -> None:
        """Let the thread end as soon as it can."""
        with self._gate:
            self._pauses += 1
        self._wake()

    def resume(self) -> None:
        """Go on after a pause."""
        with self._gate:
            self._pauses -= 1
            if self._away and not self._pauses:
                self._away = False
                self._begin()

    def join(self, seconds: float) -> None:
        """Wait for the thread to end, at most so long; it does not wait for itself."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(seconds)

    def forget(self) -> None:
        """In a forked child: this is the parent's."""
        self._gate = threading.Lock()
        self._away = False


class _Pauses:
    """All such threads of this process."""

    def __init__(self) -> None:
        self._threads: weakref.WeakSet[PausableThread] = weakref.WeakSet()
        self._lock = threading.RLock()
        self._paused: list[list[PausableThread]] = []
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(before=self._before, after_in_parent=self._after, after_in_child=self._in_child)

    def add(self, thread: PausableThread) -> None:
        with self._lock:
            self._threads.add(thread)

    def _before(self) -> None:
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.pause()
        deadline = time.monotonic() + PAUSE_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._lock.acquire()
        self._paused.append(threads)

    def _after(self) -> None:
        for thread in self._paused.pop():
            thread.resume()
        self._lock.release()

    def _in_child(self) -> None:
        for thread in list(self._threads):
            thread.forget()
        self._lock = threading.RLock()
        self._threads = weakref.WeakSet()
        self._paused = []


_pauses = _Pauses()
