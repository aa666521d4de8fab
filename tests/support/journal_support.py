"""What the fault tests share: processes to kill, system calls to fail, small disks, and all that a store holds."""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage.care.verify import verify_experiment
from neural_core._storage.experiment.overview import RowReader
from neural_core.records import RunRow

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 200

pool = ThreadPoolExecutor(2)
"""Runs processes side by side."""


def environment(**more: str) -> dict[str, str]:
    """Give the environment of a child: it finds this checkout and writes no byte code."""
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "agg"} | more


def command(code: str, *arguments: object, prefix: tuple[str, ...] = ()) -> list[str]:
    """Give the command line that runs Python code, behind a prefix such as strace."""
    return [*prefix, sys.executable, "-c", code, *map(str, arguments)]


def run(
    code: str, *arguments: object, prefix: tuple[str, ...] = (), **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own."""
    return subprocess.run(
        command(code, *arguments, prefix=prefix),
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )


def strace(*injections: str, more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Give the beginning of a command line under which system calls fail, wait or kill."""
    calls = ",".join(sorted({call for text in injections for call in text.split(":")[0].split(",")}))
    parts = [part for text in injections for part in ("-e", f"inject={text}")]
    return ("strace", "-f", "-qq", "-o", "/dev/null", *more, "-e", f"trace={calls}", *parts)


@contextlib.contextmanager
def mounted(folder: Path, *options: str) -> Iterator[Path]:
    """Mount a tmpfs at `folder`."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(folder)], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def experiments(base: Path) -> list[Path]:
    """Give the experiment folders of a base folder."""
    return sorted(path for path in base.iterdir() if path.is_dir() and not path.name.startswith("."))


def only(base: Path) -> Path:
    """Give the one experiment of a base folder."""
    (directory,) = experiments(base)
    return directory


def stored(directory: Path) -> ExperimentTracker:
    """Open an experiment for reading."""
    return ExperimentTracker.stored(directory, directory.name[-12:], directory.name)


def bits(value: float) -> str:
    """Give a double's bits, so that NaN equals NaN and 0.0 does not equal -0.0."""
    return struct.pack(">d", value).hex()


def row_of(row: Any) -> tuple[int | None, str, dict[str, str]]:
    """Give a row of the history: step, time and values, bit for bit."""
    return row.step, bits(row.timestamp), {name: bits(value) for name, value in row.values.items()}


def contents(directory: Path) -> dict[str, Any]:
    """Give all that a reader gets from an experiment, without its status."""
    tracker = stored(directory)
    reader = tracker._fresh()
    return {
        "rows": [row_of(row) for row in tracker.metrics_history],
        "series": {name: [bits(value) for value in tracker.get_metrics(name)] for name in reader.names()},
        "hyperparameters": tracker.hyperparameters,
        "artifacts": [(a.artifact_name, a.version, a.checksum, a.size, a.kind) for a in tracker.artifacts],
        "tags": tracker.tags,
        "notes": tracker.notes,
    }


def steps(directory: Path) -> list[int | None]:
    """Give the steps of all rows that can be read."""
    return [row.step for row in stored(directory).metrics_history]


def listed(directory: Path) -> RunRow:
    """Give the row of an experiment as lists show it, read anew."""
    return RowReader(directory).read()


def statuses(base: Path) -> dict[str, str]:
    """Give folder name → status as the manager lists them."""
    return {Path(one["experiment_dir"]).name: one["status"] for one in ExperimentManager(base).list_experiments()}


def problems(directory: Path) -> list[str]:
    """Give what verify finds, each as one text."""
    return [f"{damage.file}: {damage.problem}" for damage in verify_experiment(directory)]


def is_told(directory: Path) -> bool:
    """Tell whether any of the ways to hear of damage names some."""
    row = listed(directory)
    return bool(row.error or row.status == "damaged" or stored(directory).damage or problems(directory))


def stamps(folder: Path) -> Mapping[Path, tuple[int, ...]]:
    """Give what a write changes of every path below a folder; not the time of access, which reading sets."""
    now = {path: path.lstat() for path in folder.rglob("*")}
    return {path: (s.st_ino, s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for path, s in now.items()}


def tree(folder: Path) -> Mapping[str, bytes]:
    """Give every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
