"""The checks of ``neural doctor`` that look at the experiments: damaged, dead, behind, left over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from neural_core._cli.checks import Finding
from neural_core._delivery.replay import progress_of
from neural_core._housekeeping import Goner, find_goners
from neural_core._manager import ExperimentManager
from neural_core._storage import folder, liveness
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.state import OPEN_STATES, journals_of
from neural_core._storage.index.find import is_live
from neural_core.errors import DamagedError
from neural_core.records import RunRow

__all__ = ["experiments"]

_NAMED = 3


def experiments(base: Path) -> Iterator[Finding]:
    """Check the experiments of a base folder."""
    if not base.is_dir():
        return
    rows = ExperimentManager(base).runs(limit=None)
    running = sum(row.status in OPEN_STATES for row in rows)
    yield Finding(
        "ok",
        f"{len(rows):,} experiment{'' if len(rows) == 1 else 's'}, {running:,} running; neural verify reads every byte",
    )
    yield from _damaged(rows)
    yield from _doubles(rows)
    yield from _dead(base, rows)
    yield from _behind(base)
    yield from _left(base)


def _damaged(rows: Sequence[RunRow]) -> Iterator[Finding]:
    found = [row for row in rows if row.error]
    for row in found[:_NAMED]:
        remedy = f"neural verify {row.experiment_id} --salvage FOLDER saves what is sound"
        yield Finding("wrong", f"{row.folder} is damaged: {row.error}", remedy)
    if len(found) > _NAMED:
        yield Finding("wrong", f"{len(found) - _NAMED} more are damaged", "neural verify names them all")


def _doubles(rows: Sequence[RunRow]) -> Iterator[Finding]:
    folders: dict[str, list[str]] = {}
    for row in rows:
        folders.setdefault(row.experiment_id, []).append(row.folder)
    for name, several in folders.items():
        if len(several) > 1:
            remedy = "move one of them to a base folder of its own"
            yield Finding(
                "note", f"{', '.join(several)} are copies of one experiment: the id {name} names both", remedy
            )


def _dead(base: Path, rows: Sequence[RunRow]) -> Iterator[Finding]:
    found = [row.folder for row in rows if not row.error and _waits_for_compaction(base / row.folder, row.status)]
    if found:
        what = f"{_names(found)}: the writer died, or could not end its work"
        yield Finding("wrong", what, "neural compact brings them to their end")


def _waits_for_compaction(directory: Path, status: str) -> bool:
    """Tell whether an experiment has no end on record, or journals, although its writer is proven dead."""
    journals = journals_of(directory)
    if not journals and status in ("completed", "failed"):
        return False
    reader = RunReader(directory, verify=False)
    state, _ = reader.state()
    if state.final or is_live(directory):
        return False
    ended = state.status not in OPEN_STATES
    dead = [part for part in reader.parts if liveness.part_state(part.stem, part.header) == "dead"]
    left = {path.stem for path in journals} & {part.stem for part in dead}
    return bool(left) or (not ended and liveness.writer_state(state.writer) == "dead")


def _behind(base: Path) -> Iterator[Finding]:
    behind: dict[str, list[str]] = {}
    for directory in folder.with_spools(base):
        try:
            owed = [one for one in progress_of(directory) if one.state not in ("delivering", "complete")]
            for one in [] if is_live(directory) else owed:
                behind.setdefault(one.cursor.plugin, []).append(directory.name)
        except (OSError, DamagedError):
            continue  # it is named as damaged
    for plugin, names in behind.items():
        remedy = f"neural sync --all --to {plugin}; neural status says how far it is, and why"
        yield Finding("wrong", f"{plugin} has not got all of {_names(names)}", remedy)


def _left(base: Path) -> Iterator[Finding]:
    found = [one for one in find_goners(base, 30.0) if isinstance(one, Goner)]
    left = [one.name for one in found if one.what == "leftover"]
    if left:
        yield Finding("wrong", f"left by what was killed: {_names(left)}", "neural gc --yes removes it")
    thrown = sum(one.what == "trash" for one in found)
    if thrown:
        what = f"{thrown} experiment{'' if thrown == 1 else 's'} in the trash for more than 30 days"
        yield Finding("note", what, "neural gc shows them, and what room they take")


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
