"""Train four small networks on scikit-learn's handwritten digits, and let neural keep, draw and compare them.

Every number is a real one: the losses and accuracies of each epoch on training and validation images.

    python3 dev.py demo                     # installs what it needs, then runs this
    python3 dev.py demo --no-ui             # without the page at the end
    python examples/demo.py --epochs 20     # where neural-core and scikit-learn are installed
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]  # it ships no types
import numpy as np
from matplotlib.figure import Figure
from rich import box
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from neural.tracking import ExperimentManager, ExperimentTracker, launch_comparison_ui

SEED = 7
CHECKPOINT_EVERY = 10
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "digits small": {"hidden_layers": [16], "learning_rate": 0.003, "weight_decay": 0.0001, "batch_size": 64},
    "digits wide": {"hidden_layers": [128], "learning_rate": 0.003, "weight_decay": 0.0001, "batch_size": 64},
    "digits deep": {"hidden_layers": [64, 64, 64], "learning_rate": 0.003, "weight_decay": 0.01, "batch_size": 64},
    "digits too fast": {"hidden_layers": [64, 64], "learning_rate": 0.08, "weight_decay": 0.0001, "batch_size": 64},
}
Images = dict[str, tuple[Any, Any]]


def load_images() -> Images:
    """Give the 1,797 images of 8 x 8 pixels as ``train`` and ``val``: pixels in 0 … 1, and the digit of each."""
    digits = load_digits()
    pixels = digits.data / 16.0
    train_x, val_x, train_y, val_y = train_test_split(
        pixels, digits.target, test_size=0.3, random_state=SEED, stratify=digits.target
    )
    return {"train": (train_x, train_y), "val": (val_x, val_y)}


def make_network(options: Mapping[str, Any]) -> MLPClassifier:
    """Give an untrained network."""
    return MLPClassifier(
        hidden_layer_sizes=tuple(options["hidden_layers"]),
        learning_rate_init=options["learning_rate"],
        alpha=options["weight_decay"],
        batch_size=options["batch_size"],
        random_state=SEED,
    )


def measure(network: MLPClassifier, images: Images) -> dict[str, float]:
    """Give loss and accuracy on both splits."""
    metrics = {}
    for split, (x, y) in images.items():
        chances = network.predict_proba(x)
        metrics[f"{split}_loss"] = log_loss(y, chances, labels=network.classes_)
        metrics[f"{split}_accuracy"] = float(np.mean(network.classes_[chances.argmax(axis=1)] == y))
    return metrics


def draw_confusion(network: MLPClassifier, images: Images) -> Figure:
    """Draw which validation digits were taken for which."""
    x, y = images["val"]
    counts = confusion_matrix(y, network.predict(x))
    figure = Figure(figsize=(6, 5.4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(counts, cmap="Blues")
    axes.set(xlabel="predicted digit", ylabel="true digit", xticks=range(10), yticks=range(10))
    axes.set_title(f"{int(np.trace(counts))} of {len(y)} validation digits are right", loc="left")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), count in np.ndenumerate(counts):
        if count:
            axes.text(
                column, row, count, ha="center", va="center", color="white" if count > counts.max() / 2 else "0.2"
            )
    return figure


def train(name: str, options: Mapping[str, Any], images: Images, epochs: int, base_dir: str) -> ExperimentTracker:
    """Train one network epoch by epoch; what happens is in the experiment's folder when this returns."""
    network = make_network(options)
    x, y = images["train"]
    parameters = {**options, "epochs": epochs, "seed": SEED, "dataset": "scikit-learn digits"}
    with (
        tempfile.TemporaryDirectory() as scratch,
        ExperimentTracker(name, base_dir=base_dir, hyperparameters=parameters, tags=["demo"]) as tracker,
    ):
        for epoch in range(1, epochs + 1):
            network.partial_fit(x, y, classes=np.arange(10))
            tracker.log_metrics(measure(network, images), step=epoch)
            if epoch % CHECKPOINT_EVERY == 0 or epoch == epochs:
                checkpoint = Path(scratch) / f"checkpoint_{epoch}.joblib"
                joblib.dump(network, checkpoint)
                tracker.log_model(checkpoint, framework="sklearn")  # a version of checkpoint.joblib
        tracker.log_figure(draw_confusion(network, images), "confusion_matrix.png")
    return tracker


def comparison_table(trackers: list[ExperimentTracker]) -> Table:
    """Give the experiments side by side, the best value of each column marked with a star."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for heading in ("experiment", "id"):
        table.add_column(heading, no_wrap=True)
    for heading in ("layers", "rate", "val accuracy", "epoch", "val loss"):
        table.add_column(heading, justify="right", no_wrap=True)
    accuracy = {tracker.experiment_id: tracker.get_best_metric("val_accuracy") for tracker in trackers}
    loss = {tracker.experiment_id: tracker.get_best_metric("val_loss") for tracker in trackers}
    highest = max(value or 0.0 for value, _ in accuracy.values())
    lowest = min(value or 0.0 for value, _ in loss.values())
    for tracker in trackers:
        options = tracker.hyperparameters
        (best, epoch), (least, _) = accuracy[tracker.experiment_id], loss[tracker.experiment_id]
        table.add_row(
            tracker.experiment_name,
            tracker.experiment_id[:8],
            "-".join(str(size) for size in options["hidden_layers"]),
            f"{options['learning_rate']:g}",
            f"{best:.4f}{'*' if best == highest else ' '}",
            str(epoch),
            f"{least:.4f}{'*' if least == lowest else ' '}",
        )
    return table


def neural_command() -> str:
    """Give what to type for the `neural` command: with its folder when that may not be on the PATH."""
    beside = Path(sys.executable).with_name("neural")
    return str(beside) if beside.exists() else "neural"


def say_where(console: Console, trackers: list[ExperimentTracker], report: Path) -> None:
    """Name what there is to look at."""
    best = max(trackers, key=lambda tracker: tracker.get_best_metric("val_accuracy")[0] or 0.0)
    versions = best.list_artifact_versions("checkpoint.joblib")
    base_dir = best.experiment_dir.parent
    command = neural_command()
    lines = {
        "report": report / "report.html",
        "plots": f"{best.experiment_dir / 'plots'} (and those of the others beside it)",
        "checkpoints": f"{len(versions)} versions of checkpoint.joblib, the newest: {versions[-1].path}",
        "terminal": f'{command} ls --base-dir "{base_dir}"',
        "browser": f'{command} ui --base-dir "{base_dir}"',
    }
    for what, where in lines.items():
        console.print(f"{what + ':':<13}{where}", soft_wrap=True)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train four small networks on handwritten digits, tracked by neural.")
    parser.add_argument("--base-dir", default="neural_experiments", help="folder of the experiments")
    parser.add_argument("--epochs", type=int, default=40, help="epochs of each network (default: 40)")
    in_terminal = sys.stdout.isatty()
    parser.add_argument(
        "--ui", action=argparse.BooleanOptionalAction, default=in_terminal, help="serve the page at the end"
    )
    options = parser.parse_args(arguments)
    if options.epochs < 1:
        parser.error("--epochs is 1 or more")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Train, compare, and say where everything is."""
    options = parse(arguments)
    console = Console(highlight=False, markup=False)
    images = load_images()
    sizes = {split: len(y) for split, (_, y) in images.items()}
    console.print(f"Handwritten digits: {sizes['train']} images to train on, {sizes['val']} to validate with.")
    trackers = []
    for number, (name, configuration) in enumerate(CONFIGURATIONS.items(), start=1):
        console.print(f"  {number}/{len(CONFIGURATIONS)} {name} ...", end="")
        started = time.monotonic()
        trackers.append(train(name, configuration, images, options.epochs, options.base_dir))
        console.print(f" {options.epochs} epochs in {time.monotonic() - started:.1f} s")
    manager = ExperimentManager(options.base_dir)
    ids = [tracker.experiment_id for tracker in trackers]
    console.print("  comparing ...", end="")
    report = manager.export_comparison(ids, manager.base_dir / "demo_comparison")
    console.print(" done\n")
    console.print(comparison_table(trackers))
    console.print("* the best of the column\n")
    say_where(console, trackers, report)
    if options.ui:
        console.print("\nOpen the page below in a browser: all four side by side. Ctrl-C ends it.", soft_wrap=True)
        launch_comparison_ui(options.base_dir)
    else:
        console.print("\nOpen the report in a browser, or start the page with the last line above.", soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
