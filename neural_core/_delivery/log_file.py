"""The companion's output: into a file beside the experiment, and never more than a megabyte of it."""

from __future__ import annotations

import os
import threading
from pathlib import Path

__all__ = ["LIMIT", "divert_output"]

LIMIT = 2**20
_CHUNK = 2**16
_diverted = False


def divert_output(path: Path) -> None:
    """Send what this process and its libraries print to `path`; a plugin that floods it fills no disk."""
    global _diverted
    if _diverted:
        return
    _diverted = True
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except OSError:
        target = os.open(os.devnull, os.O_WRONLY)
    reading, writing = os.pipe()
    for stream in (1, 2):
        os.dup2(writing, stream)
    os.close(writing)
    threading.Thread(target=_copy, args=(reading, target), name="neural-companion-log", daemon=True).start()


def _copy(reading: int, target: int) -> None:
    written = os.fstat(target).st_size
    while data := os.read(reading, _CHUNK):
        if written < LIMIT:
            kept = data[: LIMIT - written]
            try:
                written += os.write(target, kept)
            except OSError:
                written = LIMIT  # a full disk: read on, so that nobody waits for this pipe
