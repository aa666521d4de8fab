"""``neural verify``: read everything again, and save what is sound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from neural_core._cli.arguments import id_argument
from neural_core._cli.output import base_dir_option, legible, print_json, say
from neural_core._manager import ExperimentManager
from neural_core.errors import NeuralError
from neural_core.records import Damage

__all__ = ["command"]


@click.command()
@id_argument(required=False)
@base_dir_option
@click.option("--salvage", metavar="FOLDER", help="Copy what is sound of the damaged ones into new experiments there.")
@click.option("--json", "as_json", is_flag=True, help="What is damaged, as JSON.")
@click.pass_context
def command(
    context: click.Context, experiment_id: str | None, base_dir: str, salvage: str | None, as_json: bool
) -> None:
    """Read every byte of all experiments, or of ID: each checksum, page and artifact. Status 1 when one is damaged.

    Nothing is ever repaired in place. --salvage leaves the damaged experiment as it is.
    """
    manager = ExperimentManager(base_dir)
    found = manager.verify(experiment_id)
    damaged = {folder: damages for folder, damages in found.items() if damages}
    if as_json:
        print_json({folder: [_document(one) for one in damages] for folder, damages in found.items()})
    else:
        _tell(found, damaged, manager.base_dir)
    if salvage is not None:
        _salvage(manager.base_dir, list(damaged), Path(salvage).absolute())
    if damaged:
        context.exit(1)


def _tell(found: Mapping[str, Sequence[Damage]], damaged: Mapping[str, Sequence[Damage]], base: Path) -> None:
    for folder, damages in found.items():
        say(f"{'DAMAGED' if damages else 'sound'}  {folder}")
        for damage in damages:
            say(f"         {damage.file}{_place(damage)}: {damage.problem}")
    if not found:
        say(f"no experiments in {base}")
    elif damaged:
        say(f"{len(damaged)} of {len(found)} damaged: what is named above cannot be read as it was written")
    else:
        say(f"{len(found)} of {len(found)} sound")


def _place(damage: Damage) -> str:
    if damage.offset is None:
        return ""
    return f", byte {damage.offset:,}" + ("" if damage.length is None else f", {damage.length:,} bytes")


def _document(damage: Damage) -> dict[str, object]:
    return {"file": damage.file, "offset": damage.offset, "length": damage.length, "problem": damage.problem}


def _salvage(base: Path, damaged: Sequence[str], target: Path) -> None:
    """Save one after the other; what cannot be saved is named, and costs the others nothing."""
    from neural_core._storage.care.salvage import salvage

    for name in damaged:
        try:
            done = salvage(base / name, target)
        except (NeuralError, OSError) as error:
            click.echo(f"not saved: {legible(name)}: {legible(error)}", err=True)
            continue
        held = f"{_count(done.rows, 'row')}, {_count(done.artifacts, 'artifact')}"
        click.echo(legible(f"saved  {done.directory}: {held}"), err=True)
        for sentence in done.lost:
            click.echo(legible(f"  lost: {sentence}"), err=True)
    if not damaged:
        click.echo("nothing is damaged: there is nothing to save", err=True)


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
