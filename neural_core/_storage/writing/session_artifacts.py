"""The artifacts of an open experiment: stored first, then a fact says so."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_core._storage.experiment.state import State
from neural_core._storage.writing.writer import JournalWriter
from neural_core.errors import ArtifactChangedError, ArtifactNotFoundError, ArtifactRefusedError
from neural_core.records import ArtifactVersion

if TYPE_CHECKING:
    from neural_core._storage.artifacts.store import ArtifactStore

__all__ = ["SessionArtifacts"]


class SessionArtifacts:
    """The part of a session that stores files."""

    directory: Path
    state: State
    writer: JournalWriter
    lock: threading.RLock

    def append(self, fact: Mapping[str, Any], *, sync: bool = True, document: str | None = None) -> None:
        """Write a fact."""
        raise NotImplementedError

    @property
    def artifacts(self) -> ArtifactStore:
        """The files of the artifacts; imported when the first one is logged."""
        from neural_core._storage.artifacts.store import ArtifactStore

        return ArtifactStore(self.directory)

    def store_artifact(self, path: str | os.PathLike[str], **what: Any) -> ArtifactVersion | None:
        """Store a file or folder (arguments as `ArtifactStore.store`); None when the disk refuses.

        Raises:
            ArtifactError: the source cannot be stored.
        """
        self.writer.refuse_when_closed()
        with self.lock:
            return self._record(lambda: self.artifacts.store(path, known=self.artifact_versions(), **what))

    def store_bytes(self, data: bytes, **what: Any) -> ArtifactVersion | None:
        """Store what is in memory (arguments as `ArtifactStore.store_bytes`); None when the disk refuses."""
        self.writer.refuse_when_closed()
        with self.lock:
            return self._record(lambda: self.artifacts.store_bytes(data, **what))

    def _record(self, store: Callable[[], ArtifactVersion]) -> ArtifactVersion | None:
        try:
            stored = store()
        except (ArtifactNotFoundError, ArtifactRefusedError, ArtifactChangedError):
            raise
        except OSError as error:
            self.writer.trouble.lose(error)
            return None
        from neural_core._storage.artifacts.documents import to_document

        document = to_document(stored, self.directory)
        self.append({"kind": "artifact_logged", "artifact": document}, document="artifacts")
        return stored

    def artifact_versions(self) -> list[ArtifactVersion]:
        """Every artifact that this process knows of, in order."""
        from neural_core._storage.artifacts.documents import read_documents

        return read_documents(self.state.artifacts, self.directory)[0]
