"""How relays and a busy training share one interpreter.

CPython hands its lock to a waiting thread after the switch interval, 5 ms, and begins to count anew whenever the holder
lets go for a moment. A training that logs every 0.2 ms lets go at each write, too shortly for a sleeper to wake: a
thread beside it gets its turn by chance, usually after some 30 ms, now and then after a second, and each of its system
calls may cost it the lock again. Meanwhile each write of the training has to wake it. With a short interval it wakes
when it wants to, is ready after a millisecond, and the training gets the lock back sooner, too.

The interval has no effect where nobody waits for the lock. But where several threads of a script compute, short turns
would give each the same share, and the training more than its share of waiting: there they are taken only for a look.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from neural_core._storage.experiment.tail import BATCH_ROWS

__all__ = ["Turns"]

HELD_ROWS = 500
"""Beyond so many elements NumPy lets other threads have the interpreter."""
SHORT_SECONDS = 10e-6
"""Linux adds 50 µs to a thread's sleep, and together it is to be less than from one write to the next."""
BUSY = 0.1
"""A thread that has a processor for more of its time than this computes."""
_OWN = "neural-"
_lock = threading.Lock()
_inside = 0
_usual = _short = 0.0


def _add(holders: int) -> None:
    """Count who wants short turns; with the last one the switch interval is again what it was."""
    global _inside, _usual, _short
    with _lock:
        before, _inside = _inside, _inside + holders
        if not before:
            _usual = sys.getswitchinterval()
            sys.setswitchinterval(min(_usual, SHORT_SECONDS))
            _short = sys.getswitchinterval()
        elif not _inside:
            _restore()


def _restore() -> None:
    if sys.getswitchinterval() == _short:  # else the script has set its own meanwhile
        sys.setswitchinterval(_usual)


@contextlib.contextmanager
def _short_turns() -> Iterator[None]:
    _add(1)
    try:
        yield
    finally:
        _add(-1)


class Turns:
    """The turns of one relay: entered and left by its thread.

    Attributes:
        most_rows: how many rows it takes at once.
    """

    def __init__(self, *, beside_training: bool) -> None:
        """Beside a training turns are short, or only during looks; elsewhere they are the usual ones."""
        self.most_rows = HELD_ROWS if beside_training else BATCH_ROWS
        self._beside_training = beside_training
        self._short = False
        self._looked = 0.0
        self._used: dict[int | None, float] = {}

    def __enter__(self) -> None:
        self.adapt()

    def __exit__(self, *_: object) -> None:
        self._be_short(False)

    def looking(self) -> contextlib.AbstractContextManager[None]:
        """Take short turns during a look into the journal."""
        return _short_turns() if self._beside_training else contextlib.nullcontext()

    def adapt(self) -> None:
        """Take short turns from now on if at most one thread of the script has computed since the last time."""
        if self._beside_training:
            script = [one.native_id for one in threading.enumerate() if not one.name.startswith(_OWN)]
            self._be_short(len(script) <= 1 or self._computing(script) <= 1)

    def _be_short(self, short: bool) -> None:
        if short != self._short:
            self._short = short
            _add(1 if short else -1)

    def _computing(self, threads: list[int | None]) -> int:
        """Count the threads that compute: all of them when they are new, or when the system does not tell."""
        now, used = time.monotonic(), {one: _processor_seconds(one) for one in threads}
        idle = [one for one in threads if used[one] - self._used.get(one, math.nan) <= BUSY * (now - self._looked)]
        self._looked, self._used = now, used
        return len(threads) - len(idle)


def _processor_seconds(thread: int | None) -> float:
    """How long a thread has had a processor; not a number where Linux does not tell, and elsewhere."""
    try:
        return int(Path(f"/proc/self/task/{thread}/schedstat").read_bytes().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return math.nan


def _in_child() -> None:
    """No thread of the parent goes on in a forked child."""
    global _lock, _inside
    _lock = threading.Lock()
    if _inside:
        _inside = 0
        _restore()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
