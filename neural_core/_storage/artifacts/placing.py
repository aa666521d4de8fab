"""From a finished temporary folder to its place in the store, so that a version is there whole or not at all.

All of a version is made in a folder named ``.tmp-…`` and synced there. One rename of that folder is what reserves the
number and shows the version: it fails when the number is taken, and a process killed before it leaves nothing but
the ``.tmp-…`` folder and uses up no number.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from neural_core._storage.journal.parts import fsync_folder
from neural_core.errors import ArtifactError, ArtifactRefusedError

__all__ = ["TEMPORARY", "clear", "make_folder", "place", "place_version", "staged", "sync_all"]

TEMPORARY = ".tmp-"
_VERSION = re.compile(r"v([1-9][0-9]{0,17})")
_TAKEN = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR, errno.ENOENT)
_ATTEMPTS = 1000  # each one that fails means that another process stored a version; this ends a folder gone mad


@contextlib.contextmanager
def staged(directory: Path) -> Iterator[Path]:
    """Give a temporary folder of our own inside the store; whatever is left of it at the end is removed."""
    stage = directory / f"{TEMPORARY}{os.urandom(8).hex()}"
    stage.mkdir(mode=0o755)
    try:
        yield stage
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def sync_all(folder: Path) -> None:
    """Write every file and folder in `folder`, and itself, to the disk."""
    for root, _, files in os.walk(folder):
        for name in files:
            descriptor = os.open(os.path.join(root, name), os.O_RDONLY)  # noqa: PTH118 - os.walk gives text
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        fsync_folder(Path(root))


def make_folder(folder: Path) -> None:
    """Make a folder of the store unless it is there.

    Raises:
        ArtifactRefusedError: something else is there, a link that would lead the writing elsewhere for one.
    """
    try:
        folder.mkdir(mode=0o755)
    except FileExistsError:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            raise ArtifactRefusedError(
                f"{os.fspath(folder)!r} is not a folder of the store: remove what is there, or the link"
            ) from None
    else:
        fsync_folder(folder.parent)


def place_version(stage: Path, folder: Path, at_least: int) -> tuple[int, Path]:
    """Rename the stage to the next free ``v<N>`` in `folder`, which is made on the way.

    The number is `at_least` or higher.

    Raises:
        OSError: the file system refuses; then no folder of ours is left empty.
    """
    for _ in range(_ATTEMPTS):
        try:
            make_folder(folder.parent)
            make_folder(folder)
            number = max(at_least, _highest(folder) + 1)
            stage.rename(folder / f"v{number}")
        except OSError as error:
            if error.errno not in _TAKEN or not stage.exists():
                _remove_empty(folder)
                raise
        else:
            _settle(folder, folder / f"v{number}")
            return number, folder / f"v{number}"
    raise ArtifactError(f"no free version number in {os.fspath(folder)!r}: other processes take each one")


def place(stage: Path, folder: Path) -> None:
    """Move what is in the stage into `folder`, over what has the same name there."""
    for item in sorted(stage.iterdir()):
        target = folder / item.name
        if item.is_dir() or _is_folder(target):
            _move_aside(target, stage)
        item.replace(target)
    fsync_folder(folder)


def clear(folder: Path, keep: set[str]) -> None:
    """Remove what is in `folder` under other names. Links are removed, never followed."""
    for item in folder.iterdir():
        if item.name not in keep:
            if _is_folder(item):
                shutil.rmtree(item)
            else:
                item.unlink(missing_ok=True)


def _highest(folder: Path) -> int:
    """Give the highest version number that is taken in `folder`, by whatever."""
    matches = (_VERSION.fullmatch(item.name) for item in folder.iterdir())
    return max((int(match[1]) for match in matches if match), default=0)


def _move_aside(target: Path, stage: Path) -> None:
    """Folders cannot be replaced in one step: the old one goes to the stage, and away with it."""
    with contextlib.suppress(FileNotFoundError):
        target.rename(stage / f".old-{target.name}")


def _settle(folder: Path, stored: Path) -> None:
    """Make a name that was just given last; one that may not last is taken back, since its caller is told so."""
    try:
        fsync_folder(folder)
    except OSError:
        shutil.rmtree(stored, ignore_errors=True)
        _remove_empty(folder)
        raise


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _remove_empty(folder: Path) -> None:
    for empty in (folder, folder.parent):
        with contextlib.suppress(OSError):
            empty.rmdir()
