"""Finished experiments of a million points, made in a fraction of a second instead of a minute of `log_metrics` calls.

Their files are the ones that the tracker writes, by its own writers; only the journal in between is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from neural_core._storage.journal.compacted_part import ORDINAL, STEP, TIME
from neural_core._storage.journal.facts_file import SUFFIX, read_facts_file, write_facts_file
from neural_core._storage.parquet.layout import Column
from neural_core._storage.parquet.reader import ParquetFile
from neural_core._storage.parquet.writer import Chunk, write_parquet
from neural_core._storage.writing.closing import write_final_documents
from neural_core.importing import ForeignRun, ImportTarget, import_run

__all__ = ["METRICS", "SPIKE", "curves", "make_long_run", "make_long_runs"]

METRICS = ("train_loss", "val_loss", "train_accuracy", "learning_rate")
SPIKE = 614_321
"""The step of the one point of the first run's ``train_loss`` that is a hundred times its neighbours."""
GROUP = 131_072
SECONDS = 0.05
OPTIMIZERS = ("adamw", "sgd", "lion")


def curves(number: int, points: int) -> dict[str, NDArray[np.float64]]:
    """Give the metrics of a run: they fall or rise with noise, as those of a training do."""
    random = np.random.default_rng(number)
    at = np.arange(points) / points
    noise = random.standard_normal(points)
    level = 0.3 + 0.02 * number
    loss = level + 2.2 * np.exp(-6 * at) + 0.06 * noise * (0.4 + np.exp(-3 * at))
    values = {
        "train_loss": loss,
        "val_loss": loss + 0.15 * at + 0.03 * np.roll(noise, 7),
        "train_accuracy": 0.97 - 0.012 * number - 0.85 * np.exp(-5 * at) + 0.02 * np.roll(noise, 11),
        "learning_rate": 1e-3 * (1 + number % 4) * (0.5 + 0.5 * np.cos(np.pi * at)),
    }
    if number == 0 and points > SPIKE:
        values["train_loss"][SPIKE] = 100 * values["train_loss"][SPIKE]
    return values


@frozen
class _FirstRow(ForeignRun):
    """The beginning of a long run: everything but its rows after the first."""

    metrics: Mapping[str, float] = field(factory=dict)
    hyperparameters: Mapping[str, Any] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    end_time: float = 0.0

    def write_to(self, target: ImportTarget) -> None:
        target.log_hyperparameters(self.hyperparameters)
        if self.tags:
            target.set_tags(self.tags)
        target.log_metrics(self.metrics, 0, self.start_time)
        target.end("completed", self.end_time)


def make_long_run(
    base: Path,
    name: str,
    metrics: Mapping[str, NDArray[np.float64]],
    *,
    start: float = 1_790_000_000.0,
    hyperparameters: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> Path:
    """Make a finished experiment with these metrics, a row for each of their values; give its folder.

    Args:
        base: the base folder.
        name: of the experiment.
        metrics: metric → values, all of the same length.
        start: Unix seconds; a row follows every 50 ms.
        hyperparameters: of the experiment.
        tags: likewise.
    """
    first = {metric: float(values[0]) for metric, values in metrics.items()}
    end = start + (len(next(iter(metrics.values()))) - 1) * SECONDS
    run = _FirstRow(f"long:{name}:{start}", name, "once", start, first, hyperparameters or {}, tags or {}, end)
    directory = import_run(run, base).directory
    [facts] = directory.glob(f"metrics/*{SUFFIX}")
    _grow(facts, metrics)
    write_final_documents(directory, owner=True)
    return directory


def _grow(facts_path: Path, metrics: Mapping[str, NDArray[np.float64]]) -> None:
    """Put a part of many rows in the place of the one that has one row."""
    points = len(next(iter(metrics.values())))
    path = facts_path.with_name(facts_path.name.removesuffix(SUFFIX) + ".parquet")
    before, facts = ParquetFile(path), read_facts_file(facts_path)
    first = int(before.read(ORDINAL)[0][0])
    start = float(before.read(TIME)[0][0])
    words = 3 + len(metrics)  # of a row: head, step, time, values
    more = (points - 1) * words
    length = facts.length + more * 8
    bodies = [(ordinal + more * (ordinal > first), body) for ordinal, body in facts.frames]
    facts_path.unlink()
    write_facts_file(facts_path, facts.header, bodies, length=length, rows=points)
    steps = np.arange(points, dtype=np.int64)
    columns = [first + steps * words, steps, start + steps * SECONDS, *metrics.values()]
    layout = [Column(ORDINAL, "int64"), Column(STEP, "int64"), Column(TIME, "double")]
    layout += [Column(metric, "double") for metric in metrics]
    groups = ([Chunk(column[at : at + GROUP]) for column in columns] for at in range(0, points, GROUP))
    footer = {key: text for key, text in before.footer.items() if key.startswith("neural.")}
    path.unlink()
    write_parquet(path, layout, groups, {**footer, "neural.length": str(length)})


def make_long_runs(base: Path, runs: int = 20, points: int = 1_000_000) -> list[Path]:
    """Make the store of the speed checks: runs of four metrics, with parameters that differ."""
    return [
        make_long_run(
            base,
            f"vit-b16-{OPTIMIZERS[number % 3]}-{number:02d}",
            curves(number, points),
            start=1_790_000_000.0 + 3_600 * number,
            hyperparameters={
                "optimizer": OPTIMIZERS[number % 3],
                "lr": 1e-3 * (1 + number % 4),
                "batch_size": 64 * (1 + number % 2),
                "seed": number,
                "model": {"depth": 12, "width": 768, "dropout": 0.1 * (number % 3)},
            },
            tags={"paper": ""} if number % 5 == 0 else None,
        )
        for number in range(runs)
    ]
