"""Finding stored versions by the names that people use for them."""

from __future__ import annotations

from collections.abc import Iterable

from neural_core.records import ArtifactVersion

__all__ = ["find_version", "versions_of"]


def versions_of(known: Iterable[ArtifactVersion], name: str) -> list[ArtifactVersion]:
    """Give what is stored under a name, oldest first, the unversioned entry at the end.

    A name that no artifact has is taken for an original file name: ``model_10.pt`` finds what was logged from it.
    """
    stored = list(known)
    found = [one for one in stored if one.artifact_name == name] or [one for one in stored if one.source_name == name]
    return sorted(found, key=lambda one: (one.version is None, one.version or 0))


def find_version(versions: Iterable[ArtifactVersion], number: int = -1) -> ArtifactVersion | None:
    """Give one version: -1 is the newest, or the unversioned entry when there is no version. None: no such version."""
    stored = list(versions)
    if number != -1:
        return next((one for one in stored if one.version == number), None)
    newest = max((one for one in stored if one.version is not None), key=lambda one: one.version or 0, default=None)
    return newest or (stored[-1] if stored else None)
