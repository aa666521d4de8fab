"""The questions an index answers, as SQL, and the rows that come back.

A question finds the numbers of its rows in the narrow tables; only the documents of those are read and parsed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from attrs import frozen

from neural_core._storage.index_document import from_document
from neural_core._storage.query import parse_filter, parse_order
from neural_core._storage.query_nodes import Node, Order
from neural_core._storage.query_sql import Parameters, condition, order_columns, sql_text
from neural_core.errors import DamagedError, QueryError
from neural_core.records import RunRow

__all__ = ["Selection", "fetch", "select_best", "select_count", "select_found", "select_runs"]

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


def select_runs(where: str | None, order_by: str | Sequence[str], limit: int, offset: int) -> Selection:
    """Ask for the runs that a filter selects, in order; -1 is no limit.

    Raises:
        QueryError: the filter or the order does not parse.
    """
    node, order = _parsed(where), parse_order(order_by)
    sql, terms, parameters = _union("run", node, order, {"limit": limit, "offset": offset})
    return Selection(f"{sql} ORDER BY {terms} LIMIT :limit OFFSET :offset", parameters)


def select_count(where: str | None) -> Selection:
    """Ask how many runs a filter selects, as the one number.

    Raises:
        QueryError: the filter does not parse.
    """
    sql, _, parameters = _union("run", _parsed(where), (), {})
    return Selection(f"SELECT count(*) FROM ({sql})", parameters)


def select_best(metric: str, mode: str, where: str | None, limit: int) -> Selection:
    """Ask for the runs with the smallest (mode ``min``) or largest (``max``) values of a metric.

    Raises:
        QueryError: the filter does not parse.
    """
    direction = "DESC" if mode == "max" else "ASC"
    start: Parameters = {"limit": limit, "metric": sql_text(metric)}
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
