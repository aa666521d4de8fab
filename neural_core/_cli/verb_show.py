"""``neural show``: one experiment in full."""

from __future__ import annotations

import click

from neural_core import ExperimentTracker
from neural_core._cli.output import base_dir_option, legible, number, print_pairs, print_table, when
from neural_core._manager import ExperimentManager
from neural_core._storage.plain import flatten
from neural_core.records import ArtifactVersion, MetricInfo

__all__ = ["command"]


@click.command()
@click.argument("experiment_id", metavar="ID")
@base_dir_option
def command(experiment_id: str, base_dir: str) -> None:
    """Show the experiment ID: its status, hyperparameters, metrics and artifacts. A unique beginning of ID will do."""
    manager = ExperimentManager(base_dir)
    experiment = manager.get_experiment(experiment_id)
    listed = next(one for one in manager.list_experiments() if one["experiment_dir"] == str(experiment.experiment_dir))
    click.echo(f"{legible(listed['experiment_name'])}  {legible(listed['experiment_id'])}")
    _facts(experiment, listed)
    print_pairs("hyperparameters", flatten(experiment.hyperparameters))
    _metrics(experiment)
    print_pairs("artifacts", [_artifact(one) for one in experiment.artifacts])
    print_pairs("damage", [(one.file, one.problem) for one in experiment.damage])


def _facts(experiment: ExperimentTracker, listed: dict[str, object]) -> None:
    pairs = {
        "status": listed["status"],
        "start (UTC)": when(str(listed["start_time"])),
        "end (UTC)": when(None if listed["end_time"] is None else str(listed["end_time"])),
        "folder": experiment.experiment_dir,
        "tags": ", ".join(f"{name}={text}" if text else name for name, text in experiment.tags.items()),
        "notes": experiment.notes,
    }
    for name, value in pairs.items():
        if value not in ("", None):
            click.echo(f"  {name:<11}  {legible(value)}")


def _metrics(experiment: ExperimentTracker) -> None:
    infos = experiment.metrics
    if infos:
        click.echo()
        headings = ["metric", "points", "last", "min", "at step", "max", "at step "]
        print_table(headings, [_metric(info) for info in infos.values()], right=headings[1:])


def _metric(info: MetricInfo) -> list[str]:
    low, high = ("" if step is None else str(step) for step in (info.min_step, info.max_step))
    return [info.name, str(info.count), number(info.last), number(info.min), low, number(info.max), high]


def _artifact(one: ArtifactVersion) -> tuple[str, str]:
    name = one.artifact_name if one.version is None else f"{one.artifact_name} v{one.version}"
    return name, f"{one.kind}, {one.size:,} bytes, SHA-256 {one.checksum[:12]}..., {one.path}"
