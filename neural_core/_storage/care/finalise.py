"""Bring an experiment whose writer died to its end: say that it was interrupted, compact its parts, settle it.

What the journal holds stays as it is; the end is a fact in a part of its own, as every edit is.
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

from neural_core._storage import liveness
from neural_core._storage.clock import iso_time
from neural_core._storage.experiment.overview import last_sign
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.state import OPEN_STATES, State, journals_of
from neural_core._storage.index.find import refuse_live
from neural_core._storage.writing.closing import compact_dead_parts, write_final_documents
from neural_core._storage.writing.session import Session

__all__ = ["Finalised", "end_dead", "finalise"]


@frozen
class Finalised:
    """What was done to one experiment.

    Attributes:
        ended: True when it got its end, status interrupted.
        compacted: parts that became Parquet.
        left: names of the parts that stay journals: damaged, cut off, or of a writer of which nothing is known.
    """

    ended: bool = False
    compacted: int = 0
    left: tuple[str, ...] = ()


def finalise(directory: Path, *, force: bool = False) -> Finalised:
    """Finalise an experiment; one that is final already is not touched.

    Args:
        directory: its folder.
        force: also when nothing is known of its writer (it ran on another host); a writer that shows a sign of life
            is refused all the same.

    Raises:
        ExperimentInUseError: a process still writes it.
        FormatVersionError: it was written by a newer neural.
        DamagedError: nothing in it says which experiment it is.
        OSError: the disk refuses.
    """
    refuse_live(directory, "Nothing was changed: stop it first, or wait for its end.")
    return end_dead(directory, last_sign(directory), force=force)


def end_dead(directory: Path, last: float | None, *, force: bool) -> Finalised:
    """Finalise an experiment that nobody writes.

    Args:
        directory: its folder.
        last: Unix time of the last sign of its writer.
        force: also when nothing is known of its writer.

    Raises:
        DamagedError, OSError: as `finalise`.
    """
    state, _ = RunReader(directory, verify=False).state()
    if state.final:
        return Finalised()
    ended = _is_over(state, force=force)
    if ended:
        _append_end(directory, last)
    count = compact_dead_parts(directory, force=force)
    write_final_documents(directory, owner=ended or state.status not in OPEN_STATES)
    return Finalised(ended, count, tuple(_tidy(directory)))


def _is_over(state: State, *, force: bool) -> bool:
    """Tell whether an end is to be recorded: there is none, and the owner is proven dead or does not count."""
    return state.status in OPEN_STATES and (force or liveness.writer_state(state.writer) == "dead")


def _append_end(directory: Path, last: float | None) -> None:
    session = Session.open(directory, kind="edit")
    end = None if last is None else iso_time(last)
    session.append({"kind": "experiment_finished", "status": "interrupted", "end_time": end})
    session.finish()


def _tidy(directory: Path) -> list[str]:
    """Remove the signs of life of parts that are journals no more; give the names of those that still are."""
    journals = {path.stem for path in journals_of(directory)}
    for sign in (directory / "metrics").glob("*.alive"):
        if sign.stem not in journals:
            sign.unlink(missing_ok=True)
    return sorted(journals)
