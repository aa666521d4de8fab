"""Plugins of the delivery benchmark: backends of its own distribution, and objects of its scripts."""

from __future__ import annotations

import json
import time
from pathlib import Path

from neural_core import hookimpl
from neural_core.records import MetricRows

__all__ = ["Counting", "Making", "Peak", "Raising", "Sleeping", "Stamping", "anonymous", "install"]

_ABOUT = "Metadata-Version: 2.1\nName: neural-benchmark\nVersion: 1.0\n"
_ENTRY_POINTS = """[neural.backends]
sleeping = benchmarks.delivery_plugins:Sleeping
raising = benchmarks.delivery_plugins:Raising
stamping = benchmarks.delivery_plugins:Stamping
"""


def install(folder: Path) -> Path:
    """Make a distribution whose backends are installed wherever `folder` is on the path."""
    about = folder / "neural_benchmark-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(_ABOUT, "utf-8")
    (about / "entry_points.txt").write_text(_ENTRY_POINTS, "utf-8")
    return folder


class Sleeping:
    """Takes 100 ms for each batch."""

    @hookimpl
    def neural_metrics_logged(self) -> None:
        """Sleep."""
        time.sleep(0.1)


class Raising:
    """Never succeeds."""

    @hookimpl
    def neural_metrics_logged(self) -> None:
        """Raise."""
        raise RuntimeError("raised on purpose")


class Counting:
    """Counts rows and touches none.

    Attributes:
        rows: how many it was given.
    """

    def __init__(self) -> None:
        self.rows = 0

    @hookimpl
    def neural_metrics_logged(self, rows: MetricRows) -> None:
        """Count."""
        self.rows += len(rows)


class Making(Counting):
    """Has every row made, and counts those."""

    @hookimpl
    def neural_metrics_logged(self, rows: MetricRows) -> None:
        """Go through the rows."""
        for row in rows:
            self.rows += row.step is not None


def anonymous() -> float | None:
    """Give the MB of memory that are this process's own, without mapped files; None where /proc does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text("ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("RssAnon")), None)


class Peak(Counting):
    """Notes the most memory that the process held.

    Attributes:
        most: in MB.
    """

    def __init__(self) -> None:
        super().__init__()
        self.most = 0.0

    @hookimpl
    def neural_metrics_logged(self, rows: MetricRows) -> None:
        """Look now and then, and at a row."""
        if self.rows % 50_000 == 0:
            rows[-1]
            self.most = max(self.most, anonymous() or 0.0)
        self.rows += len(rows)


class Stamping:
    """Notes how old each batch's oldest row is when it arrives.

    Attributes:
        lags: (last step of the batch, seconds) of each batch.
    """

    def __init__(self, path: str | None = None) -> None:
        """With `path` the notes go into that file, a JSON line each."""
        self.lags: list[tuple[int, float]] = []
        self._path = None if path is None else Path(path)

    @hookimpl
    def neural_metrics_logged(self, rows: MetricRows) -> None:
        """Note it."""
        now = time.time()
        columns = rows.columns()
        self.lags.append((int(columns["step"][-1]), now - float(columns["timestamp"].min())))
        if self._path is not None:
            with self._path.open("a", encoding="ascii") as file:
                file.write(json.dumps(self.lags[-1]) + "\n")
