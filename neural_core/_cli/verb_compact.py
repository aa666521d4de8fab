"""``neural compact``: experiments whose writers died are brought to their end."""

from __future__ import annotations

from pathlib import Path

import click

from neural_core._cli.arguments import id_argument
from neural_core._cli.output import base_dir_option, say
from neural_core._storage import folder
from neural_core._storage.care.finalise import Finalised, finalise
from neural_core._storage.index.find import find_experiment
from neural_core.errors import DamagedError, ExperimentInUseError

__all__ = ["command"]


@click.command()
@id_argument(required=False)
@base_dir_option
@click.option("--force", is_flag=True, help="Also what was written on another host, when it shows no sign of life.")
def command(experiment_id: str | None, base_dir: str, force: bool) -> None:
    """Finalise all experiments, or ID, whose writers are proven dead: status interrupted, journals made Parquet."""
    base = folder.resolve_base_dir(base_dir)
    if experiment_id is not None:
        directory = find_experiment(base, experiment_id)
        say(f"{directory.name}: {_sentence(finalise(directory, force=force))}")
        return
    directories = folder.experiment_folders(base)
    for directory in directories:
        _one(directory, force)
    if not directories:
        say(f"no experiments in {base}")


def _one(directory: Path, force: bool) -> None:
    """Finalise one of many; what cannot be is named and left alone."""
    try:
        say(f"{directory.name}: {_sentence(finalise(directory, force=force))}")
    except ExperimentInUseError:
        say(f"{directory.name}: is being written")
    except DamagedError as error:
        say(f"{directory.name}: left as it is: {error}")


def _sentence(done: Finalised) -> str:
    if done == Finalised():
        return "nothing to do"
    words = ["marked interrupted"] if done.ended else []
    if done.compacted:
        words.append(f"{done.compacted} {'part' if done.compacted == 1 else 'parts'} compacted")
    if done.left:
        words.append(f"still journals (damaged, or of a writer of which nothing is known): {', '.join(done.left)}")
    return "; ".join(words)
