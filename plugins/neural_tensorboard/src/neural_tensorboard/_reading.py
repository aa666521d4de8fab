"""Events of one run as what an experiment logs; what it has no place for is counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_RUNNING

from neural_core.errors import ArgumentError
from neural_core.importing import ImportTarget
from neural_core.records import Status
from neural_tensorboard import _description as ours
from neural_tensorboard._artifacts import ARTIFACTS
from neural_tensorboard._files import unix_seconds
from neural_tensorboard._pictures import Pictures
from neural_tensorboard._records import read_records
from neural_tensorboard._values import hparams_of, images_of, number_of, pairs_of, parsed, plain_hparams, strings_of

__all__ = ["RunReader"]

_STATUSES: Mapping[int, Status] = {STATUS_FAILURE: "failed", STATUS_RUNNING: "interrupted"}
_OTHER_EVENTS = {
    "graph_def": "graphs",
    "meta_graph_def": "graphs",
    "tagged_run_metadata": "profiles",
    "log_message": "log messages",
}
_OTHER_VALUES = {
    "audio": "audio clips",
    "custom_scalars": "chart layouts",
    "graph_keras_model": "graphs",
    "graph_run_metadata": "profiles",
    "graph_run_metadata_graph": "profiles",
    "graphs": "graphs",
    "histo": "histograms",
    "histograms": "histograms",
    "mesh": "meshes",
    "obsolete_old_style_histogram": "histograms",
    "pr_curves": "PR curves",
    "scalars": "scalars that are no single number",
    "": "tensors",
}


class RunReader:
    """Reads the event files of one run into a target.

    An event becomes a row, so values that were written together stay together, and each keeps its time.
    """

    def __init__(self, target: ImportTarget) -> None:
        self._target = target
        self._pictures = Pictures(target)
        self._plugins: dict[str, str] = {}
        self._is_ours = False
        self._hyperparameters: dict[str, Any] = {}
        self._status: Status | None = None
        self._ended: float | None = None
        self._last = 0.0
        self._listed: set[tuple[str, int]] = set()
        self._kinds: dict[str, Callable[[Event, Summary.Value], None]] = {
            "hparams": self._take_hparams,
            "image": self._take_images,
            "images": self._take_images,
            "text": self._take_text,
        }

    def __enter__(self) -> RunReader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pictures.close()

    def read(self, file: Path) -> None:
        """Take every event of a file; damaged records are counted.

        Raises:
            OSError: it cannot be read.
        """
        for record in read_records(file):
            event = parsed(record)
            if event is None:
                self._target.leave_out("damaged records")
            else:
                self._take(event)

    def end(self) -> None:
        """Log what holds for the run as a whole. A run that says nothing of its end is taken for completed."""
        if self._listed:
            self._target.leave_out("artifacts, whose bytes are not in event files", len(self._listed))
        if self._hyperparameters:
            self._target.log_hyperparameters(self._hyperparameters)
        status = self._status or ("interrupted" if self._is_ours else "completed")
        self._target.end(status, self._ended or self._last or None)

    def _take(self, event: Event) -> None:
        self._last = max(self._last, event.wall_time)
        what = event.WhichOneof("what")
        if what in _OTHER_EVENTS:
            self._target.leave_out(_OTHER_EVENTS[what])
        row: dict[str, float] = {}
        for value in event.summary.value:
            number = self._number(value)
            if number is None:
                self._take_other(event, value)
            elif value.tag in row:
                self._log(event, {value.tag: number})
            else:
                row[value.tag] = number
        if row:
            self._log(event, row)

    def _log(self, event: Event, row: Mapping[str, float]) -> None:
        """Log a row; of one that cannot be kept, each value that can."""
        try:
            self._target.log_metrics(row, event.step, event.wall_time)
        except ArgumentError:
            if len(row) == 1:
                self._target.leave_out("scalars that cannot be kept")
                return
            for tag, number in row.items():
                self._log(event, {tag: number})

    def _number(self, value: Summary.Value) -> float | None:
        """Give the value of a scalar, None for anything else."""
        if value.WhichOneof("value") == "simple_value":
            number: float = value.simple_value
            return number
        is_scalar = value.WhichOneof("value") == "tensor" and self._plugin(value) == "scalars"
        return number_of(value.tensor) if is_scalar else None

    def _plugin(self, value: Summary.Value) -> str:
        """Say which dashboard a value is for. Some writers tell it with the first value of a tag only."""
        plugin: str = value.metadata.plugin_data.plugin_name
        return self._plugins.setdefault(value.tag, plugin)

    def _take_other(self, event: Event, value: Summary.Value) -> None:
        how = value.WhichOneof("value") or "tensor"  # hyperparameters may come with a description and no value
        kind = self._plugin(value) if how == "tensor" else how
        if kind in self._kinds:
            self._kinds[kind](event, value)
        else:
            self._target.leave_out(_OTHER_VALUES.get(kind, f"{kind[:40]} values"))

    def _take_images(self, event: Event, value: Summary.Value) -> None:
        self._listed.discard((value.tag.partition("/")[2], event.step))
        for data in images_of(value):
            self._pictures.take(value.tag, event.step, event.wall_time, data)

    def _take_hparams(self, event: Event, value: Summary.Value) -> None:
        data = hparams_of(value)
        kind = None if data is None else data.WhichOneof("data")
        if data is None or kind is None:
            self._target.leave_out("damaged records")
        elif kind == "session_start_info":
            self._hyperparameters = self._hyperparameters or plain_hparams(data)
        elif kind == "session_end_info":
            self._status = self._status or _STATUSES.get(data.session_end_info.status, "completed")
            self._ended = data.session_end_info.end_time_secs or None
        else:
            self._target.leave_out("descriptions of a hyperparameter search")

    def _take_text(self, event: Event, value: Summary.Value) -> None:
        self._is_ours = self._is_ours or value.tag == ours.EXPERIMENT
        if self._is_ours and value.tag.startswith(ARTIFACTS):
            self._listed.add((value.tag.removeprefix(ARTIFACTS), event.step))
        elif not (self._is_ours and self._take_ours(value)):
            self._target.leave_out("texts")

    def _take_ours(self, value: Summary.Value) -> bool:
        """Take a text that neural wrote of a run as a whole; False when it is another's."""
        pairs = dict(pairs_of(value.tensor))
        if value.tag == ours.HYPERPARAMETERS:
            self._hyperparameters = _from_json(pairs) or self._hyperparameters
        elif value.tag == ours.TAGS:
            self._target.set_tags(pairs)
        elif value.tag == ours.NOTES:
            self._target.set_notes("".join(strings_of(value.tensor)))
        elif value.tag == ours.STATUS:
            self._take_status(pairs)
        known: bool = value.tag.startswith(ours.PREFIX)
        return known

    def _take_status(self, pairs: Mapping[str, str]) -> None:
        if pairs.get("status") in ours.ENDS:
            self._status = cast(Status, pairs["status"])
        self._ended = unix_seconds(pairs.get("ended"))


def _from_json(pairs: Mapping[str, str]) -> dict[str, Any] | None:
    """Give hyperparameters as they were logged; None when that is not what stands there."""
    try:
        return {name: json.loads(value) for name, value in pairs.items()}
    except ValueError:
        return None
