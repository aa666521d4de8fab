"""MLflow, W&B and TensorBoard through neural, beside each tool alone on the same work in the same run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from benchmarks import backend_runs
from benchmarks.measure import Figure, Sizes, child, median
from benchmarks.work import work_of_a_step

TITLE = "Backends beside their tools alone"
_RUNS = backend_runs.__name__
_STEPS, _ROWS, _ROUNDS = 10_000, 100_000, 3
_TITLES = {"mlflow": "MLflow (SQLite)", "wandb": "W&B (offline)", "tensorboard": "TensorBoard"}
_LESS = {"mlflow": 20, "wandb": 10, "tensorboard": 10}
"""How many times less a step of the loop is to cost."""
_BACKFILL = {"mlflow": 60.0, "wandb": 30.0, "tensorboard": 10.0}
_OWN = 1.3
"""Or the backfill takes at most so many times what the tool's own fastest way takes."""


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Train with each tool in both ways, in turn; then deliver a stored experiment to each."""
    steps, rows = min(sizes.calls, _STEPS), min(sizes.rows, _ROWS)
    rounds, work = min(sizes.rounds, _ROUNDS), work_of_a_step()
    places = _places(folder)
    figures = [figure for name in _TITLES for figure in _training(name, steps, work, rounds, folder, places)]
    stored = child(folder, _RUNS, "record", next(places), rows)
    return figures + [_backfilling(name, stored, rows, folder, places) for name in _TITLES]


def _places(folder: Path) -> Iterator[str]:
    """Give a new folder for each script."""
    for number in itertools.count():
        place = folder / f"script-{number}"
        place.mkdir()
        yield str(place)


def _training(name: str, steps: int, work: int, rounds: int, folder: Path, places: Iterator[str]) -> list[Figure]:
    ours, own = [], []
    for _ in range(rounds):
        ours.append(child(folder, _RUNS, "train", next(places), name, steps, work))
        own.append(child(folder, _RUNS, "tool", next(places), name, steps, work))
    less = median([b["call"] / a["call"] for a, b in zip(ours, own, strict=True)])
    total = median([a["total"] / b["total"] for a, b in zip(ours, own, strict=True)])
    calls = [median([one["call"] for one in runs]) * 1e6 for runs in (ours, own)]
    times = [median([one["total"] for one in runs]) for runs in (ours, own)]
    return [
        Figure(
            f"{_TITLES[name]}, {steps:,} steps of 0.2 ms with 4 metrics: the call its docs show ÷ ours",
            less,
            "x",
            _LESS[name],
            f"ours {calls[0]:.2f} µs, the tool's own {calls[1]:,.1f} µs",
            floor=True,
        ),
        Figure(
            f"{_TITLES[name]}, the whole script until all has arrived: ours ÷ the tool's own",
            total,
            "x",
            1.0,
            f"ours {times[0]:.1f} s, the tool's own {times[1]:.1f} s",
        ),
    ]


def _backfilling(name: str, stored: str, rows: int, folder: Path, places: Iterator[str]) -> Figure:
    ours = child(folder, _RUNS, "backfill", next(places), name, stored)
    own = child(folder, _RUNS, "tool_backfill", next(places), name, rows)
    bound = max(_BACKFILL[name], _OWN * own)
    return Figure(
        f"{_TITLES[name]}, a stored experiment of {rows:,} rows of 4 delivered",
        ours,
        "s",
        bound,
        f"the tool's own fastest way: {own:.1f} s",
    )
