"""Reads a store for pages, notebooks and other plugins: lists, curves of any length, files, changes; and edits it.

`ExperimentStore` is one base folder. Reading creates, renames and touches nothing in it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from neural_core._reading_api.catalog import Catalog
from neural_core._reading_api.curve import Curve
from neural_core._reading_api.directions import directions_of, set_direction
from neural_core._reading_api.open_run import OpenRun
from neural_core._reading_api.records import Changes, CurveView, Listed, SeriesView, StoredFile, StoredRun
from neural_core._reading_api.view import Window, view_of
from neural_core._storage.folder import DEFAULT_BASE_DIR, resolve_base_dir
from neural_core.errors import NeuralError
from neural_core.records import Series

__all__ = ["Changes", "CurveView", "ExperimentStore", "Listed", "SeriesView", "StoredFile", "StoredRun", "Window"]


class ExperimentStore:
    """The experiments of one base folder, for readers that stay. Threads may share it.

    Attributes:
        base_dir: the folder, absolute; it need not exist.
    """

    def __init__(self, base_dir: str | os.PathLike[str] = DEFAULT_BASE_DIR) -> None:
        """Read nothing yet.

        Raises:
            ConfigurationError: `base_dir` is a file.
        """
        self.base_dir = resolve_base_dir(base_dir)
        self._catalog = Catalog(self.base_dir)
        self._open: dict[Path, OpenRun] = {}
        self._lock = threading.Lock()

    def listed(self) -> Listed:
        """Give all experiments, the newest first, and a cursor for `changes`.

        Raises:
            OSError: the base folder may not be read.
        """
        return self._catalog.listed()

    def run(self, run_id: str) -> StoredRun:
        """Give one experiment.

        Raises:
            ExperimentNotFoundError: there is none with this id.
        """
        return self._catalog.find(run_id)

    def changes(self, cursor: str | None = None) -> Changes:
        """Tell what changed since a cursor that an earlier call gave; None for everything."""
        return self._catalog.changes(cursor)

    def directions(self) -> dict[str, str]:
        """Give metric → ``min`` or ``max``, which values are better, for every metric as of the last look."""
        names = {name: None for run in self._catalog.known() for name in run.row.metrics}
        return directions_of(self.base_dir, names)

    def set_direction(self, metric: str, direction: str | None) -> None:
        """Keep for this base folder which values of a metric are better; None goes by the name again.

        Raises:
            ArgumentValueError: another word than ``min`` and ``max``.
            OSError: the folder cannot be written.
        """
        set_direction(self.base_dir, metric, direction)

    def read_series(
        self, run_ids: Sequence[str], metric: str, x: str = "step", window: Window | None = None
    ) -> SeriesView:
        """Give a metric of several experiments for a chart: buckets of one width for all, or points where few.

        Args:
            run_ids: of the experiments.
            metric: the metric.
            x: ``step``, ``wall`` (Unix seconds), ``relative`` (seconds since the first row) or ``metric:NAME``.
            window: the part of x to look at; all when None.

        Returns:
            A curve for each id; one that cannot be read says why, and costs the others nothing.
        """
        return view_of(metric, x, [(run_id, self._curve(run_id, metric, x)) for run_id in run_ids], window or Window())

    def _curve(self, run_id: str, metric: str, x: str) -> Curve | str:
        try:
            directory = self._catalog.directory(run_id)
            with self._lock:
                run = self._open.setdefault(directory, OpenRun(directory))
            with run.lock:
                return run.curve(metric, x)
        except (NeuralError, OSError) as error:
            return str(error)

    def iter_series(self, run_id: str, metric: str) -> Iterator[Series]:
        """Give all points of a metric in the order of the calls, some at a time."""
        raise NotImplementedError
