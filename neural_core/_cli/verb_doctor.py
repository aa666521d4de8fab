"""``neural doctor``: what is wrong here, and how to mend it."""

from __future__ import annotations

import click

from neural_core._cli.output import base_dir_option, legible, print_json, say
from neural_core._storage import folder

__all__ = ["command"]

_STYLES = {"ok": "green", "note": "yellow", "wrong": "red"}


@click.command()
@base_dir_option
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def command(context: click.Context, base_dir: str, as_json: bool) -> None:
    """Check versions, plugins, settings, permissions, disk, cache and experiments. Changes nothing.

    Each finding comes with its remedy. Status 1 when something is wrong.
    """
    from neural_core._cli.checks import machine
    from neural_core._cli.checks_of_store import experiments

    base = folder.resolve_base_dir(base_dir)
    findings = [*machine(base), *experiments(base)]
    wrong = sum(one.level == "wrong" for one in findings)
    if as_json:
        print_json([{"level": one.level, "what": one.what, "remedy": one.remedy} for one in findings])
    else:
        for one in findings:
            click.echo(f"{click.style(f'{one.level:<5}', fg=_STYLES[one.level])}  {legible(one.what)}")
            if one.remedy:
                click.echo(f"       remedy: {legible(one.remedy)}")
        say(f"{wrong} thing{'' if wrong == 1 else 's'} to mend" if wrong else "nothing is wrong")
    if wrong:
        context.exit(1)
