"""The companion's output: into a file beside each experiment that it follows, never more than a megabyte of it."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

__all__ = ["LIMIT", "divert_output", "keep_output_from", "log_of"]

LIMIT = 2**20
_CHUNK = 2**16
_APPEND = os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
_places: list[Path] = []
_diverted = False


def log_of(directory: str) -> Path:
    """Give where the output is kept of a companion that follows the experiment in this folder."""
    return Path(directory) / "delivery" / "companion.log"


def divert_output(path: Path) -> None:
    """Send what this process and its libraries print to `path`, too; a plugin that floods it fills no disk."""
    global _diverted
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    if path not in _places:
        _places.append(path)
    if not _diverted:
        _diverted = True
        reading, writing = os.pipe()
        for stream in (1, 2):
            os.dup2(writing, stream)
        os.close(writing)
        threading.Thread(target=_copy, args=(reading,), name="neural-companion-log", daemon=True).start()


def keep_output_from(path: Path) -> None:
    """Send nothing more to `path`, unless there is no other place for it."""
    if len(_places) > 1:
        _places.remove(path)


def _copy(reading: int) -> None:
    while data := os.read(reading, _CHUNK):
        for path in list(_places):
            # A full disk, or somebody has taken the folder away: read on, so that nobody waits for this pipe.
            with contextlib.suppress(OSError):
                _append(path, data)


def _append(path: Path, data: bytes) -> None:
    target = os.open(path, _APPEND)  # one that is gone is not made again
    try:
        os.write(target, data[: max(0, LIMIT - os.fstat(target).st_size)])
    finally:
        os.close(target)
