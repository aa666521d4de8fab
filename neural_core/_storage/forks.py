"""Tell objects that they woke up in a forked child."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol

__all__ = ["LockOfOneProcess", "watch_forks"]


class _Forkable(Protocol):
    def forked(self) -> None: ...


_watched: weakref.WeakSet[_Forkable] = weakref.WeakSet()


def watch_forks(one: _Forkable) -> None:
    """Call ``one.forked()`` in every child that is forked while it lives."""
    _watched.add(one)


class LockOfOneProcess:
    """A lock that is free in a forked child: a thread of the parent may hold the inherited one for ever."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        watch_forks(self)

    def forked(self) -> None:
        """Begin anew, in a forked child."""
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _tell() -> None:
    for one in list(_watched):
        one.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell)
