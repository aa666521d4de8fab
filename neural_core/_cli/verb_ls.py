"""``neural ls``: a table of experiments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from neural_core._cli.columns import Column, parse_columns
from neural_core._cli.output import (
    base_dir_option,
    legible,
    number,
    print_json,
    print_table,
    say,
    status_text,
    terminal_width,
    when,
)
from neural_core._manager import ExperimentManager
from neural_core._row_documents import row_document
from neural_core.records import RunRow

__all__ = ["command"]

_METRICS = 3
_NUMBER = 9
_OTHER_COLUMNS = 12 + 2 + 12 + 2 + 11 + 2 + 16
"""Characters for id, name, status and start; the name takes more where there is room."""
_JUDGED = ("val", "valid", "validation", "test", "eval")
_EPILOG = """
\b
neural ls --where "params.lr < 0.01 and status = 'completed'"
neural ls --sort metrics.val_loss.min --limit 5
neural ls --columns id,name,lr,metrics.val_loss.min,tags

docs/queries.md explains filters and orders, docs/cli.md columns.
"""


@click.command(epilog=_EPILOG)
@base_dir_option
@click.option("--where", metavar="FILTER", help="Only these.")
@click.option("--sort", default="-start", show_default=True, metavar="KEYS", help="Order; - turns a key round.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(0), help="At most so many; 0 for all.")
@click.option("--columns", metavar="NAMES", help="Only these columns, in this order, with commas between.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Show this metric; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, or the columns, as JSON.")
def command(
    base_dir: str,
    where: str | None,
    sort: str,
    limit: int,
    columns: str | None,
    metrics: Sequence[str],
    as_json: bool,
) -> None:
    """List experiments, newest first, with the last values of a few metrics."""
    manager = ExperimentManager(base_dir)
    rows = manager.runs(where, sort, limit=limit + 1 if limit else None)
    more = bool(limit) and len(rows) > limit
    rows = rows[:limit] if limit else rows
    chosen = None if columns is None or not rows else parse_columns(columns, rows)
    if as_json:
        print_json([_document(row, manager, chosen) for row in rows])
    elif rows:
        if chosen is None:
            _table(rows, list(metrics) or _common(rows))
        else:
            _chosen_table(rows, chosen)
        _tell_damaged(rows)
        if more:
            say(f"... and more: --limit 0 shows all, --where chooses among those in {manager.base_dir}")
    else:
        which = "no experiment matches" if where else "no experiments"
        say(f"{which} in {manager.base_dir}")


def _document(row: RunRow, manager: ExperimentManager, chosen: Sequence[Column] | None) -> dict[str, object]:
    if chosen is None:
        return row_document(row, str(manager.base_dir / row.folder))
    return {column.heading: column.value(row) for column in chosen}


def _table(rows: Sequence[RunRow], metrics: Sequence[str]) -> None:
    cells = [
        [
            row.experiment_id,
            row.name,
            status_text(row),
            when(row.start_time),
            *(number(row.metrics[name].last) if name in row.metrics else "" for name in metrics),
        ]
        for row in rows
    ]
    print_table(["id", "name", "status", "start (UTC)", *metrics], cells, right=metrics, fold=["name"])


def _chosen_table(rows: Sequence[RunRow], chosen: Sequence[Column]) -> None:
    cells = [
        [status_text(row) if column.heading == "status" else column.text(row) for column in chosen] for row in rows
    ]
    print_table(
        [column.heading for column in chosen],
        cells,
        right=[column.heading for column in chosen if column.is_number(rows)],
        fold=[column.heading for column in chosen if column.heading != "id"],
    )


def _tell_damaged(rows: Sequence[RunRow]) -> None:
    for row in rows:
        if row.error:
            say(f"damaged: {row.folder}: {row.error}")


def _common(rows: Sequence[RunRow]) -> list[str]:
    """Give the metrics that most experiments have, those of a validation first, as far as the line holds them."""
    counts = Counter(name for row in rows for name in row.metrics)
    room = terminal_width() - _OTHER_COLUMNS
    chosen: list[str] = []
    for name in sorted(counts, key=lambda name: (-counts[name], not _is_judged(name)))[:_METRICS]:
        room -= max(len(legible(name)), _NUMBER) + 2
        if room >= 0:
            chosen.append(name)
    return chosen


def _is_judged(name: str) -> bool:
    words = "".join(c if c.isalnum() else " " for c in name.lower()).split()
    return any(word in _JUDGED for word in words)
