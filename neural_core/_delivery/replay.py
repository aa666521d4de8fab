"""Deliver a stored experiment to a backend, from where its cursor is; and tell how far every cursor is."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from neural_core._delivery import discovery
from neural_core._delivery.cursor import TRIAL, Cursor, CursorFile, cursors_of, is_held, may_have_cursors
from neural_core._delivery.events import is_heard
from neural_core._delivery.relay import Relay
from neural_core._storage import folder
from neural_core._storage.care.finalise import finalise
from neural_core._storage.care.spools import remove_spool
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.state import State
from neural_core._storage.experiment.tail import Tail
from neural_core._storage.index.find import is_live
from neural_core.errors import DamagedError, ExperimentInUseError

__all__ = ["Progress", "Replayed", "destinations_of", "progress_of", "remove_arrived_spool", "replay"]

POLL_SECONDS = 0.02
STOP_SECONDS = 5.0


@frozen
class Replayed:
    """What a replay came to.

    Attributes:
        rows: rows that were delivered.
        behind: rows that were not.
        complete: True when the backend knows everything that was logged.
        told: False when there was nothing to deliver.
        busy: True when another process delivers to the same destination.
        error: what the backend raised last, None when all is well.
    """

    rows: int
    behind: int
    complete: bool
    told: bool = True
    busy: bool = False
    error: str | None = None


@frozen
class Progress:
    """How far one destination of an experiment is.

    Attributes:
        cursor: as it was last written.
        behind: rows that it has not got.
        state: ``complete``, ``delivering`` while a process does, ``set aside`` after errors, ``behind``.
    """

    cursor: Cursor
    behind: int
    state: str


def replay(
    directory: Path,
    name: str,
    options: Mapping[str, Any],
    *,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> Replayed:
    """Deliver what the backend has not got yet. An experiment whose writer died is brought to its end before.

    Args:
        directory: the experiment's folder.
        name: of the backend.
        options: for the backend.
        tell: called with rows delivered and rows to deliver, again and again.

    Raises:
        ConfigurationError: the backend is not installed or cannot be made.
        DamagedError: nothing in the folder says which experiment it is.
    """
    with contextlib.suppress(ExperimentInUseError):
        finalise(directory)
    plugin = discovery.make_backend(name, options)
    uid = _state(directory).uid
    file = CursorFile(directory, uid, name, discovery.destination_of(plugin))
    _forget_trial(CursorFile(directory, uid, name, TRIAL))
    tail = Tail(directory, file.cursor.position)
    total = tail.rows_behind()
    if file.cursor.state == "complete" and not any(map(is_heard, tail)):
        return Replayed(0, 0, complete=True, told=False)
    if not file.acquire(forgive=True):
        return Replayed(0, total, complete=False, busy=True)
    before = file.cursor.delivered
    relay = Relay(directory, plugin, file)
    relay.start()
    try:
        end = tail.end()
        while not (relay.has_delivered(end) or relay.set_aside or relay.idle):
            tell(file.cursor.delivered - before, total)
            time.sleep(POLL_SECONDS)
        complete = relay.has_delivered(end)
    finally:
        relay.stop(time.monotonic() + STOP_SECONDS)
        file.release()
    rows = file.cursor.delivered - before
    tell(rows, total)
    return Replayed(rows, 0 if complete else file.cursor.behind, complete, error=None if complete else relay.last_error)


def _forget_trial(trial: CursorFile) -> None:
    """What could not be made once, or was being made when its process died, could be now."""
    if not is_held(trial.cursor):
        trial.discard()


def _state(directory: Path) -> State:
    state, _ = RunReader(directory, verify=False).state()
    if not state.uid:
        raise DamagedError(f"{directory}: neither its documents nor its journal say which experiment this is")
    return state


def destinations_of(directory: Path) -> list[Cursor]:
    """Give the cursors of an experiment, and one at the beginning for a spool's backend that has heard nothing.

    Raises:
        DamagedError: nothing in the folder says which experiment it is.
    """
    if not may_have_cursors(directory) and directory.parent.name != folder.SPOOLS:
        return []
    state = _state(directory)
    ours = cursors_of(directory, state.uid)  # others are those of a copy's original
    backend = str(state.environment.get(folder.SPOOL_OF, ""))
    unheard = backend and all(cursor.whose != (backend, False) for cursor in ours)
    return [*ours, Cursor(uid=state.uid, plugin=backend)] if unheard else ours


def progress_of(directory: Path) -> list[Progress]:
    """Tell how far every destination of an experiment is.

    Raises:
        DamagedError: nothing in the folder says which experiment it is.
    """
    return [_progress(directory, cursor) for cursor in destinations_of(directory)]


def _progress(directory: Path, cursor: Cursor) -> Progress:
    tail = Tail(directory, cursor.position)
    behind = tail.rows_behind()
    if tail.ended and not any(map(is_heard, tail)):
        return Progress(cursor, 0, "complete")
    if cursor.state == "set aside":
        return Progress(cursor, behind, cursor.state)
    return Progress(cursor, behind, "delivering" if is_held(cursor) else "behind")


def remove_arrived_spool(directory: Path) -> None:
    """What only passes through to a backend goes when nobody writes it any more and it has arrived everywhere."""
    if directory.parent.name != folder.SPOOLS or not folder.is_experiment(directory) or is_live(directory):
        return
    progress = progress_of(directory)
    if progress and all(one.state == "complete" for one in progress):
        remove_spool(directory)
