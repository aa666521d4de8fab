"""Giving up stored versions of artifacts on purpose: first a fact says so, then the files go.

A process killed in between leaves files that no record names but the fact; `pending` finds them. Numbers are never
given twice, since the newest version of a name is not to be removed (`neural_core._retention`).
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from neural_core._storage.artifacts.documents import from_document, read_documents, to_document
from neural_core._storage.artifacts.placing import TEMPORARY
from neural_core._storage.artifacts.verify import problem_on_the_way
from neural_core._storage.experiment.documents import read_document
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.state import journals_of
from neural_core._storage.writing.edits import edit
from neural_core.errors import DamagedError
from neural_core.records import ArtifactVersion

__all__ = ["FACT", "folder_of", "freed", "leftovers", "pending", "remove_versions"]

FACT = "artifacts_removed"


def folder_of(directory: Path, version: ArtifactVersion) -> Path | None:
    """Give the folder ``versions/<name>/v<N>`` that holds a version alone; None when it is not there, or elsewhere."""
    folder = version.path.parent
    with contextlib.suppress(ValueError):
        parts = folder.relative_to(directory).parts
        ours = len(parts) == 3 and parts[0] == "versions" and parts[2] == f"v{version.version}"
        if ours and problem_on_the_way(directory, folder) is None:
            return folder
    return None


def freed(folders: Iterable[Path]) -> int:
    """Give how many bytes go with these folders: a file with a hard link elsewhere frees nothing."""
    links: dict[tuple[int, int], int] = {}
    status: dict[tuple[int, int], os.stat_result] = {}
    for folder in folders:
        for root, _, files in os.walk(folder):
            for name in files:
                with contextlib.suppress(OSError):
                    found = Path(root, name).lstat()
                    key = found.st_dev, found.st_ino
                    links[key] = links.get(key, 0) + 1
                    status[key] = found
    return sum(found.st_size for key, found in status.items() if links[key] >= found.st_nlink)


def pending(directory: Path) -> list[Path]:
    """Give the folders of versions that were taken off the record, whose files are there still."""
    if _all_on_record(directory):
        return []
    reader = RunReader(directory, verify=False)
    kept = {one.path for one in read_documents(reader.state()[0].artifacts, directory)[0]}
    found = []
    for _, _, fact in reader.facts():
        named = fact.get("artifacts") if fact.get("kind") == FACT else None
        for document in named if isinstance(named, list) else ():
            with contextlib.suppress(DamagedError):
                version = from_document(document, directory)
                folder = folder_of(directory, version)
                if folder is not None and version.path not in kept:
                    found.append(folder)
    return found


def _all_on_record(directory: Path) -> bool:
    """Tell from the document alone, as far as it can, that every stored version is on record: the facts take longer."""
    there = set(directory.glob("versions/*/v*"))
    if not there:
        return True
    if journals_of(directory):
        return False
    with contextlib.suppress(OSError, DamagedError, TypeError):
        versions, _ = read_documents(read_document(directory / "artifacts.json").get("artifacts", []), directory)
        return there <= {one.path.parent for one in versions}
    return False


def leftovers(directory: Path) -> list[Path]:
    """Give the temporary folders that copies left which were killed."""
    return sorted(path for path in directory.glob(f"{TEMPORARY}*") if path.is_dir() and not path.is_symlink())


def remove_versions(directory: Path, versions: Sequence[ArtifactVersion]) -> None:
    """Take versions off the record of an experiment that nobody writes, then remove their files.

    Raises:
        DamagedError: nothing in the folder says which experiment it is.
        OSError: the disk refuses.
    """
    folders = [folder for one in versions if (folder := folder_of(directory, one)) is not None]
    if versions:
        edit(directory, {"kind": FACT, "artifacts": [to_document(one, directory) for one in versions]})
    for folder in folders:
        shutil.rmtree(folder)
