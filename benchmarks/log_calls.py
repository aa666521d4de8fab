"""What one ``log_metrics`` call costs, beside the bare write of the same bytes in the same process."""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import Figure, Sizes, interleaved, median, metrics_of, percentile
from neural_core import ExperimentTracker
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.journal.frames import WORD, row_packer
from neural_core._storage.writing.ticker import ticker

TITLE = "One call of log_metrics"
Log = Callable[[dict[str, float], int], None]
_MICRO = 1e6


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Measure the call in its usual and its unusual surroundings."""
    return [
        *_beside_bare(sizes, folder),
        *_beside_the_timer(sizes, folder),
        *_power(sizes, folder),
        *_threads(folder, sizes),
    ]


def times_of(log: Log, metrics: dict[str, float], calls: int) -> list[float]:
    """Time each of `calls` calls, in seconds."""
    clock, taken = time.perf_counter, []
    for step in range(calls):
        start = clock()
        log(metrics, step)
        taken.append(clock() - start)
    return taken


def _tracker(folder: Path, name: str, **options: object) -> ExperimentTracker:
    return ExperimentTracker(name, base_dir=folder, auto_visualize=False, **options)  # type: ignore[arg-type]  # options of the caller


@contextmanager
def _bare(path: Path, metrics: int) -> Iterator[Log]:
    """Give the least that puts a row of the same size into a file: one pack, one write."""
    pack = struct.Struct(f"<IIqd{metrics}d").pack
    assert struct.calcsize(f"<IIqd{metrics}d") == row_packer(metrics).size + 4
    write, now = os.write, time.time
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def log(metrics: dict[str, float], step: int) -> None:
        write(descriptor, pack(0, 0, step, now(), *metrics.values()))

    try:
        yield log
    finally:
        os.close(descriptor)


def _beside_bare(sizes: Sizes, folder: Path) -> list[Figure]:
    figures = []
    for width, limit in ((4, 3.0), (100, 8.0)):
        metrics, ours, bares, everything = metrics_of(width), [], [], []
        with _tracker(folder, f"bare-{width}") as tracker, _bare(folder / f"bare-{width}", width) as bare:
            for log in (tracker.log_metrics, bare):
                times_of(log, metrics, sizes.calls // 10)
            for _ in range(sizes.rounds):
                taken = times_of(tracker.log_metrics, metrics, sizes.calls)
                ours.append(median(taken) * _MICRO)
                bares.append(median(times_of(bare, metrics, sizes.calls)) * _MICRO)
                everything += taken
        bytes_per_row = (row_packer(width).size + 4) // WORD * WORD
        said = f"struct.pack + os.write of {bytes_per_row} bytes: {median(bares):.2f} µs"
        ratio = median([a / b for a, b in zip(ours, bares, strict=True)])
        figures.append(Figure(f"log_metrics, {width} scalars, p50", median(ours), "µs", limit, said))
        figures.append(Figure("the same, beside the bare write", ratio, "x", 1.6 if width == 4 else None, said))
        figures.append(Figure("the same, p99.9", percentile(everything, 0.999) * _MICRO, "µs"))
    return figures


@contextmanager
def _ticking(tracker: ExperimentTracker) -> Iterator[None]:
    """Let the housekeeping of the journal run every 50 ms, forty times as often as it does by itself."""
    session = tracker._session
    assert session is not None
    done = threading.Event()

    def run() -> None:
        while not done.wait(0.05):
            session.writer._upkeep.tick()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _beside_the_timer(sizes: Sizes, folder: Path) -> list[Figure]:
    metrics = metrics_of(4)
    with _tracker(folder, "timer") as tracker:
        log = tracker.log_metrics
        times_of(log, metrics, 100)
        assert tracker._session is not None
        ticker.remove(tracker._session.writer._upkeep.tick)
        tails: list[float] = []

        def quiet() -> float:
            return median(times_of(log, metrics, sizes.calls * 5)) * _MICRO

        def synced() -> float:
            with _ticking(tracker):
                taken = times_of(log, metrics, sizes.calls * 5)
            tails.append(percentile(taken, 0.999) * _MICRO)
            return median(taken) * _MICRO

        found = interleaved(sizes.rounds, quiet=quiet, synced=synced)
    ratio = median([b / a for a, b in zip(found["quiet"], found["synced"], strict=True)])
    said = f"without: {median(found['quiet']):.2f} µs"
    return [
        Figure("4 scalars, p50 with an fsync by the timer every 50 ms", median(found["synced"]), "µs", None, said),
        Figure("the same, beside none", ratio, "x", 1.1, said),
        Figure("the same, p99.9", median(tails), "µs"),
    ]


def _power(sizes: Sizes, folder: Path) -> list[Figure]:
    calls = max(20, sizes.calls // 100)
    with (
        _tracker(folder, "power", durability="power") as tracker,
        _bare(folder / "bare-power", 4) as bare,
        (folder / "bare-power").open("rb") as file,
    ):
        synchronise = getattr(os, "fdatasync", os.fsync)

        def bare_power(metrics: dict[str, float], step: int) -> None:
            bare(metrics, step)
            synchronise(file.fileno())

        def p50(log: Log) -> Callable[[], float]:
            return lambda: median(times_of(log, metrics_of(4), calls)) * _MICRO

        found = interleaved(min(sizes.rounds, 5), ours=p50(tracker.log_metrics), bare=p50(bare_power))
    said = f"write + fdatasync: {median(found['bare']):.0f} µs"
    return [Figure('durability="power", 4 scalars, p50', median(found["ours"]), "µs", None, said)]


def _threads(folder: Path, sizes: Sizes) -> list[Figure]:
    figures = []
    for count in (1, 2, 8):
        rates = []
        for number in range(min(sizes.rounds, 5)):
            with _tracker(folder, f"threads-{count}-{number}") as tracker:
                rates.append(_by_threads(tracker, count, sizes.calls) * _MICRO)
            reader = RunReader(tracker.experiment_dir)
            assert reader.rows == count * sizes.calls
            assert not reader.damage
        figures.append(Figure(f"{count} threads on one experiment, wall time per call", median(rates), "µs"))
    figures[-1] = Figure(figures[-1].question, figures[-1].value, "µs", None, "every row was read back, none damaged")
    return figures


def _by_threads(tracker: ExperimentTracker, count: int, calls: int) -> float:
    """Log from `count` threads at once; give the seconds per call."""

    def work(number: int) -> None:
        metrics = {f"thread_{number}": 1.0}
        for step in range(calls):
            tracker.log_metrics(metrics, step)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - start) / (count * calls)
