"""What the verbs share: options, and output that no stored name can forge.

Names, tags and errors come from anybody. Control characters are written as escapes, and nothing is read as markup.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from neural_core._storage.folder import DEFAULT_BASE_DIR
from neural_core.errors import ConfigurationError
from neural_core.records import RunRow

__all__ = [
    "base_dir_option",
    "legible",
    "make_folder",
    "number",
    "print_json",
    "print_pairs",
    "print_table",
    "say",
    "status_text",
    "strict",
    "terminal_width",
    "when",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])
_DIGITS = 5
_STYLES = {
    "completed": "green",
    "running": "cyan",
    "failed": "red",
    "damaged": "bold red",
    "interrupted": "yellow",
    "stalled": "yellow",
}


def base_dir_option(command: _Command) -> _Command:
    """Give a verb the option ``--base-dir``."""
    return click.option(
        "--base-dir",
        metavar="DIR",
        callback=_base_dir,
        help=f"Folder of the experiments. [default: NEURAL_DIR, else {DEFAULT_BASE_DIR}]",
    )(command)


def _base_dir(_: click.Context, __: click.Parameter, value: str | None) -> str:
    # NEURAL_DIR stands in for the default only, not for a folder that was named.
    return DEFAULT_BASE_DIR if value is None else os.path.abspath(value)  # noqa: PTH100 - takes an empty text as "."


def legible(text: object) -> str:
    r"""Give text on one line without a character that a terminal acts upon: ``\n``, ``\x1b`` and the like escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text))


def say(text: object) -> None:
    """Write a line."""
    click.echo(legible(text))


def make_folder(folder: Path) -> None:
    """Make a folder for output, with those above it.

    Raises:
        ConfigurationError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise ConfigurationError(f"cannot make the folder {folder}: {reason}; name another place") from error


def number(value: float | None) -> str:
    """Give a number short enough for a column."""
    return "" if value is None else f"{value:.{_DIGITS}g}"


def when(time: str | None) -> str:
    """Give a UTC time to the minute."""
    return "" if time is None else time[:16].replace("T", " ")


def strict(value: Any) -> Any:
    """Give what strict JSON holds: numbers that are not finite as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    return value


def print_json(value: Any) -> None:
    """Write JSON, ASCII only."""
    click.echo(json.dumps(strict(value), indent=2, allow_nan=False))


def status_text(row: RunRow) -> Any:
    """Give the status with its colour; the word says all by itself."""
    from rich.text import Text

    return Text(legible(row.status), style=_STYLES.get(row.status, ""))


def _console() -> Any:
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = 10_000  # a pipe has no margin: nothing is cut for it
    return console


def terminal_width() -> int:
    """Give how many characters fit on a line."""
    width: int = _console().width
    return width


def print_table(
    headings: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Sequence[str] = (), fold: Sequence[str] = ()
) -> None:
    """Write a table; cells are text, or rich texts of ours.

    Args:
        headings: of the columns.
        rows: a cell for each column.
        right: headings of the columns that are numbers.
        fold: headings of the columns that may take several lines where the terminal is narrow.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    for heading in headings:
        justify: Literal["left", "right"] = "right" if heading in right else "left"
        table.add_column(Text(legible(heading)), justify=justify, no_wrap=heading not in fold, overflow="fold")
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(legible(cell)) for cell in row))
    _console().print(table)


def print_pairs(title: str, pairs: Iterable[tuple[object, object]]) -> None:
    """Write names and values under a title; nothing when there are none."""
    listed = [(legible(name), legible(value)) for name, value in pairs]
    if listed:
        click.echo(f"\n{legible(title)}")
        width = max(len(name) for name, _ in listed)
        for name, value in listed:
            click.echo(f"  {name:<{width}}  {value}")
