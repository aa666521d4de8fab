"""The columns of ``neural ls``: ``lr, metrics.val_loss.min, tags``; fields as in filters, and short names for them."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

from attrs import frozen

from neural_core._cli.output import number, when
from neural_core._storage.query.language import parse_order
from neural_core._storage.query.nodes import Field
from neural_core.errors import ArgumentValueError
from neural_core.records import RunRow

__all__ = ["WORDS", "Column", "parse_columns"]

WORDS = ("id", "name", "status", "start", "end", "duration", "notes", "tags", "params", "points", "artifacts", "folder")
"""Columns that are no field of a filter, or are called as one."""

_PIECES = re.compile(r"""(?:[^,'"`]|'[^']*'|"[^"]*"|`[^`]*`|['"`])+""")
_GROUPS = ("params", "metrics", "tags")


@frozen
class Column:
    """One column: its heading as the user wrote it, and what it shows."""

    heading: str
    field: Field

    def value(self, row: RunRow) -> Any:
        """Give what the column holds of an experiment; None when there is nothing."""
        match self.field.group:
            case "params":
                return row.params.get(self.field.name)
            case "tags":
                return row.tags.get(self.field.name)
            case "metrics":
                info = row.metrics.get(self.field.name)
                return None if info is None else getattr(info, self.field.part)
        return _of_run(row, self.field.name)

    def text(self, row: RunRow) -> str:
        """Give it short enough for a table."""
        value = self.value(row)
        if self.field.group == "run" and self.field.name in ("start", "end"):
            return when(value)
        if self.field.group == "run" and isinstance(value, dict):
            return ", ".join(f"{name}={text}" if text != "" else name for name, text in value.items())
        return "" if value is None else number(value) if isinstance(value, float) else str(value)

    def is_number(self, rows: Sequence[RunRow]) -> bool:
        """Tell whether all that it shows are numbers."""
        values = [value for row in rows if (value := self.value(row)) is not None]
        return bool(values) and all(isinstance(one, int | float) and not isinstance(one, bool) for one in values)


def _of_run(row: RunRow, name: str) -> Any:
    match name:
        case "id":
            return row.experiment_id
        case "start":
            return row.start_time
        case "end":
            return row.end_time
        case "duration":
            return _duration(row)
        case "points":
            return sum(info.count for info in row.metrics.values())
        case "tags" | "params":
            return dict(getattr(row, name))
    return getattr(row, name)


def _duration(row: RunRow) -> str | None:
    if row.end_time is None:
        return None
    try:
        start, end = (datetime.datetime.fromisoformat(time) for time in (row.start_time, row.end_time))
        passed = max(end - start, datetime.timedelta(0))  # the clock may have been set back meanwhile
    except (ValueError, TypeError):  # not ISO 8601, or one of the two without a zone
        return None
    return str(passed).split(".")[0]


def parse_columns(text: str, rows: Sequence[RunRow]) -> list[Column]:
    """Give the columns that a text names.

    Args:
        text: names with commas between: a word of `WORDS`, a field of a filter, or the bare name of a hyperparameter,
            metric or tag that one of the experiments has.
        rows: the experiments that are listed.

    Raises:
        ArgumentValueError: a name that is nothing of the kind.
        QueryError: a field that does not parse.
    """
    pieces = [piece.strip() for piece in _PIECES.findall(text)]
    if not any(pieces):
        raise ArgumentValueError("--columns is empty: name columns with commas between, as in id,name,metrics.loss.min")
    return [Column(piece, _field(piece, rows)) for piece in pieces if piece]


def _field(piece: str, rows: Sequence[RunRow]) -> Field:
    word = {"start_time": "start", "end_time": "end"}.get(piece, piece)
    if word in WORDS:
        return Field("run", word)
    if piece.partition(".")[0] in _GROUPS and "." in piece:
        return parse_order(piece)[0].field
    bare = piece[1:-1] if len(piece) > 2 and piece[0] == piece[-1] and piece[0] in "'\"`" else piece
    if any(bare in row.params for row in rows):
        return Field("params", bare)
    if any(bare in row.metrics for row in rows):
        return Field("metrics", bare, "last")
    if any(bare in row.tags for row in rows):
        return Field("tags", bare)
    raise ArgumentValueError(
        f"no column {piece!r}: no experiment of the list has a hyperparameter, metric or tag of this name; "
        f"others are {', '.join(WORDS)}, params.NAME, metrics.NAME.min, tags.NAME"
    )
