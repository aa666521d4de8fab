"""The guide's tour: track, version, mirror, compare, draw. Runs in seconds and needs neural-core only.

    python examples/experiment_tracking_example.py                      # into a new temporary folder
    python examples/experiment_tracking_example.py --base-dir somewhere

What is trained is small and real: logistic regression on two clouds of points, by gradient descent in NumPy.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from neural.tracking import ExperimentManager, ExperimentTracker, MetricVisualizer
from neural_core.errors import NotInstalledError

EPOCHS = 50
Metrics = dict[str, float]


def train(learning_rate: float, seed: int = 0) -> Iterator[tuple[int, Metrics, Any]]:
    """Give epoch, metrics and weights of each epoch; the numbers are those of the fit."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, 400)
    points = rng.normal(size=(400, 2)) + np.where(truth[:, None] == 1, 1.0, -1.0)
    weights = np.zeros(3)
    inputs = np.column_stack([points, np.ones(len(points))])
    parts = {"train": slice(0, 300), "val": slice(300, 400)}
    for epoch in range(EPOCHS):
        chance = 1 / (1 + np.exp(-inputs @ weights))
        metrics = {}
        for name, part in parts.items():
            right = np.where(truth[part] == 1, chance[part], 1 - chance[part])
            metrics[f"{name}_loss"] = float(-np.log(right).mean())
            metrics[f"{name}_accuracy"] = float((right > 0.5).mean())
        yield epoch, metrics, weights
        slope = inputs[parts["train"]].T @ (chance - truth)[parts["train"]] / 300
        weights = weights - learning_rate * slope


def basic_tracking(base_dir: Path) -> ExperimentTracker:
    """Log hyperparameters and metrics; ``finish()`` draws the plots."""
    tracker = ExperimentTracker("basic_example", base_dir=str(base_dir), auto_visualize=True)
    tracker.log_hyperparameters({"learning_rate": 0.5, "epochs": EPOCHS, "optimizer": {"name": "sgd", "momentum": 0}})
    for epoch, metrics, _ in train(learning_rate=0.5):
        tracker.log_metrics(metrics, step=epoch)
    tracker.finish()
    best, step = tracker.get_best_metric("val_accuracy", mode="max")
    print(f"Experiment ID: {tracker.experiment_id}")
    print(f"Results saved to: {tracker.experiment_dir}")
    print(f"Best val_accuracy: {best:.4f} at step {step}")
    return tracker


def artifact_versioning(base_dir: Path) -> None:
    """Store a checkpoint every tenth epoch: each is a version of ``model.npy``."""
    with tempfile.TemporaryDirectory() as scratch, ExperimentTracker("versioning_example", str(base_dir)) as tracker:
        for epoch, metrics, weights in train(learning_rate=0.5):
            tracker.log_metrics(metrics, step=epoch)
            if epoch % 10 == 0:
                checkpoint = Path(scratch) / f"model_{epoch}.npy"
                np.save(checkpoint, weights)
                tracker.log_model(checkpoint, framework="numpy", version=True)
    for version in tracker.list_artifact_versions("model.npy"):
        print(f"Version {version.version}: {version.checksum[:8]}... ({version.size} bytes)")
    latest = tracker.get_artifact_version("model.npy", version=-1)
    if latest is not None:
        with latest.open() as file:  # reads the checksum first: these are the bytes that were stored
            print(f"Latest weights: {np.round(np.load(file), 3).tolist()}")


def backend_integration(base_dir: Path) -> None:
    """Mirror an experiment to MLflow where its plugin is installed; else say how to install it."""
    store = f"sqlite:///{base_dir / 'mlflow.db'}"  # without this option: mlflow.db in the current folder
    try:
        tracker = ExperimentTracker(
            "backend_example", base_dir=str(base_dir), backend={"mlflow": {"tracking_uri": store}}
        )
    except NotInstalledError as error:
        print(error)
        return
    tracker.log_hyperparameters({"lr": 0.01})
    tracker.log_metrics({"loss": 0.5}, step=1)
    tracker.finish()
    print(f"Mirrored to MLflow; to look at it: mlflow ui --backend-store-uri {store}")


def comparison(base_dir: Path) -> None:
    """Run three learning rates, find the best, and export a report."""
    manager = ExperimentManager(base_dir=str(base_dir))
    ids = []
    for learning_rate in (0.01, 0.1, 1.0):
        with manager.create_experiment(f"lr_{learning_rate:g}", hyperparameters={"lr": learning_rate}) as tracker:
            for epoch, metrics, _ in train(learning_rate):
                tracker.log_metrics(metrics, step=epoch)
        ids.append(tracker.experiment_id)
    for row, value, step in manager.best("val_loss", where="params.lr > 0"):
        print(f"{row.name}: lowest val_loss {value:.4f} at step {step}")
    output_dir = manager.export_comparison(ids, base_dir / "example_comparison")
    print(f"Comparison report saved to: {output_dir}")


def visualizations(tracker: ExperimentTracker) -> None:
    """Name the plots that were drawn by themselves, and draw one of our own size."""
    for path in sorted((tracker.experiment_dir / "plots").glob("auto_*.png")):
        print(path.name)
    plots = MetricVisualizer.create_metric_plots(tracker.metrics_history, figsize=(15, 10))
    tracker_again = ExperimentManager(tracker.experiment_dir.parent).get_experiment(tracker.experiment_id)
    tracker_again.log_figure(plots["combined"], "large_overview.png")  # what is logged to it resumes the experiment
    tracker_again.finish()
    print("large_overview.png")


def main(arguments: list[str] | None = None) -> int:
    """Run the tour."""
    parser = argparse.ArgumentParser(description="A tour of experiment tracking with neural.")
    parser.add_argument("--base-dir", help="folder of the experiments (default: a new temporary one)")
    given = parser.parse_args(arguments).base_dir
    base_dir = Path(tempfile.mkdtemp(prefix="neural-example-") if given is None else given).absolute()
    print("== Basic experiment tracking")
    tracker = basic_tracking(base_dir)
    print("\n== Artifact versioning")
    artifact_versioning(base_dir)
    print("\n== Backend integration")
    backend_integration(base_dir)
    print("\n== Experiment comparison")
    comparison(base_dir)
    print("\n== Automatic visualizations")
    visualizations(tracker)
    print(f'\nEverything is in {base_dir}; list it with: neural ls --base-dir "{base_dir}"')
    return 0


if __name__ == "__main__":
    sys.exit(main())
