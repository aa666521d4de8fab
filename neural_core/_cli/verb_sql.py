"""``neural sql``: DuckDB over experiments."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from typing import Any

import click

from neural_core._cli.output import base_dir_option, legible, number, print_json, print_table, say
from neural_core._exporting import cell

__all__ = ["command"]

_EPILOG = """
\b
runs      experiment_id, name, status, start_time, end_time, notes, artifacts, folder, error
params    experiment_id, name, value (text), number (double, null for text)
tags      experiment_id, name, value
metrics   experiment_id, name, count, last, last_step, min, min_step, max, max_step
points    experiment_id, metric, step, time, value: every point, of live experiments too

\b
neural sql "SELECT name, status FROM runs ORDER BY start_time"
neural sql "SELECT p.number AS lr, min(m.min) AS loss FROM params p JOIN metrics m USING (experiment_id)
            WHERE p.name = 'lr' AND m.name = 'val_loss' GROUP BY lr ORDER BY loss"
neural sql "SELECT metric, avg(value) FROM points WHERE step >= 100 GROUP BY metric" --csv
"""


@click.command(epilog=_EPILOG)
@click.argument("query", metavar="QUERY")
@base_dir_option
@click.option("--where", metavar="FILTER", help="Only these experiments; a filter of neural, which reads fewer files.")
@click.option("--json", "as_json", is_flag=True, help="The rows as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="The rows as CSV.")
def command(query: str, base_dir: str, where: str | None, as_json: bool, as_csv: bool) -> None:
    """Ask in SQL (DuckDB). QUERY reads the tables below and nothing else: no file, no network, no change.

    It needs the extra sql: pip install "neural-core[sql]".
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    from neural_core._cli.sql_tables import ask

    names, rows = ask(query, base_dir, where)
    if as_json:
        print_json([dict(zip(names, map(_plain, row), strict=True)) for row in rows])
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow([cell(name) for name in names])
        writer.writerows([_csv(value) for value in row] for row in rows)
    else:
        _table(names, rows)


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    right = [name for place, name in enumerate(names) if rows and all(_is_number(row[place]) for row in rows)]
    headings = [name if names.index(name) == place else f"{name} " for place, name in enumerate(names)]
    print_table(headings, [[_text(value) for value in row] for row in rows], right=right, fold=headings)
    if not rows:
        say("no rows")


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _text(value: Any) -> str:
    return "" if value is None else number(value) if isinstance(value, float) else str(value)


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str | list | dict | None) else str(value)


def _csv(value: Any) -> object:
    # Beside a terminal, legible: a name must not forge a line.
    if isinstance(value, str):
        return cell(legible(value) if sys.stdout.isatty() else value)
    return "" if value is None else value
