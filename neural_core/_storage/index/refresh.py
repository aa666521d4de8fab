"""Bringing an index up to date with its base folder.

Several processes may do this to one file at once. What keeps it correct is that the file never goes backwards: a
row is replaced only while the folder still holds what the new row was read from, and removed only while a look
under the write lock finds no such folder.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

from attrs import define

from neural_core._storage.index.document import to_document
from neural_core._storage.index.scan import identity, scan, signature
from neural_core._storage.index.schema import Entry, Signature, erase, folder_key, write
from neural_core.records import RunRow

__all__ = ["Refresher", "RowSource"]

Changed = Sequence[tuple[str, Signature | None]]
_BATCH = 500  # rows in one transaction: others wait some 50 ms for it
_TICK_NS = 100_000_000  # a file system's clock may stand still for a tick, in which a second change is not seen
_COARSE_TICK_NS = 2_000_000_000  # where whole seconds are kept


class RowSource(Protocol):
    """What reads the row of one experiment, again and again while it lives."""

    final: bool

    def read(self) -> RunRow:
        """Give the row; a damaged experiment gives one that says so."""


@define
class _Live:
    """An experiment that still changes: its reader, which folder that reads, and its number in the live tables."""

    reader: RowSource
    identity: tuple[int, int] | None
    number: int
    document: str = ""


class Refresher:
    """Keeps one connection's tables as the folders are.

    Attributes:
        done: True once the tables have been brought up to date.
    """

    def __init__(self, base: Path, connection: sqlite3.Connection, reader: Callable[[Path], RowSource]) -> None:
        self.done = False
        self._base, self._connection, self._reader = base, connection, reader
        self._known: dict[str, Signature] = {}  # what the file holds, by folder key
        self._version: int | None = None
        self._live: dict[str, _Live] = {}
        self._numbers = count(-1, -1)

    def refresh(self, most: int | None = None) -> int:
        """Bring the tables up to date.

        Args:
            most: of those that were never read, read at most so many, the ones touched last first; None for all.

        Returns:
            How many are still to be read.

        Raises:
            OSError: the base folder may not be read.
            sqlite3.Error: the index cannot be used.
        """
        self._learn()
        found = scan(self._base)
        known = self._known
        if found == known and not self._live:  # the usual case, at the speed of C
            self.done = True
            return 0
        changed = [pair for pair in found.items() if pair[1] is None or not self._knows(*pair)]
        self._remove_vanished(found)
        self._remove_settled(found)
        left = 0 if most is None else max(0, len(changed) - len(self._live) - most)
        self._read(self._newest(changed, most) if left else changed)
        self.done = not left
        return left

    def _knows(self, folder: str, sign: Signature | None) -> bool:
        return sign == (self._known.get(folder) or self._known.get(folder_key(folder)))

    def _newest(self, changed: Changed, most: int | None) -> Changed:
        """Give those that were never read and touched last; those that live are read again when all are known."""
        fresh = [pair for pair in changed if pair[0] not in self._live]
        return sorted(fresh, key=lambda pair: pair[1][2] if pair[1] else 0, reverse=True)[:most]

    def _learn(self) -> None:
        """Read what the file holds, unless nobody else has written to it since."""
        version = self._connection.execute("PRAGMA main.data_version").fetchone()[0]
        if version != self._version:
            rows = self._connection.execute("SELECT folder, inode, size, mtime FROM main.run")
            self._known = {folder: (inode, size, mtime) for folder, inode, size, mtime in rows}
            self._version = version

    def _remove_vanished(self, found: dict[str, Signature | None]) -> None:
        if not self._known.keys() - found.keys() - set(map(folder_key, found)):
            return
        with _transaction(self._connection, "IMMEDIATE"):
            gone = self._known.keys() - set(map(folder_key, scan(self._base)))
            stored = (self._stored(folder) for folder in gone)
            erase(self._connection, [row[0] for row in stored if row], "main.")
        for folder in gone:
            del self._known[folder]

    def _remove_settled(self, found: dict[str, Signature | None]) -> None:
        """Forget what lived and is gone, or is finished and in the file."""
        known = self._known
        done = [f for f in self._live if f not in found or known.get(folder_key(f)) == (found[f] or ())]
        self._forget(done)

    def _forget(self, folders: Sequence[str]) -> None:
        lives = [live for folder in folders if (live := self._live.pop(folder, None))]
        if lives:
            with _transaction(self._connection, "DEFERRED"):
                erase(self._connection, [live.number for live in lives], "temp.live_")

    def _read(self, changed: Changed) -> None:
        finished: list[tuple[_Live, Entry]] = []
        living: list[tuple[_Live, Entry]] = []
        for folder, sign in changed:
            live, entry = self._read_one(folder, sign)
            if entry is None:
                continue
            if live.reader.final and sign is not None and not _is_recent(sign):
                finished.append((live, entry))
            else:
                living.append((live, entry))
            if len(finished) >= _BATCH:
                living += self._store_finished(finished)
                finished = []
        living += self._store_finished(finished)
        self._store_living([(live, entry) for live, entry in living if entry.document != live.document])

    def _read_one(self, folder: str, sign: Signature | None) -> tuple[_Live, Entry | None]:
        """Read with the reader that knows the folder, or a new one when another folder stands in its place."""
        path = self._base / folder
        live, place = self._live.get(folder), identity(path)
        if live is None or live.identity != place:
            number = live.number if live else next(self._numbers)
            live = _Live(self._reader(path), place, number)
        row = live.reader.read()
        if row.status == "damaged" and identity(path) is None:
            return live, None  # it vanished while it was read
        return live, Entry(folder, sign, row, to_document(row))

    def _store_living(self, living: Sequence[tuple[_Live, Entry]]) -> None:
        if not living:
            return
        with _transaction(self._connection, "DEFERRED"):
            erase(self._connection, [live.number for live, _ in living], "temp.live_")
            write(self._connection, {live.number: entry for live, entry in living}, "temp.live_")
        for live, entry in living:
            live.document = entry.document
            self._live[entry.folder] = live

    def _store_finished(self, finished: Sequence[tuple[_Live, Entry]]) -> list[tuple[_Live, Entry]]:
        """Put finished experiments into the file; give back those about which the file knows something else."""
        if not finished:
            return []
        with _transaction(self._connection, "IMMEDIATE"):
            wanted = [entry for _, entry in finished if self._is_wanted(entry)]
            (last,) = self._connection.execute("SELECT coalesce(max(n), 0) FROM main.run").fetchone()
            write(self._connection, dict(enumerate(wanted, start=last + 1)), "main.")
        self._known.update((folder_key(entry.folder), entry.signature) for entry in wanted if entry.signature)
        self._forget([entry.folder for _, entry in finished if self._holds(entry)])
        return [(live, entry) for live, entry in finished if not self._holds(entry)]

    def _holds(self, entry: Entry) -> bool:
        """Tell whether the file is known to hold this very row."""
        return self._known.get(folder_key(entry.folder)) == entry.signature

    def _is_wanted(self, entry: Entry) -> bool:
        """Under the write lock: tell whether to write a row, and remove the one that it replaces."""
        stored = self._stored(folder_key(entry.folder))
        if stored is None:
            return True
        if stored[1:] == entry.signature:
            self._known[folder_key(entry.folder)] = stored[1:]  # another process was faster
            return False
        if signature(self._base / entry.folder) != entry.signature:
            return False  # changed since it was read: not known to be newer than what another process wrote
        erase(self._connection, [stored[0]], "main.")
        return True

    def _stored(self, key: str) -> tuple[int, int, int, int] | None:
        sql = "SELECT n, inode, size, mtime FROM main.run WHERE folder = ?"
        row: tuple[int, int, int, int] | None = self._connection.execute(sql, (key,)).fetchone()
        return row


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: str) -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _is_recent(sign: Signature) -> bool:
    """Tell whether the file might change once more without looking changed."""
    tick = _TICK_NS if sign[2] % 1_000_000_000 else _COARSE_TICK_NS
    return time.time_ns() - sign[2] < tick
