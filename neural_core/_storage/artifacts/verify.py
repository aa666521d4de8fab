"""Re-reading what is stored and naming each thing that is not as it was stored. Bytes are hashed, never loaded."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from neural_core._storage.artifacts.placing import TEMPORARY
from neural_core._storage.artifacts.source import open_source
from neural_core._storage.artifacts.trees import MANIFEST, Entry, read_manifest
from neural_core.errors import ArtifactError, DamagedError
from neural_core.records import ArtifactVersion, Damage

__all__ = ["Verifier", "problem_on_the_way"]


def problem_on_the_way(directory: Path, path: Path) -> str | None:
    """Say why `path` may not be trusted to lie in `directory`: it is outside, missing, or behind a link."""
    try:
        parts = path.relative_to(directory).parts
    except ValueError:
        return "leads out of the experiment and was not opened"
    if ".." in parts:
        return "leads out of the experiment and was not opened"
    step = directory
    for part in parts:
        step = step / part
        try:
            if stat.S_ISLNK(step.lstat().st_mode):
                return f"{step.relative_to(directory).as_posix()!r} is a link, which was not followed"
        except FileNotFoundError:
            return "is missing"
        except (OSError, ValueError) as error:
            return f"cannot be read: {error}"
    return None


class Verifier:
    """Checks stored versions against their records.

    Versions that share their bytes are read once.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._hashes: dict[tuple[int, int], str] = {}

    def check(self, version: ArtifactVersion) -> Iterator[Damage]:
        """Re-hash one version, a folder file by file."""
        if version.is_tree:
            yield from self._check_tree(version)
        elif problem := self.problem(version.path, version.size, version.checksum):
            yield self._damage(version.path, _of(version, problem))

    def problem(self, path: Path, size: int | None, checksum: str) -> str | None:
        """Say in what a stored file differs from its record; None when it does not."""
        if on_the_way := problem_on_the_way(self._directory, path):
            return on_the_way
        try:
            with open_source(path, follow=False) as file:
                found = os.fstat(file.fileno())
                if size is not None and found.st_size != size:
                    return f"holds {found.st_size:,} bytes, {size:,} were stored"
                inode = (found.st_dev, found.st_ino)
                if inode not in self._hashes:
                    self._hashes[inode] = hashlib.file_digest(file, "sha256").hexdigest()
        except (ArtifactError, OSError) as error:
            return f"cannot be read: {error}"
        actual = self._hashes[inode]
        return None if actual == checksum else f"holds other bytes than were stored: SHA-256 {actual}, not {checksum}"

    def leftovers(self) -> Iterator[Damage]:
        """Name the temporary folders of copies that were killed."""
        with os.scandir(self._directory) as scan:
            names = sorted(item.name for item in scan if item.name.startswith(TEMPORARY))
        for name in names:
            text = "is left from a copy that did not end; it belongs to no version and can be removed"
            yield self._damage(self._directory / name, text)

    def _check_tree(self, version: ArtifactVersion) -> Iterator[Damage]:
        if problem := problem_on_the_way(self._directory, version.path):
            yield self._damage(version.path, _of(version, problem))
            return
        manifest = version.path.with_name(MANIFEST)
        try:
            if problem := self.problem(manifest, None, version.checksum):
                raise DamagedError(problem)
            entries = read_manifest(manifest.read_bytes())
        except DamagedError as error:
            yield self._damage(manifest, _of(version, str(error)))
            return
        for entry in entries:
            place = version.path.joinpath(*entry.path.split("/"))
            if problem := self._entry_problem(place, entry):
                yield self._damage(place, _of(version, problem))
        yield from self._strangers(version, entries)

    def _entry_problem(self, place: Path, entry: Entry) -> str | None:
        if entry.sha256 is not None:
            return self.problem(place, entry.size, entry.sha256)
        problem = problem_on_the_way(self._directory, place)
        return problem or (None if place.is_dir() else "is no folder any more")

    def _strangers(self, version: ArtifactVersion, entries: Iterable[Entry]) -> Iterator[Damage]:
        """Name what is in a stored folder and not in its manifest."""
        named = {entry.path for entry in entries if entry.sha256 is not None}
        for root, folders, files in os.walk(version.path):
            links = [name for name in folders if Path(root, name).is_symlink()]
            for place in (Path(root, name) for name in sorted([*files, *links])):
                if place.relative_to(version.path).as_posix() not in named:
                    yield self._damage(place, _of(version, "was not stored with the folder"))

    def _damage(self, path: Path, problem: str) -> Damage:
        inside = path.is_relative_to(self._directory)
        file = path.relative_to(self._directory) if inside else path
        return Damage(file=file.as_posix(), offset=None, length=None, problem=problem)


def _of(version: ArtifactVersion, problem: str) -> str:
    number = "unversioned" if version.version is None else f"version {version.version}"
    return f"artifact {version.artifact_name!r}, {number}: {problem}"
