"""``neural verify``: read everything again."""

from __future__ import annotations

import click

from neural_core._cli.output import base_dir_option, say
from neural_core._manager import ExperimentManager
from neural_core.records import Damage

__all__ = ["command"]


@click.command()
@click.argument("experiment_id", metavar="[ID]", required=False)
@base_dir_option
@click.pass_context
def command(context: click.Context, experiment_id: str | None, base_dir: str) -> None:
    """Read every byte of all experiments, or of ID: each checksum, page and artifact. Status 1 when one is damaged."""
    manager = ExperimentManager(base_dir)
    found = manager.verify(experiment_id)
    damaged = {folder: damages for folder, damages in found.items() if damages}
    for folder, damages in found.items():
        say(f"{'DAMAGED' if damages else 'sound'}  {folder}")
        for damage in damages:
            say(f"         {damage.file}{_place(damage)}: {damage.problem}")
    if not found:
        say(f"no experiments in {manager.base_dir}")
    elif damaged:
        say(f"{len(damaged)} of {len(found)} damaged: what is named above cannot be read as it was written")
        context.exit(1)
    else:
        say(f"{len(found)} of {len(found)} sound")


def _place(damage: Damage) -> str:
    if damage.offset is None:
        return ""
    return f", byte {damage.offset:,}" + ("" if damage.length is None else f", {damage.length:,} bytes")
