"""``neural gc``: room made, after a look at what would go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from neural_core._cli.output import base_dir_option, legible, print_json, say
from neural_core._housekeeping import Goner, Kept, find_goners, old_versions
from neural_core._manager import ExperimentManager
from neural_core._retention import parse_retention
from neural_core._storage.care.removal import freed
from neural_core.errors import NeuralError

__all__ = ["command"]

_TITLES = {
    "trash": "from the trash",
    "leftover": "left by what was killed",
    "version": "versions of artifacts that no rule keeps",
}
_EPILOG = """
\b
neural gc                                      what would go
neural gc --yes                                let it go
neural gc --older-than 0 --yes                 empty the trash
neural gc --keep "best(val_loss), latest 3, every 10th, tagged"
neural gc --keep latest --where "status = 'failed'" --artifact model.pt

\b
Rules of --keep; a version stays when one of them keeps it:
  latest, latest 3       the newest, the three newest
  best(METRIC)           stored when the metric was best; best(METRIC, max)
  every 10th             those whose number is a multiple of ten
  tagged, tagged(NAME)   all of an experiment with a tag, with this tag
The newest version of a name always stays.
"""


@click.command(epilog=_EPILOG)
@base_dir_option
@click.option("--older-than", "days", metavar="DAYS", default=30.0, type=click.FloatRange(0),
              help="Of the trash, what was thrown away longer ago. [default: 30]")  # fmt: skip
@click.option("--keep", metavar="RULES", help="Also versions of artifacts that these rules do not keep.")
@click.option("--where", metavar="FILTER", help="With --keep: only of these experiments.")
@click.option("--artifact", "artifacts", metavar="NAME", multiple=True, help="With --keep: only of this name.")
@click.option("--yes", is_flag=True, help="Remove it for good. Without it, nothing is changed.")
@click.option("--json", "as_json", is_flag=True, help="What goes, as JSON.")
@click.pass_context
def command(
    context: click.Context,
    base_dir: str,
    days: float,
    keep: str | None,
    where: str | None,
    artifacts: Sequence[str],
    yes: bool,
    as_json: bool,
) -> None:
    """Make room: what lies in the trash for long, what killed processes left, versions of artifacts.

    Without --yes it only tells what would go. Experiments that are written, damaged, or not yet whole in a backend
    keep their versions. What goes is recorded, so that verify misses nothing.
    """
    if keep is None and (where is not None or artifacts):
        raise click.UsageError("--where and --artifact choose versions, so they need --keep")
    rules = None if keep is None else parse_retention(keep)
    manager = ExperimentManager(base_dir)
    found: list[Goner | Kept] = list(find_goners(manager.base_dir, days))
    if rules is not None:
        for row in manager.runs(where, limit=None):
            found += old_versions(manager.base_dir, manager.base_dir / row.folder, rules, artifacts)
    goners = [one for one in found if isinstance(one, Goner)]
    size = freed(path for one in goners for path in one.folders)
    failed = _remove(goners) if yes else []
    if as_json:
        print_json(_document(found, size, removed=yes))
    else:
        _tell(found, size, removed=yes)
    for one, error in failed:
        click.echo(f"not removed: {legible(one.name)}: {legible(error)}", err=True)
    if failed:
        context.exit(1)


def _remove(goners: Iterable[Goner]) -> list[tuple[Goner, Exception]]:
    """Remove one after the other; what cannot be is given back with the reason."""
    failed: list[tuple[Goner, Exception]] = []
    for one in goners:
        try:
            one.remove()
        except (NeuralError, OSError) as error:
            failed.append((one, error))
    for one in goners:
        _remove_empty(one)
    return failed


def _remove_empty(one: Goner) -> None:
    """Folders that only held what is gone: the trash, the workshop of imports."""
    parent = one.folders[0].parent
    if one.what != "version" and parent.name.startswith(".") and parent.is_dir() and not any(parent.iterdir()):
        parent.rmdir()


def _tell(found: Sequence[Goner | Kept], size: int, *, removed: bool) -> None:
    goners = [one for one in found if isinstance(one, Goner)]
    for what, title in _TITLES.items():
        some = [one for one in goners if one.what == what]
        if some:
            say(f"{title}:")
            for one in some:
                say(f"  {one.name}")
    for kept in (one for one in found if isinstance(one, Kept)):
        say(f"left alone: {kept.name}: {kept.reason}")
    if not goners:
        say("nothing to remove")
    elif removed:
        say(f"removed; {size:,} bytes are free")
    else:
        say(f"{size:,} bytes would be free; nothing was changed: --yes removes it for good")


def _document(found: Sequence[Goner | Kept], size: int, *, removed: bool) -> dict[str, object]:
    return {
        "removed": removed,
        "bytes": size,
        "goes": [
            {"what": one.what, "name": one.name, "paths": [str(path) for path in one.folders]}
            for one in found
            if isinstance(one, Goner)
        ],
        "left_alone": [{"name": one.name, "reason": one.reason} for one in found if isinstance(one, Kept)],
    }
