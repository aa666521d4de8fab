"""The JSON documents of an experiment: snapshots for people and for speed; the journal is the record.

A document is replaced as a whole, and ends with the CRC of its bytes: a flipped digit is noticed, and the reader
falls back on the journal.
"""

from __future__ import annotations

import json
import os
import stat
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neural_core._storage.journal.parts import fsync_folder
from neural_core.errors import DamagedError, FormatVersionError

__all__ = ["FORMAT", "read_bytes", "read_document", "write_atomically", "write_document"]

FORMAT = 1
_MAX_BYTES = 256 * 2**20
_CRC_KEY = b',\n "crc": "'
_CRC_TAIL = len(_CRC_KEY) + 8 + len(b'"\n}\n')


def write_document(path: Path, content: Mapping[str, Any], *, sync: bool = True) -> None:
    """Replace a document.

    Args:
        path: where it stands.
        content: strict JSON.
        sync: wait for the disk, file and folder.

    Raises:
        OSError: the disk refuses; the old document is untouched.
    """
    body = json.dumps({"format": FORMAT, **content}, indent=1, allow_nan=False).encode("ascii")[: -len(b"\n}")]
    data = body + _CRC_KEY + b"%08x" % zlib.crc32(body) + b'"\n}\n'
    write_atomically(path, data, sync=sync)


def write_atomically(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Put `data` at `path` so that a reader sees the old bytes or the new ones, never half of them."""
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            if sync:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    if sync:
        fsync_folder(path.parent)


def read_document(path: Path) -> dict[str, Any]:
    """Read a document.

    Raises:
        FileNotFoundError: there is none.
        DamagedError: it is not what was written.
        FormatVersionError: it was written by a newer neural.
        OSError: it cannot be read.
    """
    data = read_bytes(path)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise DamagedError(f"{path.name} is damaged: it is no JSON") from None
    if not isinstance(content, dict):
        raise DamagedError(f"{path.name} is damaged: it is no JSON object")
    found = content.get("format")
    if isinstance(found, int) and found > FORMAT:
        raise FormatVersionError(f"{path.name} has format {found}; this neural reads format {FORMAT}: upgrade neural")
    if data[-_CRC_TAIL:] != _CRC_KEY + b"%08x" % zlib.crc32(data[:-_CRC_TAIL]) + b'"\n}\n':
        raise DamagedError(f"{path.name} is damaged or was edited by hand: its checksum does not fit")
    return content


def read_bytes(path: Path) -> bytes:
    """Read a regular file without following a link and without ever waiting for one.

    Raises:
        OSError: it is not there or cannot be read.
        DamagedError: it is no regular file, or too large to be one of ours.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise DamagedError(f"{path.name} is no regular file")
        if found.st_size > _MAX_BYTES:
            raise DamagedError(f"{path.name} has {found.st_size:,} bytes: too large for a document")
        return file.read()
