"""From the tree of a filter to SQL over the tables of the index.

Every comparison becomes a condition that is true or false, never NULL: a field's rows are asked for in a set
(``n IN (SELECT run …)``), so what is absent is in no set and ``NOT`` of it is true.

A value is one column without affinity, and SQLite's storage classes keep the types apart: numbers are REAL, text
is TEXT, and booleans and NaN are the short blobs below. Numbers sort before text and text before blobs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from neural_core._storage.query.nodes import And, Compare, Field, Matches, Node, Not, Or, Order, Value, Within

__all__ = ["Parameters", "SqlValue", "condition", "found", "order_columns", "sql_text", "sql_value"]

SqlValue: TypeAlias = float | str | bytes | None
Parameters: TypeAlias = dict[str, SqlValue]
FALSE, TRUE, NAN = b"\x00", b"\x01", b"nan"
_TABLES = {"params": "param", "tags": "tag", "metrics": "metric"}
_SORTED = "CASE {0} WHEN x'00' THEN 0 WHEN x'01' THEN 1 WHEN x'6e616e' THEN NULL ELSE {0} END"


def sql_text(text: str) -> str:
    """Give text that SQLite can keep: a lone surrogate, which UTF-8 lacks, becomes its escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def sql_value(value: str | float | bool | None) -> SqlValue:
    """Give what stands in a value column for a Python value; an integer beyond the doubles is infinite."""
    if value is None:
        return None
    if isinstance(value, str):
        return sql_text(value)
    if isinstance(value, bool):
        return TRUE if value else FALSE
    try:
        number = float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    return NAN if math.isnan(number) else number


def condition(node: Node, parameters: Parameters, prefix: str) -> str:
    """Give the SQL condition on ``n`` of a filter, and put its values into `parameters`.

    Args:
        node: the filter.
        parameters: grows; equal ones before the call are equal ones after it, whatever the prefix.
        prefix: of the tables: ``main.`` or ``temp.live_``.
    """
    match node:
        case Not():
            return f"NOT {condition(node.term, parameters, prefix)}"
        case And() | Or():
            word = " AND " if isinstance(node, And) else " OR "
            return f"({word.join(condition(term, parameters, prefix) for term in node.terms)})"
        case Compare():
            return _compare(node, parameters, prefix)
        case Within():
            return _within(node, parameters, prefix)
        case Matches():
            return _matches(node, parameters, prefix)


def order_columns(order: Sequence[Order], parameters: Parameters, prefix: str) -> tuple[list[str], list[str]]:
    """Give the columns to select beside ``n``, and the ``ORDER BY`` terms made of them alone.

    A merge of two ordered selections wants each term as a column. Descending, SQLite puts NULL last by itself.
    """
    columns, terms = [], []
    for i, key in enumerate(order):
        value = _single(key.field, parameters, prefix)
        columns.append(f"{value} AS k{i}")
        if key.descending:
            terms.append(f"k{i} DESC")
        else:
            columns.append(f"{value} IS NULL AS a{i}")
            terms += [f"a{i}", f"k{i}"]
    return [*columns, "start IS NULL AS u", "start", "id", "folder"], [*terms, "u", "start", "id", "folder"]


def found(pattern: str, value: object) -> bool:
    """Search text for a regular expression: the SQL function ``found``."""
    return isinstance(value, str) and _compiled(pattern).search(value) is not None


_compiled = lru_cache(maxsize=64)(re.compile)


def _compare(node: Compare, parameters: Parameters, prefix: str) -> str:
    if node.value is None:
        present = _where(node.field, lambda column: f"{column} IS NOT NULL", parameters, prefix)
        return present if node.operator == "!=" else f"(NOT {present})"
    return _where(node.field, _test(node.operator, node.value, parameters), parameters, prefix)


def _test(operator: str, value: Value, parameters: Parameters) -> Callable[[str], str]:
    """The test of one column; an order holds only inside the storage class of its literal."""
    if operator in ("=", "!="):
        bound = _bind(sql_value(value), parameters)
        return lambda column: f"{column} {'=' if operator == '=' else '<>'} {bound}"
    if isinstance(value, float) and math.isnan(value):
        return lambda column: "0"
    bound = _bind(sql_value(value), parameters)
    if isinstance(value, str):
        edge = "< x''" if operator[0] == ">" else ">= ''"
    else:
        edge = "<= 9e999" if operator[0] == ">" else "IS NOT NULL"
    return lambda column: f"{column} {operator} {bound} AND {column} {edge}"


def _within(node: Within, parameters: Parameters, prefix: str) -> str:
    names = [_bind(sql_value(value), parameters) for value in node.values if value is not None]
    sign = "NOT IN" if node.negated else "IN"
    listed = ", ".join(names)
    sql = _where(node.field, lambda column: f"{column} IS NOT NULL AND {column} {sign} ({listed})", parameters, prefix)
    if node.negated or None not in node.values:
        return sql
    present = _where(node.field, lambda column: f"{column} IS NOT NULL", parameters, prefix)
    return f"({sql} OR NOT {present})"


def _matches(node: Matches, parameters: Parameters, prefix: str) -> str:
    pattern = _bind(sql_text(node.pattern), parameters)
    sign = "NOT " if node.negated else ""
    return _where(
        node.field, lambda column: f"{column} IS NOT NULL AND {sign}found({pattern}, {column})", parameters, prefix
    )


def _where(field: Field, test: Callable[[str], str], parameters: Parameters, prefix: str) -> str:
    if field.group == "run":
        return f"coalesce({test(field.name)}, 0)"
    key, column = _bind(sql_text(field.name), parameters), field.part or "value"
    return f"(n IN (SELECT run FROM {prefix}{_TABLES[field.group]} WHERE key = {key} AND {test(column)}))"


def _single(field: Field, parameters: Parameters, prefix: str) -> str:
    """The field's value of the run at hand as it sorts, NULL when it has none."""
    if field.group == "run":
        return field.name
    key, column = _bind(sql_text(field.name), parameters), field.part or "value"
    table = f"{prefix}{_TABLES[field.group]}"
    return f"(SELECT {_SORTED.format(column)} FROM {table} WHERE key = {key} AND run = n)"


def _bind(value: Any, parameters: Parameters) -> str:
    name = f"p{len(parameters)}"
    parameters[name] = value
    return f":{name}"
