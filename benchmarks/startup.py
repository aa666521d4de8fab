"""What a short script pays: import, the first experiment, and a whole experiment of a hundred rows."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import (
    ROOT,
    Figure,
    Sizes,
    child,
    environment,
    fsync_clock,
    interleaved,
    median,
    metrics_of,
    seconds,
)

TITLE = "Start and end"
_LISTED = "import sys, neural_core; print(*sorted({'numpy', 'matplotlib'} & set(sys.modules)))"


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Measure fresh interpreters in turn, then experiments inside them."""
    return [*_imports(sizes, folder), *_experiments(sizes, folder)]


def _python(code: str, folder: Path) -> float:
    command, variables = [sys.executable, "-c", code], environment(folder)
    return seconds(lambda: subprocess.run(command, cwd=ROOT, env=variables, check=True))


def _imports(sizes: Sizes, folder: Path) -> list[Figure]:
    _python("import neural_core", folder)  # compiles, once
    found = interleaved(
        sizes.processes, bare=lambda: _python("pass", folder), ours=lambda: _python("import neural_core", folder)
    )
    above = [(ours - bare) * 1e3 for bare, ours in zip(found["bare"], found["ours"], strict=True)]
    said = f"bare Python: {median(found['bare']) * 1e3:.0f} ms"
    listed = subprocess.run([sys.executable, "-c", _LISTED], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    heavy = listed.stdout.split()
    return [
        Figure("import neural_core, above bare Python", median(above), "ms", 60, said),
        Figure("the same, fastest of each", (min(found["ours"]) - min(found["bare"])) * 1e3, "ms", None, said),
        Figure("of numpy and matplotlib, loaded by the import", len(heavy), "", 0, ", ".join(heavy)),
    ]


def _experiments(sizes: Sizes, folder: Path) -> list[Figure]:
    child(folder, __name__, "whole", str(folder), 1)  # compiles, once
    fresh = [child(folder, __name__, "first_row", str(folder)) for _ in range(sizes.processes)]
    whole = [child(folder, __name__, "whole", str(folder), 5) for _ in range(max(1, sizes.processes // 3))]
    later = [one for each in whole for one in each[1:]]
    first = median([row["own"] for row in fresh]) * 1e3
    waited = median([row["fsync"] for row in fresh]) * 1e3
    waits = f"and {median([one['fsync'] for one in later]) * 1e3:.1f} ms in {later[0]['count']:.0f} fsyncs"
    own = median([one["own"] for one in later]) * 1e3
    both = median([one["own"] + one["fsync"] for one in later]) * 1e3
    said = f"fsync: {waited:.1f} ms, timed inside and taken off"
    return [
        Figure("first ExperimentTracker(...) to its first row, fresh process", first, "ms", 5, said),
        Figure("start + 100 rows + finish, without its fsyncs", own, "ms", None, waits),
        Figure("the same with its fsyncs", both, "ms", 50),
        Figure(
            "without fsyncs, in a fresh process: numpy is imported", median([e[0]["own"] for e in whole]) * 1e3, "ms"
        ),
    ]


def first_row(folder: str) -> dict[str, float]:
    """Give the seconds of a process's first experiment up to its first row, and those of its fsyncs."""
    from neural_core import ExperimentTracker

    metrics = metrics_of(4)
    with fsync_clock() as clock:
        start = time.perf_counter()
        tracker = ExperimentTracker("first", base_dir=Path(folder) / "first", auto_visualize=False)
        tracker.log_metrics(metrics, 0)
        taken = time.perf_counter() - start
        waited = clock.seconds
    return {"own": taken - waited, "fsync": waited}


def whole(folder: str, times: int) -> list[dict[str, float]]:
    """Give the seconds of whole experiments, one after the other, and those of their fsyncs."""
    from neural_core import ExperimentTracker

    found, metrics = [], metrics_of(4)
    for _ in range(times):
        with fsync_clock() as clock:
            start = time.perf_counter()
            with ExperimentTracker("whole", base_dir=Path(folder) / "whole", auto_visualize=False) as tracker:
                for step in range(100):
                    tracker.log_metrics(metrics, step)
            taken = time.perf_counter() - start
        found.append({"own": taken - clock.seconds, "fsync": clock.seconds, "count": clock.count})
    return found
