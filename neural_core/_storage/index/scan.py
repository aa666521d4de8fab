"""What lies in a base folder: the experiments and the identity of their metadata. Looks, never touches."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from neural_core._storage.index.schema import Signature

__all__ = ["identity", "scan", "signature"]

_NAMED_LIKE_OURS = re.compile(r"_[0-9a-f]{12}$")
_SIGNED = (1 << 63) - 1  # SQLite keeps 64 bits with a sign, some file systems number without one


def scan(base: Path) -> dict[str, Signature | None]:
    """Give the experiments of a base folder by the name of their folder.

    Hidden folders, files, and folders with neither ``metadata.json`` nor ``metrics`` are none of ours. A link
    counts only when it leads to a folder deeper inside the base, which no other name shows. A folder that may
    not be entered counts when it is named like an experiment.

    Returns:
        the signature of each ``metadata.json``, None where that cannot be had. Empty when there is no base folder.
    """
    try:
        folders, links = _folders(base)
        names = folders + list(_inner_links(base, links)) if links else folders
        return _signatures(base, names)
    except (FileNotFoundError, NotADirectoryError):
        return {}


def signature(folder: Path) -> Signature | None:
    """Give what identifies the present ``metadata.json`` of an experiment, None when it cannot be had."""
    try:
        found = (folder / "metadata.json").stat()
    except OSError:
        return None
    return found.st_ino & _SIGNED, found.st_size, found.st_mtime_ns


def identity(folder: Path) -> tuple[int, int] | None:
    """Give device and inode of a folder, None when it is not there."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _folders(base: Path) -> tuple[list[str], list[str]]:
    """The visible folders and links of the base; the kernel tells the kind of an entry with its name."""
    folders, links = [], []
    with os.scandir(base) as entries:
        for entry in entries:
            if entry.name[0] != ".":
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
                elif entry.is_symlink():
                    links.append(entry.name)
    return folders, sorted(links)


def _signatures(base: Path, names: list[str]) -> dict[str, Signature | None]:
    """Stat relative to one open folder where the system can: the kernel then walks one name, not the whole path."""
    root, descriptor = f"{base}{os.sep}", None
    if os.stat in os.supports_dir_fd:
        root, descriptor = "", os.open(base, os.O_RDONLY)
    signatures: dict[str, Signature | None] = {}
    stat = os.stat
    try:
        for name in names:
            try:
                found = stat(f"{root}{name}/metadata.json", dir_fd=descriptor)
                signatures[name] = found.st_ino & _SIGNED, found.st_size, found.st_mtime_ns
            except OSError as error:
                if _counts_without_metadata(base / name, error):
                    signatures[name] = None
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return signatures


def _counts_without_metadata(folder: Path, error: OSError) -> bool:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return (folder / "metrics").is_dir()
    return _NAMED_LIKE_OURS.search(folder.name) is not None


def _inner_links(base: Path, names: list[str]) -> Iterator[str]:
    """The links to visible folders below the first level of the base, each folder once."""
    root, seen = Path(os.path.realpath(base)), set()
    for name in names:
        target = Path(os.path.realpath(base / name))
        inside = target.relative_to(root).parts if target.is_relative_to(root) else ()
        if len(inside) > 1 and target not in seen and not any(part.startswith(".") for part in inside):
            seen.add(target)
            yield name
