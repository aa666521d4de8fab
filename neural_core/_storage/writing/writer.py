"""The writer of a journal: `log_metrics` is the hot path, everything else here is beside it.

The hot path is a tuple of names, a look-up of their packer, one pack, one CRC and one ``write``. Whatever does not fit
(a new set of names, an odd value, a failing disk, a finished experiment) falls through into `_slow`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from neural_core._storage.forks import watch_forks
from neural_core._storage.journal import frames
from neural_core._storage.journal.parts import fsync_folder
from neural_core._storage.writing.hot_path import durable_path, hot_path
from neural_core._storage.writing.sink import Sink
from neural_core._storage.writing.ticker import ticker
from neural_core._storage.writing.trouble import Trouble
from neural_core._storage.writing.upkeep import Upkeep
from neural_core._storage.writing.values import Row, clean_row
from neural_core.errors import ExperimentFinishedError

__all__ = ["JournalWriter"]

_log = logging.getLogger("neural")
_synchronise = getattr(os, "fdatasync", os.fsync)


class JournalWriter:
    """Appends the rows and facts of one process to its own parts.

    Attributes:
        log_metrics: ``log_metrics(metrics, step=None)``, the hot path.
        on_first_row: called before the first row of this process is stored.
        on_tick: called on the housekeeping thread after it has synced new rows.
        on_fork: called in a forked child.
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
        self._sink = Sink(folder, header)
        self.parts = self._sink.parts
        self.trouble = Trouble(label)
        self._power = power
        self._label = label
        self._lock = threading.RLock()
        self._closed = False
        self._ticking = False
        self._upkeep = Upkeep(self)
        self.on_first_row: Callable[[], None] | None = None
        self.on_tick: Callable[[], None] | None = None
        self.on_fork: Callable[[], None] | None = None
        self.log_metrics = self.make_log_metrics()
        watch_forks(self)

    def make_log_metrics(self) -> Callable[..., None]:
        """Give another `log_metrics`, whose life can be watched: the writer does not hold it."""
        log = hot_path(self._sink.entries, self._slow)
        return durable_path(log, self._sink.entries, self.fsync) if self._power else log

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
                self.fsync(self.parts.descriptor)
            return stored

    @property
    def closed(self) -> bool:
        """Tell whether nothing may be logged any more."""
        return self._closed

    def position(self) -> dict[str, int]:
        """Give up to where this process has written: part → ordinal of its next frame, of the parts that are there."""
        with self._lock:
            return {path.stem: path.stat().st_size // frames.WORD for path in self.parts.paths if path.exists()}

    def sync(self) -> None:
        """Wait until all that was written is on the disk; try again what the disk refused before."""
        with self._lock:
            if not self._closed:
                self._drain(force=True)
                if self.parts.descriptor is not None:
                    self.fsync(self.parts.descriptor)

    def close(self, *, sync: bool = True) -> None:
        """Try once more what waits, then let no write of any thread reach the parts; calls after it raise.

        Args:
            sync: wait for the disk.
        """
        with self._lock:
            if self._closed:
                return
            self._drain(force=True)
            self._closed = True
            self._sink.entries.clear()
            self.parts.fence(sync=sync)
            self.trouble.give_up()
        ticker.remove(self._upkeep.tick)
        for path in self.parts.paths:
            with contextlib.suppress(OSError):
                path.with_suffix(".alive").unlink(missing_ok=True)

    def send_all_through_slow_path(self) -> None:
        """Let the hot path find nothing, until the slow path allows it again."""
        self._sink.entries.clear()

    def try_again(self) -> None:
        """Write what waits for the disk, if the last attempt was not a moment ago."""
        with self._lock:
            if not self._closed:
                self._drain()

    def leave(self, descriptor: int) -> None:
        """Append no more to the part of `descriptor`; the next call opens another."""
        with self._lock:
            if self.parts.descriptor == descriptor:
                self._sink.leave()
        self.fsync(descriptor)

    def _slow(self, metrics: Any, step: Any, descriptor: int | None, error: BaseException | None) -> None:
        row = clean_row(metrics, step, time.time())
        self.append(row, descriptor, error)
        if _log.isEnabledFor(logging.DEBUG):
            values = dict(zip(row.names, row.values, strict=True))
            _log.debug("%s: log_metrics step=%s %s", self._label, row.step, values)

    def append(self, row: Row, descriptor: int | None = None, error: BaseException | None = None) -> None:
        """Append a row that was judged; with `descriptor`, after the hot path failed on it with `error`."""
        if row.names and not self._ticking:
            self._begin()  # outside the lock: it takes the session's, which others hold when they take ours
        with self._lock:
            self.refuse_when_closed()
            # A short write (no error, but a descriptor) leaves half a frame, which nothing may follow.
            if descriptor is not None and (error is None or isinstance(error, OSError)):
                self.fail(descriptor, error or OSError("short write"), warn=False)
            if row.names:
                self._store(row)

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
            self.fail(self.parts.descriptor, error)
            self.trouble.keep(item)
            self.trouble.raise_when_strict()
            return False
        return True

    def _drain(self, *, force: bool = False) -> None:
        """Write what waits, in its order; stop at the first refusal."""
        if not self.trouble.waiting or not self.trouble.may_try(force=force):
            return
        try:
            while self.trouble.waiting:
                self._write(self.trouble.first())
                self.trouble.drop_first()
        except OSError as error:
            self.fail(self.parts.descriptor, error)
        else:
            self.trouble.over()

    def _write(self, item: Row | Mapping[str, Any]) -> None:
        before = self.parts.descriptor
        # While every call is to be told, or is to queue up behind others, the hot path must find nothing.
        self._sink.write(item, keep_entry=not self.trouble.waiting and not _log.isEnabledFor(logging.DEBUG))
        if self._power and self.parts.descriptor != before:
            with self.trouble.noting_failed_sync():
                fsync_folder(self.parts.folder)
        if self._power and isinstance(item, Row):
            self.fsync(self._sink.descriptor())

    def _begin(self) -> None:
        """The first row of this process: say so, and look after the file from now on."""
        self._ticking = True
        ticker.add(self._upkeep.tick)  # first: Ctrl-C in what follows must not leave it without housekeeping
        if self.on_first_row is not None:
            self.on_first_row()

    def fail(self, descriptor: int | None, error: BaseException, *, warn: bool = True) -> None:
        """Leave a part after a failed write; no warning for a row that is tried again at once in another part."""
        with self._lock:
            if descriptor not in self.parts.retired:  # else another thread has already left that part
                self._sink.retire(descriptor)
                self.trouble.tell(error, warn=warn)

    def fsync(self, descriptor: int) -> None:
        """Wait for the disk. After a failure the kernel may have dropped the pages: the part is left, never retried.

        "Can Applications Recover from fsync Failures?", USENIX ATC 2020.
        """
        try:
            _synchronise(descriptor)
        except OSError as error:
            with self._lock:
                if descriptor not in self.parts.retired:
                    # Where no sync ever works, one part after the other would be left: the first failure says it all.
                    if self.trouble.durable:
                        self._sink.retire(descriptor)
                    self.trouble.not_durable(error)
                    self.trouble.raise_when_strict()

    def forked(self) -> None:
        """In a forked child: start a part of this process with the next call, leave the parent's alone."""
        self._lock = threading.RLock()
        self._ticking = False
        self._upkeep = Upkeep(self)
        self.trouble.forked()
        self._sink.forked()
        if self.on_fork is not None:
            self.on_fork()
