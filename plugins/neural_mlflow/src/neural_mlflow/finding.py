"""Find the MLflow run of an experiment again, or make it."""

from __future__ import annotations

import contextlib
import getpass
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from attrs import field, frozen

from neural_core.errors import DeliveryError
from neural_core.records import Experiment
from neural_mlflow.sdk import RefusedError, alone, pages, spoken
from neural_mlflow.texts import short_name, tag_text

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment as MlflowExperiment
    from mlflow.entities import Run

    from neural_mlflow.place import Place

__all__ = ["NAME", "ORIGIN", "UID", "Wishes", "find_anywhere", "find_or_make", "find_run", "milliseconds", "run_name"]

UID, NAME, ORIGIN = "neural.uid", "neural.name", "neural.imported_from"
_PAGE = 200


@frozen
class Wishes:
    """What the user wants a new run to be.

    Attributes:
        experiment_name: of the MLflow experiment; an empty one takes the experiment's own name.
        run_name: an empty one makes one of the experiment's name and id.
        tags: further tags.
        artifact_location: where a new MLflow experiment keeps its artifacts, a URI; None decides by the place.
    """

    experiment_name: str = ""
    run_name: str = ""
    tags: Mapping[str, str] = field(factory=dict)
    artifact_location: str | None = None


def milliseconds(time: str | None) -> int | None:
    """Give UTC ISO 8601 text as MLflow's milliseconds since 1970."""
    return None if time is None else max(round(datetime.fromisoformat(time).timestamp() * 1_000), 0)


def run_name(experiment: Experiment) -> str:
    """Name the run: the runs of one MLflow experiment share a name, and differ by their id."""
    return f"{short_name(experiment.name, 230)}-{experiment.experiment_id}"


def find_run(client: MlflowClient, run_id: str, experiment: Experiment, place: Place) -> Run:
    """Give a run that was made earlier.

    Raises:
        DeliveryError: it was deleted in MLflow; the sentence says what to do.
        RefusedError: MLflow did not answer.
    """
    try:
        with spoken(place):
            run = client.get_run(run_id)
    except RefusedError as error:
        raise (_removed(experiment, place) if error.is_missing else error) from error
    return _undeleted(run, experiment, place)


def find_or_make(client: MlflowClient, experiment: Experiment, wishes: Wishes, place: Place) -> Run:
    """Give the run of an experiment that is told from its beginning; one that was deleted does not count.

    Raises:
        DeliveryError: its MLflow experiment was deleted.
        RefusedError: MLflow did not answer.
    """
    with spoken(place):
        experiment_id = _experiment_id(client, experiment, wishes, place)
        found = _search(client, [experiment_id], experiment.uid)
        if found is not None and not _is_deleted(found):
            return found
        return client.create_run(
            experiment_id,
            start_time=milliseconds(experiment.start_time),
            tags={**wishes.tags, **_tags(experiment)},
            run_name=short_name(wishes.run_name or run_name(experiment)),
        )


def find_anywhere(client: MlflowClient, experiment: Experiment, place: Place) -> Run:
    """Give the run of an experiment of which it is known only that a part was delivered.

    Raises:
        DeliveryError: MLflow does not have it any more.
        RefusedError: MLflow did not answer.
    """
    with spoken(place):
        for ids in _all_experiments(client):
            found = _search(client, ids, experiment.uid)
            if found is not None:
                return _undeleted(found, experiment, place)
    raise _removed(experiment, place)


def _experiment_id(client: MlflowClient, experiment: Experiment, wishes: Wishes, place: Place) -> str:
    name = short_name(wishes.experiment_name or experiment.name)
    found = client.get_experiment_by_name(name) or _make_experiment(client, name, wishes, place)
    if found.lifecycle_stage == "deleted":
        raise DeliveryError(
            f"the MLflow experiment {name!r} at {place} is deleted: restore it with `mlflow experiments restore "
            f"--experiment-id {found.experiment_id}`, or give another with the option experiment_name"
        )
    return str(found.experiment_id)


def _make_experiment(client: MlflowClient, name: str, wishes: Wishes, place: Place) -> MlflowExperiment:
    """Make an MLflow experiment, or give that which another process made at this moment."""
    location = wishes.artifact_location or place.artifacts_of(name)
    with alone(place):
        found = client.get_experiment_by_name(name)
        if found is None:
            try:
                with spoken(place):
                    return client.get_experiment(client.create_experiment(name, artifact_location=location))
            except RefusedError:
                found = client.get_experiment_by_name(name)  # a server has others, who do not wait for us
                if found is None:
                    raise
    return found


def _search(client: MlflowClient, experiment_ids: list[str], uid: str) -> Run | None:
    from mlflow.entities import ViewType

    found = client.search_runs(experiment_ids, f"tags.`{UID}` = '{uid}'", ViewType.ALL, max_results=100)
    # One that was deleted counts only when no other took its place.
    return min(found, key=_is_deleted, default=None)


def _is_deleted(run: Run) -> bool:
    return bool(run.info.lifecycle_stage == "deleted")


def _all_experiments(client: MlflowClient) -> Iterator[list[str]]:
    from mlflow.entities import ViewType

    for page in pages(lambda token: client.search_experiments(ViewType.ALL, max_results=_PAGE, page_token=token)):
        yield [found.experiment_id for found in page]


def _tags(experiment: Experiment) -> dict[str, str]:
    """Give the tags of a new run; who and which script are said as MLflow itself says them."""
    script, origin = "", ""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        environment = json.loads((experiment.directory / "metadata.json").read_bytes()).get("environment") or {}
        script, origin = (str(environment.get(key) or "") for key in ("script", "imported_from"))
    user = ""
    with contextlib.suppress(OSError, KeyError, ImportError):
        user = getpass.getuser()
    said = {"mlflow.user": user, "mlflow.source.name": script, "mlflow.source.type": "LOCAL" if script else ""}
    own = {UID: experiment.uid, "neural.id": experiment.experiment_id, NAME: tag_text(experiment.name)}
    return {**{key: text for key, text in (said | {ORIGIN: tag_text(origin)}).items() if text}, **own}


def _undeleted(run: Run, experiment: Experiment, place: Place) -> Run:
    if _is_deleted(run):
        raise DeliveryError(
            f"MLflow run {run.info.run_id} of {experiment.name!r} at {place} is deleted: restore it with `mlflow runs "
            f"restore --run-id {run.info.run_id}`, or, {_anew(experiment)}"
        )
    return run


def _removed(experiment: Experiment, place: Place) -> DeliveryError:
    return DeliveryError(f"MLflow at {place} no longer has the run of {experiment.name!r}; {_anew(experiment)}")


def _anew(experiment: Experiment) -> str:
    cursors, id = experiment.directory / "delivery" / "mlflow-*.json", experiment.experiment_id
    return f"to deliver all of it to a new run, remove {cursors} and run: neural sync {id} --to mlflow"
