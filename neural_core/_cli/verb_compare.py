"""``neural compare``: experiments side by side in the terminal, and as a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from neural_core import ExperimentTracker
from neural_core._cli.arguments import ids_argument
from neural_core._cli.output import base_dir_option, make_folder, number, print_json, print_table, say
from neural_core._manager import ExperimentManager
from neural_core._reading_api.directions import directions_of
from neural_core._storage.experiment.plain import flatten

__all__ = ["command"]

_EPILOG = """
\b
neural compare 3f2a 91bc                     a table here
neural compare 3f2a 91bc --html report.html  one page with everything in it
neural compare 3f2a 91bc --png figures       each figure as a PNG
neural compare 3f2a 91bc --output report     the page, the figures, CSV and JSON
"""
_WORDS = {"min": "lowest", "max": "highest"}


@click.command(epilog=_EPILOG)
@ids_argument()
@base_dir_option
@click.option("--all", "every", is_flag=True, help="Also the hyperparameters that are the same.")
@click.option("--html", metavar="FILE", help="Write one self-contained page.")
@click.option("--png", metavar="FOLDER", help="Write the figures as PNG files.")
@click.option("--output", metavar="FOLDER", help="Write page, figures, CSV files and summary.json.")
@click.option("--json", "as_json", is_flag=True, help="The table as JSON.")
def command(
    ids: Sequence[str],
    base_dir: str,
    every: bool,
    html: str | None,
    png: str | None,
    output: str | None,
    as_json: bool,
) -> None:
    """Compare the experiments ID...: what differs is marked ~, the best value of each metric *."""
    manager = ExperimentManager(base_dir)
    experiments = [manager.get_experiment(experiment_id) for experiment_id in dict.fromkeys(ids)]
    best = _best(manager.base_dir, experiments)
    if as_json:
        print_json([_document(one, best, place) for place, one in enumerate(experiments)])
    else:
        _table(experiments, best, every)
    exact = [str(one.experiment_id) for one in experiments]
    if output is not None:
        say(f"report: {manager.export_comparison(exact, output)}/report.html")
    if html is not None:
        from neural_core._cli.pages import write_page

        say(f"report: {write_page(manager, exact, Path(html).absolute())}")
    if png is not None:
        folder = Path(png).absolute()
        say(f"figures: {_write_figures(manager, exact, folder)} in {folder}")


def _table(experiments: Sequence[ExperimentTracker], best: Mapping[tuple[str, str], list[Any]], every: bool) -> None:
    names = [f"{one.experiment_name} ({one.experiment_id[:8]})" for one in experiments]
    rows = [["  status", *(one.status for one in experiments)], *_parameters(experiments, every), *_cells(best)]
    print_table(["", *names], rows, fold=["", *names])


def _parameters(experiments: Sequence[ExperimentTracker], every: bool) -> list[list[str]]:
    """Give the hyperparameters that are not the same everywhere, marked; the others when asked for."""
    values = [dict(flatten(one.hyperparameters)) for one in experiments]
    rows = []
    for name in dict.fromkeys(name for given in values for name in given):
        texts = [str(given.get(name, "")) for given in values]
        differs = len(set(texts)) > 1
        if differs or every or len(experiments) == 1:
            rows.append([f"{'~' if differs else ' '} {name}", *texts])
    return rows


def _best(base: Path, experiments: Sequence[ExperimentTracker]) -> dict[tuple[str, str], list[Any]]:
    """Give (metric, direction) → best value of each experiment."""
    names = dict.fromkeys(name for one in experiments for name in one.metrics)
    directions = directions_of(base, names)
    return {
        (name, directions[name]): [one.get_best_metric(name, directions[name])[0] for one in experiments]
        for name in names
    }


def _cells(best: Mapping[tuple[str, str], list[Any]]) -> list[list[str]]:
    rows = []
    for (name, direction), values in best.items():
        known = [value for value in values if value is not None]
        first = (min(known) if direction == "min" else max(known)) if len(known) > 1 else None
        marked = [number(value) + ("*" if value is not None and value == first else "") for value in values]
        rows.append([f"  {_WORDS[direction]} {name}", *marked])
    return rows


def _document(one: ExperimentTracker, best: Mapping[tuple[str, str], list[Any]], place: int) -> dict[str, Any]:
    return {
        "experiment_id": one.experiment_id,
        "experiment_name": one.experiment_name,
        "status": one.status,
        "hyperparameters": one.hyperparameters,
        "best": {
            name: {"value": values[place], "direction": direction}
            for (name, direction), values in best.items()
            if values[place] is not None
        },
    }


def _write_figures(manager: ExperimentManager, ids: Sequence[str], folder: Path) -> int:
    from neural_core._plotting.render import save_png

    figures = manager.compare_experiments(ids)
    make_folder(folder)
    for name, figure in figures.items():
        save_png(figure, folder / f"{name}.png")
    return len(figures)
