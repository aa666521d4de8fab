"""One W&B run while it is written. What was said to it is in its file once `settle` has returned."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from neural_core.errors import DeliveryError
from neural_core.records import Experiment, MetricRows
from neural_wandb import sdk
from neural_wandb.choices import Choices
from neural_wandb.config import as_config, as_value, in_full
from neural_wandb.names import RUN, STEP, legible, metric_name, tag_texts
from neural_wandb.points import Point, logged_rows
from neural_wandb.run_log import RunLog
from neural_wandb.segments import find_segments, look_into
from neural_wandb.summary import Summary

__all__ = ["Mirror"]

EXIT_CODES = {"completed": 0, "failed": 1}
POLL_SECONDS = 0.004
PATIENT_SECONDS = 1.0
STALL_SECONDS = 30.0
UPLOAD_SECONDS = 3600


class Mirror:
    """A run of W&B's, begun by this process: a segment of what the experiment has there.

    W&B is told over a socket and writes in a process of its own, some time later. `settle` waits until this process
    can read the file and finds in it as many records of each kind as were said.

    Attributes:
        run: W&B's `Run`.
        kept: what segments before hold that may be told again.
    """

    def __init__(self, choices: Choices, experiment: Experiment, bookmark: Mapping[str, Any]) -> None:
        """Begin.

        Args:
            choices: where and how.
            experiment: whose run it is.
            bookmark: of an earlier mirror; empty when there is none.

        Raises:
            ConfigurationError: W&B does not take a setting, or no login.
            DeliveryError: W&B cannot begin now.
        """
        self._read: dict[str, int] = {str(name): int(end) for name, end in (bookmark.get("segments") or {}).items()}
        self.kept = look_into(self._segments(choices, experiment.experiment_id), self._read)
        self._summary = Summary(bookmark.get("summary") or {})
        self._count = max(self.kept.count, int(bookmark.get("count") or 0))
        self._names: dict[str, str] = dict(bookmark.get("names") or {})
        self._has_axis, self._is_over = False, False
        self._is_online = choices.is_online
        self.run, self._service = sdk.begin_run(choices, experiment.experiment_id, legible(experiment.name))
        self._file = Path(self.run.settings.sync_file)
        self._end = 0
        self._said, self._there = Counter({"run": 1}), Counter[str]()
        self._goes_on = self._count > 0
        self._about: dict[str, Any] = {}
        self._notes = choices.notes
        self._told_tags: list[str] = list(bookmark.get("tags") or ())
        others = [tag for tag in self.run.tags or () if tag not in self._told_tags]  # online a run brings all it has
        self._tags = [*others, *choices.tags]

    def _segments(self, choices: Choices, run_id: str) -> list[Path]:
        """Give the files whose rows need not be told again.

        Online these are the ones that went to this server, as the bookmark knows, uploaded to their end by now.
        """
        files = find_segments(choices.folder, run_id, choices.project, choices.entity or "")
        if choices.is_online:
            files = [file for file in files if file.parent.name in self._read]
            if pending := [file for file in files if not sdk.is_uploaded(file)]:
                sdk.upload(pending, choices)
        return files

    def greet(self, experiment: Experiment) -> None:
        """Say all that is known so far: a later segment takes the place of an earlier one on the server."""
        self.annotate(experiment)
        self.configure(experiment.hyperparameters)
        self.run.summary.update(self._summary.values)

    def bookmark(self) -> dict[str, Any]:
        """Say what another mirror needs to go on here; true once settled."""
        ends = {**self._read, self._file.parent.name: self._end}
        return {
            "segments": ends,
            "count": self._count,
            "summary": self._summary.state,
            "names": self._names,
            "tags": self._told_tags,
        }

    def annotate(self, experiment: Experiment) -> None:
        """Tell name, tags and notes where they changed, and in the config in full what the experiment is."""
        name, notes = legible(experiment.name), legible(experiment.notes) or self._notes
        self._told_tags = tag_texts(experiment.tags)
        tags = tuple(dict.fromkeys([*self._tags, *self._told_tags]))
        if name != self.run.name:
            self.run.name = name
            self._said["run"] += 1
        if notes != (self.run.notes or ""):
            self.run.notes = notes
            self._said["run"] += 1
        if tags != tuple(self.run.tags or ()):
            self.run.tags = tags
            self._said["run"] += 1
        about = {
            "experiment_id": experiment.experiment_id,
            "uid": experiment.uid,
            "status": experiment.status,
            "start_time": experiment.start_time,
            "end_time": experiment.end_time,
            "tags": as_value(dict(experiment.tags)),
            "metrics": as_value(dict(self._names)),
        }
        if exact := in_full(experiment.hyperparameters):
            about["hyperparameters"] = exact
        if about != self._about:
            self._about = about
            self._set_config({RUN: about})

    def configure(self, hyperparameters: Mapping[str, Any]) -> None:
        """Set hyperparameters in the config."""
        if hyperparameters:
            self._set_config(as_config(hyperparameters))

    def _set_config(self, pairs: Mapping[str, Any]) -> None:
        self.run.config.update(dict(pairs), allow_val_change=True)
        self._said["config"] += 1

    def log_rows(self, experiment: Experiment, rows: MetricRows) -> None:
        """Log rows, but for those that a segment has already, and what they change in the summary."""
        new = {metric_name(name): name for name in rows.columns()["values"] if metric_name(name) != name}
        if not new.items() <= self._names.items():
            self._names |= new
            self.annotate(experiment)
        self.run.summary.update(self._summary.add(rows))
        self._log_points(logged_rows(rows))

    def _log_points(self, points: Iterable[Point]) -> None:
        for point in points:
            if not point.values or (self.kept.rows and self.kept.rows.take(point)):
                continue
            if point.step is not None and not self._has_axis:
                self._make_axis()
            self.log(point.data())

    def log(self, data: Mapping[str, Any]) -> None:
        """Log one row under W&B's next count; a segment goes on with the count of the one before."""
        if self._goes_on and not self._is_online:
            self.run.log(dict(data), step=self._count, commit=True)
        else:
            self.run.log(dict(data))
        self._goes_on = False
        self._count += 1
        self._said["history"] += 1

    def _make_axis(self) -> None:
        """Make our step the x axis, so that steps may go back: W&B's own count drops what does not grow."""
        self.run.define_metric(STEP, hidden=True)
        self.run.define_metric("*", step_metric=STEP, step_sync=False)
        self._said["metric"] += 2
        self._has_axis = True

    def log_artifact(self, artifact: Any, aliases: list[str]) -> None:
        """Log an artifact. Online W&B keeps no word of it in the file, so this waits until the server has it."""
        logged = self.run.log_artifact(artifact, aliases=aliases)
        if self._is_online:
            logged.wait(timeout=UPLOAD_SECONDS)
        else:
            self._said["artifact"] += 1

    def settle(self) -> None:
        """Wait until all that was said is in the file, on the disk.

        Raises:
            DeliveryError: nothing more was written for 30 seconds.
        """
        if self.run.settings.x_skip_transaction_log:  # the user wants no file: what was said is all there is to know
            return
        waited = 0.0
        while not self._has_all():
            if self._look():
                waited = 0.0
                continue
            if waited > STALL_SECONDS:
                raise DeliveryError(f"W&B has written nothing to {self._file} for {STALL_SECONDS:.0f} s")
            pause = POLL_SECONDS if waited < PATIENT_SECONDS else PATIENT_SECONDS
            time.sleep(pause)
            waited += pause
            if waited > PATIENT_SECONDS:
                _ = self.run.step  # raises when the service has ended

    def _has_all(self) -> bool:
        return all(self._there[kind] >= count for kind, count in self._said.items())

    def _look(self) -> bool:
        """Count the records that have been written since; tell whether there were any. They are on the disk then."""
        if not RunLog.is_begun(self._file):
            return False
        before = self._there.total()
        with RunLog(self._file, self._end) as log:
            self._there.update(str(record.WhichOneof("record_type")) for record in log.records())
            self._end = log.end
            if self._has_all():
                os.fsync(log.fileno())
        return self._there.total() > before

    def finish(self, status: str, *, complete: bool) -> None:
        """End the run.

        Args:
            status: of the experiment.
            complete: False when it is another's to say how the experiment ended; the run is then an interrupted one.

        Raises:
            TimeoutError: what was said has not all reached the server yet.
            DeliveryError: nobody knows whether it has.
        """
        self._end_run(EXIT_CODES.get(status, sdk.INTERRUPTED) if complete else sdk.INTERRUPTED)
        self._said["exit"] += 1

    def _end_run(self, exit_code: int) -> None:
        self._is_over = True
        sdk.end_run(self.run, self._service, exit_code)
        if self._is_online:
            sdk.mark_uploaded(self._file)

    def give_up(self) -> None:
        """End what cannot be written any more. A folder in which nothing stands goes: `wandb sync` stumbles over it."""
        if not self._is_over:
            with contextlib.suppress(TimeoutError, DeliveryError):
                self._end_run(sdk.INTERRUPTED)
        if not RunLog.is_begun(self._file):
            shutil.rmtree(self._file.parent, ignore_errors=True)
