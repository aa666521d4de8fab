"""``neural import wandb SOURCE``: W&B's runs as they lie on this machine, offline ones and online ones."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from neural_core.errors import ArgumentError
from neural_core.importing import ForeignRun, ImportTarget, import_command
from neural_wandb.facts import Facts, read_facts
from neural_wandb.finding import Found, find_runs
from neural_wandb.loading import require
from neural_wandb.local_files import find_files, lay_out, saved_file, stored_in
from neural_wandb.names import FIGURES, STEP
from neural_wandb.points import Known, Point, point_of
from neural_wandb.run_log import RunLog
from neural_wandb.times import unix_time
from neural_wandb.values import leaves

__all__ = ["WandbRun", "command", "read_runs"]

_log = logging.getLogger("neural")
_OWN_FILES = (
    "wandb-metadata.json",
    "wandb-summary.json",
    "config.yaml",
    "requirements.txt",
    "conda-environment.yaml",
    "diff.patch",
    "output.log",
)
_MEDIA = {
    "image-file": "images",
    "images/separated": "images",
    "table-file": "tables",
    "histogram": "histograms",
    "audio-file": "sounds",
    "video-file": "videos",
    "html-file": "pages",
    "plotly-file": "plots",
}


def read_runs(source: str | os.PathLike[str]) -> Iterator[WandbRun]:
    """Give the runs of a place, see `find_runs`; a file that cannot be read is one warning.

    Raises:
        NotInstalledError: W&B is not installed.
        ArgumentValueError: there is no run.
    """
    require()
    found, unread = find_runs(source)
    for file, error in unread:
        _log.warning("%s is left out: %s", file, error)
    if unread and not found:
        raise unread[0][1]
    for one in found:
        yield WandbRun.of(one)


@frozen(kw_only=True)
class WandbRun(ForeignRun):
    """One run of W&B's, in one or more files.

    Attributes:
        files: its files, in order.
        facts: what they say apart from rows.
    """

    files: tuple[Path, ...]
    facts: Facts = field(eq=False)

    @classmethod
    def of(cls, found: Found) -> WandbRun:
        """Read what a run is called, and what else stands beside its rows."""
        state, facts = found.state, read_facts(found.files)
        started = unix_time(facts.about.get("start_time")) or facts.started
        return cls(
            source=found.source, name=facts.name, state=state, start_time=started, files=found.files, facts=facts
        )

    def write_to(self, target: ImportTarget) -> None:
        """Log everything that the run holds."""
        facts = self.facts
        if hyperparameters := facts.hyperparameters:
            target.log_hyperparameters(hyperparameters)
        if tags := facts.tags:
            target.set_tags(tags)
        if facts.run.notes:
            target.set_notes(facts.run.notes)
        names = self._write_rows(target)
        self._write_ends(target, names)
        self._write_artifacts(target)
        self._write_files(target)
        for what, count in facts.left_out.items():
            target.leave_out(what, count)
        target.end(facts.status, self._ended())

    def _write_rows(self, target: ImportTarget) -> set[str]:
        """Write the rows of all files, a row that a later file tells again once; give the names that occur."""
        names: set[str] = set()
        figures: set[tuple[str, str]] = set()
        before = Known()
        for file in self.files:
            now: list[Point] = []
            for point in _points(file, STEP if self.facts.about or self.facts.has_axis else None):
                self._write_others(target, file.parent, point, figures)
                names |= set(point.others)
                if point.values and not (before and before.take(point)):
                    names |= set(point.values)
                    self._write_row(target, point)
                if len(self.files) > 1:
                    now.append(point)
            for point in now:
                before.add(point)
        return names

    def _write_row(self, target: ImportTarget, point: Point) -> None:
        names = self.facts.metrics
        values = {names.get(name, name): value for name, value in point.values.items()}
        _log_row(target, values, point.step, point.time)

    def _write_others(self, target: ImportTarget, folder: Path, point: Point, figures: set[tuple[str, str]]) -> None:
        for name, value in point.others.items():
            kind = str(value.get("_type", "")) if isinstance(value, Mapping) else ""
            is_figure = kind == "image-file" and name.startswith(FIGURES) and bool(self.facts.about)
            if not is_figure:
                target.leave_out(_MEDIA.get(kind, "texts" if isinstance(value, str) else "other values"))
                continue
            key = (name, str(value.get("sha256")))
            if key not in figures:
                figures.add(key)
                called = str(value.get("caption") or name.removeprefix(FIGURES))
                self._write_figure(target, saved_file(folder, str(value.get("path"))), called)

    def _write_figure(self, target: ImportTarget, file: Path | None, name: str) -> None:
        if file is None:
            target.leave_out("figures")
        else:
            target.log_artifact(file, name, kind="figure")

    def _write_ends(self, target: ImportTarget, names: set[str]) -> None:
        if not self.facts.about and (ends := self.facts.values_of_the_end(names)):
            _log_row(target, ends, None, self._ended())

    def _write_artifacts(self, target: ImportTarget) -> None:
        written: set[tuple[str, ...]] = set()
        for folder, record in self.facts.artifacts:
            stored = stored_in(record, ours=bool(self.facts.about))
            if stored.key in written:
                continue
            written.add(stored.key)
            files = find_files(folder, record)
            if files is None:
                target.leave_out("artifacts")
                continue
            more: dict[str, Any] = {"kind": stored.kind, "metadata": stored.metadata}
            if not stored.is_tree:
                target.log_artifact(next(iter(files.values())), stored.name, **more)
                continue
            with tempfile.TemporaryDirectory(prefix="neural-import-") as place:
                target.log_artifact(lay_out(files, Path(place)), stored.name, **more)

    def _write_files(self, target: ImportTarget) -> None:
        for folder, path in dict.fromkeys(self.facts.files):
            if path in _OWN_FILES or path.startswith("media/"):
                continue
            file = saved_file(folder, path)
            if file is None:
                target.leave_out("files")
            else:
                target.log_artifact(file, path)

    def _ended(self) -> float | None:
        ended = unix_time(self.facts.about.get("end_time"))
        if ended is None and not self.facts.about and self.facts.exit_code is not None and len(self.files) == 1:
            return (self.facts.started or 0.0) + self.facts.runtime
        return ended


def _log_row(target: ImportTarget, values: Mapping[str, float], step: int | None, time: float | None) -> None:
    """Log a row; of one that cannot be kept, such as one with a nameless value, each value that can."""
    try:
        target.log_metrics(values, step, time)
    except ArgumentError:
        if len(values) == 1:
            target.leave_out("values that cannot be kept")
            return
        for name, value in values.items():
            _log_row(target, {name: value}, step, time)


def _points(file: Path, step_metric: str | None) -> Iterator[Point]:
    with RunLog(file) as log:
        for record in log.records(recover=True):
            if record.WhichOneof("record_type") == "history":
                yield _flat(point_of(record.history, step_metric))


def _flat(point: Point) -> Point:
    """Give nested values their names with dots."""
    if not point.others:
        return point
    values, others = dict(point.values), dict[str, Any]()
    for name, value in (leaf for item in point.others.items() for leaf in leaves(*item)):
        if isinstance(value, float | bool):
            values[name] = float(value)
        elif value is not None:
            others[name] = value
    return Point(point.step, point.time, values, others, point.count)


command = import_command(
    "wandb",
    read_runs,
    help="Bring in runs of Weights & Biases. SOURCE is a .wandb file, the folder of a run, or a folder `wandb`.",
)
