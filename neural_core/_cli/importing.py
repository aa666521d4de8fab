"""What the commands ``neural import TOOL SOURCE`` share: each plugin brings the reader of its tool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

from neural_core._cli.output import base_dir_option, legible, say
from neural_core._storage import folder
from neural_core.errors import NeuralError
from neural_core.importing import ForeignRun, Imported, import_run

__all__ = ["make_command"]

_OUTCOMES = {
    "new": "brought in",
    "replaced": "has changed, and the earlier import is in the trash; brought in",
}


def make_command(
    tool: str, read: Callable[..., Iterable[ForeignRun]], *, help: str, params: Sequence[click.Parameter]
) -> click.Command:
    """Make a command; see `neural_core.importing.import_command`."""

    @click.command(name=tool, help=help, params=list(params))
    @click.argument("source", metavar="SOURCE")
    @base_dir_option
    @click.pass_context
    def command(context: click.Context, /, source: str, base_dir: str, **options: Any) -> None:
        base = folder.resolve_base_dir(base_dir)
        done, failed = _all(read(source=source, **options), base)
        _say_sum(done, failed, base)
        if failed:
            context.exit(1)

    made: click.Command = command
    return made


def _all(runs: Iterable[ForeignRun], base: Any) -> tuple[list[Imported], int]:
    """Bring in run after run; one that cannot be brought in is named and harms no other."""
    done, failed = [], 0
    for run in runs:
        try:
            imported = import_run(run, base)
        except (NeuralError, OSError, RecursionError) as error:  # the last: a file may nest what it says without end
            click.echo(f"{legible(run.name)}: not brought in: {legible(error)}", err=True)
            failed += 1
            continue
        done.append(imported)
        say(f"{run.name}: {_sentence(imported)}")
    return done, failed


def _sentence(imported: Imported) -> str:
    if imported.outcome == "unchanged":
        return f"{imported.experiment_id} has it already"
    return f"{_OUTCOMES[imported.outcome]} as {imported.experiment_id}: {_contents(imported)}"


def _contents(imported: Imported) -> str:
    held = [
        _count(imported.rows, "row"),
        _count(imported.hyperparameters, "hyperparameter"),
        _count(imported.artifacts, "artifact"),
    ]
    left = ", ".join(f"{what} ({count:,})" for what, count in sorted(imported.left_out.items()))
    return ", ".join(held) + (f"; left out: {left}" if left else "")


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _say_sum(done: Sequence[Imported], failed: int, base: Any) -> None:
    if not done and not failed:
        say("there are no runs")
        return
    outcomes = Counter(imported.outcome for imported in done)
    parts = [f"{outcomes['new'] + outcomes['replaced']:,} brought in", f"{outcomes['unchanged']:,} there already"]
    say(f"{_count(len(done) + failed, 'run')}: {', '.join(parts)}, {failed:,} failed; in {base}")
