"""Tell writers that they woke up in a forked child."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

__all__ = ["watch_forks"]


class _Forkable(Protocol):
    def forked(self) -> None: ...


_watched: weakref.WeakSet[_Forkable] = weakref.WeakSet()
_registered = False


def watch_forks(writer: _Forkable) -> None:
    """Call ``writer.forked()`` in every child that is forked while the writer lives."""
    global _registered
    _watched.add(writer)
    if not _registered and hasattr(os, "register_at_fork"):
        _registered = True
        os.register_at_fork(after_in_child=_tell)


def _tell() -> None:
    for writer in list(_watched):
        writer.forked()
