"""Two processes take the cursors of one experiment one after the other: both would find them free."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks; there the gap of some microseconds stays open
    fcntl = None  # type: ignore[assignment]

__all__ = ["one_process_at_a_time"]

PATIENCE_SECONDS = 1.0
"""Taking a cursor is a matter of a millisecond; one who was stopped in the middle of it is not waited for."""
_POLL_SECONDS = 0.002


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
