"""``neural rm``: to the trash."""

from __future__ import annotations

from collections.abc import Sequence

import click

from neural_core._cli.arguments import ids_argument
from neural_core._cli.output import base_dir_option, say
from neural_core._manager import ExperimentManager
from neural_core.errors import ExperimentNotFoundError

__all__ = ["command"]


@click.command()
@ids_argument()
@base_dir_option
def command(ids: Sequence[str], base_dir: str) -> None:
    """Move the experiments ID... to the trash. Takes whole ids, and never an experiment that is being written.

    `neural restore` brings them back; `neural gc` empties the trash.
    """
    manager = ExperimentManager(base_dir)
    for experiment_id in dict.fromkeys(ids):
        if not manager.delete_experiment(experiment_id):
            raise ExperimentNotFoundError(
                f"no experiment in {manager.base_dir} has exactly the id {experiment_id!r}: rm takes the whole id, "
                "`neural ls` shows it",
                experiment_id,
            )
        say(f"{experiment_id} is in the trash; `neural restore {experiment_id}` brings it back")
