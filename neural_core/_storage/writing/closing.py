"""The end of an experiment: parts compacted, summary and documents written for good."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from neural_core._storage import liveness
from neural_core._storage.experiment.documents import write_document
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.state import OPEN_STATES, journals_of
from neural_core._storage.experiment.summary import to_document
from neural_core._storage.journal.compaction import compact_part
from neural_core._storage.writing.trouble import Trouble

__all__ = ["compact_dead_parts", "settle", "write_final_documents"]

_log = logging.getLogger("neural")


def settle(directory: Path, parts: Sequence[Path], *, owner: bool, trouble: Trouble) -> None:
    """Compact the parts of this process. A disk that refuses leaves them journals, which lose nothing by it."""
    try:
        for path in parts:
            compact_part(path)
        if owner:
            compact_dead_parts(directory)  # of children that ended without a word
        write_final_documents(directory, owner=owner)
    except OSError as error:
        trouble.tell(error)


def write_final_documents(directory: Path, *, owner: bool) -> None:
    """Write summary and documents; they are final when the experiment has ended and nothing is a journal any more.

    Args:
        directory: the experiment's folder.
        owner: False when another process may own the documents; while that one has not ended, nothing is written.

    Raises:
        OSError: the disk refuses.
    """
    reader = RunReader(directory)
    state, _ = reader.state()
    ended = state.status not in OPEN_STATES
    if not owner and not ended:
        return
    position = {part.stem: part.end for part in reader.parts}
    digest = {"metrics": to_document(reader.metrics()), "rows": reader.rows, "artifacts": len(state.artifacts)}
    write_document(directory / "summary.json", digest)
    state.final = ended and not reader.damage and not journals_of(directory)
    for name in ("hyperparameters", "artifacts"):
        if getattr(state, name):
            write_document(directory / f"{name}.json", state.document(name, position))
    # The last one: what it says to be final is on the disk.
    write_document(directory / "metadata.json", state.document("metadata", position))


def compact_dead_parts(directory: Path, *, force: bool = False) -> int:
    """Compact the parts whose writers are proven dead on this host; give how many were.

    Args:
        directory: the experiment's folder.
        force: also the parts of writers of which nothing is known. A living writer would lose no row, but would find
            its part gone.
    """
    count = 0
    for part in RunReader(directory, verify=False).parts:
        path = directory / "metrics" / f"{part.stem}.nj"
        dead = liveness.part_state(part.stem, part.header) == "dead"
        if path.exists() and (dead or force):
            count += compact_part(path)
    return count
