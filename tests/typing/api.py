"""The guide's API as scripts use it. ``mypy --strict`` has to accept every line; nothing here is ever run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from matplotlib.figure import Figure

from neural.tracking import (
    ArtifactVersion,
    ExperimentComparisonUI,
    ExperimentManager,
    ExperimentTracker,
    MetricVisualizer,
    create_integration,
    launch_comparison_ui,
)
from neural_core.records import Damage, Health, MetricInfo, RunRow, Series


@attrs.frozen
class Config:
    """Hyperparameters of a script."""

    lr: float = 0.01
    layers: tuple[int, ...] = (64, 64)


def train(figure: Figure) -> str:
    """Log everything that can be logged."""
    tracker = ExperimentTracker(experiment_name="my_first_experiment", auto_visualize=True)
    tracker.log_hyperparameters({"learning_rate": 0.01, "batch_size": 32, "optimizer": "adam"})
    tracker.log_hyperparameters(Config())
    tracker.log_hyperparameters(argparse.Namespace(lr=0.1))
    for epoch in range(100):
        tracker.log_metrics({"train_loss": 0.1, "val_loss": np.float32(0.2), "n": 3}, step=epoch)
        tracker.log_metrics({"loss": 0.5})
        tracker.log_metric("loss", 0.5, step=epoch)
        tracker.log_model(f"checkpoint_{epoch}.pt", framework="pytorch", version=True)
    stored: ArtifactVersion | None = tracker.log_artifact(Path("a.txt"), name="a", version=False, metadata={"k": 1})
    tracker.log_figure(figure, "custom_training_curve.png")
    tracker.set_status("completed")
    tracker.set_tags(["baseline"])
    tracker.set_tags({"team": "vision"})
    tracker.set_notes("text")
    tracker.flush()
    tracker.finish()
    tracker.finish("failed")
    health: Health = tracker.health
    return f"{tracker.experiment_id} {tracker.experiment_dir / 'plots'} {stored} {health.ok}"


def variants(options: dict[str, Any]) -> None:
    """Make trackers in every way."""
    with ExperimentTracker("resnet50_imagenet_lr0.01_batch128", base_dir="/path/to/my/experiments") as tracker:
        tracker.log_metrics({"m": 1.0}, 1)
    ExperimentTracker("x", Path("base"), False, "mlflow")
    ExperimentTracker("x", backend=["mlflow", "wandb"])
    ExperimentTracker("x", backend={"mlflow": {"tracking_uri": "http://localhost"}}, durability="power")
    ExperimentTracker("x", hyperparameters=Config(), tags={"a": "b"}, notes="n")
    resumed: ExperimentTracker = ExperimentTracker.resume("abc12345", base_dir="base")
    attached: ExperimentTracker = ExperimentTracker.attach(resumed.experiment_dir, rank=1)
    attached.log_metrics({"m": 1.0})
    backend = create_integration("mlflow", "multi_backend", **options)
    backend.log_hyperparameters({"lr": 0.01})
    backend.log_metrics({"loss": 0.5}, step=1)
    backend.finish()


def read() -> dict[str, Path]:
    """Ask for everything that can be asked."""
    manager = ExperimentManager(base_dir="neural_experiments")
    experiments = manager.list_experiments()
    completed = [e for e in experiments if e["status"] == "completed"]
    for experiment in sorted(completed, key=lambda x: str(x["start_time"])):
        print(f"{experiment['experiment_name']} - {experiment['status']}")  # noqa: T201 - the guide prints
    tracker = manager.get_experiment("abc12345")
    best, step = tracker.get_best_metric("accuracy", mode="max")
    if best is not None:
        print(f"{best:.4f} at step {step}")  # noqa: T201 - the guide prints
    losses: list[float] = tracker.get_metrics("train_loss")
    series: Series = tracker.get_series("train_loss")
    infos: dict[str, MetricInfo] = tracker.metrics
    for version in tracker.list_artifact_versions("model.pt"):
        print(f"Version {version.version}: {version.checksum[:8]}... ({version.size} bytes)")  # noqa: T201 - as above
    latest = tracker.get_artifact_version("model.pt", version=-1)
    if latest is not None:
        with latest.open() as file:
            file.read()
    rows = [(row.step, row.timestamp, row["loss"], row.values["loss"]) for row in tracker.metrics_history]
    last_rows = tracker.metrics_history[-10:]
    damage: list[Damage] = tracker.damage
    print(losses, len(series), infos, rows, last_rows, damage, tracker.tags, tracker.notes)  # noqa: T201 - as above
    return tracker.generate_visualizations()


def compare() -> None:
    """Use the manager and the page."""
    manager = ExperimentManager()
    plots = manager.compare_experiments(["abc12345", "def67890"], metrics=["loss"])
    for name, figure in plots.items():
        figure.savefig(f"comparison_{name}.png")
    output: Path = manager.export_comparison(["abc12345"], output_dir="out")
    found: list[RunRow] = manager.runs(
        "params.lr < 0.01 and status = 'completed'", order_by="-metrics.acc.max", limit=5
    )
    top = [(row.name, value, step) for row, value, step in manager.best("acc")]
    success: bool = manager.delete_experiment("abc12345") and manager.restore_experiment("abc12345")
    created: ExperimentTracker = manager.create_experiment("x", auto_visualize=False, backend=None)
    history = created.metrics_history
    MetricVisualizer.create_metric_plots(history, figsize=(15, 10))
    MetricVisualizer.create_distribution_plots(history, figsize=(15, 8))
    print(output, found, top, success)  # noqa: T201 - the guide prints
    launch_comparison_ui(base_dir="neural_experiments", port=8052, debug=False)
    ui = ExperimentComparisonUI(manager=manager, port=8052)
    ui.run(debug=False)
