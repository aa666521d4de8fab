"""Who wrote this, and does it still live? Evidence: host, boot, pid and the start time of that pid."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

__all__ = ["INTERRUPTED_AFTER", "STALLED_AFTER", "Evidence", "open_parts", "part_state", "this_process", "writer_state"]

open_parts: set[str] = set()
"""The parts that this very process writes: a part that it has left is dead although the process lives."""

Evidence = Literal["alive", "dead", "stalled", "unknown"]
STALLED_AFTER = 90.0
"""Seconds without a sign of a writer on another host before it shows as stalled."""
INTERRUPTED_AFTER = 600.0
"""Seconds without a sign of a writer on another host before it counts as dead for display."""


@functools.cache
def host() -> str:
    """Name this machine as the network does."""
    if hasattr(os, "uname"):
        return os.uname().nodename
    import socket

    return socket.gethostname()


@functools.cache
def boot_id() -> str:
    """Name this boot of this machine; empty where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def start_time(pid: int) -> str:
    """Name the moment at which `pid` began, so that a reused pid is not taken for it; empty when unknown."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    # Field 22, counted after the command's name, which may hold blanks and brackets.
    return stat[stat.rindex(b")") + 2 :].split()[19].decode("ascii")


def this_process() -> dict[str, Any]:
    """Give the evidence of the calling process: host, boot_id, pid, process_start."""
    pid = os.getpid()
    return {"host": host(), "boot_id": boot_id(), "pid": pid, "process_start": start_time(pid)}


def writer_state(writer: Mapping[str, Any], last_sign: float | None = None) -> Evidence:
    """Tell whether the process of this evidence lives.

    Args:
        writer: what `this_process` gave there.
        last_sign: Unix time of its last sign of life, used for another host only.
    """
    if writer.get("host") != host():
        return _from_afar(last_sign)
    if writer.get("boot_id", "") != boot_id():
        return "dead"
    pid = writer.get("pid")
    if not isinstance(pid, int) or pid <= 0 or not _exists(pid):
        return "dead"
    began = writer.get("process_start")
    return "alive" if not began or began == start_time(pid) else "dead"


def part_state(stem: str, header: Mapping[str, Any], last_sign: float | None = None) -> Evidence:
    """Tell whether the writer of a part still writes it; `header` as in the part."""
    state = writer_state(header, last_sign)
    own = all(header.get(key) == value for key, value in this_process().items())
    return "dead" if own and stem not in open_parts else state


def _exists(pid: int) -> bool:
    if os.name == "nt":
        return True  # there, signal 0 is Ctrl-C; without evidence nobody is declared dead
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it exists and belongs to somebody else
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """A killed process that its parent has not collected yet answers to its pid, but writes no more."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return stat[stat.rindex(b")") + 2 : stat.rindex(b")") + 3] in b"ZX"


def _from_afar(last_sign: float | None) -> Evidence:
    if last_sign is None:
        return "unknown"
    silence = time.time() - last_sign
    return "dead" if silence > INTERRUPTED_AFTER else "stalled" if silence > STALLED_AFTER else "alive"
