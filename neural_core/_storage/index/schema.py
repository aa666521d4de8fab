"""The tables of the index, how they are opened, and how a row of a list is written into them.

The file holds finished experiments only: what it says of them can change only with their ``metadata.json``, whose
identity is kept beside it. Experiments that still change are each process's own sight, kept in the ``live_`` tables
of its connection; there a folder's row hides the one in the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from neural_core._storage.cache_folder import connect, open_file, remove_file
from neural_core._storage.index.document import from_document, to_text
from neural_core._storage.query.sql import found, sql_text, sql_value
from neural_core.records import RunRow

__all__ = ["SCHEMA_VERSION", "Entry", "Signature", "erase", "folder_key"]
__all__ += ["open_index", "open_memory", "write"]

SCHEMA_VERSION = 3

Signature = tuple[int, int, int]
"""Inode, size and mtime_ns of ``metadata.json``: another file has another one."""

_SCHEMA = """
CREATE TABLE {p}run (n INTEGER PRIMARY KEY, folder UNIQUE, inode, size, mtime,
    id, uid, name, status, start, end_time, notes);
CREATE TABLE {p}doc (n INTEGER PRIMARY KEY, doc);
CREATE TABLE {p}param (key, run INTEGER, value, PRIMARY KEY (key, run)) WITHOUT ROWID;
CREATE TABLE {p}tag (key, run INTEGER, value, PRIMARY KEY (key, run)) WITHOUT ROWID;
CREATE TABLE {p}metric (key, run INTEGER, count, last, last_step, min, min_step, max, max_step, PRIMARY KEY (key, run))
    WITHOUT ROWID;
"""
_FILE = _SCHEMA.format(p="main.") + "CREATE TABLE main.store (path, device, inode);"
_LIVE = _SCHEMA.format(p="temp.live_")
_WIDTH = {"run": 12, "doc": 2, "param": 3, "tag": 3, "metric": 9}


@frozen
class Entry:
    """One experiment on its way into the tables: its folder, what identified it there, and what was read."""

    folder: str
    signature: Signature | None
    row: RunRow
    document: str


def open_index(path: Path, store: Sequence[str]) -> sqlite3.Connection:
    """Open the index file of a store; one of another version, another store or none at all is made anew.

    Args:
        path: the file; its folder is created.
        store: real path, device and inode of the base folder, as text.

    Raises:
        OSError: the folder cannot be used for a cache.
        sqlite3.Error: likewise, found by SQLite.
    """
    for _ in range(2):
        connection = _try_open(path, store)
        if connection is not None:
            return connection
        remove_file(path)
    raise sqlite3.OperationalError(f"{path} was spoilt while it was made")


def open_memory() -> sqlite3.Connection:
    """Open an index that lives as long as its connection."""
    connection = connect(":memory:")
    _create(connection, ("", "", ""))
    return _prepare(connection)


def _try_open(path: Path, store: Sequence[str]) -> sqlite3.Connection | None:
    """Open the file; None when it is not the index of this store and has to go."""
    connection = None
    try:
        connection = open_file(path)
        if _belongs(connection, store):
            return _prepare(connection)
    except sqlite3.OperationalError:  # locked, unwritable, disk full: nothing is wrong with the file itself
        if connection is not None:
            connection.close()
        raise
    except sqlite3.DatabaseError:  # not a database, or a damaged one
        pass
    if connection is not None:
        connection.close()
    return None


def _belongs(connection: sqlite3.Connection, store: Sequence[str]) -> bool:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        _create(connection, store)
    elif version != SCHEMA_VERSION:
        return False
    try:
        return connection.execute("SELECT path, device, inode FROM main.store").fetchall() == [tuple(store)]
    except sqlite3.OperationalError:  # a database of somebody else
        return False


def _create(connection: sqlite3.Connection, store: Sequence[str]) -> None:
    """Create the tables in one transaction, unless another process was faster."""
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
        for statement in _FILE.split(";"):
            connection.execute(statement)
        connection.execute("INSERT INTO main.store VALUES (?, ?, ?)", tuple(store))
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _prepare(connection: sqlite3.Connection) -> sqlite3.Connection:
    connection.executescript("PRAGMA temp_store = MEMORY;" + _LIVE)
    connection.create_function("found", 2, found, deterministic=True)
    return connection


def write(connection: sqlite3.Connection, entries: Mapping[int, Entry], prefix: str) -> None:
    """Write rows under their numbers, inside the caller's transaction.

    Args:
        connection: an index.
        entries: by ``n``; none of these folders is in the tables.
        prefix: ``main.`` for finished experiments, ``temp.live_`` for living ones.
    """

    def insert(table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        marks = ", ".join("?" * _WIDTH[table])
        connection.executemany(f"INSERT OR REPLACE INTO {prefix}{table} VALUES ({marks})", rows)

    insert("run", (_run(n, entry) for n, entry in entries.items()))
    insert("doc", ((n, entry.document) for n, entry in entries.items()))
    for table, values in (("param", _params), ("tag", _tags), ("metric", _metrics)):
        insert(table, (line for n, entry in entries.items() for line in values(n, entry.row)))


def erase(connection: sqlite3.Connection, numbers: Iterable[int], prefix: str) -> None:
    """Remove rows, inside the caller's transaction; their documents name the keys to be found in the other tables.

    Raises:
        DamagedError: a document is none.
    """

    def delete(table: str, columns: str, values: Iterable[tuple[Any, ...]]) -> None:
        connection.executemany(f"DELETE FROM {prefix}{table} WHERE {columns}", values)

    for n in numbers:
        for (document,) in connection.execute(f"SELECT doc FROM {prefix}doc WHERE n = ?", (n,)).fetchall():
            row = from_document(document)
            for table, names in (("param", row.params), ("tag", row.tags), ("metric", row.metrics)):
                delete(table, "key = ? AND run = ?", ((sql_text(name), n) for name in names))
        delete("run", "n = ?", [(n,)])
        delete("doc", "n = ?", [(n,)])


def folder_key(folder: str) -> str:
    """Give the text that stands for a folder's name; a name that UTF-8 lacks gets one that no folder can have."""
    text = sql_text(folder)
    return text if text == folder else f"\0{text}"


def _run(n: int, entry: Entry) -> tuple[Any, ...]:
    row = entry.row
    texts = (row.experiment_id, row.uid, row.name, row.status, row.start_time, row.end_time, row.notes)
    return n, folder_key(entry.folder), *(entry.signature or (0, 0, 0)), *map(sql_value, texts)


def _params(n: int, row: RunRow) -> Iterator[tuple[Any, ...]]:
    for name, value in row.params.items():
        if value is not None:
            plain = value if isinstance(value, str | int | float) else to_text(value)
            yield sql_text(name), n, sql_value(plain)


def _tags(n: int, row: RunRow) -> Iterator[tuple[Any, ...]]:
    for name, text in row.tags.items():
        yield sql_text(name), n, sql_value(text)


def _metrics(n: int, row: RunRow) -> Iterator[tuple[Any, ...]]:
    for name, info in row.metrics.items():
        numbers = (info.count, info.last, info.last_step, info.min, info.min_step, info.max, info.max_step)
        yield sql_text(name), n, *map(sql_value, numbers)
