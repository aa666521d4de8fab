"""The same content stored once: hard links in place of copies of bytes that the store has already."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from neural_core._storage.artifacts.copying import Copied
from neural_core._storage.artifacts.trees import MANIFEST, read_manifest
from neural_core._storage.artifacts.verify import Verifier
from neural_core.records import ArtifactVersion

__all__ = ["share"]

_LINK = ".link"  # no stored name begins with a dot, so this meets none


def share(directory: Path, target: Path, copied: Copied, is_tree: bool, known: Sequence[ArtifactVersion]) -> None:
    """Replace the copy at `target` by links to a known version with the same bytes, where the file system has links.

    Those bytes are hashed once more before the copy is given up for them: a version that was damaged on the disk
    must not spread to a good one.
    """
    same = [one.path for one in reversed(known) if _is_same(one, copied, is_tree)]
    if not same or not copied.size:
        return
    verifier = Verifier(directory)
    if not is_tree:
        _link_one(verifier, target, same, copied)
        return
    for entry in read_manifest(target.with_name(MANIFEST).read_bytes()):
        if entry.sha256 is not None and entry.size:
            parts = entry.path.split("/")
            stored = [path.joinpath(*parts) for path in same]
            _link_one(verifier, target.joinpath(*parts), stored, Copied(entry.size, entry.sha256), target.parent)


def _is_same(one: ArtifactVersion, copied: Copied, is_tree: bool) -> bool:
    return (one.checksum, one.size, one.is_tree) == (copied.sha256, copied.size, is_tree)


def _link_one(
    verifier: Verifier, target: Path, stored: Iterable[Path], copied: Copied, stage: Path | None = None
) -> None:
    intact = (path for path in stored if verifier.problem(path, copied.size, copied.sha256) is None)
    existing = next(intact, None)
    if existing is None:
        return
    link = (stage or target.parent) / _LINK
    try:
        os.link(existing, link)
    except OSError:  # no hard links here (FAT), too many of them, or not allowed: the copy stays
        return
    link.replace(target)
