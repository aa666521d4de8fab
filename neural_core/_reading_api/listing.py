"""The rows of one base folder, kept up to date by reading only what changed."""

from __future__ import annotations

import contextlib
import datetime
import os
from pathlib import Path

from attrs import define, field

from neural_core._reading_api.first_look import FirstLook
from neural_core._storage.experiment.overview import RowReader, last_sign
from neural_core._storage.index.scan import scan
from neural_core._storage.index.schema import Signature
from neural_core.records import RunRow

__all__ = ["Entry", "Listing", "unix_time"]

_LIVE = ("created", "running", "stalled")
_FIRST = 1
"""The version of a first look: what was there then has not grown for anybody."""
_SIGN_SECONDS = 5.0
"""A sign of life that is so much newer than the one before is a change."""
Mark = tuple[tuple[str, int, int], ...]


@define
class Entry:
    """One experiment of the listing.

    Attributes:
        row: as it was read last.
        signature: of its ``metadata.json`` then.
        version: of the listing when anything of it changed last; `grown` likewise for each metric.
        last_sign: Unix time of its writer's last sign of life.
    """

    row: RunRow
    signature: Signature | None
    version: int
    last_sign: float
    reader: RowReader | None = None
    mark: Mark = ()
    grown: dict[str, int] = field(factory=dict)

    @property
    def is_open(self) -> bool:
        """Tell whether files beside ``metadata.json`` may change the row."""
        return self.row.end_time is None or self.row.error is not None


class Listing:
    """The experiments of one folder by the name of their folder. Not for several threads at a time.

    Attributes:
        version: grows with every change.
        entries: folder name → entry.
        pending: how many experiments were not read yet.
    """

    def __init__(self, base_dir: Path) -> None:
        self.base_dir = base_dir
        self.version = 0
        self.entries: dict[str, Entry] = {}
        self.pending = 0
        self._first_look: FirstLook | None = FirstLook(base_dir)

    def refresh(self, most: int | None = None) -> bool:
        """Look for changes; True when there are any.

        Args:
            most: of those that were never read, read at most so many, the newest first; None for all.

        Raises:
            OSError: the base folder may not be read.
        """
        before = self.version
        found = scan(self.base_dir)
        if self._first_look is not None:
            self._load(self._first_look, found, most)
        for folder in self.entries.keys() - found.keys():
            self.version += 1
            del self.entries[folder]
        for folder, signature in found.items():
            entry = self.entries.get(folder)
            if entry is None and self.pending:
                continue  # its turn comes
            if entry is None or entry.signature != signature or (entry.is_open and self._may_differ(folder, entry)):
                self._read(folder, signature)
        return self.version != before

    def _load(self, look: FirstLook, found: dict[str, Signature | None], most: int | None) -> None:
        """Take up rows as they are read first; what changes meanwhile has another signature and is read again."""
        rows, last = look.rows(found, most)
        self.version += bool(rows) or not self.version
        for row in rows:
            if row.folder in found:
                self.entries[row.folder] = self._first_entry(row, found[row.folder])
        self.pending = 0 if last else len(found.keys() - self.entries.keys())
        if last:
            self._first_look = None

    def _first_entry(self, row: RunRow, signature: Signature | None) -> Entry:
        entry = Entry(row, signature, self.version, self._sign(row), grown=dict.fromkeys(row.metrics, _FIRST))
        if entry.is_open:
            entry.mark = _mark(self.base_dir / row.folder / "metrics")
        return entry

    def _sign(self, row: RunRow) -> float:
        ended = unix_time(row.end_time)
        if ended is not None:
            return ended
        with contextlib.suppress(OSError):
            return last_sign(self.base_dir / row.folder) or 0.0
        return 0.0

    def _may_differ(self, folder: str, entry: Entry) -> bool:
        """Look at names, sizes and times; a process that is gone changes the status without changing a file."""
        mark = _mark(self.base_dir / folder / "metrics")
        changed = mark != entry.mark or entry.row.status in _LIVE
        entry.mark = mark
        return changed

    def _read(self, folder: str, signature: Signature | None) -> None:
        entry = self.entries.get(folder)
        reader = entry.reader if entry is not None and entry.reader is not None else RowReader(self.base_dir / folder)
        row = reader.read()
        # A reader may hold descriptors: of an experiment whose writer is gone it would hold them for nothing.
        kept = None if reader.final or row.status in ("interrupted", "damaged") else reader
        if entry is not None and row == entry.row:
            entry.signature, entry.reader = signature, kept
            self._note_sign(entry)
            return
        self.version += 1
        mark = () if entry is None else entry.mark
        new = Entry(row, signature, self.version, self._sign(row), kept, mark)
        if entry is not None:
            new.grown = entry.grown
        self._put(folder, new)

    def _note_sign(self, entry: Entry) -> None:
        """Take up a sign of life of a writer that logs nothing at the moment."""
        sign = self._sign(entry.row)
        if sign > entry.last_sign + _SIGN_SECONDS:
            self.version += 1
            entry.last_sign, entry.version = sign, self.version

    def _put(self, folder: str, entry: Entry) -> None:
        known = self.entries.get(folder)
        before = {} if known is None else known.row.metrics
        for name, info in entry.row.metrics.items():
            if name not in before or before[name].count != info.count:
                entry.grown[name] = self.version
        self.entries[folder] = entry


def _mark(metrics: Path) -> Mark:
    with contextlib.suppress(OSError), os.scandir(metrics) as found:
        looks = [(entry.name, entry.stat(follow_symlinks=False)) for entry in found]
        return tuple(sorted((name, status.st_size, status.st_mtime_ns) for name, status in looks))
    return ()


def unix_time(text: str | None) -> float | None:
    """Give the Unix time of a UTC ISO 8601 text; None for none, and for text that is no time."""
    if text is None:
        return None
    with contextlib.suppress(ValueError, OverflowError):
        return datetime.datetime.fromisoformat(text).timestamp()
    return None
