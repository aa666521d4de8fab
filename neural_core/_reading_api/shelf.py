"""Experiments that were looked at lately, kept open within bounds of memory and number."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from neural_core._reading_api.open_run import OpenRun

__all__ = ["Shelf"]

_MOST_BYTES = 256 * 2**20
_MOST_RUNS = 256
"""A journal that is mapped holds a descriptor for each of its parts."""


class Shelf:
    """Gives open experiments by their folder; those looked at longest ago go first. Threads may share it."""

    def __init__(self, most_bytes: int = _MOST_BYTES, most_runs: int = _MOST_RUNS) -> None:
        self._runs: OrderedDict[Path, OpenRun] = OrderedDict()
        self._most = most_bytes, most_runs
        self._lock = threading.Lock()

    def take(self, directory: Path) -> OpenRun:
        """Give an experiment, opened now or before."""
        with self._lock:
            run = self._runs.get(directory) or OpenRun(directory)
            self._runs[directory] = run
            self._runs.move_to_end(directory)
            return run

    def drop(self, directory: Path) -> None:
        """Forget an experiment."""
        with self._lock:
            self._runs.pop(directory, None)

    def tidy(self) -> None:
        """Forget what is beyond the bounds, points before buckets; the one looked at last always stays."""
        with self._lock:
            held = sum(run.nbytes for run in self._runs.values())
            for run in list(self._runs.values()):
                if held > self._most[0]:
                    held -= run.nbytes
                    run.drop_points()
                    held += run.nbytes
            while len(self._runs) > 1 and (held > self._most[0] or len(self._runs) > self._most[1]):
                _, oldest = self._runs.popitem(last=False)
                held -= oldest.nbytes

    def unchecked(self) -> OpenRun | None:
        """Give an experiment whose pages were not checked yet; None when there is none."""
        with self._lock:
            runs = list(self._runs.values())
        return next((run for run in runs if not run.is_checked), None)

    def __len__(self) -> int:
        return len(self._runs)
