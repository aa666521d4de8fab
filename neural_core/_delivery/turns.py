"""How relays and a busy training share one interpreter.

CPython hands its lock to a waiting thread after the switch interval, 5 ms, and begins to count anew whenever the holder
lets go for a moment. A training that logs every 0.2 ms lets go at each write, so a thread beside it waits some 30 ms,
and each system call may cost it the lock again. While it waits, each write of the training has to wake it. A look into
the journal is about ten system calls and one millisecond of work: with a short interval it is over at once, and the
training gets the lock back sooner, too.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

__all__ = ["HELD_ROWS", "brisk_turns"]

HELD_ROWS = 500
"""Beyond so many elements NumPy lets other threads have the interpreter."""
BRISK_SECONDS = 100e-6
_lock = threading.Lock()
_inside = 0
_usual = 0.0


@contextlib.contextmanager
def brisk_turns() -> Iterator[None]:
    """Let the threads of this process take short turns meanwhile; afterwards the switch interval is what it was."""
    global _inside, _usual
    with _lock:
        _inside += 1
        if _inside == 1:
            _usual = sys.getswitchinterval()
            sys.setswitchinterval(min(_usual, BRISK_SECONDS))
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                sys.setswitchinterval(_usual)


def _in_child() -> None:
    """No thread of the parent goes on in a forked child."""
    global _lock, _inside
    _lock = threading.Lock()
    if _inside:
        _inside = 0
        sys.setswitchinterval(_usual)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
