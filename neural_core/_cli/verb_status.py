"""``neural status``: how far backends and plugins are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from neural_core._cli.arguments import id_argument
from neural_core._cli.output import base_dir_option, print_json, print_table, say
from neural_core._delivery.replay import Progress, progress_of
from neural_core._storage import folder
from neural_core._storage.index.find import find_experiment
from neural_core.errors import DamagedError

__all__ = ["command"]

_STYLES = {"complete": "green", "delivering": "cyan", "behind": "yellow", "set aside": "red"}


@click.command()
@id_argument(required=False)
@base_dir_option
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, as JSON.")
def command(experiment_id: str | None, base_dir: str, as_json: bool) -> None:
    """Show how far backends and plugins are with all experiments, or with ID; `neural sync` delivers what is behind."""
    base = folder.resolve_base_dir(base_dir)
    directories = folder.with_spools(base) if experiment_id is None else [find_experiment(base, experiment_id)]
    found = [(directory, progress) for directory in directories for progress in _progress(directory)]
    if as_json:
        print_json([_document(directory, progress) for directory, progress in found])
    elif found:
        _table(found)
    else:
        which = base if experiment_id is None else directories[0].name
        say(f"nothing was delivered from {which}: backend= names a backend, `neural sync` replays into one")


def _progress(directory: Path) -> list[Progress]:
    try:
        return progress_of(directory)
    except (DamagedError, OSError) as error:
        click.echo(f"damaged: {directory.name}: {error}", err=True)
        return []


def _table(found: Iterable[tuple[Path, Progress]]) -> None:
    from rich.text import Text

    shown = list(found)
    print_table(
        ["experiment", "to", "destination", "state", "rows", "behind"],
        [
            [
                directory.name,
                progress.cursor.plugin,
                progress.cursor.destination,
                Text(progress.state, style=_STYLES[progress.state]),
                f"{progress.cursor.delivered:,}",
                f"{progress.behind:,}",
            ]
            for directory, progress in shown
        ],
        right=["rows", "behind"],
        fold=["experiment", "destination"],
    )
    for directory, progress in shown:
        if progress.cursor.error is not None and progress.state != "complete":
            say(f"{directory.name}, {progress.cursor.plugin}: {progress.cursor.error}")


def _document(directory: Path, progress: Progress) -> dict[str, Any]:
    cursor = progress.cursor
    return {
        "experiment_id": cursor.uid[:12],
        "experiment_dir": str(directory),
        "to": cursor.plugin,
        "destination": cursor.destination,
        "state": progress.state,
        "delivered": cursor.delivered,
        "behind": progress.behind,
        "error": cursor.error,
    }
