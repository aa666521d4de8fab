"""Reads a store for pages, notebooks and other plugins: lists, curves of any length, files, changes; and edits it.

`ExperimentStore` is one base folder. Reading creates, renames and touches nothing in it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence

from neural_core._reading_api.catalog import Catalog
from neural_core._reading_api.directions import directions_of, set_direction
from neural_core._reading_api.edits import Edit, apply_edit
from neural_core._reading_api.files import artifacts_of, file_with_id, plots_of, tree_files
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
from neural_core._storage.folder import DEFAULT_BASE_DIR, resolve_base_dir
from neural_core._storage.overview import hyperparameters_of
from neural_core._storage.reader import RunReader
from neural_core._storage.trash import bring_back, throw_away
from neural_core.errors import EditConflictError, NeuralError
from neural_core.records import Series

__all__ = [
    "Changes",
    "CurveView",
    "Edit",
    "ExperimentStore",
    "Listed",
    "RunDetail",
    "SeriesView",
    "StoredFile",
    "StoredRun",
    "Window",
    "tree_files",
]

_CHUNK = 65_536


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
        self._shelf = Shelf()
        self._edits = threading.Lock()

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
            for run in self.listed().runs[:runs]
            for place, info in enumerate(list(run.row.metrics.values())[:metrics])
        ]
        for _, run_id, info in sorted(wanted, key=lambda one: one[0]):
            points -= info.count
            if points < 0:
                break
            self._look(run_id, info.name, "step")
        self._shelf.tidy()

    def iter_series(self, run_id: str, metric: str) -> Iterator[Series]:
        """Give all points of a metric in the order of the calls, some at a time, each checksum checked.

        Raises:
            ExperimentNotFoundError: there is none with this id.
            DamagedError: stored bytes are not what was written.
            OSError: a file cannot be read.
        """
        whole = RunReader(self._catalog.directory(run_id)).series(metric)
        for first in range(0, len(whole), _CHUNK):
            cut = slice(first, first + _CHUNK)
            yield Series(metric, whole.step[cut], whole.time[cut], whole.value[cut])

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

    def edit(self, run_id: str, revision: str, change: Edit) -> StoredRun:
        """Change name, notes, tags or colour of an experiment, alive or ended.

        Args:
            run_id: its id.
            revision: as it was when the editor looked.
            change: what is to be different.

        Returns:
            The experiment with its new revision.

        Raises:
            ExperimentNotFoundError: there is none with this id.
            EditConflictError: somebody else edited in between.
            ArgumentError: a thing that cannot be kept.
            DamagedError: nothing in its folder says which experiment it is.
            OSError: the disk refuses.
        """
        with self._edits:
            self._catalog.refresh()
            run = self._catalog.find(run_id)
            if run.revision != revision:
                raise EditConflictError("somebody else edited this experiment in between: look at it again")
            apply_edit(self.base_dir / run.row.folder, change)
            self._catalog.refresh()
            return self._catalog.find(run_id)

    def throw_away(self, run_id: str) -> None:
        """Move an experiment to the trash.

        Raises:
            ExperimentNotFoundError: there is none with this id.
            ExperimentInUseError: its writer is alive.
            OSError: the folder cannot be written.
        """
        with self._edits:
            directory = self._catalog.directory(run_id)
            throw_away(self.base_dir, directory)
            self._shelf.drop(directory)
            self._catalog.refresh()

    def restore(self, run_id: str) -> None:
        """Bring an experiment back from the trash.

        Raises:
            ExperimentNotFoundError: it is not there, or several have this id.
            ExperimentInUseError: a folder of its name is there already.
            OSError: the folder cannot be written.
        """
        with self._edits:
            bring_back(self.base_dir, self._catalog.trashed(run_id))
            self._catalog.refresh()
