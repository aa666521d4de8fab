"""What plugins, backends and automatic plots cost the training, and how fast they hear of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

from benchmarks import delivery_runs
from benchmarks.delivery_plugins import Counting, Making, install
from benchmarks.measure import Figure, Sizes, child, interleaved, median, metrics_of
from benchmarks.work import work_of_a_step
from neural_core import ExperimentTracker
from neural_core.testing import deliver

TITLE = "Hooks and delivery"
_RUNS = delivery_runs.__name__
_USUAL = ("numpy", "hashlib", "subprocess", "importlib.metadata")
"""What scikit-learn, for one, has imported before the training begins."""
_Run = Callable[[], dict[str, float]]
_SAID = "auto plots, a backend that sleeps 100 ms per batch, one that raises"


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Train beside plugins of every kind, in fresh processes; then deliver a long experiment."""
    with _backends(folder):
        work = work_of_a_step()
        return [
            *_loops(sizes, folder, work),
            *_memory(sizes, folder, work),
            *_lag(sizes, folder, work),
            *_short(sizes, folder),
            *_throughput(sizes, folder),
            *_backlog(sizes, folder),
        ]


@contextlib.contextmanager
def _backends(folder: Path) -> Iterator[None]:
    """Install the backends for the processes to come; a companion does not linger for a backend that only raises."""
    path = [str(install(folder / "packages")), *filter(None, [os.environ.get("PYTHONPATH")])]
    with mock.patch.dict(os.environ, PYTHONPATH=os.pathsep.join(path), NEURAL_LINGER="0.1"):
        yield


def _loops(sizes: Sizes, folder: Path, work: int) -> list[Figure]:
    def run(kind: str) -> _Run:
        return lambda: child(folder, _RUNS, "looping", str(folder), kind, sizes.calls, work, _USUAL)

    if sizes.processes > 1:
        run("all")()  # compiles, once
    kinds = {"none": "none", "companion": "companion", "control": "none", "all": "all", "object": "object"}
    found = _interleaved(sizes.processes, {name: run(kind) for name, kind in kinds.items()})

    def ratio(name: str, what: str) -> float:
        return median([a[what] / b[what] for a, b in zip(found[name], found["none"], strict=True)])

    def more(name: str) -> float:
        return median([a["memory"] - b["memory"] for a, b in zip(found[name], found["none"], strict=True)])

    p50 = {name: median([one["p50"] for one in runs]) * 1e6 for name, runs in found.items()}
    loop = {name: median([one["loop"] for one in runs]) for name, runs in found.items()}
    held = {name: median([one["memory"] for one in runs]) for name, runs in found.items()}
    steps = f"{sizes.calls:,} steps of 0.2 ms"
    beside = f"without: {loop['none']:.3f} s; without, again: {ratio('control', 'loop'):.4f} x"
    calls = f"without: {p50['none']:.2f} µs, with: {p50['all']:.2f} µs; without, again: {ratio('control', 'p50'):.3f} x"
    memory = f"without: {held['none']:.1f} MB, imports as usual; without, again: {more('control'):+.2f} MB"
    return [
        Figure(f"log_metrics p50 beside {_SAID}, one hook object", ratio("all", "p50"), "x", 1.1, calls),
        Figure("the same without the hook object", ratio("companion", "p50"), "x", 1.1),
        Figure(f"{steps}, whole loop beside {_SAID}", ratio("companion", "loop"), "x", 1.03, beside),
        Figure("the same and one hook object", ratio("all", "loop"), "x", 1.03, beside),
        Figure("one hook object alone", ratio("object", "loop"), "x", 1.03, beside),
        Figure("trainer's memory, more with auto plots and backends", more("companion"), "MB", 1.0, memory),
        Figure("trainer's memory, more with one hook object", more("object"), "MB", 15, memory),
    ]


def _interleaved(rounds: int, works: dict[str, _Run]) -> dict[str, list[dict[str, float]]]:
    """Do each work once per round; every other round backwards, so that no one always follows the same."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in works}
    for number in range(rounds):
        for name in list(works)[:: -1 if number % 2 else 1]:
            found[name].append(works[name]())
    return found


def _memory(sizes: Sizes, folder: Path, work: int) -> list[Figure]:
    steps, rounds = min(sizes.calls, 5_000), min(sizes.rounds, 5)

    def held(kind: str, *imports: str) -> float:
        runs = [child(folder, _RUNS, "looping", str(folder), kind, steps, work, imports) for _ in range(rounds)]
        return median([one["memory"] for one in runs])

    bare, plain = held("none", "numpy"), held("none")
    figures = [
        Figure("the first in a script that imports only numpy", held("companion", "numpy") - bare, "MB"),
        Figure("the second in a script that imports only numpy", held("object", "numpy") - bare, "MB"),
        Figure("the second in a script that imports nothing: numpy is in it", held("object") - plain, "MB"),
    ]
    peaks = [child(folder, _RUNS, "drawing", str(folder), sizes.calls, work) for _ in range(rounds)]
    if None not in peaks:
        figures.append(Figure("companion's memory while drawing, no backend, peak", median(peaks), "MB", 120))
    return figures


def _lag(sizes: Sizes, folder: Path, work: int) -> list[Figure]:
    rounds = [child(folder, _RUNS, "lagging", str(folder), sizes.calls, work) for _ in range(min(sizes.rounds, 5))]
    figures = []
    for name, what in (("object", "hook object"), ("backend", "backend in the companion")):
        largest = [max(one[name]) for one in rounds]
        usual = median([lag for one in rounds for lag in one[name]])
        said = f"largest of all runs {max(largest):.3f} s; oldest row of a batch, median {usual:.3f} s"
        figures.append(Figure(f"largest lag of a row to a {what}, 5,000 rows/s", median(largest), "s", 0.5, said))
    return figures


def _short(sizes: Sizes, folder: Path) -> list[Figure]:
    found = [child(folder, _RUNS, "whole", str(folder)) for _ in range(sizes.processes)]
    said = f"slowest {max(found):.2f} s"
    return [Figure("start + 100 rows + finish, auto plots, fresh process", median(found), "s", 1.5, said)]


def _throughput(sizes: Sizes, folder: Path) -> list[Figure]:
    live, finished = _write(folder / "long", sizes.rows)

    def rate(path: Path, kind: type[Counting]) -> Callable[[], float]:
        def run() -> float:
            plugin = kind()
            start = time.perf_counter()
            assert deliver(path, plugin, seconds=600).complete
            taken = time.perf_counter() - start
            assert plugin.rows == sizes.rows
            return sizes.rows / taken

        return run

    found = interleaved(
        min(sizes.rounds, 5),
        live_batches=rate(live, Counting),
        live_rows=rate(live, Making),
        finished_batches=rate(finished, Counting),
        finished_rows=rate(finished, Making),
    )
    took = {name: median(values) for name, values in found.items()}
    figures = []
    for name, form in (("live", "journal"), ("finished", "Parquet")):
        what = f"relay, {sizes.rows:,} rows, {form}"
        figures.append(Figure(f"{what}: no row touched", took[f"{name}_batches"], "rows/s", 500_000, floor=True))
        figures.append(Figure(f"{what}: every row made", took[f"{name}_rows"], "rows/s", 150_000, floor=True))
    return figures


def _backlog(sizes: Sizes, folder: Path) -> list[Figure]:
    rows = 10 * sizes.rows
    grown = child(folder, _RUNS, "behind", str(folder), rows)
    if grown is None:
        return []
    return [Figure(f"memory of a relay with a backlog of {rows:,} rows, more than with one row", grown, "MB", 30)]


def _write(base: Path, rows: int) -> tuple[Path, Path]:
    """Log rows; give a copy of the folder as it was before the end, and the folder with its Parquet."""
    tracker = ExperimentTracker("long", base_dir=base, auto_visualize=False)
    metrics = metrics_of(4)
    for step in range(rows):
        tracker.log_metrics(metrics, step)
    tracker.flush()
    live = base / "live"
    shutil.copytree(tracker.experiment_dir, live)
    tracker.finish()
    assert list(tracker.experiment_dir.glob("metrics/*.parquet"))
    return live, tracker.experiment_dir
