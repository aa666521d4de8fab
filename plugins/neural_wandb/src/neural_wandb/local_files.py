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

__all__ = ["Stored", "find_files", "lay_out", "stored_in"]

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
    about = _mapping(record.metadata)
    kind = _KINDS.get(record.type, "file")
    if ours and "sha256" in about:
        name, tree = str(about.get("name") or record.name), bool(about.get("is_tree"))
        key = (name, str(about.get("version")), str(about["sha256"]))
        return Stored(name, kind, tree, _mapping(about.get("metadata")), key)
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
    for path, digest, local in _entries(record):
        inside = PurePosixPath(path)
        if inside.is_absolute() or ".." in inside.parts or not inside.parts:
            return None
        here = next((file for file in _places(folder, local) if _is(file, digest)), None)
        if here is None:
            return None
        files[path] = here
    return files or None


def lay_out(files: Mapping[str, Path], folder: Path) -> Path:
    """Copy the files of an artifact to where they stand in it."""
    for path, file in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / path)
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


def _is(file: Path, digest: str) -> bool:
    """Tell whether a file has the MD5 that W&B noted."""
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).digest()
    except OSError:
        return False
    return base64.b64encode(found).decode("ascii") == digest


def _mapping(said: Any) -> dict[str, Any]:
    try:
        found = json.loads(said) if isinstance(said, str) and said else said
    except ValueError:
        return {}
    return {str(key): value for key, value in found.items()} if isinstance(found, Mapping) else {}
