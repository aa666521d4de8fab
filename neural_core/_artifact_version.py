"""The record of a stored artifact; public as `neural_core.records.ArtifactVersion`."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Literal

from attrs import field, frozen

from neural_core.errors import ArtifactChangedError, ArtifactNotFoundError

__all__ = ["ArtifactKind", "ArtifactVersion"]

ArtifactKind = Literal["file", "model", "figure"]
"""What an artifact was logged as."""


@frozen
class ArtifactVersion:
    """One stored version of an artifact.

    Attributes:
        artifact_name: the name that groups the versions.
        version: 1, 2, 3 …; None for the one unversioned entry of this name.
        checksum: SHA-256 of the stored bytes, in hex; of the manifest for a folder.
        size: bytes stored; for a folder the sum over its files.
        timestamp: when it was stored, UTC ISO 8601.
        path: the stored file or folder, absolute.
        metadata: what the caller gave with it (``framework`` for a model).
        kind: ``file``, ``model`` or ``figure``.
        source_name: the file name it was logged from.
        is_tree: True when a folder was stored.
    """

    artifact_name: str
    version: int | None
    checksum: str
    size: int
    timestamp: str
    path: Path
    metadata: Mapping[str, Any] = field(factory=dict)
    kind: ArtifactKind = "file"
    source_name: str = ""
    is_tree: bool = False

    def open(self, *, verify: bool = True) -> BinaryIO:
        """Open the stored file for reading.

        Args:
            verify: read it all first and compare its SHA-256 with `checksum`.

        Raises:
            ArtifactNotFoundError: the stored file is gone.
            ArtifactChangedError: the stored bytes are not those that were logged.
        """
        import hashlib  # half of the training loops never open an artifact

        try:
            file = self.path.open("rb")
        except OSError as error:
            raise ArtifactNotFoundError(f"artifact {self.artifact_name!r}: cannot open {self.path}: {error}") from error
        if verify and hashlib.file_digest(file, "sha256").hexdigest() != self.checksum:
            file.close()
            raise ArtifactChangedError(
                f"artifact {self.artifact_name!r}: the bytes of {self.path} are not those that were stored"
            )
        file.seek(0, io.SEEK_SET)
        return file
