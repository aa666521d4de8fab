"""The files of a journal that one process writes: made, synced, retired. No rows are built here.

A part has one owner and is only appended to. Its descriptor is never closed while the writer lives: retiring puts a
read-only null device in its place, so that a late write of another thread fails instead of landing in whatever file
would have got the number next.
"""

from __future__ import annotations

import contextlib
import errno
import os
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neural_core._storage import liveness
from neural_core._storage.journal import frames

__all__ = ["SUFFIX", "PartFiles", "fsync_folder", "write_all"]

SUFFIX = ".nj"
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_HOST_CHARACTERS = 16
_HEADER_LIMIT = 4096


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power, where the system can."""
    with contextlib.suppress(PermissionError):  # Windows does not open folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Write `data` in one call; a short write is an error, since nothing may follow half a frame."""
    if os.write(descriptor, data) != len(data):
        raise OSError(errno.ENOSPC, "short write")


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    descriptors.clear()


class PartFiles:
    """The parts of one writing process, of which at most one is open for appending.

    Attributes:
        descriptor: of the open part, None when the next write has to open one.
        paths: every part that this process created, oldest first.
        retired: descriptors of parts that nothing may be appended to.
    """

    def __init__(self, folder: Path, header: Mapping[str, Any]) -> None:
        self.folder = folder
        self._header = dict(header)
        self._descriptors: list[int] = []
        weakref.finalize(self, _close_all, self._descriptors)
        self._begin()

    def _begin(self) -> None:
        host = "".join(c if c.isascii() and c.isalnum() else "-" for c in liveness.host()[:_HOST_CHARACTERS])
        rank = int(self._header.get("rank", 0))
        self.writer = f"r{rank:05d}-{host}-{os.getpid()}-{os.urandom(3).hex()}"
        self.descriptor: int | None = None
        self.paths: list[Path] = []
        self.retired: set[int] = set()
        self._number = 0

    def forked(self) -> None:
        """Become the writer of a forked child: another name, parts of its own, the parent's left alone."""
        self._header["session"] = "forked"
        liveness.open_parts.clear()
        self._descriptors.clear()
        self._begin()

    @property
    def path(self) -> Path:
        """The newest part."""
        return self.paths[-1]

    def open(self) -> int:
        """Create the next part and write its header; when the header does not fit, no file stays behind.

        Raises:
            OSError: the disk refuses.
        """
        self.descriptor = None
        path = self.folder / f"{self.writer}-{self._number + 1:04d}{SUFFIX}"
        descriptor = os.open(path, _FLAGS, 0o666)
        try:
            write_all(descriptor, frames.encode_header(self._fields()))
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        self._number += 1
        self._descriptors.append(descriptor)
        self.paths.append(path)
        liveness.open_parts.add(path.stem)
        self.descriptor = descriptor
        return descriptor

    def _fields(self) -> dict[str, Any]:
        return {
            **self._header,
            **liveness.this_process(),
            "writer": self.writer,
            "part": self._number + 1,
            "created": time.time(),
        }

    def leave(self) -> None:
        """Append no more to the open part. Its descriptor stays good for a call that is under way."""
        self.descriptor = None

    def retire(self, descriptor: int) -> None:
        """Append no more to a part whose last write failed; a call under way fails into the slow path."""
        if descriptor == self.descriptor:
            self.descriptor = None
        self.retired.add(descriptor)
        self._null(descriptor)

    def fence(self, *, sync: bool = True) -> None:
        """Let no further write of any thread reach a part of this process, and put all on the disk."""
        self.descriptor = None
        self.retired.update(self._descriptors)  # a sync of another thread that fails now is no fault of the disk
        for descriptor in self._descriptors:
            if sync:
                with contextlib.suppress(OSError):
                    os.fsync(descriptor)
            self._null(descriptor)
        liveness.open_parts.difference_update(path.stem for path in self.paths)
        if sync:
            with contextlib.suppress(OSError):
                fsync_folder(self.folder)

    def _null(self, descriptor: int) -> None:
        try:
            null = os.open(os.devnull, os.O_RDONLY)
        except OSError:
            return  # too many open files: a late row lands in the part, where readers and compaction find it
        try:
            os.dup2(null, descriptor, inheritable=False)
        finally:
            os.close(null)

    def end(self) -> int:
        """Give the ordinal at which the next frame of the open part will stand."""
        return 0 if self.descriptor is None else os.fstat(self.descriptor).st_size // frames.WORD

    def discard_empty(self) -> None:
        """Remove parts of this process that hold nothing but their header."""
        for path in list(self.paths):
            with contextlib.suppress(OSError):
                if path.stat().st_size <= _HEADER_LIMIT and _only_header(path):
                    path.unlink()
                    self.paths.remove(path)


def _only_header(path: Path) -> bool:
    data = path.read_bytes()
    found = frames.decode_header(data)
    return found is not None and found[1] == len(data)
