"""``neural sync``: deliver stored experiments to a backend."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from neural_core._cli.arguments import ids_argument
from neural_core._cli.output import base_dir_option, legible, say
from neural_core._construction import require_backends
from neural_core._delivery.replay import Replayed, destinations_of, remove_arrived_spool, replay
from neural_core._storage import folder
from neural_core._storage.index.find import find_experiment, is_live
from neural_core.errors import DamagedError

__all__ = ["command"]


@click.command()
@ids_argument(required=False)
@base_dir_option
@click.option("--all", "every", is_flag=True, help="All experiments that it has not got whole.")
@click.option("--to", "backend", metavar="NAME", required=True, help="The backend; `neural plugins` lists them.")
@click.option("--option", "options", multiple=True, metavar="KEY=VALUE", help="For the backend; may be given again.")
@click.pass_context
def command(
    context: click.Context,
    ids: Sequence[str],
    base_dir: str,
    every: bool,
    backend: str,
    options: Sequence[str],
) -> None:
    """Deliver to a backend what it has not got. Safe to run twice. Status 1 when something stays behind.

    A VALUE is JSON or, where it is none, text.
    """
    if bool(ids) == every:
        raise click.UsageError("name experiments by ID, or take all with --all")
    given = dict(map(_pair, options))
    require_backends(backend)
    base = folder.resolve_base_dir(base_dir)
    directories = _all_for(base, backend) if every else [find_experiment(base, named) for named in ids]
    if not directories:
        say(f"no experiments in {base}")
    with _one_traceback():
        whole = [_one(directory, backend, given, skip_live=every) for directory in directories]
    if not all(whole):
        context.exit(1)


def _all_for(base: Path, backend: str) -> list[Path]:
    """Give every experiment, and what passes through to this backend."""
    spools = folder.experiment_folders(base / folder.SPOOLS)
    return [*folder.experiment_folders(base), *(one for one in spools if _passes_to(one, backend))]


def _passes_to(spool: Path, backend: str) -> bool:
    try:
        return any(cursor.plugin == backend for cursor in destinations_of(spool))
    except (DamagedError, OSError):
        return True  # to be named when it is read


def _pair(text: str) -> tuple[str, Any]:
    key, found, value = text.partition("=")
    if not found or not key.isidentifier():
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--option")
    with contextlib.suppress(ValueError):
        return key, json.loads(value)
    return key, value


@contextlib.contextmanager
def _one_traceback() -> Iterator[None]:
    """Show one traceback of a backend: it fails for all of them alike, and each has a sentence that says so."""
    told = False

    def is_new(record: logging.LogRecord) -> bool:
        nonlocal told
        again, told = told, told or bool(record.exc_info)
        return not (again and record.exc_info)

    log = logging.getLogger("neural")
    log.addFilter(is_new)
    try:
        yield
    finally:
        log.removeFilter(is_new)


@contextlib.contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on a terminal, and give what moves it; it is gone before anything else is said."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(legible(name), total=None)
        yield lambda rows, total: bar.update(task, completed=rows, total=total)


def _one(directory: Path, backend: str, options: Mapping[str, Any], *, skip_live: bool) -> bool:
    """Deliver one experiment and say what was done; False when something stays behind."""
    if skip_live and is_live(directory):
        say(f"{directory.name}: is being written: its own process delivers, or this command after its end")
        return True
    try:
        with _bar(directory.name) as tell:
            done = replay(directory, backend, options, tell=tell)
    except (DamagedError, OSError) as error:
        say(f"{directory.name}: left as it is: {error}")
        return False
    say(f"{directory.name}: {_sentence(done, backend)}")
    if done.complete:
        remove_arrived_spool(directory)
    return done.complete


def _sentence(done: Replayed, backend: str) -> str:
    if done.busy:
        return f"another process delivers it to {backend}; {_rows(done.behind)} behind"
    if not done.complete:
        return f"{_rows(done.rows)} delivered to {backend}, {_rows(done.behind)} behind: {done.error}"
    return f"{_rows(done.rows)} delivered to {backend}" if done.told else f"nothing to do, {backend} has it all"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
