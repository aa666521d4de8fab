"""An experiment that somebody looks at: its reader and its curves, kept from one look to the next."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neural_core import _series
from neural_core._reading_api.curve import Curve, GrowingCurve, SortedCurve
from neural_core._reading_api.points import Axis
from neural_core._storage.reader import RunReader
from neural_core._storage.streams import streams_of

if TYPE_CHECKING:
    from neural_core._storage.part import Part

__all__ = ["OpenRun"]

METRIC_AXIS = "metric:"


class OpenRun:
    """Gives the curves of one experiment as they are now. The caller holds `lock`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.lock = threading.Lock()
        self.reader = RunReader(directory, verify=False)
        self._curves: dict[tuple[str, str], tuple[int, Curve]] = {}

    @property
    def nbytes(self) -> int:
        """Memory that its curves hold."""
        return sum(curve.nbytes for _, curve in self._curves.values())

    def curve(self, metric: str, x: str) -> Curve:
        """Give a curve; only what is new is read.

        Args:
            metric: the metric.
            x: an `Axis`, or ``metric:NAME``.

        Raises:
            DamagedError: stored bytes are not what was written.
            OSError: a file cannot be read.
        """
        self.reader.refresh()
        rows = self.reader.rows
        known = self._curves.get((metric, x))
        if known is not None and known[0] == rows and not isinstance(known[1], GrowingCurve):
            return known[1]
        curve = self._grown(known[1] if known else None, metric, x) or self._sorted(metric, x)
        self._curves[metric, x] = rows, curve
        return curve

    def _grown(self, known: Curve | None, metric: str, x: str) -> Curve | None:
        """Give a curve that goes on from what is known; None when its x does not ascend."""
        streams = [stream for stream in streams_of(self.reader.parts) if any(part.rows for part in stream)]
        if x.startswith(METRIC_AXIS) or len(streams) > 1 or isinstance(known, SortedCurve):
            return None
        parts = streams[0] if streams else []
        if isinstance(known, GrowingCurve) and known.fits(parts) and known.grow(parts):
            return known
        axis: Axis = "step" if x == "step" else "wall" if x == "wall" else "relative"
        for count_calls in (False, True) if x == "step" else (False,):
            curve = GrowingCurve(self.reader, metric, axis, _origin(parts), count_calls=count_calls)
            if curve.grow(parts) and (not count_calls or _some_lack_step(self.reader, metric)):
                return curve
        return None

    def _sorted(self, metric: str, x: str) -> Curve:
        if x.startswith(METRIC_AXIS):
            other = x.removeprefix(METRIC_AXIS)
            columns = self.reader.columns([metric, other])
            both = columns["present"][metric] & columns["present"][other]
            return SortedCurve(columns["values"][other][both], columns["values"][metric][both])
        series = self.reader.series(metric)
        if x == "step":
            return SortedCurve(_series.x_axis(series), series.value)
        parts = [part for part in self.reader.parts if part.rows]
        return SortedCurve(series.time - (_origin(parts) if x == "relative" else 0.0), series.value)


def _some_lack_step(reader: RunReader, metric: str) -> bool:
    return bool((reader.series(metric).step == _series.NO_STEP).any())


def _origin(parts: list[Part]) -> float:
    """Give the time of the experiment's first row."""
    firsts = [part.times(0, 1) for part in parts]
    return float(np.concatenate([np.empty(0), *firsts]).min(initial=np.inf)) if firsts else 0.0
