"""A million calls: the last are as fast as the first, memory does not grow, and each scalar takes its 14 bytes."""

from __future__ import annotations

import array
import time
from pathlib import Path

from benchmarks.measure import Figure, Sizes, child, median, memory, metrics_of

TITLE = "A long experiment"
_ROUNDS = 5


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Log a million calls in a fresh process, several times."""
    rounds = min(_ROUNDS, sizes.rounds)
    found = [child(folder, __name__, "run", str(folder), sizes.long_calls) for _ in range(rounds)]
    calls = f"{sizes.long_calls:,} calls"
    first, last = median([one["first"] for one in found]), median([one["last"] for one in found])
    ratio = median([one["last"] / one["first"] for one in found])
    said = f"first tenth {first * 1e6:.2f} µs, last tenth {last * 1e6:.2f} µs"
    return [
        Figure(f"{calls}: p50 of the last tenth, beside the first", ratio, "x", 1.2, said),
        Figure(f"{calls}: growth of memory (RSS)", median([one["grown"] for one in found]), "MB", 5.0),
        Figure(f"{calls}: bytes per scalar on disk", median([one["bytes"] for one in found]), "B", 14.1),
        Figure(f"{calls}: finish(), Parquet written", median([one["finish"] for one in found]), "s"),
        Figure("bytes per scalar after finish()", median([one["after"] for one in found]), "B"),
    ]


def run(folder: str, calls: int) -> dict[str, float]:
    """Log `calls` rows of 4 scalars; give what it cost."""
    from neural_core import ExperimentTracker

    tracker = ExperimentTracker("long", base_dir=folder, auto_visualize=False)
    metrics, clock, log = metrics_of(4), time.perf_counter, tracker.log_metrics
    taken = array.array("d", bytes(8 * calls))
    for step in range(min(1000, calls)):
        log(metrics, step)
    before = memory()
    for step in range(calls):
        start = clock()
        log(metrics, step)
        taken[step] = clock() - start
    grown = memory() - before
    size = _bytes(tracker.experiment_dir, "*.nj")
    rows = calls + min(1000, calls)
    start = clock()
    tracker.finish()
    tenth = max(1, calls // 10)
    return {
        "first": median(taken[:tenth]),
        "last": median(taken[-tenth:]),
        "grown": grown / 1e6,
        "bytes": size / (4 * rows),
        "finish": clock() - start,
        "after": _bytes(tracker.experiment_dir, "*") / (4 * rows),
    }


def _bytes(experiment: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in (experiment / "metrics").glob(pattern))
