"""The machine that measures, in neutral words, and what others did on it meanwhile."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import define

__all__ = ["Company", "company", "describe"]

_STAT = Path("/proc/stat")


@define
class Company:
    """How many cores other processes kept busy; None where the system does not tell."""

    cores: float | None = None

    def __str__(self) -> str:
        if self.cores is None:
            return "what else ran on the machine is not known"
        return f"other work kept {self.cores:.1f} of {os.cpu_count()} cores busy meanwhile"


@contextmanager
def company() -> Iterator[Company]:
    """Measure what other processes used while the block ran: all that was busy, less what is ours."""
    found, busy, own, start = Company(), _busy(), _own(), time.monotonic()
    try:
        yield found
    finally:
        after = _busy()
        if busy is not None and after is not None:
            others = (after - busy) - (_own() - own)
            found.cores = max(0.0, others / max(time.monotonic() - start, 0.01))


def _busy() -> float | None:
    """Give the seconds for which cores were busy since the start of the system, stolen time among them."""
    try:
        fields = [int(field) for field in _STAT.read_text("ascii").split("\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own() -> float:
    """Give the processor seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def describe() -> str:
    """Give kind of system, cores and version of Python: no names, no paths."""
    return f"{platform.system()}, {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
