"""The bytes of a journal part and the names of the parts, looked at again and again while they grow.

A look is few and short system calls: each lets the interpreter go, and where a training keeps it busy, getting it back
takes 5 ms or much more.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import stat
import time
from pathlib import Path

from neural_core._storage.journal.blocks import Words
from neural_core.errors import DamagedError

__all__ = ["PartBytes", "PartNames"]

_FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY", "O_CLOEXEC"))
_MAP_FROM = 2**20
"""Smaller parts are kept in memory: a mapping holds a descriptor, and a run may have a thousand parts."""
_SETTLED_SECONDS = 2.0
"""A folder's time counts in ticks, of two seconds at the worst: a younger one may have changed since without a sign."""


class PartBytes:
    """What was read of one part. Never follows a link.

    Attributes:
        size: bytes of the file at the last look.
        status: of the file at the last look.
        words: its content.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self.status: os.stat_result | None = None
        self.words = Words(b"")

    def read_more(self) -> int:
        """Read what was appended; give how many bytes there are more, fewer than none when the file became shorter.

        Raises:
            OSError: the file cannot be read.
            DamagedError: it is no regular file.
        """
        descriptor = os.open(self.path, _FLAGS)
        try:
            self.status = os.fstat(descriptor)
            if not stat.S_ISREG(self.status.st_mode):
                raise DamagedError(f"{self.path.name} is no regular file")
            grown = self.status.st_size - self.size
            if grown:
                self.words = Words(self._content(descriptor, self.status.st_size, keep=grown > 0))
                self.size = self.status.st_size
        finally:
            os.close(descriptor)
        return grown

    def _content(self, descriptor: int, size: int, *, keep: bool) -> bytes | memoryview:
        if size >= _MAP_FROM:
            return memoryview(mmap.mmap(descriptor, size, access=mmap.ACCESS_READ))
        known = self.words.buffer if keep else memoryview(b"")
        os.lseek(descriptor, len(known), os.SEEK_SET)
        return b"".join((known, os.read(descriptor, size - len(known))))


class PartNames:
    """The names in a ``metrics`` folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[str] = []
        self._changed: int | None = None

    def look(self) -> list[str]:
        """Give the names; the folder is read again when its time has changed, or is too young to tell."""
        try:
            changed = os.stat(self._folder).st_mtime_ns  # noqa: PTH116 - half the price of Path.stat
        except OSError:
            changed = None
        if changed is None or changed != self._changed:
            self._names = []
            with contextlib.suppress(FileNotFoundError), os.scandir(self._folder) as entries:
                self._names = [entry.name for entry in entries if not entry.name.startswith(".")]
            settled = changed is not None and time.time() - changed / 1e9 > _SETTLED_SECONDS
            self._changed = changed if settled else None
        return self._names
