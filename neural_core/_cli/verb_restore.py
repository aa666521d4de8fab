"""``neural restore``: back from the trash."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem

from neural_core._cli.output import base_dir_option, legible, print_json, print_table, say, when
from neural_core._manager import ExperimentManager
from neural_core._storage.folder import DEFAULT_BASE_DIR
from neural_core.errors import ExperimentNotFoundError, NeuralError

__all__ = ["command"]


def _complete(context: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    with contextlib.suppress(NeuralError, OSError):
        trash = ExperimentManager(context.params.get("base_dir") or DEFAULT_BASE_DIR).list_trash()
        found = [(str(one["experiment_id"]), legible(one["experiment_name"])) for one in trash]
        return [CompletionItem(name, help=text) for name, text in found if name.startswith(incomplete)]
    return []


@click.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, shell_complete=_complete)
@base_dir_option
@click.option("--json", "as_json", is_flag=True, help="List the trash as JSON.")
def command(ids: Sequence[str], base_dir: str, as_json: bool) -> None:
    """Bring the experiments ID... back from the trash, by whole ids; without ID, list what is there."""
    manager = ExperimentManager(base_dir)
    if not ids:
        _list(manager, as_json)
    for experiment_id in dict.fromkeys(ids):
        if not manager.restore_experiment(experiment_id):
            raise ExperimentNotFoundError(
                f"no experiment in the trash has exactly the id {experiment_id!r}: "
                "`neural restore` lists what is there",
                experiment_id,
            )
        say(f"{experiment_id} is back in {manager.base_dir}")


def _list(manager: ExperimentManager, as_json: bool) -> None:
    trash = manager.list_trash()
    if as_json:
        print_json(trash)
    elif trash:
        rows = [[one["experiment_id"], one["experiment_name"], one["status"], when(one["start_time"])] for one in trash]
        print_table(["id", "name", "status", "start (UTC)"], rows, fold=["name"])
    else:
        say("the trash is empty")
