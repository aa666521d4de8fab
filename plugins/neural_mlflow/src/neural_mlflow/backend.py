"""The backend: what an experiment tells, written to one MLflow run."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neural_core import hookimpl
from neural_core.errors import ArgumentTypeError, ArgumentValueError
from neural_core.records import Annotations, ArtifactVersion, Experiment, MetricRows
from neural_mlflow import artifacts, params, tagging, texts
from neural_mlflow.finding import NAME, Wishes, find_anywhere, find_or_make, find_run, milliseconds, run_name
from neural_mlflow.keys import MetricKeys
from neural_mlflow.place import Place
from neural_mlflow.points import Doubt, NewRows, Position
from neural_mlflow.run import MlflowRun
from neural_mlflow.sdk import RefusedError, installed_limits, make_client, require

__all__ = ["MlflowBackend"]

STATUSES = {
    "created": "SCHEDULED",
    "running": "RUNNING",
    "completed": "FINISHED",
    "failed": "FAILED",
    "interrupted": "KILLED",
}
ARTIFACTS = {
    "gone": "is not there any more, only its tags are",
    "long": f"has a description that is too long for a tag; the tag {artifacts.ARTIFACT}… says which document has it",
    "renamed": f"has files with names that no URL takes; the tag {artifacts.ARTIFACT}… has the names",
}
TEXTS = {
    "renamed": f"a tag has another name there; the tag {texts.ORIGINAL}… has its own",
    "shortened": f"a tag or the notes are shortened there; {tagging.DOCUMENT} of the run has them whole",
}
"""What had to be done to an artifact, or to tags and notes → what the user reads of it."""
POSITION = "neural.position."
"""So begins the tag that says how far a part of the journal is delivered."""
_log = logging.getLogger("neural")


class MlflowBackend:
    """Mirrors one experiment into one MLflow run.

    The run has the tag ``neural.uid``; by that tag, or by the id in the bookmark, another object finds it again.
    """

    delivery = "exactly once"

    def __init__(
        self,
        tracking_uri: str | None = None,
        experiment_name: str | None = None,
        run_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        artifact_location: str | None = None,
        timeout: float | None = None,
    ) -> None:
        """Take the options; MLflow is imported and reached when the experiment begins to be told.

        Args:
            tracking_uri: where to; else MLFLOW_TRACKING_URI, else ``sqlite:///mlflow.db`` in the script's folder.
            experiment_name: of the MLflow experiment; else the experiment's own name.
            run_name: of the run; else the experiment's name and id.
            tags: further tags of a new run.
            artifact_location: where a new MLflow experiment keeps its artifacts: a URI or a folder.
            timeout: seconds for one request to a server.

        Raises:
            NotInstalledError: MLflow is not installed.
            ArgumentTypeError: `tags` is no mapping.
            ArgumentValueError: `timeout` is no number of seconds.
        """
        require()
        if tags is not None and not isinstance(tags, Mapping):
            raise ArgumentTypeError(f"tags of the backend mlflow are a mapping of names and texts, not {tags!r:.100}")
        self.place = Place.of(tracking_uri)
        self._timeout = _seconds(timeout)
        self._wishes = Wishes(
            "" if experiment_name is None else str(experiment_name),  # a command line makes a number of 2024
            "" if run_name is None else str(run_name),
            {
                texts.tag_key(str(name)): texts.short(texts.clean(str(text)), texts.OLDEST.tag)
                for name, text in (tags or {}).items()
            },
            _location(artifact_location),
        )
        self._run: MlflowRun | None = None
        self._bookmark: Mapping[str, Any] | None = {}
        self._doubt: Doubt | None = None
        self._keys: MetricKeys | None = None
        self._said: set[str] = set()

    def destination(self) -> str:
        """Say where it delivers to, without passwords."""
        return str(self.place)

    def bookmark(self) -> dict[str, str]:
        """Give the id of the run, so that it is found again whatever it is called by then."""
        return {} if self._run is None else {"run_id": self._run.run_id}

    def return_to(self, bookmark: Mapping[str, Any] | None) -> None:
        """Hear where delivery goes on: {} at the beginning, None when no bookmark is known."""
        self._bookmark = bookmark

    @hookimpl
    def neural_experiment_started(self, experiment: Experiment) -> None:
        """Find the run of the experiment, or make it."""
        if self._run is None:
            client = make_client(self.place, self._timeout)
            if self._bookmark and "run_id" in self._bookmark:
                run = find_run(client, str(self._bookmark["run_id"]), experiment, self.place)
            elif self._bookmark is None:
                run = find_anywhere(client, experiment, self.place)
            else:
                run = find_or_make(client, experiment, self._wishes, self.place)
            self._run = MlflowRun(client, run, self.place, installed_limits())
            keeps_infinity = self.place.folder is not None
            self._keys = MetricKeys(self._run, keeps_infinity=keeps_infinity, tell=self._say_once)
            self._doubt = self._new_doubt()
            if not run_name(experiment).startswith(experiment.name):
                self._say_once("title", f"the experiment has another name there; the tag {NAME} of the run has its own")

    def _new_doubt(self) -> Doubt | None:
        return Doubt(self._opened.history) if self._opened.is_files else None

    @property
    def _opened(self) -> MlflowRun:
        assert self._run is not None, "neural_experiment_started comes first"
        return self._run

    @hookimpl
    def neural_hyperparameters_logged(self, experiment: Experiment, hyperparameters: Mapping[str, Any]) -> None:
        """Log parameters; of one that changes MLflow keeps the first value, and a tag has the newest."""
        for kind in sorted(params.log(self._opened, hyperparameters, experiment.hyperparameters)):
            self._say_once(kind, f"a hyperparameter is {kind} there; {params.DOCUMENT} of the run has all as logged")

    @hookimpl
    def neural_metrics_logged(self, rows: MetricRows) -> None:
        """Log points, a request after the other, the last with the position that they reach."""
        run, keys = self._opened, self._keys
        assert keys is not None
        tag = texts.key_of(f"{POSITION}{rows.part}", run.limits)
        new, done = NewRows(rows, self._position(tag)), 0
        try:
            for ended, points in new.requests(keys):
                keys.write_tags()
                done += ended
                missing = points if self._doubt is None else self._doubt.new(ended, points)
                run.log_points(missing, {tag: str(new.reached)} if done == len(new) else {})
        except RefusedError as error:
            self._doubt = Doubt(run.history) if error.is_double else self._new_doubt()
            if error.is_invalid:
                keys.refused()
            raise

    def _position(self, tag: str) -> Position:
        """Give how far a part was delivered; in a new one, rows without a step go on counting."""
        known = {key: Position.read(text) for key, text in self._opened.tags.items() if key.startswith(POSITION)}
        return known.get(tag) or Position(-1, max((position.unstepped for position in known.values()), default=0))

    @hookimpl
    def neural_artifact_logged(self, artifact: ArtifactVersion) -> None:
        """Store a file, a folder, a model or a figure under its name and version, with its SHA-256 in a tag."""
        for kind in sorted(artifacts.store(self._opened, artifact)):
            self._say_once(f"artifact {kind}", f"artifact {artifact.artifact_name!r:.200} {ARTIFACTS[kind]}")

    @hookimpl
    def neural_annotations_changed(self, experiment: Experiment, annotations: Annotations) -> None:
        """Change tags, the description and the name of the run."""
        done = tagging.change(self._opened, annotations, experiment, rename=not self._wishes.run_name)
        for kind in sorted(done):
            self._say_once(f"tag {kind}", TEXTS[kind])

    @hookimpl
    def neural_status_changed(self, status: str) -> None:
        """Set the status."""
        self._opened.update(status=STATUSES.get(status))

    @hookimpl
    def neural_experiment_finished(self, experiment: Experiment, status: str, complete: bool) -> None:
        """Set status and end; of an experiment of which more is to come, nothing."""
        if complete and self._run is not None and status in STATUSES:
            self._run.end(STATUSES[status], milliseconds(experiment.end_time))

    def _say_once(self, kind: str, sentence: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            _log.warning("MLflow at %s: %s", self.place, sentence)


def _seconds(timeout: float | None) -> float | None:
    if timeout is None or (isinstance(timeout, int | float) and 0 < timeout < math.inf):
        return timeout
    raise ArgumentValueError(f"timeout of the backend mlflow is a number of seconds above 0, not {timeout!r:.100}")


def _location(given: str | os.PathLike[str] | None) -> str | None:
    """Give a location of artifacts as a URI; a folder becomes absolute."""
    if given is None:
        return None
    text = os.fspath(given)
    if text.startswith("file:"):
        return Place.of(text).uri
    return text if "://" in text or text.startswith(("mlflow-artifacts:", "dbfs:")) else Place.of_folder(Path(text)).uri
