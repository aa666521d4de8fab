"""What may go to make room: found first, told, and removed only when somebody says so. Nothing that is written."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from attrs import field, frozen

from neural_core._delivery.replay import progress_of
from neural_core._importing import WORKSHOP
from neural_core._reading_api.directions import directions_of
from neural_core._retention import Rule, Run, to_remove
from neural_core._storage import folder
from neural_core._storage.artifacts.documents import read_documents
from neural_core._storage.care.removal import folder_of, leftovers, pending, remove_versions
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.state import OPEN_STATES
from neural_core._storage.index.find import is_live
from neural_core.errors import DamagedError

__all__ = ["Goner", "Kept", "find_goners", "old_versions"]

DAY_SECONDS = 86_400.0
IMPORT_SECONDS = 3_600.0
"""What an import left that was touched within this time may belong to one that goes on."""


@frozen
class Goner:
    """Something that may go.

    Attributes:
        what: ``trash``, ``leftover`` or ``version``.
        name: as people are told.
        folders: what is removed.
        remove: does it.
    """

    what: str
    name: str
    folders: tuple[Path, ...]
    remove: Callable[[], None] = field(eq=False, repr=False)


@frozen
class Kept:
    """An experiment that was left alone, and why, as one sentence."""

    name: str
    reason: str


def find_goners(base: Path, days: float) -> Iterator[Goner | Kept]:
    """Give what lies in the trash for longer than `days`, and what killed copies and imports left."""
    for directory in _inside(base / folder.TRASH):
        since = _days_since(directory)
        if since < days:
            continue
        if is_live(directory):
            yield Kept(directory.name, "lies in the trash, but a living process writes it")
        else:
            text = f"{directory.name}, thrown away {since:.0f} days ago"
            yield Goner("trash", text, (directory,), partial(shutil.rmtree, directory))
    for directory in _inside(base / WORKSHOP):
        if _days_since(directory) * DAY_SECONDS > IMPORT_SECONDS and not is_live(directory):
            yield _leftover(directory, f"{directory.name}, of an import that did not end")
    for directory in folder.experiment_folders(base):
        yield from _left_in(directory)


def _inside(hidden: Path) -> list[Path]:
    """Give the experiments of a hidden folder; one that is a link leads to what is not ours to remove."""
    return [] if hidden.is_symlink() else folder.experiment_folders(hidden)


def _left_in(directory: Path) -> Iterator[Goner]:
    try:
        found = [(left, "of a copy that did not end") for left in leftovers(directory)]
        found += [(left, "given up before") for left in pending(directory)]
        if not found or is_live(directory):
            return
    except (OSError, DamagedError):
        return  # `verify` names it
    for left, why in found:
        yield _leftover(left, f"{directory.name}/{left.relative_to(directory)}, {why}")


def _leftover(path: Path, text: str) -> Goner:
    return Goner("leftover", text, (path,), partial(shutil.rmtree, path))


def _days_since(directory: Path) -> float:
    """Days since a folder was moved here: a move changes its ctime, and nothing makes that older."""
    found = directory.stat()
    return (time.time() - max(found.st_ctime, found.st_mtime)) / DAY_SECONDS


def old_versions(
    base: Path, directory: Path, rules: Sequence[Rule], artifacts: Sequence[str] = ()
) -> Iterator[Goner | Kept]:
    """Give the versions of an experiment's artifacts that no rule keeps, or why it is left alone.

    Args:
        base: the base folder.
        directory: the experiment.
        rules: what is kept.
        artifacts: names; all when empty.
    """
    try:
        reader = RunReader(directory)
        reason = _reason_to_wait(directory, reader)
        if reason:
            yield Kept(directory.name, reason)
            return
        versions, _ = read_documents(reader.state()[0].artifacts, directory)
        chosen = [one for one in versions if not artifacts or one.artifact_name in artifacts]
        gone = to_remove(rules, chosen, _run(base, reader))
    except (OSError, DamagedError) as error:
        yield Kept(directory.name, str(error))
        return
    held = [(one, place) for one in gone if (place := folder_of(directory, one)) is not None]
    if held:
        removed = [one for one, _ in held]
        names = ", ".join(f"{one.artifact_name} v{one.version}" for one in removed)
        remove = partial(remove_versions, directory, removed)
        yield Goner("version", f"{directory.name}: {names}", tuple(place for _, place in held), remove)


def _reason_to_wait(directory: Path, reader: RunReader) -> str | None:
    state, damage = reader.state()
    if is_live(directory):
        return "is being written"
    if state.status in OPEN_STATES:
        return "has no end on record: `neural compact` gives it one"
    if damage or reader.check():
        return "is damaged: `neural verify` says where"
    behind = [one.cursor.plugin for one in progress_of(directory) if one.state != "complete"]
    if behind:
        return f"{', '.join(behind)} has not got it whole: `neural sync` delivers the rest"
    if not os.access(directory, os.W_OK):
        return "may not be written"
    return None


def _run(base: Path, reader: RunReader) -> Run:
    return Run(
        tags=dict(reader.state()[0].tags),
        series=reader.series,
        direction=lambda metric: directions_of(base, [metric])[metric],
    )
