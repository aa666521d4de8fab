"""What may be stored: looked at before it is opened, and judged again once it is open."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from neural_core.errors import ArgumentValueError, ArtifactError, ArtifactNotFoundError, ArtifactRefusedError

__all__ = ["explained", "kind_of", "look", "open_source"]

_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def look(path: Path) -> os.stat_result:
    """Find out what is to be stored, without opening it. A link is followed.

    Raises:
        ArtifactNotFoundError: nothing is there.
        ArtifactRefusedError: neither file nor folder, or it cannot be reached.
    """
    with explained(path):
        found = path.stat()
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        raise _refused(path, found.st_mode)
    return found


def open_source(path: Path, *, follow: bool = True) -> io.FileIO:
    """Open a regular file for reading; never waits for a pipe that took its place in the meantime.

    Raises:
        ArtifactNotFoundError: it is not there.
        ArtifactRefusedError: not a regular file, or it may not be read.
    """
    flags = _READ if follow else _READ | _NO_FOLLOW
    with explained(path):
        file = io.FileIO(os.fspath(path), "rb", opener=lambda name, _: os.open(name, flags))
    mode = os.fstat(file.fileno()).st_mode
    if not stat.S_ISREG(mode):
        file.close()
        raise _refused(path, mode)
    return file


def kind_of(mode: int) -> str:
    """Say what a mode means: a file, a folder, a link, a pipe, a socket, a device."""
    return _KINDS.get(stat.S_IFMT(mode), "of an unknown kind")


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what the system says of a source into an error that names the path."""
    try:
        yield
    except ValueError as error:
        raise ArgumentValueError(f"{os.fspath(path)!r} is no path: {error}") from error
    except OSError as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: OSError) -> ArtifactError:
    said = repr(os.fspath(path))
    if error.errno in (errno.ENOENT, errno.ELOOP) and path.is_symlink():
        return ArtifactRefusedError(f"{said} is a link that leads nowhere: give the file itself")
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return ArtifactNotFoundError(f"{said} is not there: save it before it is logged")
    return ArtifactRefusedError(f"{said} cannot be read ({error.strerror}): nothing was stored")


def _refused(path: Path, mode: int) -> ArtifactRefusedError:
    return ArtifactRefusedError(f"{os.fspath(path)!r} is {kind_of(mode)}: only files and folders can be stored")
