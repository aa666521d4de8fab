"""The questions an index answers, as SQL, and the rows that come back.

A question finds the numbers of its rows in the narrow tables; only the documents of those are read and parsed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from attrs import frozen

from neural_core._storage.index.document import from_document
from neural_core._storage.index.schema import Signature
from neural_core._storage.query.language import parse_filter, parse_order
from neural_core._storage.query.nodes import Node, Order
from neural_core._storage.query.sql import Parameters, condition, order_columns, sql_text
from neural_core.errors import ArgumentValueError, DamagedError, QueryError
from neural_core.records import RunRow

__all__ = ["Selection", "Stored", "direction_of", "fetch", "select_best", "select_count", "select_found"]
__all__ += ["select_runs", "stored"]

_ARMS = {"main.": "folder NOT IN (SELECT folder FROM temp.live_run)", "temp.live_": "1"}
_CHUNK = 400  # twice as many values, of which old versions of SQLite take 999


@frozen
class Selection:
    """One question: SQL whose first column is ``n``, and its parameters."""

    sql: str
    parameters: Parameters

    def numbers(self, connection: sqlite3.Connection) -> list[int]:
        """Give the first column, in order.

        Raises:
            QueryError: more values than this SQLite takes.
        """
        most = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        if len(self.parameters) > most:
            raise QueryError(f"the filter holds {len(self.parameters)} values, this SQLite takes at most {most}")
        return [row[0] for row in connection.execute(self.sql, self.parameters)]


@frozen
class Stored:
    """A row as the file holds it: the key of its folder, what identified that then, and the row's document."""

    key: str
    signature: Signature
    document: str


def select_runs(where: str | None, order_by: str | Sequence[str], limit: int | None, offset: int) -> Selection:
    """Ask for the runs that a filter selects, in order; None is no limit.

    Raises:
        QueryError: the filter or the order does not parse.
        ArgumentValueError: a negative limit or offset.
    """
    node, order = _parsed(where), parse_order(order_by)
    sql, terms, parameters = _union("run", node, order, {"limit": _limit(limit), "offset": _limit(offset)})
    return Selection(f"{sql} ORDER BY {terms} LIMIT :limit OFFSET :offset", parameters)


def select_count(where: str | None) -> Selection:
    """Ask how many runs a filter selects, as the one number.

    Raises:
        QueryError: the filter does not parse.
    """
    sql, _, parameters = _union("run", _parsed(where), (), {})
    return Selection(f"SELECT count(*) FROM ({sql})", parameters)


def select_best(metric: str, mode: str, where: str | None, limit: int | None) -> Selection:
    """Ask for the runs with the smallest (mode ``min``) or largest (``max``) values of a metric; None is no limit.

    Raises:
        QueryError: the filter does not parse.
        ArgumentValueError: a negative limit.
    """
    direction = "DESC" if mode == "max" else "ASC"
    start: Parameters = {"limit": _limit(limit), "metric": sql_text(metric)}
    test = f"key = :metric AND {mode} IS NOT NULL"
    sql, terms, parameters = _union("metric JOIN {0}run ON n = run", _parsed(where), (), start, f"{mode} AS v", test)
    return Selection(f"{sql} ORDER BY v {direction}, {terms} LIMIT :limit", parameters)


def select_found(prefix: str, *, exact: bool) -> Selection:
    """Ask for the runs with this id or uid, or with one that begins so."""
    tests = (f"{c} = :prefix" if exact else f"substr({c}, 1, length(:prefix)) = :prefix" for c in ("id", "uid"))
    sql, terms, parameters = _union("run", None, (), {"prefix": sql_text(prefix)}, test=f"({' OR '.join(tests)})")
    return Selection(f"{sql} ORDER BY {terms}", parameters)


def fetch(connection: sqlite3.Connection, selection: Selection) -> list[RunRow]:
    """Give the rows of a selection.

    Raises:
        DamagedError: a document of the index is missing or is none.
    """
    connection.execute("BEGIN")  # another process must not remove rows between the two looks
    try:
        return list(_documents(connection, selection.numbers(connection)))
    finally:
        connection.execute("ROLLBACK")


def stored(connection: sqlite3.Connection) -> list[Stored]:
    """Give what the file holds, the newest first."""
    sql = "SELECT folder, inode, size, mtime, doc FROM main.run JOIN main.doc USING (n) ORDER BY start DESC"
    return [Stored(folder, (inode, size, time), doc) for folder, inode, size, time, doc in connection.execute(sql)]


def direction_of(metric: str, mode: str | None) -> str:
    """Give ``min`` or ``max``: what was asked for, or what the name of the metric tells.

    Raises:
        ArgumentValueError: another word.
    """
    if mode is None:
        from neural_core._series import lower_is_better  # _series loads numpy, which listing need not

        return "min" if lower_is_better(metric) else "max"
    if mode not in ("min", "max"):
        raise ArgumentValueError(f"mode must be 'min', 'max' or None, not {mode!r}")
    return mode


def _limit(number: int | None) -> int:
    if number is not None and number < 0:
        raise ArgumentValueError(f"limit and offset must not be negative, and {number} is; None is no limit")
    return -1 if number is None else number


def _parsed(where: str | None) -> Node | None:
    if where is None or (isinstance(where, str) and not where.strip()):
        return None
    return parse_filter(where)


def _union(
    tables: str, node: Node | None, order: Sequence[Order], start: Parameters, value: str = "0 AS v", test: str = "1"
) -> tuple[str, str, Parameters]:
    """Make one selection from the file and one from the living, which SQLite merges by the order of the whole.

    Returns:
        SQL without its ORDER BY, the terms for that, and the parameters.
    """
    arms, terms, parameters = [], [""], start
    for prefix, visible in _ARMS.items():
        parameters = dict(start)  # both arms give the same names to the same values
        columns, terms = order_columns(order, parameters, prefix)
        chosen = condition(node, parameters, prefix) if node else "1"
        source = f"{prefix}{tables.format(prefix)}"
        arms.append(f"SELECT n, {value}, {', '.join(columns)} FROM {source} WHERE {visible} AND {test} AND {chosen}")
    return " UNION ALL ".join(arms), ", ".join(terms), parameters


def _documents(connection: sqlite3.Connection, numbers: Sequence[int]) -> Iterator[RunRow]:
    for start in range(0, len(numbers), _CHUNK):
        chunk = numbers[start : start + _CHUNK]
        marks = ", ".join("?" * len(chunk))
        arms = (f"SELECT n, doc FROM {table} WHERE n IN ({marks})" for table in ("main.doc", "temp.live_doc"))
        found: dict[int, str] = dict(connection.execute(" UNION ALL ".join(arms), [*chunk, *chunk]))
        for number in chunk:
            if number not in found:
                raise DamagedError("the index has lost a document")
            yield from_document(found[number])
