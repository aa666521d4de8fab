"""``neural diff``: what differs between two experiments."""

from __future__ import annotations

from collections.abc import Sequence

import click

from neural_core._cli.arguments import complete_ids, find_all
from neural_core._cli.differences import Line, Side, differences, read_side, shown
from neural_core._cli.output import base_dir_option, print_json, print_table, say
from neural_core._storage import folder

__all__ = ["command"]


@click.command()
@click.argument("first", metavar="A", shell_complete=complete_ids)
@click.argument("second", metavar="B", shell_complete=complete_ids)
@base_dir_option
@click.option("--all", "every", is_flag=True, help="Also what is the same; what differs is marked ~.")
@click.option("--exit-code", is_flag=True, help="End with status 1 when they differ, as diff(1) does.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def command(
    context: click.Context, first: str, second: str, base_dir: str, every: bool, exit_code: bool, as_json: bool
) -> None:
    """Tell what differs between the experiments A and B.

    Looks at status, hyperparameters, the best and last value of each metric, environment, tags, notes, and artifacts
    by their SHA-256. Ids, names and times do not count.
    """
    base = folder.resolve_base_dir(base_dir)
    left, right = (read_side(base, directory) for name in (first, second) for directory in find_all(base, [name]))
    lines = list(differences(left, right))
    differ = [line for line in lines if line.differs]
    if as_json:
        print_json(_document(left, right, lines if every else differ))
    else:
        _table(left, right, lines if every else differ, marked=every)
        if not differ:
            say("they do not differ")
    if exit_code and differ:
        context.exit(1)


def _table(left: Side, right: Side, lines: Sequence[Line], *, marked: bool) -> None:
    from rich.text import Text

    headings = ["", *(f"{side.name} ({side.experiment_id[:8]})" for side in (left, right))]
    cells: list[list[object]] = []
    section = ""
    for line in lines:
        if line.section != section:
            section = line.section
            cells.append([Text(section, style="bold"), "", ""])
        mark = "~ " if marked and line.differs else "  "
        cells.append([f"{mark}{line.name}", shown(line.left), shown(line.right)])
    if cells:
        print_table(headings, cells, fold=headings)


def _document(left: Side, right: Side, lines: Sequence[Line]) -> dict[str, object]:
    return {
        "a": {"experiment_id": left.experiment_id, "experiment_name": left.name},
        "b": {"experiment_id": right.experiment_id, "experiment_name": right.name},
        "differences": [
            {"section": line.section, "name": line.name, "a": line.left, "b": line.right, "differs": line.differs}
            for line in lines
        ],
    }
