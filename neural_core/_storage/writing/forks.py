"""Tell writers that they woke up in a forked child."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

__all__ = ["watch_forks"]


class _Forkable(Protocol):
    def forked(self) -> None: ...


_watched: weakref.WeakSet[_Forkable] = weakref.WeakSet()


def watch_forks(writer: _Forkable) -> None:
    """Call ``writer.forked()`` in every child that is forked while the writer lives."""
    _watched.add(writer)


def _tell() -> None:
    for writer in list(_watched):
        writer.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell)
