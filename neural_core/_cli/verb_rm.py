"""``neural rm``: to the trash."""

from __future__ import annotations

import click

from neural_core._cli.output import base_dir_option, say
from neural_core._manager import ExperimentManager
from neural_core.errors import ExperimentNotFoundError

__all__ = ["command"]


@click.command()
@click.argument("experiment_id", metavar="ID")
@base_dir_option
def command(experiment_id: str, base_dir: str) -> None:
    """Move the experiment ID to the trash. Takes the whole id, and never an experiment that is being written."""
    manager = ExperimentManager(base_dir)
    if not manager.delete_experiment(experiment_id):
        raise ExperimentNotFoundError(
            f"no experiment in {manager.base_dir} has exactly the id {experiment_id!r}: rm takes the whole id, "
            "`neural ls` shows it",
            experiment_id,
        )
    say(f"{experiment_id} is in the trash; `neural restore {experiment_id}` brings it back")
