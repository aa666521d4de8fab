"""One after the other: processes that take the cursors of an experiment, and plugins that are called after a death."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks; there the gap of some microseconds stays open
    fcntl = None  # type: ignore[assignment]

__all__ = ["OneAtATime", "one_process_at_a_time"]

PATIENCE_SECONDS = 1.0
"""Taking a cursor is a matter of a millisecond; one who was stopped in the middle of it is not waited for."""
TURN_SECONDS = 2.0
_POLL_SECONDS = 0.002


class OneAtATime:
    """Lets one plugin be called at a time, unless one does not return."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given_up = False

    @contextlib.contextmanager
    def take(self) -> Iterator[None]:
        """Wait for the others, at most so long; who finds that one hangs waits for nobody."""
        taken = not self._given_up and self._lock.acquire(timeout=TURN_SECONDS)
        self._given_up = not taken
        try:
            yield
        finally:
            if taken:
                self._lock.release()


@contextlib.contextmanager
def one_process_at_a_time(directory: Path) -> Iterator[None]:
    """Keep other processes out of this block, as far as the file system of `directory` knows locks."""
    try:
        descriptor = os.open(directory, os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while fcntl is not None and time.monotonic() < deadline:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_POLL_SECONDS)
        except OSError:
            return  # a file system without locks
        else:
            return
