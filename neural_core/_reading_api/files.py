"""Files of an experiment that may leave it: found by an id of the catalogue, never by a path that somebody sent."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from neural_core._reading_api.records import StoredFile
from neural_core._storage.artifacts.documents import read_documents
from neural_core._storage.experiment.state import State
from neural_core.errors import ArtifactNotFoundError

__all__ = ["artifacts_of", "contained", "file_with_id", "plots_of", "tree_files"]

_AUTO = "auto_"
_GONE = "there is no such file here any more"


def _id(*what: object) -> str:
    return hashlib.blake2s(json.dumps(what).encode(), digest_size=8).hexdigest()


def contained(directory: Path, path: Path) -> Path:
    """Give the real path of a file or folder that lies inside an experiment's folder.

    Raises:
        ArtifactNotFoundError: it does not, or is neither file nor folder.
    """
    try:
        real = path.resolve(strict=True)
        inside = real.is_relative_to(directory.resolve(strict=True))
        mode = real.stat().st_mode
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links in a circle, on Python 3.11 and 3.12
        raise ArtifactNotFoundError(_GONE) from None
    if not inside or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ArtifactNotFoundError(_GONE)
    return real


def artifacts_of(directory: Path, state: State) -> list[StoredFile]:
    """Give every artifact on record whose file is there, in the order of logging."""
    return list(_present(directory, _recorded(directory, state)))


def _recorded(directory: Path, state: State) -> Iterator[StoredFile]:
    for one in read_documents(state.artifacts, directory)[0]:
        details = {
            "version": one.version,
            "kind": one.kind,
            "size": one.size,
            "sha256": one.checksum,
            "time": one.timestamp,
            "file_name": one.path.name,
            "is_tree": one.is_tree,
            "metadata": dict(one.metadata),
        }
        yield StoredFile(_id(one.artifact_name, one.version, one.kind), one.path, one.artifact_name, details)


def plots_of(directory: Path) -> list[StoredFile]:
    """Give the files in the experiment's folder ``plots``, by name."""
    try:
        names = sorted(entry.name for entry in os.scandir(directory / "plots") if not entry.name.startswith("."))
    except OSError:
        return []
    return list(_present(directory, (_plot(directory, name) for name in names)))


def _plot(directory: Path, name: str) -> StoredFile:
    stem, suffix = Path(name).stem, Path(name).suffix
    auto = name.startswith(_AUTO)
    return StoredFile(
        _id("plot", name),
        directory / "plots" / name,
        stem.removeprefix(_AUTO) if auto else stem,
        {"auto": auto, "suffix": suffix.lower(), "file_name": name},
    )


def _present(directory: Path, files: Iterable[StoredFile]) -> Iterator[StoredFile]:
    for file in files:
        try:
            real = contained(directory, file.path)
            time = real.stat().st_mtime
        except (ArtifactNotFoundError, OSError):
            continue
        yield StoredFile(file.fid, real, file.name, {"time": time, **file.details})


def file_with_id(files: Sequence[StoredFile], fid: str) -> StoredFile:
    """Give the file with this id.

    Raises:
        ArtifactNotFoundError: there is none.
    """
    for file in files:
        if file.fid == fid:
            return file
    raise ArtifactNotFoundError(_GONE)


def tree_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Give (relative path with forward slashes, file) of every regular file in a folder; links are left out."""
    for folder, folders, names in os.walk(root, followlinks=False):
        folders.sort()
        for name in sorted(names):
            path = Path(folder) / name
            if stat.S_ISREG(path.lstat().st_mode):
                yield path.relative_to(root).as_posix(), path
