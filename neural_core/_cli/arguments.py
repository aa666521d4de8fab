"""How verbs name experiments: ids that a shell completes, found in the base folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from neural_core._cli.output import legible
from neural_core._storage import folder
from neural_core._storage.index.find import find_row
from neural_core.errors import NeuralError

__all__ = ["complete_ids", "find_all", "id_argument", "ids_argument"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def id_argument(*, required: bool = True) -> Callable[[_Command], _Command]:
    """Give a verb the argument ID, which it takes as `experiment_id`."""
    metavar = "ID" if required else "[ID]"
    return click.argument("experiment_id", metavar=metavar, required=required, shell_complete=complete_ids)


def ids_argument(*, required: bool = True) -> Callable[[_Command], _Command]:
    """Give a verb the arguments ID..., which it takes as `ids`."""
    metavar = "ID..." if required else "[ID]..."
    return click.argument("ids", metavar=metavar, nargs=-1, required=required, shell_complete=complete_ids)


def complete_ids(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Give the ids that begin so, the newest experiments first, each with its name."""
    named = context.params.get("base_dir") or folder.DEFAULT_BASE_DIR
    with contextlib.suppress(NeuralError, OSError):
        return list(_items(folder.resolve_base_dir(named), incomplete))
    return []


def _items(base: Path, incomplete: str) -> Iterator[CompletionItem]:
    from neural_core._storage.index.base_index import Index

    with contextlib.closing(Index(base)) as index:
        index.refresh()
        for row in index.runs(order_by="-start", limit=None):
            if row.experiment_id.startswith(incomplete):
                yield CompletionItem(row.experiment_id, help=legible(f"{row.name} ({row.status})"))


def find_all(base: Path, ids: Sequence[str]) -> list[Path]:
    """Give the folders of experiments by their ids, or unique beginnings of these; each once.

    Raises:
        ExperimentNotFoundError: there is none.
        AmbiguousExperimentError: there are several.
    """
    from neural_core._storage.index.base_index import Index

    with contextlib.closing(Index(base)) as index:
        return list(dict.fromkeys(find_row(index, base, named) for named in ids))
