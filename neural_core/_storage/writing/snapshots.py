"""The documents of an experiment that is being written: replaced after each fact, true up to a place in the journal."""

from __future__ import annotations

from pathlib import Path

from neural_core._storage.experiment.documents import write_document
from neural_core._storage.experiment.state import State, journals_of
from neural_core._storage.journal.parts import fsync_folder
from neural_core._storage.writing.writer import JournalWriter

__all__ = ["Snapshots"]

_OF_OTHERS = ("tags", "notes", "name", "color", "hyperparameters", "artifacts")


class Snapshots:
    """Writes the documents that show a state. The caller holds a lock over the fact and its document."""

    def __init__(self, directory: Path, state: State, writer: JournalWriter) -> None:
        self._directory = directory
        self._state = state
        self._writer = writer
        self._unsynced = True

    def write(self, name: str, *, sync: bool) -> None:
        """Replace a document; a disk that refuses is told, and the next snapshot makes up for it."""
        try:
            position = {**self._state.journal.get(name, {}), **self._writer.position()}
            if self._has_strangers():
                position = self._fold_strangers()
            write_document(self._directory / f"{name}.json", self._state.document(name, position), sync=sync)
            self._state.journal[name] = position
        except OSError as error:
            self._writer.trouble.tell(error)

    def sync_first(self) -> None:
        """Put on the disk, once, what was written without waiting for it: ``metadata.json`` and the new folders."""
        if not self._unsynced:
            return
        self._unsynced = False
        self.write("metadata", sync=True)
        try:
            for path in (self._directory / "metrics", self._directory.parent):
                fsync_folder(path)
        except OSError as error:
            self._writer.trouble.tell(error)

    def _has_strangers(self) -> bool:
        own = {path.name for path in self._writer.parts.paths}
        return any(path.name not in own for path in journals_of(self._directory))

    def _fold_strangers(self) -> dict[str, int]:
        """Take over what others (the UI, a rank) wrote since, so that no snapshot hides it; give the position."""
        from neural_core._storage.experiment.reader import RunReader  # brings NumPy, which most trackers never need

        reader = RunReader(self._directory, verify=False)
        fresh, _ = reader.state()
        for key in _OF_OTHERS:
            setattr(self._state, key, getattr(fresh, key))
        return {part.stem: part.end for part in reader.parts}
