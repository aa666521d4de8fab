"""Every point of an experiment, for exports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from neural_core._storage.experiment.reader import RunReader
from neural_core.records import Series

__all__ = ["FullData"]

_CHUNK = 65_536


class FullData:
    """The points of one experiment as of now, each checksum checked. For one thread."""

    def __init__(self, directory: Path) -> None:
        """Read nothing yet."""
        self._reader = RunReader(directory)

    def pieces(self, metric: str) -> Iterator[Series]:
        """Give all points of a metric in the order of the calls, some ten thousand at a time.

        Raises:
            DamagedError: stored bytes are not what was written.
            OSError: a file cannot be read.
        """
        whole = self._reader.series(metric)
        for first in range(0, len(whole), _CHUNK):
            cut = slice(first, first + _CHUNK)
            yield Series(metric, whole.step[cut], whole.time[cut], whole.value[cut])
