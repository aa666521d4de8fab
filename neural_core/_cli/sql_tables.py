"""The tables of ``neural sql``: experiments put into a DuckDB in memory, which is then locked up."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_core._manager import ExperimentManager
from neural_core._series import NO_STEP
from neural_core._storage.experiment.reader import RunReader
from neural_core.errors import NotInstalledError, QueryError
from neural_core.records import RunRow, Series

if TYPE_CHECKING:
    import duckdb

__all__ = ["ask"]

_MISSING = (
    'DuckDB is not installed, which `neural sql` asks. In a checkout of neural: pip install -e ".[sql]"; '
    'from the package index: pip install "neural-core[sql]"'
)
_LOCKS = (
    "SET enable_external_access = false",
    "SET python_enable_replacements = false",
    "SET lock_configuration = true",
)
_POINTS = "experiment_id VARCHAR, metric VARCHAR, step BIGINT, time TIMESTAMP, value DOUBLE"
_NUMBERS = {"DOUBLE": np.float64, "BIGINT": np.int64}
_BATCH = 1_000_000
_READING = ("SELECT", "EXPLAIN")
_Rows = list[tuple[Any, ...]]


def ask(query: str, base_dir: str, where: str | None) -> tuple[list[str], _Rows]:
    """Answer a query; give the names of its columns and its rows.

    Raises:
        NotInstalledError: DuckDB is not there.
        QueryError: the query or `where` does not parse, or wants more than to read.
        DamagedError: points are damaged that it needs.
    """
    try:
        import duckdb
    except ImportError:
        raise NotInstalledError(_MISSING) from None
    manager = ExperimentManager(base_dir)
    rows = manager.runs(where, limit=None)
    try:
        with duckdb.connect() as base:
            _refuse_changes(base, query)
            _fill(base, rows)
            if re.search(r"\bpoints\b", query, re.IGNORECASE):
                _fill_points(base, rows, manager.base_dir)
            for lock in _LOCKS:
                base.execute(lock)
            answer = base.execute(query)
            return [column[0] for column in answer.description or ()], answer.fetchall()
    except duckdb.Error as error:
        raise QueryError(str(error)) from error


def _refuse_changes(base: duckdb.DuckDBPyConnection, query: str) -> None:
    statements = base.extract_statements(query)
    if len(statements) != 1 or statements[0].type.name not in _READING:
        raise QueryError("give one query that reads: SELECT, WITH, FROM, DESCRIBE, SUMMARIZE, SHOW TABLES or EXPLAIN")


def _fill(base: duckdb.DuckDBPyConnection, rows: Sequence[RunRow]) -> None:
    lines: list[tuple[Any, ...]] = [
        (r.name, r.status, r.start_time, r.end_time, r.notes, r.artifacts, r.folder, r.error) for r in rows
    ]
    names: tuple[str, ...] = ("name", "status", "start_time", "end_time", "notes", "artifacts", "folder", "error")
    ids = [row.experiment_id for row in rows]
    _table(base, "runs", ids, names, lines, start_time="TIMESTAMP", end_time="TIMESTAMP", artifacts="BIGINT")
    ids, names, lines = _pairs(rows, lambda row: row.params, _param, ("value", "number"))
    _table(base, "params", ids, names, lines, number="DOUBLE")
    ids, names, lines = _pairs(rows, lambda row: row.tags, lambda value: {"value": value}, ("value",))
    _table(base, "tags", ids, names, lines)
    numbers = {
        f"{end}{step}": "BIGINT" if step else "DOUBLE" for end in ("last", "min", "max") for step in ("", "_step")
    }
    keys = ("count", *numbers)
    ids, names, lines = _pairs(
        rows, lambda row: row.metrics, lambda info: {key: getattr(info, key) for key in keys}, keys
    )
    _table(base, "metrics", ids, names, lines, count="BIGINT", **numbers)
    base.execute(f"CREATE TABLE points ({_POINTS})")


def _param(value: Any) -> dict[str, Any]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"value": None if value is None else str(value), "number": float(value) if is_number else None}


def _pairs(
    rows: Sequence[RunRow],
    of: Callable[[RunRow], Any],
    cells: Callable[[Any], dict[str, Any]],
    columns: Sequence[str],
) -> tuple[list[str], tuple[str, ...], list[tuple[Any, ...]]]:
    """Give a line for each pair of a mapping that every experiment has: ids, names of columns, lines."""
    found = [(row.experiment_id, name, cells(value)) for row in rows for name, value in of(row).items()]
    lines = [(name, *(values[key] for key in columns)) for _, name, values in found]
    return [one for one, _, _ in found], ("name", *columns), lines


def _table(
    base: duckdb.DuckDBPyConnection,
    table: str,
    ids: Sequence[str],
    names: Sequence[str],
    lines: Sequence[tuple[Any, ...]],
    **kinds: str,
) -> None:
    """Make a table of lines; columns are text, but for those of `kinds`."""
    columns = {"experiment_id": ids, **{name: [line[place] for line in lines] for place, name in enumerate(names)}}
    parts: dict[str, Any] = {}
    chosen = []
    for name, values in columns.items():
        kind = kinds.get(name, "VARCHAR")
        parts |= _arrays(name, values, kind)
        chosen.append(f'{_cell(name, kind)} AS "{name}"')
    base.register("given", parts)
    base.execute(f"CREATE TABLE {table} AS SELECT {', '.join(chosen)} FROM given")
    base.unregister("given")


def _cell(name: str, kind: str) -> str:
    """Give what SQL makes of the arrays of `_arrays`."""
    if kind not in _NUMBERS:
        return f'TRY_CAST("{name}" AS {kind})'
    nan = f"WHEN \"{name} nan\" THEN 'nan'::DOUBLE " if kind == "DOUBLE" else ""
    return f'CASE WHEN "{name} none" THEN NULL {nan}ELSE "{name}"::{kind} END'


def _arrays(name: str, values: Iterable[Any], kind: str) -> dict[str, Any]:
    """Give the arrays that DuckDB reads.

    It takes a NaN in an array for null, and before its 2.0 knows no masks: arrays beside it say which is what.
    """
    listed = list(values)
    if kind not in _NUMBERS:
        return {name: np.array([_text(value) for value in listed] or [None], object)[: len(listed)]}
    numbers = np.array([0 if value is None else value for value in listed], _NUMBERS[kind])
    arrays = {name: numbers, f"{name} none": np.array([value is None for value in listed], bool)}
    return arrays | ({f"{name} nan": np.isnan(numbers)} if kind == "DOUBLE" else {})


def _text(value: str | None) -> str | None:
    """Lone surrogates are no text to DuckDB."""
    return None if value is None else value.encode("utf-8", "backslashreplace").decode("utf-8")


def _fill_points(base: duckdb.DuckDBPyConnection, rows: Sequence[RunRow], folder: Path) -> None:
    """Fill the table of points, about a million at a time."""
    waiting: list[tuple[str, Series]] = []
    count = 0
    for row in rows:
        reader = RunReader(folder / row.folder)
        for name in reader.names():
            series = reader.series(name)
            waiting.append((row.experiment_id, series))
            count += len(series)
            if count >= _BATCH:
                _insert(base, waiting)
                waiting, count = [], 0
    if waiting:
        _insert(base, waiting)


def _insert(base: duckdb.DuckDBPyConnection, some: Sequence[tuple[str, Series]]) -> None:
    """Insert series; their ids and names go once, and each point says by a number which are its own."""
    own = np.repeat(np.arange(len(some)), [len(series) for _, series in some])
    step, time, value = (
        np.concatenate([getattr(series, key) for _, series in some]) for key in ("step", "time", "value")
    )
    flags = {"nan": np.isnan(value), "no_step": step == NO_STEP}
    base.register("given", {"own": own, "step": step, "time": time, "value": value, **flags})
    ids, names = [run for run, _ in some], [series.name for _, series in some]
    keys = _arrays("id", ids, "VARCHAR") | _arrays("name", names, "VARCHAR")
    base.register("keys", {"own": np.arange(len(some)), **keys})
    base.execute(
        "INSERT INTO points SELECT id, name, CASE WHEN no_step THEN NULL ELSE step END, "
        "make_timestamp(TRY_CAST(time * 1e6 AS BIGINT)), CASE WHEN nan THEN 'nan'::DOUBLE ELSE value END "
        "FROM given JOIN keys USING (own)"
    )
    base.unregister("given")
    base.unregister("keys")
