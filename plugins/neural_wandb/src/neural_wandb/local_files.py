"""The files of artifacts and figures, where they lie on this machine."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from attrs import frozen

from neural_core.records import ArtifactKind
from neural_wandb.artifacts import COPIES
from neural_wandb.values import as_mapping

__all__ = ["Stored", "find_files", "lay_out", "saved_file", "stored_in"]

_KINDS: dict[str, ArtifactKind] = {"model": "model", "figure": "figure"}


@frozen
class Stored:
    """An artifact as a record describes it.

    Attributes:
        name: its own name, or what we said it was called.
        kind: file, model or figure.
        is_tree: whether it is a folder.
        metadata: what was given with it.
        key: the same for the same content under the same name.
    """

    name: str
    kind: ArtifactKind
    is_tree: bool
    metadata: Mapping[str, Any]
    key: tuple[str, ...]


def stored_in(record: Any, *, ours: bool) -> Stored:
    """Read what a record says of an artifact; `ours` when this plugin wrote it."""
    about = as_mapping(record.metadata)
    kind = _KINDS.get(record.type, "file")
    if ours and "sha256" in about:
        name, tree = str(about.get("name") or record.name), bool(about.get("is_tree"))
        key = (name, str(about.get("version")), str(about["sha256"]))
        return Stored(name, kind, tree, as_mapping(about.get("metadata")), key)
    entries = list(record.manifest.contents)
    tree = len(entries) != 1 or "/" in entries[0].path
    return Stored(record.name, kind, tree, about, (record.name, record.digest))


def find_files(folder: Path, record: Any) -> dict[str, Path] | None:
    """Find every file of an artifact, with the bytes that were logged.

    Args:
        folder: of the run that logged it; it may have been moved.
        record: of the artifact.

    Returns:
        Path in the artifact → file; None when one is not here any more, is not what it was, or was never local.
    """
    files: dict[str, Path] = {}
    try:
        entries = list(_entries(record))
    except (OSError, EOFError, ValueError):  # a long list is a file of its own, which went, or is cut
        return None
    for path, digest, local in entries:
        here = next((file for file in _places(folder, local) if _is(file, digest)), None)
        if here is None or not _is_inside(path):
            return None
        files[path] = here
    return files or None


def saved_file(folder: Path, path: str) -> Path | None:
    """Find a file that a run saved under a path; None when it is not here."""
    file = folder / "files" / path
    return file if _is_inside(path) and file.is_file() else None


def lay_out(files: Mapping[str, Path], folder: Path) -> Path:
    """Copy the files of an artifact to where they stand in it."""
    for path, file in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / path)
    return folder


def _entries(record: Any) -> Iterator[tuple[str, str, str]]:
    manifest = record.manifest
    if not manifest.manifest_file_path:
        yield from ((entry.path, entry.digest, entry.local_path) for entry in manifest.contents)
        return
    with gzip.open(manifest.manifest_file_path, "rt", encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            yield str(entry.get("path", "")), str(entry.get("digest", "")), str(entry.get("local_path") or "")


def _places(folder: Path, local: str) -> Iterator[Path]:
    """Give where a file may be: where it was, and at the same place in a run's folder that was moved."""
    if local:
        yield Path(local)
        before, mark, inside = local.replace("\\", "/").partition(f"/{folder.name}/{COPIES}/")
        if before and mark:
            yield folder / COPIES / inside


def _is_inside(path: str) -> bool:
    """Tell whether a path stays in its folder; a damaged file may name any."""
    inside = PurePosixPath(path)
    return bool(inside.parts) and not inside.is_absolute() and ".." not in inside.parts


def _is(file: Path, digest: str) -> bool:
    """Tell whether a file has the MD5 that W&B noted."""
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).digest()
    except OSError:
        return False
    return base64.b64encode(found).decode("ascii") == digest
