"""``neural tag``: tags added, changed and removed."""

from __future__ import annotations

from collections.abc import Sequence

import click

from neural_core._cli.arguments import find_all, id_argument
from neural_core._cli.output import base_dir_option, print_json, say
from neural_core._reading_api.edits import Edit, apply_edit
from neural_core._storage import folder
from neural_core._storage.experiment.reader import RunReader

__all__ = ["command"]

_EPILOG = """
\b
neural tag 3f2a paper baseline=v2       add two tags
neural tag 3f2a --remove baseline       take one away
neural tag 3f2a                         show them
"""


@click.command(epilog=_EPILOG)
@id_argument()
@click.argument("tags", metavar="[NAME[=TEXT]]...", nargs=-1)
@base_dir_option
@click.option("--remove", "removed", metavar="NAME", multiple=True, help="Take this tag away; may be given again.")
@click.option("--json", "as_json", is_flag=True, help="Show the tags as JSON.")
def command(experiment_id: str, tags: Sequence[str], base_dir: str, removed: Sequence[str], as_json: bool) -> None:
    """Add tags to the experiment ID, alive or ended; then show all it has."""
    [directory] = find_all(folder.resolve_base_dir(base_dir), [experiment_id])
    before = dict(RunReader(directory, verify=False).state()[0].tags)
    absent = [name for name in removed if name not in before]
    if absent:
        has = ", ".join(before) or "none"
        raise click.BadParameter(f"it has no tag {absent[0]!r} (it has: {has})", param_hint="--remove")
    changes: dict[str, str | None] = {**dict(map(_pair, tags)), **dict.fromkeys(removed)}
    apply_edit(directory, Edit(tags=changes))
    held = {name: text for name, text in {**before, **changes}.items() if text is not None}
    if as_json:
        print_json(held)
    else:
        say(f"{directory.name}: {', '.join(f'{n}={t}' if t else n for n, t in held.items()) or 'no tags'}")


def _pair(text: str) -> tuple[str, str]:
    name, _, said = text.partition("=")
    if not name:
        raise click.BadParameter(
            f"{text!r} has no name before the =: write NAME or NAME=TEXT", param_hint="NAME[=TEXT]"
        )
    return name, said
