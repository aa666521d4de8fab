"""An experiment that somebody looks at: its reader and its curves, kept from one look to the next."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neural_core import _series
from neural_core._reading_api.curve import Curve
from neural_core._reading_api.points import XY, FilePoints, Ruler, paired
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.streams import streams_of
from neural_core._storage.journal.compacted_part import CompactedPart
from neural_core.errors import NeuralError

if TYPE_CHECKING:
    from neural_core._storage.journal.part import Part

__all__ = ["METRIC_AXIS", "MOST_BYTES", "OpenRun"]

METRIC_AXIS = "metric:"
MOST_BYTES = 128 * 2**20
"""Of the curves of one experiment: one of a million points takes a megabyte."""


class OpenRun:
    """Gives the curves of one experiment as they are now. The caller holds `lock`.

    Attributes:
        directory: the experiment's folder.
        lock: one thread at a time.
        problem: what `check` found, None for nothing.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.problem: str | None = None
        self._checked: frozenset[str] = frozenset()
        self.lock = threading.Lock()
        self._reader = RunReader(directory)  # checks the rows of journals; pages of Parquet are for `check`
        self._ruler = Ruler()
        self._curves: OrderedDict[tuple[str, str], tuple[int, Curve]] = OrderedDict()

    @property
    def nbytes(self) -> int:
        """Memory that its curves hold."""
        return sum(curve.nbytes for _, curve in list(self._curves.values()))

    @property
    def is_checked(self) -> bool:
        """Tell whether every page that its curves may have been read from was checked."""
        return self._compacted() <= self._checked

    def _compacted(self) -> frozenset[str]:
        return frozenset(part.stem for part in self._reader.parts if isinstance(part, CompactedPart))

    def check(self) -> None:
        """Check every page; holds up nobody who reads curves meanwhile, so the caller does not hold `lock`."""
        seen = self._compacted()
        try:
            parts = [part for part in RunReader(self.directory).parts if isinstance(part, CompactedPart)]
            for part in parts:
                part.check()
            damage = [damage for part in parts for damage in part.damage]
            self.problem = f"{damage[0].file} is damaged, this may be wrong: {damage[0].problem}" if damage else None
        except (OSError, NeuralError):
            self.problem = None  # who reads the curves is told
        self._checked |= seen

    def curve(self, metric: str, x: str) -> Curve:
        """Give a curve; only what is new is read.

        Args:
            metric: the metric.
            x: ``step``, ``wall``, ``relative`` or ``metric:NAME``.

        Raises:
            DamagedError: stored bytes are not what was written.
            OSError: a file cannot be read.
        """
        changed = self._reader.refresh()
        rows = self._reader.rows
        known = self._curves.get((metric, x))
        if known is not None and not changed and known[0] == rows:
            return known[1]
        curve = self._grown(None if known is None else known[1], metric, x)
        if curve is None:
            curve = Curve.held(lambda: self._from_memory(metric, x))
        self._curves[metric, x] = rows, curve
        self._curves.move_to_end((metric, x))
        self._tidy()
        return curve

    def _tidy(self) -> None:
        """Stay within bounds of memory; what changed longest ago goes first, and points go before buckets."""
        for _, curve in list(self._curves.values())[:-1]:
            if self.nbytes > MOST_BYTES:
                curve.drop_points()
        while self.nbytes > MOST_BYTES and len(self._curves) > 1:
            self._curves.popitem(last=False)

    def drop_points(self) -> None:
        """Keep the buckets of the curves only."""
        for _, curve in list(self._curves.values()):
            curve.drop_points()

    def _grown(self, known: Curve | None, metric: str, x: str) -> Curve | None:
        """Give a curve that is read from the files in their order; None when its x does not ascend that way."""
        streams = [stream for stream in streams_of(self._reader.parts) if any(part.rows for part in stream)]
        if x.startswith(METRIC_AXIS) or len(streams) > 1:
            return None
        parts = streams[0] if streams else []
        if known is not None and known.fits(parts) and known.grow(parts):
            return known
        by_time = x != "step"
        origin = _origin(parts) if x == "relative" else 0.0
        curve = Curve(FilePoints(metric, self._ruler, by_time=by_time, origin=origin))
        if curve.grow(parts):
            return curve
        if by_time or not _lacks_step(self._reader, metric):
            return None
        curve = Curve(FilePoints(metric, self._ruler, by_time=False), count_calls=True)
        return curve if curve.grow(parts) else None

    def _from_memory(self, metric: str, x: str) -> XY:
        """Give all points in the order of the calls."""
        if x.startswith(METRIC_AXIS):
            parts = [part for stream in streams_of(self._reader.parts) for part in stream]
            return paired(parts, metric, x.removeprefix(METRIC_AXIS))
        series = self._reader.series(metric)
        if x == "step":
            return _series.x_axis(series), series.value
        return series.time - (_origin(self._reader.parts) if x == "relative" else 0.0), series.value


def _lacks_step(reader: RunReader, metric: str) -> bool:
    return bool((reader.series(metric).step == _series.NO_STEP).any())


def _origin(parts: Sequence[Part]) -> float:
    """Give the time of the experiment's first row."""
    return min((float(np.min(part.times(0, 1))) for part in parts if part.rows), default=0.0)
