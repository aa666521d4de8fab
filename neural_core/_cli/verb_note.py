"""``neural note``: the notes of an experiment."""

from __future__ import annotations

import sys

import click

from neural_core._cli.arguments import find_all, id_argument
from neural_core._cli.output import base_dir_option, legible, say
from neural_core._reading_api.edits import Edit, apply_edit
from neural_core._storage import folder
from neural_core._storage.experiment.reader import RunReader

__all__ = ["command"]

_EPILOG = """
\b
neural note 3f2a "lower rate, same seed"    write them
neural note 3f2a --append "see table 2"     add a line
neural note 3f2a --editor                   in $EDITOR
neural note 3f2a - < notes.txt              from a file
neural note 3f2a                            show them
"""


@click.command(epilog=_EPILOG)
@id_argument()
@click.argument("text", metavar="[TEXT|-]", required=False)
@base_dir_option
@click.option("--append", is_flag=True, help="Add TEXT as a line of its own.")
@click.option("--editor", is_flag=True, help="Write them in $VISUAL or $EDITOR.")
def command(experiment_id: str, text: str | None, base_dir: str, append: bool, editor: bool) -> None:
    """Write the notes of the experiment ID, alive or ended; without TEXT, show them. An empty TEXT removes them."""
    if editor and (text is not None or append):
        raise click.UsageError("--editor takes no TEXT and no --append: it opens the notes that there are")
    if append and text is None:
        raise click.UsageError("--append needs the TEXT that is to be added")
    [directory] = find_all(folder.resolve_base_dir(base_dir), [experiment_id])
    before = RunReader(directory, verify=False).state()[0].notes
    new = _edited(before) if editor else _given(text)
    if new is None:
        _show(before, directory.name, unchanged=editor)
        return
    notes = f"{before}\n{new}" if append and before else new
    apply_edit(directory, Edit(notes=notes))
    say(f"{directory.name}: {'notes removed' if not notes else 'noted'}")


def _given(text: str | None) -> str | None:
    return sys.stdin.read().rstrip("\n") if text == "-" else text


def _edited(before: str) -> str | None:
    """Open the user's editor; None when it was left without saving."""
    found: str | None = click.edit(before, extension=".md")
    return None if found is None or found.rstrip("\n") == before else found.rstrip("\n")


def _show(notes: str, name: str, *, unchanged: bool) -> None:
    if unchanged or not notes:
        say(f"{name}: {'nothing was changed' if unchanged else 'no notes'}")
        return
    for line in notes.split("\n"):
        click.echo(legible(line))
