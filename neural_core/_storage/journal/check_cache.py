"""Remembers how the full check of a stored file came out, so that unchanged bytes are not read twice.

A file is known by device, inode, size and mtime. Whatever goes wrong here means "not remembered", and the check
is made again.
"""

from __future__ import annotations

import functools
import os
import sqlite3
import time
from pathlib import Path

from neural_core._storage.cache_folder import cache_folder, open_file, remove_file
from neural_core._storage.forks import LockOfOneProcess

__all__ = ["REMEMBERED_FROM", "CheckCache", "shared_checks"]

REMEMBERED_FROM = 4 * 2**20
"""Bytes of a file below which a check costs less than the question whether it was made."""
_KEPT_SECONDS = 90 * 86_400
_FILE = "checks-1.sqlite"


class CheckCache:
    """Outcomes of checks, in this process and in one small file in the cache folder. Threads may share it."""

    def __init__(self, cache_dir: Path | None = None) -> None:
        """Prepare the cache; nothing is opened before the first question.

        Args:
            cache_dir: the folder for the file; NEURAL_CACHE_DIR or the user's cache folder when None.
        """
        self._cache_dir = cache_dir
        self._here: dict[str, str] = {}
        self._connection: sqlite3.Connection | None = None
        self._process: int | None = None
        self._lock = LockOfOneProcess()

    def get(self, status: os.stat_result) -> str | None:
        """Give the outcome that was put for a file in this very state, None when none is remembered."""
        key = _key(status)
        with self._lock:
            if key not in self._here:
                rows = self._execute("SELECT outcome FROM main.checked WHERE file = ?", (key,))
                if rows and isinstance(rows[0][0], str):
                    self._here[key] = rows[0][0]
            return self._here.get(key)

    def put(self, status: os.stat_result, text: str) -> None:
        """Remember an outcome.

        Args:
            status: the file's state, taken before its bytes were read.
            text: the outcome, any text that UTF-8 can hold.
        """
        key = _key(status)
        with self._lock:
            self._here[key] = text
            self._execute("INSERT OR REPLACE INTO main.checked VALUES (?, ?, ?)", (key, text, time.time()))

    def close(self) -> None:
        """Close the file; a later question works without it."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
                self._connection = None
            self._process = os.getpid()

    def __del__(self) -> None:
        # At the end of the interpreter the modules may be gone before this object is.
        if getattr(self, "_connection", None) is not None and os is not None:
            self.close()

    def _execute(self, sql: str, values: tuple[str | float, ...]) -> list[tuple[object, ...]]:
        """Ask the file; every failure ends its use in this process."""
        if self._process is None:
            self._process = os.getpid()
            self._connection = _open(cache_folder(self._cache_dir) / _FILE)
        if self._connection is None or self._process != os.getpid():
            return []  # a forked child leaves the parent's connection alone
        try:
            return self._connection.execute(sql, values).fetchall()
        except (sqlite3.Error, UnicodeError):
            self._connection.close()
            self._connection = None
            return []


@functools.cache
def shared_checks() -> CheckCache:
    """Give the cache that all readers of this process share."""
    return CheckCache()


def _open(path: Path) -> sqlite3.Connection | None:
    """Open the file, make a spoilt one anew, and drop what is old; None when there is no using it."""
    for _ in range(2):
        connection = None
        try:
            connection = open_file(path)
            connection.execute("CREATE TABLE IF NOT EXISTS checked (file PRIMARY KEY, outcome, time) WITHOUT ROWID")
            connection.execute("DELETE FROM checked WHERE time < ?", (time.time() - _KEPT_SECONDS,))
            return connection
        except (sqlite3.Error, OSError) as error:
            if connection is not None:
                connection.close()
            if isinstance(error, OSError) or not _remove(path, error):
                return None
    return None


def _remove(path: Path, error: sqlite3.Error) -> bool:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return False
    try:
        remove_file(path)
    except OSError:
        return False
    return True


def _key(status: os.stat_result) -> str:
    return f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
