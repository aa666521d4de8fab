"""Reading a long experiment, while it is a journal and when it is Parquet."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.measure import Figure, FsyncClock, Sizes, fsync_clock, interleaved, median, seconds
from neural_core import ExperimentTracker, _series
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.journal.compaction import compact_part
from neural_core.records import Series

TITLE = "Reading 4 metrics of a long experiment"
NAMES = ("loss", "accuracy", "lr", "norm")
_NEW_ROWS = 1000


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Write a journal, read it in every way, compact it, and read the Parquet in the same ways."""
    live = _write(folder / "live", sizes.rows)
    figures = [*_reads(live, sizes, "journal"), *_tail(live, sizes), *_downsample(live, sizes)]
    figures += _compaction(live, folder, sizes)
    finished = folder / "finished"
    shutil.copytree(live, finished)
    for path in finished.glob("metrics/*.nj"):
        assert compact_part(path)
    return [*figures, *_reads(finished, sizes, "Parquet")]


def _write(base: Path, rows: int) -> Path:
    """Log random walks; give the folder, whose writer has let go of it without finishing."""
    walks = np.random.default_rng(1).standard_normal((rows, len(NAMES))).cumsum(axis=0).tolist()
    tracker = ExperimentTracker("reading", base_dir=base, auto_visualize=False)
    for step, values in enumerate(walks):
        tracker.log_metrics(dict(zip(NAMES, values, strict=True)), step)
    tracker.flush()
    directory = tracker.experiment_dir
    copy = base / "copy"
    shutil.copytree(directory, copy)
    tracker.finish()
    return copy


def _ms(work: Callable[[], object]) -> Callable[[], float]:
    return lambda: seconds(work) * 1e3


def _series_of(path: Path, *, verify: bool, remember: bool = False) -> Series:
    return RunReader(path, verify=verify, remember=remember).series("loss")


def _reads(path: Path, sizes: Sizes, kind: str) -> list[Figure]:
    rows = f"{sizes.rows:,} rows, {kind}"
    assert len(_series_of(path, verify=True)) == sizes.rows
    again = RunReader(path, verify=False)
    again.refresh()
    found = interleaved(
        sizes.rounds,
        unverified=_ms(lambda: _series_of(path, verify=False)),
        verified=_ms(lambda: _series_of(path, verify=True)),
        later=_ms(lambda: _series_of(path, verify=True, remember=True)),
        again=_ms(lambda: again.series("accuracy")),
        summary=_ms(lambda: RunReader(path, verify=False).metrics()),
        last=_ms(lambda: again.history()[-1]),
        thousand=_ms(lambda: again.history()[-1000:]),
    )
    took = {name: median(values) for name, values in found.items()}
    return [
        Figure(f"{rows}: open and one series, unverified", took["unverified"], "ms", 30),
        Figure(f"{rows}: first verified read, one series", took["verified"], "ms", 400),
        Figure(f"{rows}: a later verified read, the check is remembered", took["later"], "ms"),
        Figure(f"{rows}: one more series of an open reader", took["again"], "ms"),
        Figure(f"{rows}: count, last, min, max of all metrics", took["summary"], "ms"),
        Figure(f"{rows}: the last row, of an open reader", took["last"], "ms"),
        Figure(f"{rows}: the last 1,000 rows, of an open reader", took["thousand"], "ms"),
    ]


def _tail(path: Path, sizes: Sizes) -> list[Figure]:
    """Append rows to a copy as a writer does and let open readers find them."""
    rounds = max(1, sizes.rounds * 2)
    copy = path.with_name("tail")
    shutil.copytree(path, copy)
    (journal,) = copy.glob("metrics/*.nj")
    size = min(_NEW_ROWS, sizes.rows) * 56
    rows = journal.read_bytes()[-size:]
    readers = {"unverified": RunReader(copy, verify=False), "verified": RunReader(copy)}
    for reader in readers.values():
        reader.metrics()
    found: dict[str, list[float]] = {"unverified": [], "verified": [], "summary": []}
    for _ in range(rounds):
        with journal.open("ab") as file:
            file.write(rows)
        for name, reader in readers.items():
            found[name].append(_ms(reader.refresh)())
        found["summary"].append(_ms(readers["verified"].metrics)())
    assert readers["verified"].rows == sizes.rows + rounds * (size // 56)
    took = {name: median(values) for name, values in found.items()}
    what = f"tail refresh, {size // 56:,} new rows"
    return [
        Figure(what, took["unverified"], "ms", 1),
        Figure(f"{what}, their CRCs checked", took["verified"], "ms", 1),
        Figure("and count, last, min, max of all metrics brought up to date", took["summary"], "ms"),
    ]


def _downsample(path: Path, sizes: Sizes) -> list[Figure]:
    series = _series_of(path, verify=False)
    holes = series.value.copy()
    holes[::1000] = np.nan
    gaps = Series("gaps", series.step, series.time, holes)
    found = interleaved(
        sizes.rounds * 5,
        plain=_ms(lambda: _series.downsample(series, 1500)),
        gaps=_ms(lambda: _series.downsample(gaps, 1500)),
    )
    return [
        Figure(f"downsample {sizes.rows:,} points to 1,500", median(found["plain"]), "ms", 2),
        Figure("the same with a NaN in every 1,000", median(found["gaps"]), "ms", 2),
    ]


def _compaction(path: Path, folder: Path, sizes: Sizes) -> list[Figure]:
    """Compact fresh copies; the time of fsync is taken off and named."""
    own, waited = [], []
    for number in range(min(max(sizes.rounds, 1), 7)):
        copy = folder / f"compact-{number}"
        shutil.copytree(path, copy)
        (journal,) = copy.glob("metrics/*.nj")
        with fsync_clock() as clock:
            took = seconds(lambda: compact_part(journal))  # noqa: B023 - called at once
        own.append(took - _waited(clock))
        waited.append(_waited(clock))
        shutil.rmtree(copy)
    said = f"and {median(waited):.2f} s of fsync"
    return [Figure(f"compaction of {sizes.rows:,} rows, every CRC checked", median(own), "s", 0.7, said)]


def _waited(clock: FsyncClock) -> float:
    return clock.seconds
