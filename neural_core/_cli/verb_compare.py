"""``neural compare``: experiments side by side in the terminal, and as a report."""

from __future__ import annotations

from collections.abc import Sequence

import click

from neural_core import ExperimentTracker
from neural_core._cli.output import base_dir_option, number, print_table, say
from neural_core._manager import ExperimentManager
from neural_core._series import lower_is_better
from neural_core._storage.plain import flatten

__all__ = ["command"]


@click.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@base_dir_option
@click.option("--html", is_flag=True, help="Write a report into a folder named after the experiments.")
@click.option("--output", metavar="DIR", help="Write the report into this folder.")
def command(ids: Sequence[str], base_dir: str, html: bool, output: str | None) -> None:
    """Compare the experiments ID...: the hyperparameters that differ, and the best value of each metric, marked *."""
    manager = ExperimentManager(base_dir)
    experiments = [manager.get_experiment(experiment_id) for experiment_id in dict.fromkeys(ids)]
    names = [f"{one.experiment_name} ({one.experiment_id[:8]})" for one in experiments]
    rows = [*_parameters(experiments), *_best(experiments)]
    print_table(["", *names], rows, fold=["", *names])
    if html or output is not None:
        say(f"report: {manager.export_comparison([str(one.experiment_id) for one in experiments], output)}/report.html")


def _parameters(experiments: Sequence[ExperimentTracker]) -> list[list[str]]:
    """Give the hyperparameters that are not the same everywhere."""
    every = [dict(flatten(one.hyperparameters)) for one in experiments]
    names = dict.fromkeys(name for values in every for name in values)
    rows = [[name, *(str(values.get(name, "")) for values in every)] for name in names]
    return [row for row in rows if len(set(row[1:])) > 1 or len(experiments) == 1]


def _best(experiments: Sequence[ExperimentTracker]) -> list[list[str]]:
    names = dict.fromkeys(name for one in experiments for name in one.metrics)
    return [
        [f"{'lowest' if lower_is_better(name) else 'highest'} {name}", *_values(experiments, name)] for name in names
    ]


def _values(experiments: Sequence[ExperimentTracker], name: str) -> list[str]:
    values = [one.get_best_metric(name)[0] for one in experiments]
    known = [value for value in values if value is not None]
    best = (min(known) if lower_is_better(name) else max(known)) if len(known) > 1 else None
    return [number(value) + ("*" if value is not None and value == best else "") for value in values]
