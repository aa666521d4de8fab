"""The reading verbs of an experiment: the same while it runs, after it, and from another process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_core.errors import ArgumentTypeError, ArgumentValueError
from neural_core.records import ArtifactVersion, Damage, Experiment, MetricInfo, Series

if TYPE_CHECKING:
    from neural_core._delivery.guard import GuardedPlugin
    from neural_core._storage.experiment.history import History
    from neural_core._storage.experiment.reader import RunReader
    from neural_core._storage.experiment.state import State

__all__ = ["ReadingVerbs"]


class ReadingVerbs:
    """What can be asked of an experiment. Asking creates, renames and touches nothing.

    Attributes:
        experiment_dir: the experiment's folder, absolute.
    """

    experiment_dir: Path
    auto_visualize: bool | str
    _disabled: bool
    _cached_reader: RunReader | None = None
    _plugins: Sequence[GuardedPlugin] = ()

    def _fresh(self) -> RunReader:
        """The reader, after a look for what was written since."""
        if self._cached_reader is None:
            from neural_core._storage.experiment.reader import RunReader  # NumPy is loaded when something is read

            self._cached_reader = RunReader(self.experiment_dir)
        self._cached_reader.refresh()
        return self._cached_reader

    def _state(self) -> State:
        return self._fresh().state()[0]

    def _record(self) -> Experiment:
        from neural_core._storage.experiment.overview import experiment_record

        return experiment_record(self.experiment_dir, self._state())

    @property
    def status(self) -> str:
        """The status by evidence: one of created, running, completed, failed, interrupted, stalled."""
        from neural_core._storage.experiment.overview import seen_status

        return seen_status(self.experiment_dir, self._state())

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """All hyperparameters, nested as they were logged; later values stand over earlier ones."""
        from neural_core._storage.experiment.overview import hyperparameters_of

        return hyperparameters_of(self._state())

    @property
    def tags(self) -> dict[str, str]:
        """Tags: name → text, empty text for a plain one."""
        return dict(self._state().tags)

    @property
    def notes(self) -> str:
        """The notes, free text."""
        return self._state().notes

    @property
    def metrics_history(self) -> History:
        """Every ``log_metrics`` call, in order: a lazy sequence of mappings with ``timestamp``, ``step``, metrics."""
        return self._fresh().history()

    @property
    def metrics(self) -> dict[str, MetricInfo]:
        """Count, last, min and max of every metric."""
        return {info.name: info for info in self._fresh().metrics()}

    @property
    def artifacts(self) -> list[ArtifactVersion]:
        """Every stored artifact, in the order of logging."""
        from neural_core._storage.artifacts.documents import read_documents

        return read_documents(self._state().artifacts, self.experiment_dir)[0]

    @property
    def damage(self) -> list[Damage]:
        """What cannot be read as it was written; empty for a sound experiment. Artifacts are not hashed for it."""
        from neural_core._storage.artifacts.documents import read_documents

        reader = self._fresh()
        state, damage = reader.state()
        return [*damage, *reader.check(), *read_documents(state.artifacts, self.experiment_dir)[1]]

    def get_metrics(self, metric_name: str) -> list[float]:
        """Give all values of a metric in the order of the calls; an unknown metric has none."""
        values: list[float] = self.get_series(metric_name).value.tolist()
        return values

    def get_series(self, metric_name: str) -> Series:
        """Give steps, times and values of a metric as arrays.

        Raises:
            DamagedError: a stored page is damaged; ``neural verify`` says which.
        """
        if not isinstance(metric_name, str):
            raise ArgumentTypeError(f"metric_name is text, not {type(metric_name).__name__}")
        return self._fresh().series(metric_name)

    def get_best_metric(self, metric_name: str, mode: str | None = None) -> tuple[float | None, int | None]:
        """Give the best finite value of a metric and its step.

        Args:
            metric_name: the metric.
            mode: ``max``, ``min``, or None to tell by the name: losses and errors are better when smaller.

        Returns:
            (value, step); the step is the position in the series when none was logged. (None, None) when the metric
            is unknown or has no finite value.

        Raises:
            ArgumentValueError: another mode.
        """
        from neural_core import _series

        if mode not in ("min", "max", None):
            raise ArgumentValueError(f"mode {mode!r} is unknown: take 'min', 'max' or None")
        series = self.get_series(metric_name)
        found = _series.extremes(series.value)
        if found is None:
            return None, None
        smaller = mode == "min" or (mode is None and _series.lower_is_better(metric_name))
        at = found[0] if smaller else found[1]
        return float(series.value[at]), int(_series.x_axis(series)[at])

    def list_artifact_versions(self, name: str) -> list[ArtifactVersion]:
        """Give the versions of an artifact, oldest first, then the unversioned entry if there is one.

        Args:
            name: the artifact's name, or the name of a file that versions were logged from.
        """
        if not isinstance(name, str):
            raise ArgumentTypeError(f"an artifact's name is text, not {type(name).__name__}")
        every = self.artifacts
        found = [one for one in every if one.artifact_name == name] or [one for one in every if one.source_name == name]
        return sorted(found, key=lambda one: (one.version is None, one.version or 0))

    def get_artifact_version(self, name: str, version: int = -1) -> ArtifactVersion | None:
        """Give one version of an artifact.

        Args:
            name: as for `list_artifact_versions`.
            version: its number; -1 for the newest, which is the unversioned entry where there is no version.

        Returns:
            None when there is none.
        """
        versions = self.list_artifact_versions(name)
        if version == -1:
            newest = [one for one in versions if one.version is not None] or versions
            return newest[-1] if newest else None
        return next((one for one in versions if one.version is not None and one.version == version), None)

    def generate_visualizations(self, visualizer: str | None = None) -> dict[str, Path]:
        """Draw all plots of the metrics now, as files in the experiment's ``plots`` folder.

        Args:
            visualizer: name of an installed one, ``matplotlib`` (PNG) or ``plotly`` (HTML); None for the one that
                `auto_visualize` names, matplotlib when it names none.

        Returns:
            Plot name → file.

        Raises:
            NotInstalledError: there is no visualizer of this name; the message says what is installed.
        """
        from neural_core._construction import require_visualizer

        named = self.auto_visualize if visualizer is None else visualizer
        require_visualizer(named)
        if self._disabled:
            return {}
        from neural_core._plots import draw_plots

        chosen = named if isinstance(named, str) else None
        return draw_plots(self._record(), self._every_series(), self._plugins, visualizer=chosen)

    def _every_series(self, names: Sequence[str] | None = None) -> Mapping[str, Series]:
        reader = self._fresh()
        return {name: reader.series(name) for name in (reader.names() if names is None else names)}
