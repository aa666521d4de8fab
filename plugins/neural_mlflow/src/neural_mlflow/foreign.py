"""One MLflow run as an experiment: what it holds, and how that is written."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from neural_core.errors import DamagedError
from neural_core.importing import ForeignRun, ImportTarget
from neural_core.records import Status
from neural_mlflow import params, tagging
from neural_mlflow.finding import NAME, ORIGIN, UID
from neural_mlflow.foreign_artifacts import Artifacts
from neural_mlflow.foreign_models import Model, models_of
from neural_mlflow.foreign_points import Points
from neural_mlflow.keys import INFINITE
from neural_mlflow.place import Place, hide_password
from neural_mlflow.sdk import pages
from neural_mlflow.texts import ORIGINAL, typed

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

__all__ = ["damages", "foreign_run", "is_copy", "unreadable_run"]

SOURCE = "mlflow run "
"""So begins the name of a run, with its id behind it, for ever."""
STATUSES: dict[str, Status] = {"FINISHED": "completed", "FAILED": "failed", "KILLED": "interrupted"}


def foreign_run(client: MlflowClient, place: Place, experiment: Experiment, run: Run) -> ForeignRun:
    """Read one run; one that cannot be read becomes one that cannot be written."""
    try:
        return _read(client, place, experiment, run)
    except damages() as error:
        return unreadable_run(run.info.run_id, str(place), error)


def _read(client: MlflowClient, place: Place, experiment: Experiment, run: Run) -> ForeignRun:
    tags = dict(run.data.tags)
    points = Points()
    for key in sorted(run.data.metrics):
        points.add(_original(tags, key), client.get_metric_history(run.info.run_id, key))
    artifacts, models = Artifacts.of(client, place, run), models_of(client, place, run)
    digest = hashlib.sha256(points.digest())
    said = [run.info.status, run.info.end_time, dict(run.data.params), tags, artifacts.listed, models]
    digest.update(json.dumps(said, sort_keys=True, default=str).encode())
    return _MlflowRun(
        source=_source(run.info.run_id),
        name=tags.get(NAME) or run.info.run_name or run.info.run_id,
        state=digest.hexdigest(),
        start_time=None if run.info.start_time is None else run.info.start_time / 1_000,
        run=run,
        tags=tags,
        experiment=experiment.name,
        points=points,
        artifacts=artifacts,
        models=models,
        traces=_traces(client, run),
    )


def _traces(client: MlflowClient, run: Run) -> int:
    """Count the traces of a run; 0 where the store is older than they are."""
    from mlflow.exceptions import MlflowException

    search = partial(
        client.search_traces, locations=[run.info.experiment_id], run_id=run.info.run_id, include_spans=False
    )
    count = 0
    with contextlib.suppress(MlflowException):
        for page in pages(lambda token: search(page_token=token)):
            count += len(page)
    return count


def _original(tags: Mapping[str, str], key: str) -> str:
    """Give the name that a key stands for, where neural wrote the run."""
    return tags.get(f"{ORIGINAL}{key}", key) if UID in tags else key


@frozen
class _MlflowRun(ForeignRun):
    run: Any = field(kw_only=True)
    tags: Mapping[str, str] = field(kw_only=True)
    experiment: str = field(kw_only=True)
    points: Points = field(kw_only=True)
    artifacts: Artifacts = field(kw_only=True)
    models: list[Model] = field(kw_only=True)
    traces: int = field(kw_only=True)

    def write_to(self, target: ImportTarget) -> None:
        self._annotate(target)
        for time, step, values in self.points.rows(f"{INFINITE}/" if UID in self.tags else None):
            target.log_metrics(values, step=step, timestamp=time)
        self.artifacts.write_to(target)
        for model in self.models:
            model.write_to(target)
        self._leave_out(target)
        ended = self.run.info.end_time
        target.end(STATUSES.get(self.run.info.status, "interrupted"), None if not ended else ended / 1_000)

    def _annotate(self, target: ImportTarget) -> None:
        whole = self.artifacts.document(params.DOCUMENT)
        newest = self.tags if UID in self.tags else {}
        read = {
            _original(self.tags, key): typed(newest.get(f"{params.NEWEST}{key}", text))
            for key, text in self.run.data.params.items()
        }
        if whole or read:
            target.log_hyperparameters(whole or read)
        tags = tagging.whole(self.tags, self.artifacts.document(tagging.DOCUMENT))
        own = {_original(tags, key): text for key, text in tags.items() if not key.startswith(("mlflow.", "neural."))}
        target.set_tags({**own, "mlflow.experiment": self.experiment})
        if tags.get(tagging.NOTE):
            target.set_notes(tags[tagging.NOTE])

    def _leave_out(self, target: ImportTarget) -> None:
        inputs = getattr(self.run, "inputs", None)
        for what, kind in (("datasets", "dataset_inputs"), ("models that it used", "model_inputs")):
            if count := len(getattr(inputs, kind, None) or ()):
                target.leave_out(what, count)
        if self.traces:
            target.leave_out("traces", self.traces)


@frozen
class _UnreadableRun(ForeignRun):
    def write_to(self, target: ImportTarget) -> None:
        raise DamagedError(self.state)


def unreadable_run(run_id: str, place: str, error: Exception) -> ForeignRun:
    """Give what stands for a run that cannot be read: it fails by its name, and the others come in."""
    reason = hide_password(" ".join(f"{type(error).__name__}: {error}".split()))
    return _UnreadableRun(_source(run_id), run_id, f"MLflow cannot read it ({place}): {reason:.300}")


def is_copy(client: MlflowClient, run: Run) -> bool:
    """Tell whether a run mirrors what was brought in from another run of its store, and has no more than that one."""
    origin = run.data.tags.get(ORIGIN, "")
    if UID not in run.data.tags or not origin.startswith(SOURCE):
        return False
    try:
        first = client.get_run(origin.removeprefix(SOURCE))
    except damages():
        return False
    return first.info.lifecycle_stage == "active" and _essence(first) == _essence(run)


def _essence(run: Run) -> str:
    """Give what differs where a run was gone on with, or was changed, after it had been brought in."""
    about, data = run.info, run.data
    tags = {key: text for key, text in data.tags.items() if not key.startswith(("mlflow.", "neural."))}
    said = [sorted(pairs.items()) for pairs in (tags, data.params, data.metrics)]
    return repr([about.start_time, about.end_time, data.tags.get(tagging.NOTE), *said])


def damages() -> tuple[type[Exception], ...]:
    """Give what MLflow raises of a store that is damaged."""
    from mlflow.exceptions import MlflowException

    yaml_error: type[Exception] = importlib.import_module("yaml").YAMLError
    return MlflowException, yaml_error, OSError, AttributeError, LookupError, TypeError, ValueError


def _source(run_id: str) -> str:
    return f"{SOURCE}{run_id}"
