"""SIGKILL at random moments: a call that has returned is in the file."""

from __future__ import annotations

import mmap
import random
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.measure import ROOT, Figure, Sizes
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.folder import experiment_folders

TITLE = "SIGKILL at random moments"
_COUNTER = struct.Struct("=Q")
_LONGEST = 0.05
"""Seconds after the first row within which the kill falls."""


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Kill as many writers as asked for; count what is missing of what they were told is stored."""
    dice = random.Random(20)
    lost = unacknowledged = wrong = acknowledged = 0
    for number in range(sizes.kills):
        width = 4 if number % 2 else 100
        base = folder / f"kill-{number}"
        said = _kill(base, width, dice.uniform(0, _LONGEST))
        (experiment,) = experiment_folders(base)
        reader = RunReader(experiment)
        lost += max(0, said - reader.rows)
        unacknowledged += max(0, reader.rows - said)
        acknowledged += said
        wrong += _is_wrong(reader, width)
    kills = f"{sizes.kills} SIGKILLs"
    return [
        Figure(f"{kills}: acknowledged calls lost", lost, "calls", 0, f"of {acknowledged:,} acknowledged"),
        Figure(f"{kills}: files with a damaged row, a wrong value or a gap", wrong, "files", 0),
        Figure(f"{kills}: rows found of calls that had not returned", unacknowledged, "rows", sizes.kills),
    ]


def _kill(base: Path, width: int, delay: float) -> int:
    """Start a writer, kill it `delay` seconds after its first row; give how many calls had returned."""
    base.mkdir()
    shared = base / ".counter"
    shared.write_bytes(bytes(mmap.PAGESIZE))
    code = "from benchmarks.kills import write; import sys; write(*sys.argv[1:])"
    process = subprocess.Popen([sys.executable, "-c", code, str(base), str(shared), str(width)], cwd=ROOT)
    with shared.open("r+b") as file, mmap.mmap(file.fileno(), mmap.PAGESIZE) as counter:
        while not _COUNTER.unpack_from(counter)[0]:
            if process.poll() is not None:
                raise RuntimeError("the writer ended by itself")
            time.sleep(0.0005)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        return int(_COUNTER.unpack_from(counter)[0])


def write(base: str, shared: str, width: str) -> None:
    """Log until killed; after each call that returned, count it in memory that the parent holds too."""
    from neural_core import ExperimentTracker

    tracker = ExperimentTracker("killed", base_dir=base, auto_visualize=False)
    with Path(shared).open("r+b") as file, mmap.mmap(file.fileno(), mmap.PAGESIZE) as memory:
        # One store of 8 bytes. struct.pack_into writes zeros first, and a kill between the two would show none.
        counter = memoryview(memory).cast("Q")
        step = 0
        while True:
            tracker.log_metrics({f"metric_{i}": step * 0.5 + i for i in range(int(width))}, step)
            step += 1
            counter[0] = step


def _is_wrong(reader: RunReader, width: int) -> bool:
    steps = np.arange(reader.rows)
    for i in (0, width - 1):
        series = reader.series(f"metric_{i}")
        if not np.array_equal(series.step, steps) or not np.array_equal(series.value, steps * 0.5 + i):
            return True
    return bool(reader.damage)
