"""Facts of the journal as calls of hooks."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from neural_core._storage.artifacts.documents import from_document
from neural_core._storage.experiment.overview import hyperparameters_of
from neural_core._storage.experiment.plain import from_plain
from neural_core._storage.experiment.state import State
from neural_core._storage.experiment.tail import Batch
from neural_core.errors import DamagedError
from neural_core.records import Annotations, Experiment

__all__ = ["Call", "calls_of", "is_heard", "record_of"]

Call = tuple[str, dict[str, Any]]


_HEARD = (
    "experiment_started",
    "hyperparameters_logged",
    "artifact_logged",
    "annotations_changed",
    "status_changed",
    "experiment_finished",
)


def is_heard(batch: Batch) -> bool:
    """Tell whether plugins are told of a batch; of some facts (a colour, what was removed) nobody is."""
    return batch.rows is not None or (batch.fact or {}).get("kind") in _HEARD


def record_of(directory: Path, state: State) -> Experiment:
    """Give the record of an experiment as its facts tell it; a new one each time, so nobody changes another's."""
    return Experiment(
        experiment_id=state.experiment_id,
        uid=state.uid,
        name=state.name,
        directory=directory,
        status=state.status,
        start_time=state.start_time,
        end_time=state.end_time,
        hyperparameters=hyperparameters_of(state),
        tags=dict(state.tags),
        notes=state.notes,
    )


def calls_of(directory: Path, before: State, after: State, batch: Batch) -> Iterator[Call]:
    """Give the hook calls that a batch stands for.

    Args:
        directory: the experiment's folder.
        before: the state before the batch.
        after: the state with it.
        batch: what comes next.
    """
    experiment = record_of(directory, after)
    if batch.rows is not None:
        yield "neural_metrics_logged", {"experiment": experiment, "rows": batch.rows}
        return
    fact = batch.fact or {}
    match fact.get("kind"):
        case "experiment_started":
            yield "neural_experiment_started", {"experiment": experiment}
        case "hyperparameters_logged":
            new = {key: from_plain(value) for key, value in dict(fact.get("hyperparameters") or {}).items()}
            yield "neural_hyperparameters_logged", {"experiment": experiment, "hyperparameters": new}
        case "artifact_logged":
            yield from _artifact(directory, experiment, fact)
        case "annotations_changed":
            changed = Annotations(dict(fact.get("tags") or {}), fact.get("notes"), fact.get("name"))
            yield "neural_annotations_changed", {"experiment": experiment, "annotations": changed}
        case "status_changed":
            yield "neural_status_changed", {"experiment": experiment, "status": after.status}
        case "experiment_finished":
            if after.status != before.status:
                yield "neural_status_changed", {"experiment": experiment, "status": after.status}
            last = record_of(directory, after)  # a plugin may have changed the one before
            yield "neural_experiment_finished", {"experiment": last, "status": after.status, "complete": True}


def _artifact(directory: Path, experiment: Experiment, fact: Mapping[str, Any]) -> Iterator[Call]:
    try:
        # A copy: what a plugin writes into its metadata is not there when it hears of it again.
        artifact = from_document(copy.deepcopy(fact.get("artifact")), directory)
    except DamagedError:
        return  # `verify` names it; there is no file to show
    yield "neural_artifact_logged", {"experiment": experiment, "artifact": artifact}
