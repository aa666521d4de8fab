"""The index of a base folder: lists of experiments without reading them all again. A cache, never the truth.

It lives in the user's cache folder and may be deleted at any moment. The base folder is only ever read.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from attrs import frozen

from neural_core._storage.cache_folder import cache_folder, remove_file
from neural_core._storage.index import rows as index_rows
from neural_core._storage.index.refresh import Refresher, RowSource
from neural_core._storage.index.rows import Selection, Stored
from neural_core._storage.index.scan import identity
from neural_core._storage.index.schema import SCHEMA_VERSION, open_index, open_memory
from neural_core.errors import DamagedError
from neural_core.records import RunRow

__all__ = ["Index"]

T = TypeVar("T")

_SPOILT = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OF_PARENTS: list[sqlite3.Connection] = []  # closing these in a forked child could release the parent's locks


@frozen
class _Session:
    """An open index, of the base folder as it was then."""

    connection: sqlite3.Connection
    refresher: Refresher
    identity: tuple[int, int] | None
    path: Path | None


class Index:
    """The experiments of one base folder, as rows that can be filtered and ordered.

    The first question looks at the folder; afterwards `refresh` does. Where the cache folder cannot be used (not
    writable, a network file system, any error of SQLite) the index is made in memory: correct, slower.
    Threads may share an index.

    Attributes:
        base_dir: the folder of the experiments; it need not exist (yet).
    """

    def __init__(
        self,
        base_dir: Path,
        *,
        cache_dir: Path | None = None,
        row_reader: Callable[[Path], RowSource] | None = None,
    ) -> None:
        """Prepare an index; nothing is read or written before the first question.

        Args:
            base_dir: as above.
            cache_dir: the folder for the index file; NEURAL_CACHE_DIR or the user's cache folder when None.
            row_reader: makes the reader of one experiment's folder.
        """
        self.base_dir = Path(base_dir)
        self._cache_dir = cache_dir
        self._reader = row_reader or _default_reader
        self._session: _Session | None = None
        self._in_memory = False
        self._lock = threading.RLock()
        self._process = os.getpid()

    def refresh(self, most: int | None = None) -> int:
        """Look which experiments are there and read those that are new, changed or alive.

        Args:
            most: of those that were never read, read at most so many, the ones touched last first; None for all.

        Returns:
            How many are still to be read.

        Raises:
            OSError: the base folder may not be read.
        """
        return self._attempt(lambda session: session.refresher.refresh(most), looks=True)

    def stored(self) -> list[Stored]:
        """Give what the index file holds, the newest first, without a look at the folder."""
        return self._attempt(lambda session: index_rows.stored(session.connection), looks=True)

    def runs(
        self,
        where: str | None = None,
        order_by: str | Sequence[str] = "-start",
        limit: int | None = 100,
        offset: int = 0,
    ) -> list[RunRow]:
        """Give the experiments that a filter selects, in order.

        Args:
            where: a filter, see `neural_core._storage.query.language`; None or blank for all.
            order_by: fields, descending with ``-`` in front; ties go by start, id and folder.
            limit: at most so many, None for all.
            offset: how many to leave out first.

        Raises:
            QueryError: the filter or the order does not parse.
            ArgumentValueError: a negative limit or offset.
        """
        return self._rows(index_rows.select_runs(where, order_by, limit, offset))

    def count(self, where: str | None = None) -> int:
        """Give how many experiments a filter selects.

        Raises QueryError when the filter does not parse.
        """
        return self._attempt(lambda session: index_rows.select_count(where).numbers(session.connection))[0]

    def best(
        self, metric: str, mode: str | None = None, where: str | None = None, limit: int | None = 20
    ) -> list[tuple[RunRow, float, int | None]]:
        """Give the experiments with the best value of a metric, the best first: row, value, and step of the value.

        NaN and infinities never win: they are no experiment's smallest or largest value.

        Args:
            metric: the name of the metric.
            mode: ``min``, ``max``, or None to tell from the name (``val_loss``: min).
            where: a filter.
            limit: at most so many, None for all.

        Raises:
            ArgumentValueError: another mode, or a negative limit.
            QueryError: the filter does not parse.
        """
        mode = index_rows.direction_of(metric, mode)
        rows = self._rows(index_rows.select_best(metric, mode, where, limit))
        infos = [(row, row.metrics[metric]) for row in rows]
        picked = [(row, m.min, m.min_step) if mode == "min" else (row, m.max, m.max_step) for row, m in infos]
        return [(row, value, step) for row, value, step in picked if value is not None]

    def find(self, prefix: str) -> list[RunRow]:
        """Give the experiments with this id or uid; with none, those whose id or uid begins so (from 4 characters).

        More than one row means that the id is ambiguous: a copy, or too short a prefix.
        """
        rows = self._rows(index_rows.select_found(prefix, exact=True))
        return rows if rows or len(prefix) < 4 else self._rows(index_rows.select_found(prefix, exact=False))

    def close(self) -> None:
        """Close the index file; the next question opens it again."""
        with self._lock:
            session, self._session = self._session, None
            if session is None:
                return
            if self._process == os.getpid():
                session.connection.close()
            else:
                _OF_PARENTS.append(session.connection)

    def __enter__(self) -> Index:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_session", None) is not None:
            self.close()

    def _rows(self, selection: Selection) -> list[RunRow]:
        return self._attempt(lambda session: index_rows.fetch(session.connection, selection))

    def _attempt(self, work: Callable[[_Session], T], *, looks: bool = False) -> T:
        """Do the work on the file; on a new file when that is spoilt; else on an index in memory.

        Work that `looks` at the folder by itself, or not at all, does not wait for a first refresh.
        """
        if self._process != os.getpid():
            self._lock = threading.RLock()  # its holder may not exist in this process
            self.close()
            self._process = os.getpid()
        with self._lock:
            for _ in range(2):
                try:
                    return self._work(work, looks)
                except (sqlite3.Error, DamagedError, UnicodeDecodeError) as error:  # of an error's own text
                    if self._in_memory:
                        raise
                    self._give_up(error)
            self._in_memory = True
            self.close()
            return self._work(work, looks)

    def _work(self, work: Callable[[_Session], T], looks: bool) -> T:
        session = self._opened(looks)
        if not looks and not session.refresher.done:
            session.refresher.refresh()
        return work(session)

    def _opened(self, looks: bool) -> _Session:
        """Give the open index; before a look at the folder only while that is the one it was made for."""
        session = self._session
        if session is not None and (not looks or session.identity == identity(self.base_dir)):
            return session
        self.close()
        place = identity(self.base_dir)
        connection, path = self._connect(place)
        self._session = _Session(connection, Refresher(self.base_dir, connection, self._reader), place, path)
        return self._session

    def _connect(self, place: tuple[int, int] | None) -> tuple[sqlite3.Connection, Path | None]:
        base = os.path.realpath(self.base_dir)
        folder = Path(os.path.realpath(cache_folder(self._cache_dir)))
        if self._in_memory or place is None or folder.is_relative_to(base):
            return open_memory(), None
        store = (ascii(base), *map(str, place))
        name = hashlib.sha256("\n".join(store).encode()).hexdigest()[:20]
        path = folder / f"index-{name}-{SCHEMA_VERSION}.sqlite"
        try:
            return open_index(path, store), path
        except (sqlite3.Error, OSError):
            return open_memory(), None

    def _give_up(self, error: Exception) -> None:
        """Remove a spoilt file so that the next attempt makes a new one; leave one that merely fails alone."""
        path = self._session.path if self._session else None
        self.close()
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        try:
            if path is None or code not in _SPOILT:
                raise OSError("the file is not to blame, or there is none")
            remove_file(path)
        except OSError:
            self._in_memory = True


def _default_reader(directory: Path) -> RowSource:
    # overview reads with numpy, which a cold list need not load
    from neural_core._storage.experiment.overview import RowReader

    return RowReader(directory)
