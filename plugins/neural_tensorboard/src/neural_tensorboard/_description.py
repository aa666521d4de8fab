"""What describes an experiment as a whole, as the records of its first event file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS

from neural_core.records import Experiment
from neural_tensorboard import _events
from neural_tensorboard._events import HParam
from neural_tensorboard._files import unix_seconds

__all__ = ["ENDS", "EXPERIMENT", "HYPERPARAMETERS", "NOTES", "PREFIX", "STATUS", "TAGS", "description", "flat_hparams"]

PREFIX = "neural/"
EXPERIMENT = f"{PREFIX}experiment"
HYPERPARAMETERS = f"{PREFIX}hyperparameters"
NOTES = f"{PREFIX}notes"
STATUS = f"{PREFIX}status"
TAGS = f"{PREFIX}tags"

_EXACT = 2**53  # beyond it a double skips integers
ENDS = {"completed": STATUS_SUCCESS, "failed": STATUS_FAILURE, "interrupted": STATUS_FAILURE}


def description(experiment: Experiment) -> list[bytes]:
    """Give the records that describe an experiment as it is now; a record that did not change has the same bytes.

    There is no list of hyperparameters and metrics for the whole log folder among them (`hparams_config`): TensorBoard
    shows only the first such list that it finds, and without one it collects those of all runs.
    """
    return list(_records(experiment))


def _records(experiment: Experiment) -> Iterator[bytes]:
    start = unix_seconds(experiment.start_time)
    yield _events.begin(start)
    named = [("name", experiment.name), ("id", experiment.experiment_id), ("started", experiment.start_time or "")]
    yield _events.table(EXPERIMENT, start, named)
    if experiment.hyperparameters:
        yield _events.session_start(start, flat_hparams(experiment.hyperparameters))
        pairs = [(str(name), _as_json(value)) for name, value in experiment.hyperparameters.items()]
        yield _events.table(HYPERPARAMETERS, start, pairs)
    if experiment.tags:
        yield _events.table(TAGS, start, list(experiment.tags.items()))
    if experiment.notes:
        yield _events.text(NOTES, start, experiment.notes)
    if experiment.status in ENDS and experiment.end_time is not None:
        end = unix_seconds(experiment.end_time)
        yield _events.session_end(end, ENDS[experiment.status])
        yield _events.table(STATUS, end, [("status", experiment.status), ("ended", experiment.end_time)])


def flat_hparams(hyperparameters: Mapping[str, Any], prefix: str = "") -> dict[str, HParam]:
    """Give hyperparameters as the HPARAMS dashboard takes them: flat, and each a truth value, a number or a text.

    Names of nested ones are joined by dots. What is none of the three, and numbers that a double or JSON cannot hold,
    become text.
    """
    flat: dict[str, HParam] = {}
    for name, value in hyperparameters.items():
        if isinstance(value, Mapping) and value:
            flat |= flat_hparams(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value if _is_plain(value) else _as_json(value)
    return flat


def _is_plain(value: Any) -> bool:
    if isinstance(value, bool | str):
        return True
    if isinstance(value, int):
        return abs(value) <= _EXACT
    return isinstance(value, float) and math.isfinite(value)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
