"""Folders as artifacts: what is in them, copied, with a manifest.

The manifest is canonical JSON: keys and paths in order, no spaces, ASCII. Its SHA-256 is the checksum of the folder.
Files are entries with path, size, SHA-256 and whether they are executable; a folder is an entry only when it is empty.
A link inside to a file inside is stored as a copy of that file. Links that lead outside or to a folder, and special
files, refuse the whole: leaving something out would make a stored folder that is not the one that was logged.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from attrs import frozen

from neural_core._storage.artifacts.copying import Copied, copy_file, create, protect, write_all
from neural_core._storage.artifacts.source import explained, kind_of, open_source
from neural_core.errors import ArtifactChangedError, ArtifactRefusedError, DamagedError

__all__ = ["MANIFEST", "Entry", "Found", "copy_tree", "list_tree", "read_manifest"]

MANIFEST = "manifest.json"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@frozen
class Found:
    """One file, or one empty folder, as it stands in the folder to be stored.

    Attributes:
        path: relative, with forward slashes.
        source: what to open; for a link the file that it leads to. None for an empty folder.
        signature: size, time of the last change and inode.
    """

    path: str
    source: Path | None
    signature: tuple[int, ...] = ()
    executable: bool = False


@frozen
class Entry:
    """One line of a manifest; `sha256` is None for an empty folder."""

    path: str
    size: int = 0
    sha256: str | None = None
    executable: bool = False

    def document(self) -> dict[str, Any]:
        """Give the JSON of this entry."""
        if self.sha256 is None:
            return {"folder": True, "path": self.path}
        return {"executable": self.executable, "path": self.path, "sha256": self.sha256, "size": self.size}


def list_tree(root: Path) -> list[Found]:
    """List every file and every empty folder below `root`, hidden ones too, in the order of their paths.

    Raises:
        ArtifactRefusedError: something inside is neither file nor folder, cannot be read, or is a link that leads
            outside or to a folder.
    """
    found: list[Found] = []
    real_root = root.resolve()
    waiting = [("", root)]
    while waiting:
        prefix, folder = waiting.pop()
        with explained(folder), os.scandir(folder) as scan:
            inside = list(scan)
        if not inside and prefix:
            found.append(Found(prefix, None))
        for item in inside:
            path = f"{prefix}/{item.name}" if prefix else item.name
            if item.is_dir(follow_symlinks=False):
                waiting.append((path, Path(item.path)))
            else:
                found.append(_find(path, Path(item.path), real_root))
    return sorted(found, key=lambda one: one.path)


def copy_tree(root: Path, target: Path) -> Copied:
    """Copy a folder to `target`, which must not exist, and write the manifest beside it.

    Returns:
        The sum of the sizes and the SHA-256 of the manifest.

    Raises:
        ArtifactChangedError: the folder or a file in it changed while it was read.
        ArtifactRefusedError: as `list_tree`.
        OSError: the target could not be written.
    """
    listed = list_tree(root)
    target.mkdir(mode=0o755)
    entries = [_copy_one(one, target) for one in listed]
    if list_tree(root) != listed:
        raise ArtifactChangedError(f"{os.fspath(root)!r} changed while it was read: log it once it is written")
    data = _manifest(entries)
    with create(target.with_name(MANIFEST)) as file:
        write_all(file, data)
    protect(target.with_name(MANIFEST))
    return Copied(sum(entry.size for entry in entries), hashlib.sha256(data).hexdigest())


def read_manifest(data: bytes) -> list[Entry]:
    """Read a manifest, believing nothing of it.

    Raises:
        DamagedError: not a manifest, or a path in it leads out of its folder.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"the manifest is no JSON: {error}") from error
    if not isinstance(document, dict) or document.get("format") != 1 or not isinstance(document.get("entries"), list):
        raise DamagedError("the manifest is of an unknown form")
    return [_read_entry(entry) for entry in document["entries"]]


def _find(path: str, item: Path, real_root: Path) -> Found:
    source = item
    with explained(item):
        status = item.lstat()
        if stat.S_ISLNK(status.st_mode):
            status = item.stat()
            source = item.resolve()
    if source != item and not source.is_relative_to(real_root):
        raise ArtifactRefusedError(f"{os.fspath(item)!r} is a link that leads out of its folder: store a copy instead")
    if not stat.S_ISREG(status.st_mode):
        raise ArtifactRefusedError(
            f"{os.fspath(item)!r} is {'a link to ' if source != item else ''}{kind_of(status.st_mode)}: "
            "a folder with it cannot be stored"
        )
    signature = (status.st_size, status.st_mtime_ns, status.st_ino)
    return Found(path, source, signature, bool(status.st_mode & stat.S_IXUSR))


def _copy_one(one: Found, target: Path) -> Entry:
    place = target.joinpath(*one.path.split("/"))
    if one.source is None:
        _make_folders(place, target)
        return Entry(one.path)
    _make_folders(place.parent, target)
    with open_source(one.source, follow=False) as source:
        copied = copy_file(source, place, executable=one.executable)
    return Entry(one.path, copied.size, copied.sha256, one.executable)


def _make_folders(folder: Path, top: Path) -> None:
    """Make the folders between, each with the same mode; ``mkdir(parents=True)`` would give the inner ones 0777."""
    for missing in reversed(list(_missing(folder, top))):
        missing.mkdir(mode=0o755)


def _missing(folder: Path, top: Path) -> Iterator[Path]:
    while folder != top and not folder.exists():
        yield folder
        folder = folder.parent


def _manifest(entries: list[Entry]) -> bytes:
    document = {"entries": [entry.document() for entry in entries], "format": 1}
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.encode("ascii")


def _read_entry(entry: object) -> Entry:
    if not isinstance(entry, dict):
        raise DamagedError("the manifest holds an entry of an unknown form")
    path, size, digest = entry.get("path"), entry.get("size", 0), entry.get("sha256")
    if not isinstance(path, str) or not _is_inside(path):
        raise DamagedError(f"the manifest names {path!r}, which leads out of its folder")
    if entry.get("folder") is True:
        return Entry(path)
    if type(size) is not int or size < 0 or not isinstance(digest, str) or not _SHA256.fullmatch(digest):
        raise DamagedError(f"the manifest's entry for {path!r} is of an unknown form")
    return Entry(path, size, digest, entry.get("executable") is True)


def _is_inside(path: str) -> bool:
    parts = path.split("/")
    return "\0" not in path and all(part not in ("", ".", "..") for part in parts) and not PurePosixPath(path).drive
