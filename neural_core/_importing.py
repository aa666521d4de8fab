"""Write a foreign run as an experiment: beside the others until it is whole, then among them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from neural_core import _environment
from neural_core._storage import folder
from neural_core._storage.artifacts.names import figure_file
from neural_core._storage.care.trash import move_to_trash
from neural_core._storage.clock import iso_time
from neural_core._storage.experiment.plain import key_text, to_plain
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.index.base_index import Index
from neural_core._storage.index.find import is_live
from neural_core._storage.journal.parts import fsync_folder
from neural_core._storage.writing.session import Session
from neural_core._storage.writing.values import clean_row
from neural_core.errors import DamagedError, ExperimentInUseError, StorageError
from neural_core.importing import ForeignRun, Imported, ImportTarget
from neural_core.records import Status

__all__ = ["bring_in"]

WORKSHOP = ".importing"
"""Where experiments are that are not whole yet; hidden, so that no list shows them."""


def bring_in(run: ForeignRun, base_dir: str | os.PathLike[str]) -> Imported:
    """Write one foreign run; see `neural_core.importing.import_run`."""
    base = folder.resolve_base_dir(base_dir)
    folder.prepare_base_dir(base)
    uid = hashlib.sha256(f"neural import\0{run.source}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
    with contextlib.closing(Index(base)) as index:
        earlier = next((base / row.folder for row in index.find(uid) if row.uid == uid), None)
        if earlier is not None and _state_of(earlier) == run.state:
            return Imported("unchanged", uid[:12], earlier)
        target = _write(run, _workshop(base, run.name, uid), uid)
        if earlier is not None:
            move_to_trash(index, base, uid)
    place = base / target.directory.name
    target.directory.rename(place)
    with contextlib.suppress(OSError):
        (base / WORKSHOP).rmdir()
    fsync_folder(base)
    return target.result("new" if earlier is None else "replaced", place)


def _state_of(directory: Path) -> str | None:
    with contextlib.suppress(DamagedError, OSError):
        state, _ = RunReader(directory, verify=False).state()
        return str(state.environment.get("imported_state"))
    return None


def _workshop(base: Path, name: str, uid: str) -> Path:
    """Give an empty place to write at; what an import that was killed left there goes.

    Raises:
        ExperimentInUseError: another process is at it.
    """
    directory = base / WORKSHOP / f"{folder.slug(name)}_{uid[:12]}"
    if directory.exists():
        if folder.is_experiment(directory) and is_live(directory):
            raise ExperimentInUseError(f"{directory} is being written: another process imports the same run")
        shutil.rmtree(directory)
    directory.parent.mkdir(exist_ok=True)
    return directory


def _write(run: ForeignRun, directory: Path, uid: str) -> _Target:
    environment = {
        **_environment.describe(),
        "script": "neural import",
        "imported_from": run.source,
        "imported_state": run.state,
    }
    folder.make_parts(directory)
    session = Session.begin(
        directory, folder.check_name(run.name), uid, environment=environment, start_time=_moment(run.start_time)
    )
    target = _Target(session)
    try:
        run.write_to(target)
        target.close()
    except BaseException:
        session.abandon()
        shutil.rmtree(directory, ignore_errors=True)
        raise
    return target


def _moment(seconds: float | None) -> float | None:
    """Give a time that a calendar has, None for any other: tools keep what they are given, also milliseconds or NaN."""
    try:
        return None if seconds is None or not iso_time(seconds) else seconds
    except (ValueError, OverflowError, OSError):
        return None


class _Target(ImportTarget):
    """An experiment in the workshop."""

    def __init__(self, session: Session) -> None:
        self.directory = session.directory
        self._session = session
        self._rows = 0
        self._last: float | None = None
        self._hyperparameters: set[str] = set()
        self._artifacts = 0
        self._left_out: Counter[str] = Counter()
        self._status: Status = "interrupted"
        self._ended: float | None = None

    def log_metrics(self, metrics: Mapping[str, Any], step: Any = None, timestamp: float | None = None) -> None:
        row = clean_row(metrics, step, time.time() if timestamp is None else float(timestamp))
        self._session.writer.append(row)
        self._rows += 1
        if _moment(row.time) is not None:
            self._last = row.time if self._last is None else max(row.time, self._last)

    def log_hyperparameters(self, hyperparameters: Mapping[str, Any]) -> None:
        plain = {key_text(key): to_plain(value) for key, value in hyperparameters.items()}
        self._hyperparameters |= set(plain)
        self._append("hyperparameters_logged", document="hyperparameters", hyperparameters=plain)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        self._append("annotations_changed", tags={str(name): str(text) for name, text in tags.items()})

    def set_notes(self, notes: str) -> None:
        self._append("annotations_changed", notes=str(notes))

    def log_artifact(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        kind: Literal["file", "model", "figure"] = "file",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        called, said = name or Path(path).name, dict(metadata or {})
        if kind == "figure":
            file = figure_file(called)
            data = Path(path).read_bytes()
            self._session.store_bytes(data, file_name=file, name=called, kind="figure", metadata=said)
        else:
            self._session.store_artifact(path, name=called, kind=kind, version=True, metadata=said)
        self._artifacts += 1

    def leave_out(self, what: str, count: int = 1) -> None:
        self._left_out[what] += count

    def end(self, status: Status, end_time: float | None = None) -> None:
        self._status, self._ended = status, _moment(end_time)

    def _append(self, kind: str, document: str | None = "metadata", **what: Any) -> None:
        self._session.append({"kind": kind, **what}, sync=False, document=document)

    def close(self) -> None:
        """Write the end; the journal becomes Parquet.

        Raises:
            StorageError: the disk refused something; a training goes on without it, an import does not.
        """
        health = self._session.writer.trouble.health
        if not health.ok:
            raise StorageError(f"{self.directory.parent.parent} refused what was to be stored: {health.last_error}")
        ended = self._last if self._ended is None else self._ended
        self._session.finish(self._status, end_time=None if ended is None else iso_time(ended))

    def result(self, outcome: Literal["new", "replaced"], place: Path) -> Imported:
        """Say what was written."""
        experiment_id, left = self._session.state.experiment_id, dict(self._left_out)
        return Imported(outcome, experiment_id, place, self._rows, len(self._hyperparameters), self._artifacts, left)
