"""``neural show``: one experiment in full."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from neural_core import ExperimentTracker
from neural_core._cli.arguments import id_argument
from neural_core._cli.output import base_dir_option, legible, number, print_json, print_pairs, print_table, when
from neural_core._delivery.replay import Progress, progress_of
from neural_core._manager import ExperimentManager
from neural_core._storage.experiment.plain import flatten
from neural_core._storage.experiment.reader import RunReader
from neural_core.errors import DamagedError
from neural_core.records import ArtifactVersion, MetricInfo

__all__ = ["command"]


@click.command()
@id_argument()
@base_dir_option
@click.option("--json", "as_json", is_flag=True, help="Everything that is known but the points, as JSON.")
def command(experiment_id: str, base_dir: str, as_json: bool) -> None:
    """Show the experiment ID: status, hyperparameters, metrics, artifacts, and how far backends are with it."""
    manager = ExperimentManager(base_dir)
    experiment = manager.get_experiment(experiment_id)
    listed = next(one for one in manager.list_experiments() if one["experiment_dir"] == str(experiment.experiment_dir))
    environment = RunReader(experiment.experiment_dir, verify=False).state()[0].environment
    progress = _progress(experiment.experiment_dir)
    if as_json:
        print_json(_document(experiment, listed, environment, progress))
        return
    click.echo(f"{legible(listed['experiment_name'])}  {legible(listed['experiment_id'])}")
    _facts(experiment, listed)
    print_pairs("hyperparameters", flatten(experiment.hyperparameters))
    _metrics(experiment)
    print_pairs("artifacts", [_artifact(one) for one in experiment.artifacts])
    print_pairs("backends", [(f"{one.cursor.plugin} {one.cursor.destination}".strip(), _far(one)) for one in progress])
    print_pairs("environment", flatten(environment))
    print_pairs("damage", [(one.file, one.problem) for one in experiment.damage])


def _progress(directory: Path) -> list[Progress]:
    try:
        return progress_of(directory)
    except (DamagedError, OSError):
        return []  # the damage is shown, and `neural status` names what it costs


def _facts(experiment: ExperimentTracker, listed: dict[str, Any]) -> None:
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


def _far(progress: Progress) -> str:
    error = f": {progress.cursor.error}" if progress.cursor.error and progress.state != "complete" else ""
    behind = f", {progress.behind:,} behind" if progress.behind else ""
    return f"{progress.state}, {progress.cursor.delivered:,} rows{behind}{error}"


def _document(
    experiment: ExperimentTracker, listed: dict[str, Any], environment: dict[str, Any], progress: Sequence[Progress]
) -> dict[str, Any]:
    return {
        **listed,
        "notes": experiment.notes,
        "hyperparameters": experiment.hyperparameters,
        "metrics": {
            name: {
                key: getattr(info, key) for key in ("count", "last", "last_step", "min", "min_step", "max", "max_step")
            }
            for name, info in experiment.metrics.items()
        },
        "artifacts": [
            {
                "name": one.artifact_name,
                "version": one.version,
                "kind": one.kind,
                "size": one.size,
                "sha256": one.checksum,
                "time": one.timestamp,
                "path": str(one.path),
                "metadata": dict(one.metadata),
            }
            for one in experiment.artifacts
        ],
        "backends": [
            {
                "to": one.cursor.plugin,
                "destination": one.cursor.destination,
                "state": one.state,
                "delivered": one.cursor.delivered,
                "behind": one.behind,
                "error": one.cursor.error,
            }
            for one in progress
        ],
        "environment": environment,
        "damage": [{"file": one.file, "problem": one.problem} for one in experiment.damage],
    }
