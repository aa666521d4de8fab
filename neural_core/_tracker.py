"""ExperimentTracker: the verbs of a training script. Each one: validate, store, done."""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from neural_core import _environment
from neural_core._construction import (
    PEERS_VERBS,
    check_annotations,
    check_rank,
    existing,
    guard_plugins,
    make_delivery,
    require_backends,
    require_visualizer,
)
from neural_core._life_verbs import LifeVerbs
from neural_core._storage import folder
from neural_core._storage.forks import LockOfOneProcess
from neural_core._storage.writing.session import Session
from neural_core.errors import ConfigurationError

if TYPE_CHECKING:
    from typing import Self

    from neural_core._delivery.guard import GuardedPlugin

__all__ = ["ExperimentTracker"]

_resuming = LockOfOneProcess()


class ExperimentTracker(LifeVerbs):
    """Track one experiment: hyperparameters, metrics, artifacts, figures, in a folder of its own.

    When a ``log_…`` call has returned, ``kill -9`` cannot take it back. A failing disk never stops the script: it is
    told by one warning, counted in `health`, and made up for when the disk recovers.

    Attributes:
        experiment_id: 12 hex digits.
        experiment_name: the display name.
        experiment_dir: the folder, absolute; copying it copies the experiment.
    """

    def __init__(
        self,
        experiment_name: str | None = None,
        base_dir: str | os.PathLike[str] = folder.DEFAULT_BASE_DIR,
        auto_visualize: bool | str = True,
        backend: str | Iterable[str] | Mapping[str, Mapping[str, Any]] | None = None,
        *,
        hyperparameters: object = None,
        tags: Mapping[str, str] | Iterable[str] | None = None,
        notes: str | None = None,
        durability: Literal["process", "power"] = "process",
        plugins: Sequence[object] = (),
    ) -> None:
        """Make a new experiment; with NEURAL_EXPERIMENT_DIR set, add to that one.

        Args:
            experiment_name: any text; a name with the time when None.
            base_dir: where experiments live; NEURAL_DIR stands in for the default.
            auto_visualize: draw plots of the metrics by itself; a name says which visualizer does (``plotly``).
            backend: name of an installed backend, several, or a mapping of names to options.
            hyperparameters: logged at once, as by `log_hyperparameters`.
            tags: set at once, as by `set_tags`.
            notes: free text.
            plugins: objects with hooks (docs/hooks.md) that hear of this experiment on threads of this process.
            durability: ``process`` survives the death of the process at once and loss of power but for the last two
                seconds; ``power`` waits for the disk on every call.

        Raises:
            ConfigurationError: the folder or a setting cannot work.
            NotInstalledError: a backend or visualizer is not installed; the message says what to install.
            ArgumentError: an argument cannot be kept.
        """
        if durability not in ("process", "power"):
            raise ConfigurationError(f"durability {durability!r} is unknown: take 'process' or 'power'")
        name = folder.check_name(
            time.strftime("experiment-%Y%m%d-%H%M%S") if experiment_name is None else experiment_name
        )
        first_tags = check_annotations(hyperparameters, tags, notes)
        base = folder.resolve_base_dir(base_dir)
        if _environment.is_disabled():
            self._begin(None, base / "disabled", name, auto_visualize=False)
            return
        require_visualizer(auto_visualize)
        backends, guarded = require_backends(backend), guard_plugins(plugins)
        joined = _environment.attached_directory()
        power = durability == "power"
        if joined is not None:
            session = Session.open(
                existing(joined), kind="attached", rank=_environment.rank_from_environment(), power=power
            )
        else:
            session = Session.create(base, name, environment=_environment.describe(), power=power)
            _environment.warn_about_rank(session.directory)
            first_tags = {**_environment.rank_tags(), **first_tags}
        self._begin(session, session.directory, session.state.name, auto_visualize=auto_visualize)
        self._plugins = guarded
        self._deliver(backends)
        self._annotate(hyperparameters, first_tags, notes)

    def _begin(self, session: Session | None, directory: Path, name: str, *, auto_visualize: bool | str) -> None:
        self.experiment_dir = directory
        self.experiment_name = name
        self.experiment_id = "" if session is None else session.state.experiment_id
        self.auto_visualize = auto_visualize
        self._session = session
        self._finished = False
        self._delivery = None
        self._disabled = session is None
        if session is not None:
            # Whoever holds the tracker, or only its log_metrics, keeps the experiment going.
            self._log = session.writer.make_log_metrics()
            self._end = weakref.finalize(self._log, session.abandon)
            if type(self).log_metrics is ExperimentTracker.log_metrics:
                self.__dict__["log_metrics"] = self._log  # the method without its detour, unless a subclass has its own

    def _deliver(self, backends: Mapping[str, Mapping[str, Any]]) -> None:
        """Let backends, plugins and the automatic plots hear of what this process logs; ranks leave it to the owner."""
        session = self._session
        if session is None or not session.is_owner:
            return
        self._delivery = make_delivery(session, self._plugins, backends, plots=self.auto_visualize)

    @classmethod
    def resume(
        cls,
        experiment_id: str,
        base_dir: str | os.PathLike[str] = folder.DEFAULT_BASE_DIR,
        auto_visualize: bool | str = True,
        backend: str | Iterable[str] | Mapping[str, Mapping[str, Any]] | None = None,
        *,
        plugins: Sequence[object] = (),
    ) -> Self:
        """Continue an experiment: what is logged from now on follows what is there.

        Args:
            experiment_id: its id, a unique beginning of it, or the path of its folder.
            base_dir: where experiments live.
            auto_visualize: as for a new experiment.
            backend: likewise; a backend that knows the experiment goes on where it was.
            plugins: likewise.

        Raises:
            ExperimentNotFoundError: there is none.
            AmbiguousExperimentError: there are several.
            ExperimentInUseError: its writer is alive; `attach` adds to it.
            NotInstalledError: a backend or visualizer is not installed; the message says what to install.
        """
        from neural_core._storage.index.find import find_experiment, refuse_live

        if _environment.is_disabled():
            return cls()
        require_visualizer(auto_visualize)
        backends, guarded = require_backends(backend), guard_plugins(plugins)
        directory = find_experiment(folder.resolve_base_dir(base_dir), experiment_id)
        refuse_live(directory, "ExperimentTracker.attach(experiment_dir) adds to it from another process")
        return cls._of(Session.open(directory, kind="owner"), auto_visualize, backends, guarded)

    @classmethod
    def attach(cls, experiment_dir: str | os.PathLike[str], rank: int | None = None) -> Self:
        """Add to an experiment that another process owns: a rank, a worker, an evaluation beside the training.

        Args:
            experiment_dir: its folder.
            rank: of this process; None takes RANK or SLURM_PROCID.

        Raises:
            ExperimentNotFoundError: there is no experiment.
        """
        if _environment.is_disabled():
            return cls()
        own = _environment.rank_from_environment() if rank is None else check_rank(rank)
        return cls._of(Session.open(existing(Path(experiment_dir)), kind="attached", rank=own))

    @classmethod
    def _of(
        cls,
        session: Session,
        auto_visualize: bool | str = False,
        backends: Mapping[str, Mapping[str, Any]] | None = None,
        plugins: Sequence[GuardedPlugin] = (),
    ) -> Self:
        tracker = cls.__new__(cls)
        tracker._begin(session, session.directory, session.state.name, auto_visualize=auto_visualize)
        tracker._plugins = plugins
        tracker._deliver(backends or {})
        return tracker

    @classmethod
    def spool(cls, name: str, base_dir: Path, backend: Mapping[str, Mapping[str, Any]]) -> Self:
        """Make an experiment that only passes through to a backend, as `create_integration` does."""
        backends, checked = require_backends(backend), folder.check_name(name)
        if _environment.is_disabled():
            return cls(checked, base_dir)
        environment = {**_environment.describe(), folder.SPOOL_OF: next(iter(backends))}
        session = Session.create(base_dir, checked, environment=environment, power=False, kind="integration")
        return cls._of(session, backends=backends)

    @property
    def is_disabled(self) -> bool:
        """Tell whether NEURAL_MODE=disabled made every call a no-op."""
        return self._disabled

    @classmethod
    def stored(cls, directory: Path, experiment_id: str, name: str) -> Self:
        """Give an experiment to read, as `ExperimentManager.get_experiment` does; what is logged to it resumes it."""
        tracker = cls.__new__(cls)
        tracker._begin(None, directory, name, auto_visualize=True)
        tracker.experiment_id = experiment_id
        tracker._disabled = _environment.is_disabled()
        return tracker

    def _open_session(self) -> Session:
        """The session to write to; a stored experiment gets its own with the first write."""
        if self._session is None:
            with _resuming:
                if self._session is None:  # else another thread has just done it
                    self.__dict__.update(type(self).resume(str(self.experiment_dir)).__dict__)
        assert self._session is not None
        return self._session

    def __reduce__(self) -> Any:
        """A copy in another process adds to the same experiment, in a part of its own; a stored one is stored there."""
        if self._finished or (self._session is None and not self._disabled):
            return type(self).stored, (self.experiment_dir, self.experiment_id, self.experiment_name)
        return type(self).attach, (str(self.experiment_dir),)

    def __repr__(self) -> str:
        state = "disabled" if self._disabled else f"{self.experiment_id} at {self.experiment_dir}"
        return f"<ExperimentTracker {self.experiment_name!r} {state}>"

    if not TYPE_CHECKING:  # a type checker shall find the misspelt verb itself

        def __getattr__(self, name: str) -> NoReturn:
            hint = f": the verb here is {PEERS_VERBS[name]}" if name in PEERS_VERBS else ""
            raise AttributeError(f"ExperimentTracker has no attribute {name!r}{hint}")
