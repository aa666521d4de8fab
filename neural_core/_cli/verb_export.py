"""``neural export``: experiments in formats of others."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, cast

import click

from neural_core import _exporting
from neural_core._cli.arguments import find_all, ids_argument
from neural_core._cli.output import base_dir_option, legible, make_folder
from neural_core._manager import ExperimentManager
from neural_core._plotting.render import replacing
from neural_core._storage.experiment.reader import RunReader

__all__ = ["command"]

_EPILOG = """
\b
neural export 3f2a > rows.csv                            a line for each log_metrics call
neural export 3f2a --format parquet --output run.parquet
neural export 3f2a 91bc --format parquet --output data/  a file for each experiment
neural export 3f2a 91bc --format html --output page.html
neural export 3f2a --format json | jq .experiments
"""
_TEXTS: dict[str, Callable[[Sequence[Path], IO[str]], None]] = {
    "csv": _exporting.write_csv,
    "json": _exporting.write_json,
}
_FORMATS = ("csv", "parquet", "html", "json")


@click.command(epilog=_EPILOG)
@ids_argument()
@base_dir_option
@click.option("--format", "kind", type=click.Choice(_FORMATS), help="[default: as --output ends, else csv]")
@click.option("--output", metavar="FILE", help="Where to. [default: standard output; csv and json only]")
@click.pass_context
def command(context: click.Context, ids: Sequence[str], base_dir: str, kind: str | None, output: str | None) -> None:
    """Write the experiments ID... with every row that was logged.

    csv: the columns are experiment_id, experiment_name, step, time (Unix seconds) and each metric. parquet: step, time
    and each metric, one file an experiment. json: everything. html: one page with charts.

    Status 1 when something is damaged: it is named, and what is sound is written.
    """
    chosen = kind or _by_name(output)
    manager = ExperimentManager(base_dir)
    directories = find_all(manager.base_dir, ids)
    sound = [_is_sound(directory) for directory in directories]
    target = None if output in (None, "-") else Path(str(output)).absolute()
    if chosen in _TEXTS:
        with _opened(target) as out:
            _TEXTS[chosen](directories, out)
    elif target is None:
        raise click.UsageError(f"{chosen} is no text for a terminal: name a place with --output")
    elif chosen == "html":
        from neural_core._cli.pages import write_page

        write_page(manager, ids, target)
    else:
        _write_parquet(directories, target)
    if target is not None:
        _tell(f"{len(directories)} experiment{'s' if len(directories) > 1 else ''} written to {target}")
    if not all(sound):
        context.exit(1)


def _by_name(output: str | None) -> str:
    suffix = Path(output or "").suffix.removeprefix(".").lower()
    return suffix if suffix in _FORMATS else "csv"


def _is_sound(directory: Path) -> bool:
    reader = RunReader(directory)
    damage = [*reader.state()[1], *reader.check()]
    for one in damage:
        _tell(f"damaged: {directory.name}: {one.file}: {one.problem}")
    return not damage


def _tell(text: str) -> None:
    """Say it beside the data: the output may be a pipe."""
    click.echo(legible(text), err=True)


@contextlib.contextmanager
def _opened(target: Path | None) -> Iterator[IO[str]]:
    if target is None:
        yield cast("IO[str]", _Terminal()) if sys.stdout.isatty() else sys.stdout
        return
    make_folder(target.parent)
    with replacing(target) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
        yield text
        text.flush()
        text.detach()  # the file is closed by who opened it


class _Terminal:
    """Standard output that shows stored names as escapes: a terminal acts upon control characters."""

    def write(self, text: str) -> None:
        """Write a row."""
        click.echo("\n".join(map(legible, text.split("\n"))), nl=False)


def _write_parquet(directories: Sequence[Path], target: Path) -> None:
    """Write one file, or a folder with one for each experiment."""
    if len(directories) == 1 and target.suffix == ".parquet" and not target.is_dir():
        make_folder(target.parent)
        _exporting.write_parquet_file(directories[0], target)
        return
    make_folder(target)
    for directory in directories:
        _exporting.write_parquet_file(directory, target / f"{directory.name}.parquet")
