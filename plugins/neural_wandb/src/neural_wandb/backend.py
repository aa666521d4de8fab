"""The backend: what an experiment tells, written to one W&B run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from neural_core import hookimpl
from neural_core.records import ArtifactVersion, Experiment, MetricRows
from neural_wandb import artifacts
from neural_wandb.choices import Choices
from neural_wandb.loading import require
from neural_wandb.mirror import Mirror

__all__ = ["WandbBackend"]


class WandbBackend:
    """Mirrors one experiment into one W&B run, whose id is the experiment's.

    A hook returns when W&B's file of the run holds what the hook told. Another object goes on in a further folder of
    the same run, and logs no row that a folder holds already.
    """

    delivery = "at least once"

    def __init__(
        self,
        mode: str | None = None,
        project: str | None = None,
        entity: str | None = None,
        group: str | None = None,
        job_type: str | None = None,
        tags: Sequence[str] | None = None,
        dir: str | os.PathLike[str] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        """Take the options; W&B is imported when the experiment begins to be told.

        Args:
            mode: ``online``, ``offline`` or ``disabled``; else WANDB_MODE, else W&B's settings files, else online after
                a login and offline without.
            project: else WANDB_PROJECT, else W&B's settings files, else ``neural``.
            entity: user or team; else WANDB_ENTITY, else W&B's own.
            group: of runs; else WANDB_RUN_GROUP.
            job_type: of runs; else WANDB_JOB_TYPE.
            tags: further tags of every run.
            dir: where the folder ``wandb`` is made; else WANDB_DIR, else the script's folder.
            settings: further settings of W&B, by their names in ``wandb.Settings``.

        Raises:
            NotInstalledError: W&B is not installed.
            ArgumentError: an option that cannot be.
        """
        require()
        self._choices = Choices.of(
            mode=mode,
            project=project,
            entity=entity,
            group=group,
            job_type=job_type,
            tags=tags,
            folder=dir,
            settings=settings,
        )
        self._bookmark: dict[str, Any] = {}
        self._mirror: Mirror | None = None

    def destination(self) -> str:
        """Say where it delivers to, without secrets."""
        return self._choices.destination()

    def bookmark(self) -> dict[str, Any]:
        """Say which folders the run has, in order, and up to which byte each was told."""
        return self._bookmark

    def return_to(self, bookmark: dict[str, Any] | None) -> None:
        """Go on from there. Without a bookmark everything that is there is read, to log no row of it again."""
        self._bookmark = bookmark or {}

    @hookimpl
    def neural_experiment_started(self, experiment: Experiment) -> None:
        """Begin a run, or go on with it in a further folder."""
        self._tell(experiment, lambda mirror: mirror.annotate(experiment))

    @hookimpl
    def neural_hyperparameters_logged(self, experiment: Experiment, hyperparameters: Mapping[str, Any]) -> None:
        """Set the config, nested as it was logged."""
        now = {key: experiment.hyperparameters.get(key, new) for key, new in hyperparameters.items()}

        def tell(mirror: Mirror) -> None:
            mirror.configure(now)
            mirror.annotate(experiment)

        self._tell(experiment, tell)

    @hookimpl
    def neural_metrics_logged(self, experiment: Experiment, rows: MetricRows) -> None:
        """Log rows."""
        self._tell(experiment, lambda mirror: mirror.log_rows(experiment, rows))

    @hookimpl
    def neural_artifact_logged(self, experiment: Experiment, artifact: ArtifactVersion) -> None:
        """Log a file or a folder as an artifact, a figure as an image."""
        self._tell(experiment, lambda mirror: artifacts.store(mirror, artifact))

    @hookimpl
    def neural_annotations_changed(self, experiment: Experiment) -> None:
        """Set tags, notes and name."""
        self._tell(experiment, lambda mirror: mirror.annotate(experiment))

    @hookimpl
    def neural_status_changed(self, experiment: Experiment) -> None:
        """Say it in the config; W&B's own state follows at the end."""
        self._tell(experiment, lambda mirror: mirror.annotate(experiment))

    @hookimpl
    def neural_experiment_finished(self, experiment: Experiment, status: str, complete: bool) -> None:
        """End the run."""

        def tell(mirror: Mirror) -> None:
            mirror.annotate(experiment)
            mirror.finish(status, complete=complete)

        self._tell(experiment, tell)
        self._mirror = None

    def _tell(self, experiment: Experiment, tell: Callable[[Mirror], None]) -> None:
        """Say something to the open run, and wait until it is on the disk.

        A run with which something went wrong is left. The same facts come again, to the run in a further folder.
        """
        if self._choices.mode == "disabled":
            return
        mirror = self._mirror or Mirror(self._choices, experiment, self._bookmark)
        try:
            if mirror is not self._mirror:
                self._mirror = mirror
                mirror.greet(experiment)
            tell(mirror)
            mirror.settle()
        except BaseException:
            self._mirror = None
            mirror.give_up()
            raise
        self._bookmark = mirror.bookmark()
