"""The editing verbs of a store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from neural_core._reading_api.catalog import Catalog
from neural_core._reading_api.directions import directions_of, set_direction
from neural_core._reading_api.edits import Edit, apply_edit
from neural_core._reading_api.records import StoredRun
from neural_core._reading_api.shelf import Shelf
from neural_core._storage.care.trash import bring_back, throw_away
from neural_core.errors import EditConflictError

__all__ = ["EditingVerbs"]


class EditingVerbs:
    """What may be changed in a store by somebody who does not log to it; one change at a time."""

    base_dir: Path
    _catalog: Catalog
    _shelf: Shelf
    _edits: Lock

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

    def directions(self, runs: Iterable[StoredRun] | None = None) -> dict[str, str]:
        """Give metric → ``min`` or ``max``, which values are better, for the metrics of these experiments.

        Args:
            runs: the experiments; all as of the last look when None.
        """
        every = self._catalog.known() if runs is None else runs
        names = {name: None for run in every for name in run.row.metrics}
        return directions_of(self.base_dir, names)

    def set_direction(self, metric: str, direction: str | None) -> None:
        """Keep for this base folder which values of a metric are better; None goes by the name again.

        Raises:
            ArgumentValueError: another word than ``min`` and ``max``.
            OSError: the folder cannot be written.
        """
        set_direction(self.base_dir, metric, direction)
