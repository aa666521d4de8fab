"""The files of an experiment's artifacts: stored, shared, verified. Which versions exist is the journal's to know.

Below the experiment's folder: ``versions/<folder>/v<N>/<file>``, the one unversioned entry of a name at
``artifacts/<folder>/<file>``, figures at ``plots/<file>``. A stored folder has its manifest beside it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neural_core._storage.artifacts.copying import Copied, copy_file, create, protect, write_all
from neural_core._storage.artifacts.documents import clean_metadata
from neural_core._storage.artifacts.names import file_name as safe_file
from neural_core._storage.artifacts.names import folder_name, is_figure_file
from neural_core._storage.artifacts.placing import clear, make_folder, place, place_version, staged, sync_all
from neural_core._storage.artifacts.sharing import share
from neural_core._storage.artifacts.source import explained, look, open_source
from neural_core._storage.artifacts.trees import MANIFEST, copy_tree
from neural_core._storage.artifacts.verify import Verifier
from neural_core.errors import (
    ArgumentValueError,
    ArtifactError,
    ArtifactNotFoundError,
    ArtifactRefusedError,
    NeuralError,
)
from neural_core.records import ArtifactKind, ArtifactVersion, Damage

__all__ = ["ArtifactStore"]

_Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]


class ArtifactStore:
    """Stores artifacts in one experiment's folder, which must exist; nothing is made before the first one.

    Safe for several threads and processes as long as they store versions. Of two that replace the same unversioned
    entry at the same time one wins, so a caller holds a lock over that and over writing its record. A process killed
    between the two leaves the new file under the old record, which `verify` names.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory.absolute()

    def store(
        self,
        path: _Path,
        *,
        name: str,
        kind: ArtifactKind,
        version: bool,
        metadata: Mapping[str, Any],
        known: Sequence[ArtifactVersion],
    ) -> ArtifactVersion:
        """Copy a file or a folder into the store, whole and on the disk when this returns, or not at all.

        Args:
            path: what to store; a link to a file or folder is followed.
            name: groups the versions; any text.
            kind: what the caller says it is.
            version: True for a version of its own, False to replace the one unversioned entry of this name.
            metadata: kept with it; JSON values.
            known: the versions on record, of every name. Equal bytes among them are shared by a hard link.

        Raises:
            ArtifactNotFoundError: nothing is there.
            ArtifactRefusedError: neither file nor folder, not readable, or it holds the experiment itself.
            ArtifactChangedError: it changed while it was read.
            ArtifactError: the disk refused.
            ArgumentError: the path or the metadata cannot be what it is said to be.
        """
        source, said = _source(path), clean_metadata(metadata)
        is_tree = stat.S_ISDIR(look(source).st_mode)
        if is_tree:
            self._refuse_own(source)
        source_name = Path(os.path.abspath(source)).name  # noqa: PTH100 - resolve() would follow `latest.pt`; "." needs its name
        file = _stored_name(source_name, is_tree)
        with _told(name, source), staged(self._directory) as stage:
            copied = _copy(source, stage / file, is_tree)
            share(self._directory, stage / file, copied, is_tree, known)
            sync_all(stage)
            number, stored = self._place(stage, file, name, version, known)
        return ArtifactVersion(
            name, number, copied.sha256, copied.size, _stamp(), stored, said, kind, source_name, is_tree
        )

    def store_bytes(
        self, data: bytes, *, file_name: str, name: str, kind: ArtifactKind, metadata: Mapping[str, Any]
    ) -> ArtifactVersion:
        """Store a rendered figure as ``plots/<file_name>``; what has that name is replaced in one step.

        Raises:
            ArgumentValueError: the file name is not one that `figure_file` gives.
            ArtifactError: the disk refused.
        """
        said = clean_metadata(metadata)
        if not is_figure_file(file_name):
            raise ArgumentValueError(f"{file_name!r} is no file name for plots/: take the one that figure_file gives")
        plots = self._directory / "plots"
        with _told(name, plots / file_name), staged(self._directory) as stage:
            with create(stage / file_name) as file:
                write_all(file, data)
            protect(stage / file_name)
            sync_all(stage)
            make_folder(plots)
            place(stage, plots)
        digest = hashlib.sha256(data).hexdigest()
        return ArtifactVersion(name, None, digest, len(data), _stamp(), plots / file_name, said, kind, file_name)

    def verify(self, versions: Iterable[ArtifactVersion]) -> list[Damage]:
        """Hash every stored byte again and name what differs from the record, and what a killed copy left.

        No link is followed and nothing is loaded. Writes nothing.
        """
        verifier = Verifier(self._directory)
        damages = [damage for version in versions for damage in verifier.check(version)]
        return [*damages, *verifier.leftovers()]

    def _refuse_own(self, source: Path) -> None:
        with explained(source):
            own = self._directory.resolve().is_relative_to(source.resolve())
        if own:
            raise ArtifactRefusedError(
                f"{os.fspath(source)!r} holds the experiment itself: store a folder beside it, or one inside"
            )

    def _place(
        self, stage: Path, file: str, name: str, version: bool, known: Sequence[ArtifactVersion]
    ) -> tuple[int | None, Path]:
        folder = self._directory / ("versions" if version else "artifacts") / folder_name(name)
        if version:
            numbers = [one.version for one in known if one.artifact_name == name and one.version is not None]
            number, stored = place_version(stage, folder, max(numbers, default=0) + 1)
            return number, stored / file
        make_folder(folder.parent)
        make_folder(folder)
        names = {item.name for item in stage.iterdir()}
        place(stage, folder)
        clear(folder, names)
        return None, folder / file


def _source(path: _Path) -> Path:
    """Give the path as it was said; an empty one is not taken for the working folder."""
    text = os.fsdecode(path)
    if not text:
        raise ArtifactNotFoundError("the path of an artifact is empty: give the file or folder to be stored")
    return Path(text)


def _stored_name(source_name: str, is_tree: bool) -> str:
    name = safe_file(source_name)
    return "folder" if is_tree and name.casefold() == MANIFEST else name


def _copy(source: Path, target: Path, is_tree: bool) -> Copied:
    if is_tree:
        return copy_tree(source, target)
    with open_source(source) as file:
        return copy_file(file, target)


def _stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


@contextlib.contextmanager
def _told(name: str, source: Path) -> Iterator[None]:
    """Turn what the disk says into an error that names the artifact; its ``errno`` is kept."""
    try:
        yield
    except NeuralError:
        raise
    except OSError as error:
        said = ArtifactError(
            f"artifact {name[:200]!r} could not be stored from {os.fspath(source)!r}: {error.strerror or error}; "
            "nothing of it was kept, log it again when the disk takes it"
        )
        said.errno = error.errno
        raise said from error
