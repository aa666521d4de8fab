"""Where the deletable caches live, and how their SQLite files are opened.

A cache never decides what is true: whoever cannot open or trust one works without it.
"""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path

import platformdirs

__all__ = ["cache_folder", "connect", "is_network_path", "open_file", "remove_file"]

BUSY_SECONDS = 5.0
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb.*|9p|afs|ceph|lustre|gpfs|beegfs.*|glusterfs|orangefs|pvfs2|fuse\.(ssh|gluster|ceph).*"
)


def cache_folder(cache_dir: Path | None = None) -> Path:
    """Give the folder for caches: the one given, else NEURAL_CACHE_DIR, else the user's cache folder."""
    if cache_dir is not None:
        return Path(cache_dir)
    configured = os.environ.get("NEURAL_CACHE_DIR")
    return Path(configured) if configured else platformdirs.user_cache_path("neural", appauthor=False)


def connect(database: str | Path) -> sqlite3.Connection:
    """Connect with explicit transactions; the caller's lock makes one connection safe for several threads.

    Raises:
        sqlite3.Error: SQLite cannot open it.
    """
    return sqlite3.connect(database, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def open_file(path: Path) -> sqlite3.Connection:
    """Open or create a cache file that several processes may share.

    Raises:
        OSError: the folder cannot be made, or lies on a network file system, where SQLite's locks are unsafe.
        sqlite3.Error: the file is no database, or cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_network_path(path.parent):
        raise OSError(f"{path.parent} is on a network file system")
    connection = connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # a cache may be lost with the power
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -16000")
    except UnicodeDecodeError as error:  # SQLite names what is damaged by its bytes
        connection.close()
        raise sqlite3.DatabaseError(f"{path.name} is damaged") from error
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def remove_file(path: Path) -> None:
    """Remove a cache file and what SQLite keeps beside it.

    Raises:
        OSError: it cannot be removed.
    """
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def is_network_path(path: Path, mounts: str | None = None) -> bool:
    """Tell whether a path is on a network file system; False where the system does not say.

    Args:
        path: an existing path.
        mounts: the text of ``/proc/self/mountinfo``; read from there when not given.
    """
    if mounts is None:
        try:
            mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return os.fspath(path.absolute()).startswith(("\\\\", "//"))
    return _NETWORK.fullmatch(_file_system(Path(os.path.realpath(path)), mounts)) is not None


def _file_system(path: Path, mounts: str) -> str:
    best, kind = "", ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        # The kernel writes blanks and backslashes of a mount point in octal.
        point = fields[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        if len(point) >= len(best) and path.is_relative_to(point):  # of equal ones the later mount covers
            best, kind = point, after.split(" ")[0]
    return kind
