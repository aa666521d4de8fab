"""What the benchmarks share: figures with their bounds, sizes, clocks, and work done in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from attrs import define, frozen

__all__ = [
    "FULL",
    "QUICK",
    "TINY",
    "Figure",
    "FsyncClock",
    "Sizes",
    "child",
    "environment",
    "fsync_clock",
    "interleaved",
    "median",
    "memory",
    "metrics_of",
    "percentile",
    "seconds",
]

ROOT = Path(__file__).resolve().parent.parent


@frozen
class Sizes:
    """How much is measured: `FULL` for the record, `QUICK` for a look, `TINY` to see that it runs."""

    rounds: int
    calls: int
    long_calls: int
    kills: int
    processes: int
    rows: int
    experiments: int
    artifact_bytes: int


FULL = Sizes(9, 20_000, 1_000_000, 200, 15, 1_000_000, 10_000, 2**30)
QUICK = Sizes(5, 5_000, 200_000, 20, 5, 200_000, 1_000, 2**26)
TINY = Sizes(1, 200, 1_000, 2, 1, 2_000, 20, 2**20)


@frozen
class Figure:
    """One measured value.

    Attributes:
        question: what was measured.
        value: the answer, a median where it was asked more than once.
        unit: of value and bound.
        bound: what it must not exceed (must reach, for a `floor`); None where none is set.
        reference: what it was compared with in the same run, in words with a figure.
        floor: the bound is one to reach.
    """

    question: str
    value: float
    unit: str = ""
    bound: float | None = None
    reference: str = ""
    floor: bool = False

    @property
    def ratio(self) -> float | None:
        """Value divided by bound; None without a bound, or where the bound is zero."""
        return self.value / self.bound if self.bound else None

    @property
    def holds(self) -> bool:
        """Tell whether the bound is kept."""
        return self.bound is None or (self.value >= self.bound if self.floor else self.value <= self.bound)


@define
class FsyncClock:
    """Seconds spent in fsync and fdatasync, and how many there were."""

    seconds: float = 0.0
    count: int = 0


@contextlib.contextmanager
def fsync_clock() -> Iterator[FsyncClock]:
    """Time every fsync of this process, so that its time can be left out; the disk is still waited for."""
    from neural_core._storage.writing import writer

    clock = FsyncClock()
    real = {name: getattr(os, name) for name in ("fsync", "fdatasync") if hasattr(os, name)}
    own = writer._synchronise

    def timed(call: Callable[[int], None]) -> Callable[[int], None]:
        def wait(descriptor: int) -> None:
            start = time.perf_counter()
            try:
                call(descriptor)
            finally:
                clock.seconds += time.perf_counter() - start
                clock.count += 1

        return wait

    for name, call in real.items():
        setattr(os, name, timed(call))
    writer._synchronise = timed(own)  # the writer took its own reference when it was imported
    try:
        yield clock
    finally:
        for name, call in real.items():
            setattr(os, name, call)
        writer._synchronise = own


def seconds(work: Callable[[], object]) -> float:
    """Give how long `work` takes; what it returns is let go after the clock has stopped."""
    start = time.perf_counter()
    result = work()
    taken = time.perf_counter() - start
    del result
    return taken


def interleaved(rounds: int, **works: Callable[[], float]) -> dict[str, list[float]]:
    """Do each work once per round, in turn, so that a slow moment of the machine hits all of them."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(work())
    return found


def median(values: Sequence[float]) -> float:
    """Give the median."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def metrics_of(count: int) -> dict[str, float]:
    """Give the metrics of one call: `count` names with values that fill their doubles."""
    return {f"metric_{i}": 1 / (i + 3) for i in range(count)}


def memory() -> int:
    """Give the bytes of memory that this process holds."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource  # no /proc: the peak is the nearest thing

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def environment(folder: Path) -> dict[str, str]:
    """Give the environment of fresh interpreters: bytecode is kept, as it is for whoever installed a package.

    Args:
        folder: where the bytecode goes, so that the checkout stays as it is.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def child(folder: Path, module: str, function: str, *arguments: Any) -> Any:
    """Call a function in a fresh interpreter; arguments and result pass as JSON."""
    code = (
        "import importlib, json, sys\n"
        f"found = getattr(importlib.import_module({module!r}), {function!r})(*json.loads(sys.argv[1]))\n"
        "print(json.dumps(found))"
    )
    command = [sys.executable, "-c", code, json.dumps(arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment(folder), check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])
