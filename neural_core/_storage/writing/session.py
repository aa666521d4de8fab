"""One process writing one experiment: rows to its journal part, facts beside them, documents as snapshots.

The owner (whoever made or resumed the experiment) also writes the documents and the end. Attached ranks and forked
children only add parts.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from neural_core._storage import folder, liveness
from neural_core._storage.clock import iso_time
from neural_core._storage.experiment.state import OPEN_STATES, State
from neural_core._storage.writing.session_artifacts import SessionArtifacts
from neural_core._storage.writing.snapshots import Snapshots
from neural_core._storage.writing.writer import JournalWriter
from neural_core.errors import DamagedError
from neural_core.records import Status

__all__ = ["Session", "SessionKind"]

SessionKind = Literal["owner", "attached", "edit"]
_log = logging.getLogger("neural")


class Session(SessionArtifacts):
    """An open experiment of this process.

    Attributes:
        directory: the experiment's folder, absolute.
        state: what this process knows of the experiment; of another process's later facts it knows nothing.
        writer: the journal's writer.
    """

    def __init__(self, directory: Path, state: State, *, kind: SessionKind, rank: int, epoch: int, power: bool) -> None:
        self.directory = directory
        self.state = state
        self.label = f"experiment {state.experiment_id} ({state.name!r:.60})"
        header = {"uid": state.uid, "epoch": epoch, "rank": rank, "session": kind}
        self.writer = JournalWriter(directory / "metrics", header, power=power, label=self.label)
        self.owner_pid = os.getpid() if kind == "owner" else 0
        self.lock = threading.RLock()
        self._snapshots = Snapshots(directory, state, self.writer)
        self.after_tick: Callable[[], None] | None = None
        self.writer.on_tick = self._tick
        self.writer.on_fork = self._forked

    @classmethod
    def create(
        cls, base_dir: Path, name: str, *, environment: Mapping[str, Any], power: bool, kind: str = "experiment"
    ) -> Session:
        """Make a new experiment.

        Raises:
            ConfigurationError: the base folder cannot be used.
        """
        folder.prepare_base_dir(base_dir)
        directory, uid = folder.make_experiment_folder(base_dir, name)
        return cls.begin(directory, name, uid, environment=environment, power=power, kind=kind)

    @classmethod
    def begin(
        cls,
        directory: Path,
        name: str,
        uid: str,
        *,
        environment: Mapping[str, Any],
        power: bool = False,
        kind: str = "experiment",
        start_time: float | None = None,
    ) -> Session:
        """Begin an experiment in a folder that was just made.

        Args:
            directory: the folder, with what belongs into it.
            name: display name.
            uid: 128 bits in hex.
            environment: where it runs.
            power: wait for the disk on every call.
            kind: ``experiment``, or ``integration`` for what only passes through to a backend.
            start_time: Unix seconds; now when None.
        """
        session = cls(directory, State(uid=uid, name=name, kind=kind), kind="owner", rank=0, epoch=1, power=power)
        session.start(environment, start_time)
        if power:
            session.sync_documents()
        return session

    @classmethod
    def open(cls, directory: Path, *, kind: SessionKind, rank: int = 0, power: bool = False) -> Session:
        """Open an experiment that is there, in parts of this process's own.

        Raises:
            FormatVersionError: it was written by a newer neural.
            DamagedError: nothing in it says which experiment it is.
        """
        # Brings NumPy, which a new experiment does without.
        from neural_core._storage.experiment.reader import RunReader
        from neural_core._storage.experiment.streams import epoch_of

        reader = RunReader(directory, verify=False)
        state, _ = reader.state()
        if not state.uid:
            raise DamagedError(f"{directory}: neither its documents nor its journal say which experiment this is")
        epoch = 1 + max((epoch_of(part) for part in reader.parts), default=0)
        session = cls(directory, state, kind=kind, rank=rank, epoch=epoch, power=power)
        if kind == "owner":
            session.start(state.environment)
        elif state.final:
            session.reopen()
        return session

    def _forked(self) -> None:
        self.lock = threading.RLock()  # another thread of the parent may hold the inherited one for ever

    @property
    def is_owner(self) -> bool:
        """Tell whether this process writes documents and the end; a forked child does not."""
        return self.owner_pid == os.getpid()

    def start(self, environment: Mapping[str, Any], start_time: float | None = None) -> None:
        """Begin a span of the experiment: a fact, and the documents."""
        now = time.time()
        fact = {
            "kind": "experiment_started",
            "time": now,
            "uid": self.state.uid,
            "name": self.state.name,
            "experiment_kind": self.state.kind,
            "start_time": iso_time(now if start_time is None else start_time),
            "writer": liveness.this_process(),
            "environment": dict(environment),
        }
        self.writer.on_first_row = self._first_row
        self.append(fact, sync=False, document="metadata")

    def reopen(self) -> None:
        """Let listings look at the journal of a finished experiment again, since it is about to grow."""
        self.state.final = False
        self._snapshots.write("metadata", sync=True)

    def _first_row(self) -> None:
        """The first thing logged: the experiment runs."""
        if self.is_owner and self.state.status == "created":
            self.append({"kind": "status_changed", "status": "running"}, sync=False)

    def append(self, fact: Mapping[str, Any], *, sync: bool = True, document: str | None = None) -> None:
        """Write a fact to the journal, fold it, and replace the document that shows it.

        Raises:
            ExperimentFinishedError: the session is closed.
        """
        if fact["kind"] in ("hyperparameters_logged", "artifact_logged"):
            self._first_row()
        with self.lock:
            self.writer.append_fact({"time": time.time(), **fact}, sync=sync)
            self.state.apply(fact)
            if document is not None and self.is_owner:
                self._snapshots.write(document, sync=sync)
            if sync:
                self.sync_documents()
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s: %s", self.label, {key: value for key, value in fact.items() if key != "time"})

    def sync(self) -> None:
        """Wait until all that was logged is on the disk, the documents too."""
        self.writer.sync()
        self.sync_documents()

    def sync_documents(self) -> None:
        """Put on the disk, once, what was written without waiting for it."""
        if self.is_owner:
            with self.lock:
                self._snapshots.sync_first()

    def _tick(self) -> None:
        # Not waited for while a thread stores a large artifact: rows are synced meanwhile, and a fork waits for us.
        if self.lock.acquire(blocking=False):
            try:
                self.sync_documents()
            finally:
                self.lock.release()
        if self.after_tick is not None:
            self.after_tick()

    def position(self) -> dict[str, int]:
        """Give up to where this process has written: part → ordinal, for every part of its own."""
        return self.writer.position()

    def finish(
        self,
        status: Status | None = None,
        *,
        meanwhile: Callable[[], None] | None = None,
        end_time: str | None = None,
    ) -> None:
        """End the experiment: status, documents, summary, and the parts of this process compacted.

        Args:
            status: None keeps what was set, and makes ``completed`` of created and running.
            meanwhile: called between the end of the journal and the compaction.
            end_time: UTC ISO text; now when None.
        """
        from neural_core._storage.writing.closing import settle

        with self.lock:
            if self.is_owner:
                ended = status or ("completed" if self.state.status in OPEN_STATES else self.state.status)
                self._append_end(ended, end_time=end_time)
            self.writer.close()
        try:
            if meanwhile is not None:
                meanwhile()
        finally:
            settle(self.directory, self.writer.parts.paths, owner=self.is_owner, trouble=self.writer.trouble)

    def abandon(self) -> None:
        """The script ends without ``finish()``: say so, start nothing, wait for nothing."""
        with self.lock:
            if self.is_owner and not self.writer.closed:
                self._append_end("interrupted" if self.state.status in OPEN_STATES else self.state.status, sync=False)
            self.writer.close(sync=False)

    def _append_end(self, status: str, *, sync: bool = True, end_time: str | None = None) -> None:
        fact = {"kind": "experiment_finished", "status": status, "end_time": end_time or iso_time(time.time())}
        self.append(fact, sync=sync, document="metadata")
