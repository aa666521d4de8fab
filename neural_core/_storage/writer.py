"""The writer of a journal: `log_metrics` is the hot path, everything else here is beside it.

The hot path is a tuple of names, a look-up of their packer, one pack, one CRC and one ``write``. Whatever does not fit
(a new set of names, an odd value, a failing disk, a finished experiment) falls through into `_slow`.
"""

from __future__ import annotations

import logging
import os
import struct
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from neural_core._storage import frames
from neural_core._storage.hot_path import Entry, durable_path, hot_path
from neural_core._storage.parts import PartFiles, write_all
from neural_core._storage.ticker import ticker
from neural_core._storage.trouble import Trouble
from neural_core._storage.values import Row, clean_row
from neural_core.errors import ExperimentFinishedError
from neural_core.records import NO_STEP

__all__ = ["ROLL_BYTES", "JournalWriter"]

ROLL_BYTES = 256 * 2**20
"""A part that has grown beyond this is left for a new one at the next tick."""
ALIVE_SECONDS = 30.0
_log = logging.getLogger("neural")
_writers: weakref.WeakSet[JournalWriter] = weakref.WeakSet()
_synchronise = getattr(os, "fdatasync", os.fsync)


class JournalWriter:
    """Appends the rows and facts of one process to its own parts.

    Attributes:
        log_metrics: ``log_metrics(metrics, step=None)``, the hot path.
        on_first_row: called before the first row of this process is stored.
        on_tick: called on the housekeeping thread after it has synced new rows.
        trouble: what the disk refused, and what became of it.
    """

    log_metrics: Callable[..., None]

    def __init__(self, folder: Path, header: Mapping[str, Any], *, power: bool = False, label: str = "") -> None:
        """Open nothing yet: the first row or fact does.

        Args:
            folder: the ``metrics`` folder, which exists.
            header: fields of the part header (uid, epoch, rank, session).
            power: wait for the disk on every call.
            label: how warnings name the experiment.
        """
        self.parts = PartFiles(folder, header)
        self.trouble = Trouble(label)
        self._power = power
        self._label = label
        self._entries: dict[tuple[str, ...], Entry] = {}
        self._sids: dict[tuple[str, ...], int] = {}
        self._lock = threading.RLock()
        self._closed = False
        self._ticking = False
        self._synced = 0
        self._touched = 0.0
        self._rounded: set[str] = set()
        self.on_first_row: Callable[[], None] | None = None
        self.on_tick: Callable[[], None] | None = None
        self.log_metrics = hot_path(self._entries, self._slow)
        if power:
            self.log_metrics = durable_path(self.log_metrics, self._entries, self._fsync)
        _watch_forks()
        _writers.add(self)

    def append_fact(self, fact: Mapping[str, Any], *, sync: bool = True) -> bool:
        """Append a fact; False when it has to wait in memory for a disk that refuses.

        Args:
            fact: what JSON can hold.
            sync: wait for the disk.

        Raises:
            ExperimentFinishedError: the writer is closed.
        """
        with self._lock:
            self.refuse_when_closed()
            stored = self._store(fact)
            if stored and sync and self.parts.descriptor is not None:
                self._fsync(self.parts.descriptor)
            return stored

    @property
    def closed(self) -> bool:
        """Tell whether nothing may be logged any more."""
        return self._closed

    def position(self) -> dict[str, int]:
        """Give up to which ordinal this process has written: part name → ordinal of its next frame."""
        with self._lock:
            path = self.parts.path if self.parts.paths else None
            return {} if path is None else {path.stem: path.stat().st_size // frames.WORD}

    def sync(self) -> None:
        """Wait until all that was written is on the disk; try again what the disk refused before."""
        with self._lock:
            if self._closed:
                return
            if self.trouble.waiting:
                self._drain(force=True)
            descriptor = self.parts.descriptor
            if descriptor is not None:
                self._fsync(descriptor)

    def close(self) -> None:
        """Try once more what waits, then let no write of any thread reach the parts; calls after it raise."""
        with self._lock:
            if self._closed:
                return
            if self.trouble.waiting:
                self._drain(force=True)
            self._closed = True
            self._entries.clear()
            self.parts.fence()
            self.trouble.give_up()
        ticker.remove(self.tick)
        for path in self.parts.paths:
            path.with_suffix(".alive").unlink(missing_ok=True)

    def tick(self) -> None:
        """Look after the file: sync what was written, roll it when it is large, try again after a failure."""
        if _log.isEnabledFor(logging.DEBUG):
            self._entries.clear()
        descriptor = self.parts.descriptor
        size = 0 if descriptor is None else os.fstat(descriptor).st_size
        if descriptor is not None and size != self._synced:
            self._fsync(descriptor)
            self._synced = size
            self._notice_deletion(descriptor)
            if self.on_tick is not None:
                self.on_tick()
        if self.trouble.waiting or size > ROLL_BYTES:
            with self._lock:
                self._roll_or_drain(size)
        self._touch()

    def _roll_or_drain(self, size: int) -> None:
        if self._closed:
            return
        if size > ROLL_BYTES:
            self._entries.clear()
            self.parts.leave()
        if self.trouble.waiting:
            self._drain()

    def _notice_deletion(self, descriptor: int) -> None:
        """A deleted file takes every write without an error; only its link count tells."""
        if os.name == "posix" and os.fstat(descriptor).st_nlink == 0:
            with self._lock:
                self._fail(descriptor, FileNotFoundError("the experiment's folder was deleted while it was written"))

    def _touch(self) -> None:
        now = time.monotonic()
        if now - self._touched >= ALIVE_SECONDS and self.parts.paths and not self._closed:
            self._touched = now
            try:
                self.parts.path.with_suffix(".alive").touch()
            except OSError as error:
                _log.debug("%s: cannot touch the sign of life: %s", self._label, error)

    def _slow(self, metrics: Any, step: Any, descriptor: int | None, error: BaseException | None) -> None:
        row = clean_row(metrics, step, time.time())
        with self._lock:
            self.refuse_when_closed()
            # A short write (no error, but a descriptor) leaves half a frame, which nothing may follow.
            if descriptor is not None and (error is None or isinstance(error, OSError)):
                self._fail(descriptor, error or OSError("short write"))
            if row.names:
                if not self._ticking and self.on_first_row is not None:
                    self.on_first_row()
                self._store(row)
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug(
                "%s: log_metrics step=%s %s", self._label, row.step, dict(zip(row.names, row.values, strict=True))
            )

    def refuse_when_closed(self) -> None:
        """Raise ExperimentFinishedError when nothing may be logged any more."""
        if self._closed:
            raise ExperimentFinishedError(
                f"{self._label} is finished: nothing more is logged to it; "
                "ExperimentTracker.resume(experiment_id) continues it"
            )

    def _store(self, item: Row | Mapping[str, Any]) -> bool:
        if self.trouble.waiting:
            self.trouble.keep(item)
            self._drain()
            return not self.trouble.waiting
        try:
            self._write(item)
        except OSError as error:
            self._fail(self.parts.descriptor, error)
            self.trouble.keep(item)
            self.trouble.raise_when_strict()
            return False
        return True

    def _drain(self, *, force: bool = False) -> None:
        """Write what waits, in its order; stop at the first refusal."""
        if not self.trouble.may_try(force=force):
            return
        try:
            while self.trouble.waiting:
                self._write(self.trouble.first())
                self.trouble.drop_first()
        except OSError as error:
            self._fail(self.parts.descriptor, error)
            return
        self.trouble.over()

    def _write(self, item: Row | Mapping[str, Any]) -> None:
        if not isinstance(item, Row):
            write_all(self._descriptor(), frames.encode_fact(item))
            return
        pack, head, descriptor, _size = self._entry(item.names)
        body = pack(head, NO_STEP if item.step is None else item.step, item.time, *item.values)
        write_all(descriptor, struct.pack("<I", zlib.crc32(body)) + body)
        if self._power:
            self._fsync(descriptor)
        if item.rounded:
            self._tell_rounded(item)

    def _descriptor(self) -> int:
        if self.parts.descriptor is None:
            self._sids = {}
            self._entries.clear()
            self._synced = 0
            return self.parts.open()
        return self.parts.descriptor

    def _entry(self, names: tuple[str, ...]) -> Entry:
        """Give the packer of these names in the open part, and define them there when they are new."""
        descriptor = self._descriptor()
        sid = self._sids.get(names)
        if sid is None:
            if len(self._sids) == frames.MAX_SCHEMAS:
                self.parts.leave()
                descriptor = self._descriptor()
            sid = len(self._sids) + 1
            write_all(descriptor, frames.encode_schema(sid, names))
            self._sids[names] = sid
            self._begin()
        packer = frames.row_packer(len(names))
        entry = (packer.pack, frames.row_head(sid, len(names)), descriptor, packer.size + 4)
        # While every call is to be told, or is to queue up behind others, the hot path must find nothing.
        if not self.trouble.waiting and not _log.isEnabledFor(logging.DEBUG):
            self._entries[names] = entry
        return entry

    def _begin(self) -> None:
        """The first row of this process: from now on the file is looked after."""
        if not self._ticking:
            self._ticking = True
            ticker.add(self.tick)

    def _fail(self, descriptor: int | None, error: BaseException) -> None:
        """Leave a part after a failed write; told once, counted always."""
        if descriptor in self.parts.retired:
            return  # another thread has already left that part
        self._entries.clear()
        if descriptor is not None:
            self.parts.retire(descriptor)
            self.parts.discard_empty()
        self.trouble.tell(error)

    def _fsync(self, descriptor: int) -> None:
        """Wait for the disk. After a failure the kernel may have dropped the pages: the part is left, never retried.

        "Can Applications Recover from fsync Failures?", USENIX ATC 2020.
        """
        try:
            _synchronise(descriptor)
        except OSError as error:
            with self._lock:
                if descriptor not in self.parts.retired:
                    self.trouble.not_durable(error)
                    self._fail(descriptor, error)
                    self.trouble.raise_when_strict()

    def _tell_rounded(self, row: Row) -> None:
        for name in row.rounded:
            if name not in self._rounded:
                self._rounded.add(name)
                _log.warning("metric %r holds a number that no 64-bit double holds exactly: it is rounded", name)

    def forked(self) -> None:
        """In a forked child: start a part of this process with the next call, leave the parent's alone."""
        self._lock = threading.RLock()
        self._entries.clear()
        self._sids = {}
        self._ticking = False
        self._synced = 0
        self.trouble.forked()
        self.parts.forked()


def _watch_forks() -> None:
    global _watch_forks_done
    if not _watch_forks_done and hasattr(os, "register_at_fork"):
        _watch_forks_done = True
        os.register_at_fork(after_in_child=_after_fork)


_watch_forks_done = False


def _after_fork() -> None:
    for writer in list(_writers):
        writer.forked()
