"""ExperimentManager: the experiments of one base folder, listed, loaded, compared, thrown away."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_core._compared import comparison_figures, load_compared
from neural_core._row_documents import flat_row, head_of_row
from neural_core._storage import folder
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.index.base_index import Index
from neural_core._storage.index.find import find_row
from neural_core._tracker import ExperimentTracker
from neural_core.errors import ArgumentTypeError, ArgumentValueError
from neural_core.records import ComparedExperiment, Damage, RunRow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ExperimentManager"]


class ExperimentManager:
    """The experiments of a base folder. Listing and loading create, rename and touch nothing in it.

    Attributes:
        base_dir: the folder, absolute; it need not exist.
    """

    def __init__(self, base_dir: str | os.PathLike[str] = folder.DEFAULT_BASE_DIR) -> None:
        """Look at nothing yet.

        Args:
            base_dir: where experiments live; NEURAL_DIR stands in for the default.

        Raises:
            ConfigurationError: it is a file.
        """
        self.base_dir = folder.resolve_base_dir(base_dir)
        self._index: Index | None = None

    @property
    def _fresh(self) -> Index:
        """The index of the folder; a deletable cache outside it."""
        if self._index is None:
            self._index = Index(self.base_dir)
        self._index.refresh()
        return self._index

    def create_experiment(
        self, name: str | None = None, auto_visualize: bool | str = True, backend: Any = None, **options: Any
    ) -> ExperimentTracker:
        """Make a new experiment; arguments as for `ExperimentTracker`."""
        return ExperimentTracker(name, self.base_dir, auto_visualize, backend, **options)

    def get_experiment(self, experiment_id: str) -> ExperimentTracker:
        """Load an experiment. It has the tracker's reading verbs; logging to it resumes it.

        Args:
            experiment_id: its id, or a unique beginning of it of four characters or more.

        Raises:
            ExperimentNotFoundError: there is none.
            AmbiguousExperimentError: there are several (a copy, or too short a beginning).
        """
        directory = self._find(experiment_id)
        row = next(row for row in self._fresh.find(experiment_id) if row.folder == directory.name)
        return ExperimentTracker.stored(directory, row.experiment_id, row.name)

    def _find(self, experiment_id: str) -> Path:
        return find_row(self._fresh, self.base_dir, experiment_id)

    def list_experiments(self) -> list[dict[str, Any]]:
        """Give every experiment, newest first, the damaged ones with their error.

        Returns:
            Dicts with experiment_id, experiment_name, status, start_time (UTC ISO 8601), end_time, experiment_dir,
            tags, error.
        """
        return [
            {
                **head_of_row(row),
                "experiment_dir": str(self.base_dir / row.folder),
                "tags": dict(row.tags),
                "error": row.error,
            }
            for row in self.runs(limit=None)
        ]

    def runs(
        self,
        where: str | None = None,
        order_by: str | Sequence[str] = "-start",
        limit: int | None = 100,
        offset: int = 0,
    ) -> list[RunRow]:
        """Give the experiments that a filter lets through.

        Args:
            where: ``"params.lr < 0.01 and status = 'completed'"``; docs/queries.md has the grammar.
            order_by: ``"-start"``, ``"metrics.val_acc.max"``, or several.
            limit: at most so many; None for all.
            offset: leave out so many first.

        Raises:
            QueryError: `where` or `order_by` does not parse.
        """
        return self._fresh.runs(where=where, order_by=order_by, limit=limit, offset=offset)

    def best(
        self, metric: str, mode: str | None = None, where: str | None = None, limit: int = 20
    ) -> list[tuple[RunRow, float, int | None]]:
        """Give (experiment, best value, its step), best first.

        Args:
            metric: the metric.
            mode: ``max``, ``min``, or None to tell by the name.
            where: as for `runs`.
            limit: at most so many.
        """
        return self._fresh.best(metric, mode=mode, where=where, limit=limit)

    def delete_experiment(self, experiment_id: str) -> bool:
        """Move an experiment to the trash, from which `restore_experiment` brings it back.

        Args:
            experiment_id: its whole id.

        Returns:
            False when there is none.

        Raises:
            ExperimentInUseError: its writer is alive.
            AmbiguousExperimentError: the id is that of several; delete by hand the folder that is to go.
        """
        from neural_core._storage.care.trash import move_to_trash

        return move_to_trash(self._fresh, self.base_dir, experiment_id)

    def list_trash(self) -> list[dict[str, Any]]:
        """Give the experiments in the trash, as `list_experiments` does."""
        return ExperimentManager(self.base_dir / folder.TRASH).list_experiments()

    def restore_experiment(self, experiment_id: str) -> bool:
        """Bring an experiment back from the trash; False when it is not there."""
        from neural_core._storage.care.trash import move_from_trash

        return move_from_trash(self.base_dir, experiment_id)

    def compare_experiments(
        self, experiment_ids: Sequence[str], metrics: Sequence[str] | None = None
    ) -> dict[str, Figure]:
        """Draw experiments side by side.

        Args:
            experiment_ids: their ids, in the order of their colours.
            metrics: only these; all when None.

        Returns:
            Plot name → matplotlib Figure: one per metric, ``hyperparameters``, ``best_metrics``. The names are safe as
            file names.

        Raises:
            ExperimentNotFoundError: one is not there.
            ArgumentValueError: no experiment, or a metric that none of them has.
        """
        return comparison_figures(self._compared(experiment_ids), metrics)

    def export_comparison(
        self, experiment_ids: Sequence[str], output_dir: str | os.PathLike[str] | None = None
    ) -> Path:
        """Write a comparison: figures, ``summary.json``, CSV files and one self-contained ``report.html``.

        Args:
            experiment_ids: their ids.
            output_dir: where to; ``comparison_<ids>`` in the current folder when None.

        Returns:
            The folder, absolute.
        """
        from neural_core._plotting.report import export_comparison

        compared = self._compared(experiment_ids)
        for one in compared:
            RunReader(one.experiment.directory).check()
        name = "comparison_" + "_".join(one.experiment.experiment_id[:8] for one in compared[:4])
        folder_path = Path(name if output_dir is None else output_dir).absolute()
        return export_comparison(compared, folder_path, comparison_figures(compared, None))

    def _compared(self, experiment_ids: Sequence[str]) -> list[ComparedExperiment]:
        if isinstance(experiment_ids, str) or not isinstance(experiment_ids, Sequence):
            raise ArgumentTypeError("experiment_ids is a list of ids")
        if not experiment_ids:
            raise ArgumentValueError("experiment_ids is empty: give the ids of the experiments to compare")
        return [load_compared(self._find(experiment_id)) for experiment_id in dict.fromkeys(experiment_ids)]

    def verify(self, experiment_id: str | None = None) -> Mapping[str, list[Damage]]:
        """Read every byte again: each checksum of the journal, each page, each artifact's SHA-256.

        Args:
            experiment_id: of one experiment; all of the folder when None.

        Returns:
            Folder name → what is damaged; an empty list for a sound experiment.
        """
        from neural_core._storage.care.verify import verify_experiment

        every = folder.experiment_folders(self.base_dir) if experiment_id is None else [self._find(experiment_id)]
        return {directory.name: verify_experiment(directory) for directory in every}

    def to_pandas(self, where: str | None = None, order_by: str | Sequence[str] = "-start") -> Any:
        """Give the experiments as a pandas DataFrame: a row each, columns ``params.…`` and ``metrics.….last/min/max``.

        Raises:
            ModuleNotFoundError: pandas is not installed.
        """
        import pandas

        return pandas.DataFrame([flat_row(row) for row in self.runs(where, order_by, limit=None)])

    def __repr__(self) -> str:
        return f"<ExperimentManager of {self.base_dir}>"
