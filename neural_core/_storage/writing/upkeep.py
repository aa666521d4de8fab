"""What the housekeeping thread does for one writer: sync, roll, try again, and a sign of life."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neural_core._storage.writing.writer import JournalWriter

__all__ = ["ROLL_BYTES", "Upkeep"]

ROLL_BYTES = 256 * 2**20
"""A part that has grown beyond this is left for a new one at the next tick."""
ALIVE_SECONDS = 30.0
_log = logging.getLogger("neural")


class Upkeep:
    """Looks after the open part of a writer, off the calling threads."""

    def __init__(self, writer: JournalWriter) -> None:
        self._writer = writer
        self._synced = (-1, 0)
        self._touched = 0.0

    def tick(self) -> None:
        """Sync what was written, roll the part when it is large, try again what the disk refused."""
        writer = self._writer
        if _log.isEnabledFor(logging.DEBUG):
            writer.send_all_through_slow_path()
        descriptor = writer.parts.descriptor
        if descriptor is not None:
            self._look_after(descriptor)
        if writer.trouble.waiting:
            writer.try_again()
        self._touch()

    def _look_after(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        if (descriptor, size) != self._synced:
            self._writer.fsync(descriptor)
            self._synced = descriptor, size
            if self._writer.on_tick is not None:
                self._writer.on_tick()
        # A deleted file takes every write without an error; only its link count tells.
        if os.name == "posix" and os.fstat(descriptor).st_nlink == 0:
            error = FileNotFoundError("the experiment's folder was deleted while it was written")
            self._writer.fail(descriptor, error)
        elif size > ROLL_BYTES:
            self._writer.leave(descriptor)

    def _touch(self) -> None:
        now = time.monotonic()
        if now - self._touched >= ALIVE_SECONDS and self._writer.parts.paths and not self._writer.closed:
            self._touched = now
            try:
                sign = self._writer.parts.path.with_suffix(".alive")
                sign.touch()
                if self._writer.closed:  # meanwhile: it may have looked for the sign before there was one
                    sign.unlink(missing_ok=True)
            except OSError as error:
                _log.debug("cannot touch the sign of life: %s", error)
