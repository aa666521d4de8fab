"""The record of a stored version as JSON, with paths relative to the experiment's folder, so that it can be moved."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

from neural_core.errors import ArgumentTypeError, ArgumentValueError, DamagedError
from neural_core.records import ArtifactKind, ArtifactVersion, Damage

__all__ = ["clean_metadata", "from_document", "read_documents", "to_document"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_KINDS = frozenset(get_args(ArtifactKind))
_TEXTS = ("artifact_name", "checksum", "timestamp", "path", "kind", "source_name")


def to_document(version: ArtifactVersion, directory: Path) -> dict[str, Any]:
    """Give a stored version as JSON values; `path` is relative to `directory`, with forward slashes.

    Raises:
        DamagedError: the path is not inside `directory`.
    """
    try:
        path = version.path.relative_to(directory.absolute()).as_posix()
    except ValueError as error:
        raise DamagedError(f"artifact {version.artifact_name!r}: {error}") from error
    return {
        "artifact_name": version.artifact_name,
        "version": version.version,
        "checksum": version.checksum,
        "size": version.size,
        "timestamp": version.timestamp,
        "path": path,
        "metadata": dict(version.metadata),
        "kind": version.kind,
        "source_name": version.source_name,
        "is_tree": version.is_tree,
    }


def from_document(document: object, directory: Path) -> ArtifactVersion:
    """Read what `to_document` gave, believing nothing of it; `directory` may be another one by now.

    Raises:
        DamagedError: a field is missing or of another type, or the path leads out of `directory`.
    """
    if not isinstance(document, dict):
        raise DamagedError(f"an artifact's record is a JSON object, not {type(document).__name__}")
    if problem := _problem(document):
        raise DamagedError(f"the record of artifact {str(document.get('artifact_name'))[:80]!r}: {problem}")
    return ArtifactVersion(
        artifact_name=document["artifact_name"],
        version=document["version"],
        checksum=document["checksum"],
        size=document["size"],
        timestamp=document["timestamp"],
        path=directory.absolute() / document["path"],
        metadata=document["metadata"],
        kind=document["kind"],
        source_name=document["source_name"],
        is_tree=document["is_tree"],
    )


def read_documents(documents: Iterable[object], directory: Path) -> tuple[list[ArtifactVersion], list[Damage]]:
    """Read every record of an experiment; a damaged one is named and costs the others nothing."""
    versions: list[ArtifactVersion] = []
    damage: list[Damage] = []
    for document in documents:
        try:
            versions.append(from_document(document, directory))
        except DamagedError as error:
            damage.append(Damage("artifacts.json", None, None, str(error)))
    return versions, damage


def clean_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Give a copy of what the caller said of an artifact, in JSON types.

    Raises:
        ArgumentTypeError: a value that JSON does not have.
        ArgumentValueError: NaN, an infinity or a cycle.
    """
    try:
        copy = json.loads(json.dumps(dict(metadata), allow_nan=False))
    except (TypeError, RecursionError) as error:
        raise ArgumentTypeError(f"the metadata of an artifact holds text, numbers, lists, mappings: {error}") from error
    except ValueError as error:
        raise ArgumentValueError(f"the metadata of an artifact cannot be kept: {error}") from error
    assert isinstance(copy, dict)  # a dict was dumped
    return copy


def _problem(document: dict[str, Any]) -> str | None:
    """Say what is wrong with a record, None when nothing is."""
    for name in _TEXTS:
        if not isinstance(document.get(name), str):
            return f"{name} is not text"
    version, size = document.get("version", ""), document.get("size")
    if version is not None and (type(version) is not int or version < 1):
        return f"version {version!r} is no version number"
    if type(size) is not int or size < 0:
        return f"size {size!r} is no size"
    if not _SHA256.fullmatch(document["checksum"]):
        return "checksum is no SHA-256"
    if document["kind"] not in _KINDS:
        return f"kind {document['kind'][:80]!r} is not known"
    if not isinstance(document.get("metadata"), dict) or type(document.get("is_tree")) is not bool:
        return "metadata or is_tree is of another type"
    return None if _is_inside(document["path"]) else f"path {document['path'][:200]!r} leads out of the experiment"


def _is_inside(path: str) -> bool:
    """Hold on every system: a record made here may be read on Windows."""
    parts = path.replace("\\", "/").split("/")
    is_absolute = parts[0] == "" or parts[0][1:2] == ":"
    return not is_absolute and ".." not in parts and any(part not in ("", ".") for part in parts) and "\0" not in path
