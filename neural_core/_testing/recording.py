"""Plugins for tests that hear every hook, and the one that keeps what it heard."""

from __future__ import annotations

import copy
import json
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from neural_core.hookspecs import hookimpl
from neural_core.records import Annotations, ArtifactVersion, ComparedExperiment, Experiment, MetricRows, Series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["METRICS", "EveryHook", "HeardCall", "RecordingPlugin"]

METRICS = "neural_metrics_logged"


class EveryHook:
    """Hears every hook there is; a subclass says in `heard` what happens then."""

    def heard(self, hook: str, arguments: dict[str, Any]) -> None:
        """One hook was called."""

    @hookimpl
    def neural_experiment_started(self, experiment: Experiment) -> None:
        """Pass it on to `heard`, as every hook here."""
        self.heard("neural_experiment_started", {"experiment": experiment})

    @hookimpl
    def neural_hyperparameters_logged(self, experiment: Experiment, hyperparameters: Mapping[str, Any]) -> None:
        """Pass it on."""
        self.heard("neural_hyperparameters_logged", {"experiment": experiment, "hyperparameters": hyperparameters})

    @hookimpl
    def neural_metrics_logged(self, experiment: Experiment, rows: MetricRows) -> None:
        """Pass it on."""
        self.heard(METRICS, {"experiment": experiment, "rows": rows})

    @hookimpl
    def neural_artifact_logged(self, experiment: Experiment, artifact: ArtifactVersion) -> None:
        """Pass it on."""
        self.heard("neural_artifact_logged", {"experiment": experiment, "artifact": artifact})

    @hookimpl
    def neural_annotations_changed(self, experiment: Experiment, annotations: Annotations) -> None:
        """Pass it on."""
        self.heard("neural_annotations_changed", {"experiment": experiment, "annotations": annotations})

    @hookimpl
    def neural_status_changed(self, experiment: Experiment, status: str) -> None:
        """Pass it on."""
        self.heard("neural_status_changed", {"experiment": experiment, "status": status})

    @hookimpl
    def neural_experiment_finished(self, experiment: Experiment, status: str, complete: bool) -> None:
        """Pass it on."""
        told = {"experiment": experiment, "status": status, "complete": complete}
        self.heard("neural_experiment_finished", told)

    @hookimpl
    def neural_make_plots(self, experiment: Experiment, history: Mapping[str, Series]) -> None:
        """Pass it on; draw nothing."""
        self.heard("neural_make_plots", {"experiment": experiment, "history": history})

    @hookimpl
    def neural_make_comparison_plots(self, experiments: Sequence[ComparedExperiment]) -> None:
        """Pass it on; draw nothing."""
        self.heard("neural_make_comparison_plots", {"experiments": experiments})


class _KeptRows(MetricRows):
    """A copy of rows, which needs no file any more."""

    def __init__(self, rows: MetricRows) -> None:
        self.part = rows.part
        self._rows = list(rows)
        self._positions = rows.positions.copy()
        self._columns = copy.deepcopy(dict(rows.columns()))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        return self._rows[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    @property
    def positions(self) -> NDArray[np.int64]:
        return self._positions

    def columns(self) -> Mapping[str, Any]:
        return self._columns


@frozen(eq=False)
class HeardCall:
    """One call of a hook.

    Attributes:
        hook: its name.
        arguments: copies of its arguments, by name.
        thread: name of the thread that it came on.
    """

    hook: str
    arguments: Mapping[str, Any]
    thread: str


class RecordingPlugin(EveryHook):
    """Keeps every call; with `path` also as a JSON line in that file, so that another process can be looked into.

    Attributes:
        calls: what was heard, in order.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.calls: list[HeardCall] = []
        self._path = None if path is None else Path(path).absolute()

    def heard(self, hook: str, arguments: dict[str, Any]) -> None:
        """Keep the call."""
        kept = {
            key: _KeptRows(value) if isinstance(value, MetricRows) else copy.deepcopy(value)
            for key, value in arguments.items()
        }
        self.calls.append(HeardCall(hook, kept, threading.current_thread().name))
        if self._path is not None:
            with self._path.open("a", encoding="ascii") as file:
                file.write(json.dumps(_line(hook, kept)) + "\n")

    @property
    def names(self) -> list[str]:
        """The hooks in the order of the calls; neighbouring calls with rows count as one, as batches go by time."""
        names = [call.hook for call in self.calls]
        return [name for at, name in enumerate(names) if at == 0 or name != METRICS or names[at - 1] != METRICS]

    @property
    def rows(self) -> list[Any]:
        """Every row that was heard, in order; one that came twice stands there twice."""
        return [row for call in self.of(METRICS) for row in call.arguments["rows"]]

    @property
    def positions(self) -> list[tuple[str, int]]:
        """(part, ordinal) of every row that was heard, as `rows`."""
        batches = [call.arguments["rows"] for call in self.of(METRICS)]
        return [(rows.part, int(position)) for rows in batches for position in rows.positions]

    def of(self, hook: str) -> list[HeardCall]:
        """The calls of one hook."""
        return [call for call in self.calls if call.hook == hook]


def _line(hook: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {"hook": hook, "pid": os.getpid()}
    line |= {key: value for key, value in arguments.items() if isinstance(value, str | bool)}
    if "experiment" in arguments:
        line["experiment_id"] = arguments["experiment"].experiment_id
    rows = arguments.get("rows")
    if rows is not None:
        at = zip(rows.positions.tolist(), rows, strict=True)
        line |= {"part": rows.part, "rows": [[position, row.step, dict(row.values)] for position, row in at]}
    return line
