"""Reads a store for pages, notebooks and other plugins: lists, curves of any length, files, changes; and edits it.

`ExperimentStore` is one base folder. Reading creates, renames and touches nothing in it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from threading import Lock

from neural_core._reading_api.catalog import Catalog
from neural_core._reading_api.editing import EditingVerbs
from neural_core._reading_api.edits import Edit
from neural_core._reading_api.files import artifacts_of, file_with_id, plots_of, tree_files
from neural_core._reading_api.full_data import FullData
from neural_core._reading_api.records import (
    Changes,
    CurveView,
    Listed,
    RunDetail,
    SeriesView,
    StoredFile,
    StoredRun,
)
from neural_core._reading_api.shelf import Shelf
from neural_core._reading_api.view import Look, Window, sentence, view_of
from neural_core._storage.experiment.overview import hyperparameters_of
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.folder import DEFAULT_BASE_DIR, resolve_base_dir
from neural_core.errors import NeuralError

__all__ = [
    "Changes",
    "CurveView",
    "Edit",
    "ExperimentStore",
    "FullData",
    "Listed",
    "RunDetail",
    "SeriesView",
    "StoredFile",
    "StoredRun",
    "Window",
    "tree_files",
]


class ExperimentStore(EditingVerbs):
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
        self._shelf = Shelf()
        self._edits = Lock()

    def listed(self, *, whole: bool = True) -> Listed:
        """Give the experiments, the newest first, and a cursor for `changes`.

        Args:
            whole: all of them. Else those that are known by now, and `pending` says how many are not: each call
                reads some hundred more, so that a page over ten thousand of them need not wait.

        Raises:
            OSError: the base folder may not be read.
        """
        return self._catalog.listed(whole=whole)

    def run(self, run_id: str) -> StoredRun:
        """Give one experiment.

        Raises:
            ExperimentNotFoundError: there is none with this id.
        """
        return self._catalog.find(run_id)

    def changes(self, cursor: str | None = None, *, whole: bool = True) -> Changes:
        """Tell what changed since a cursor that an earlier call gave, None for everything; `whole` as in `listed`."""
        return self._catalog.changes(cursor, whole=whole)

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
        looks = [self._look(run_id, metric, x) for run_id in run_ids]
        self._shelf.tidy()
        return view_of(metric, x, looks, window or Window())

    def _look(self, run_id: str, metric: str, x: str) -> Look:
        try:
            run = self._shelf.take(self._catalog.directory(run_id))
            with run.lock:
                return Look(run_id, run.curve(metric, x), run.problem, run.lock)
        except (NeuralError, OSError) as error:
            return Look(run_id, error=sentence(error))

    def check_next(self) -> bool:
        """Check every stored page of one experiment that was looked at; call it again and again beside readers.

        What is damaged is said by the `error` of its curves from then on.

        Returns:
            False when there is nothing to check.
        """
        run = self._shelf.unchecked()
        if run is not None:
            run.check()
        return run is not None

    def warm(self, runs: int = 20, metrics: int = 6, points: int = 100_000_000) -> None:
        """Read ahead what a page shows first: so many metrics of so many of the newest runs, at most so many points.

        Raises:
            OSError: the base folder may not be read.
        """
        wanted = [
            (place, run.id, info)
            for run in self.listed(whole=False).runs[:runs]
            for place, info in enumerate(list(run.row.metrics.values())[:metrics])
        ]
        for _, run_id, info in sorted(wanted, key=lambda one: one[0]):
            points -= info.count
            if points < 0:
                break
            self._look(run_id, info.name, "step")
        self._shelf.tidy()

    def full_data(self, run_id: str) -> FullData:
        """Give the full data of an experiment, for exports: every checksum is checked.

        Raises:
            ExperimentNotFoundError: there is none with this id.
        """
        return FullData(self._catalog.directory(run_id))

    def detail(self, run_id: str) -> RunDetail:
        """Give all that is known of an experiment but its numbers.

        Raises:
            ExperimentNotFoundError: there is none with this id.
            FormatVersionError: it was written by a newer neural.
        """
        run = self._catalog.find(run_id)
        directory = self.base_dir / run.row.folder
        state, _ = RunReader(directory, verify=False).state()
        files = artifacts_of(directory, state), plots_of(directory)
        return RunDetail(run, hyperparameters_of(state), dict(state.environment), *files)

    def artifact(self, run_id: str, fid: str) -> StoredFile:
        """Give an artifact by its id; its file lies in the experiment's folder.

        Raises:
            ExperimentNotFoundError: there is no such experiment.
            ArtifactNotFoundError: there is no such artifact, or its file is gone.
        """
        return file_with_id(self.detail(run_id).artifacts, fid)

    def plot(self, run_id: str, fid: str) -> StoredFile:
        """Give a file of the experiment's plots by its id; raises as `artifact` does."""
        return file_with_id(plots_of(self._catalog.directory(run_id)), fid)
