"""``neural restore``: back from the trash."""

from __future__ import annotations

import click

from neural_core._cli.output import base_dir_option, say
from neural_core._manager import ExperimentManager
from neural_core.errors import ExperimentNotFoundError

__all__ = ["command"]


@click.command()
@click.argument("experiment_id", metavar="[ID]", required=False)
@base_dir_option
def command(experiment_id: str | None, base_dir: str) -> None:
    """Bring the experiment ID back from the trash; without ID, list what is there."""
    manager = ExperimentManager(base_dir)
    if experiment_id is None:
        trash = manager.list_trash()
        for one in trash:
            say(f"{one['experiment_id']}  {one['experiment_name']}")
        if not trash:
            say("the trash is empty")
        return
    if not manager.restore_experiment(experiment_id):
        raise ExperimentNotFoundError(
            f"no experiment in the trash has exactly the id {experiment_id!r}: `neural restore` lists what is there",
            experiment_id,
        )
    say(f"{experiment_id} is back in {manager.base_dir}")
