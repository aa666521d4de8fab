"""Read every byte of an experiment again and name what is not as it was written. Changes nothing."""

from __future__ import annotations

from pathlib import Path

from neural_core._storage import liveness
from neural_core._storage.artifacts import documents as artifact_documents
from neural_core._storage.artifacts.store import ArtifactStore
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.state import State
from neural_core._storage.journal import frames
from neural_core._storage.journal.journal_part import JournalPart
from neural_core.errors import DamagedError
from neural_core.records import Damage

__all__ = ["verify_experiment"]


def verify_experiment(directory: Path) -> list[Damage]:
    """Give all damage of an experiment; empty when every byte is as it was written."""
    reader = RunReader(directory, remember=False)
    try:
        reader.refresh()
        state, damage = reader.state()
    except (OSError, DamagedError) as error:
        return [Damage(".", None, None, str(error))]
    damage = [*damage, *reader.check(), *_tails(reader), *_missing_parts(reader, state), *_shorter_parts(reader, state)]
    versions, unreadable = artifact_documents.read_documents(state.artifacts, directory)
    return [*damage, *unreadable, *ArtifactStore(directory).verify(versions)]


def _tails(reader: RunReader) -> list[Damage]:
    """Half a frame at the end of a part whose writer is gone: the call that it belonged to had not returned."""
    found = []
    for part in reader.parts:
        # Nobody ever sees a header that is written in part: one that is not whole was cut off afterwards.
        if isinstance(part, JournalPart) and part.tail and (not part.header or _is_dead(part)):
            problem = f"cut off: the last {part.tail} bytes are no whole frame"
            found.append(Damage(f"metrics/{part.stem}.nj", part.size - part.tail, part.tail, problem))
    return found


def _missing_parts(reader: RunReader, state: State) -> list[Damage]:
    """Parts that a document has seen and that are gone."""
    there = {part.stem for part in reader.parts} | {Path(d.file).name.split(".")[0] for d in reader.damage}
    known = {stem for journal in state.journal.values() for stem in journal}
    return [Damage(f"metrics/{stem}", None, None, "the part is missing") for stem in sorted(known - there)]


def _shorter_parts(reader: RunReader, state: State) -> list[Damage]:
    """Journals that end, perhaps with a whole frame, before a place that a document has seen."""
    found = []
    for part in reader.parts:
        seen = max((journal.get(part.stem, 0) for journal in state.journal.values()), default=0) * frames.WORD
        if isinstance(part, JournalPart) and part.size < seen and _is_dead(part):
            problem = f"cut off: {seen - part.size} bytes that a document has seen are gone"
            found.append(Damage(f"metrics/{part.stem}.nj", part.size, seen - part.size, problem))
    return found


def _is_dead(part: JournalPart) -> bool:
    return liveness.part_state(part.stem, part.header) == "dead"
