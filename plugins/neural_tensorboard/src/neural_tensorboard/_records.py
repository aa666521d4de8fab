"""The frames of an event file: a length, a payload and a check of each, as TensorBoard reads them.

They are written by TensorBoard's own record writer. Its event file writer puts a queue and a thread in front of that; a
kill takes along what waits there. Here a record is on the disk when the call returns.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.summary.writer.record_writer import RecordWriter

__all__ = ["append", "framed", "read_records", "replace"]

_HEADER = struct.Struct("<QI")
_LENGTH = struct.Struct("<Q")
_CHECK = struct.Struct("<I")


def framed(records: Iterable[bytes]) -> bytes:
    """Give records as they stand in an event file."""
    buffer = io.BytesIO()
    writer = RecordWriter(buffer)
    for record in records:
        writer.write(record)
    return buffer.getvalue()


def read_records(path: Path) -> Iterator[bytes | None]:
    """Give the payloads of an event file in order, and None for each place that is damaged.

    A record whose payload is damaged is stepped over. Nothing can be found behind a damaged length or a torn end.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while header := file.read(_HEADER.size):
            length, check = _HEADER.unpack(header) if len(header) == _HEADER.size else (size, 0)
            if length + _CHECK.size > size - file.tell() or masked_crc32c(header[: _LENGTH.size]) != check:
                yield None
                return
            payload, trailer = file.read(length), file.read(_CHECK.size)
            yield payload if trailer == _CHECK.pack(masked_crc32c(payload)) else None


def append(path: Path, length: int, records: Iterable[bytes]) -> int:
    """Write records at `length`, in place of whatever stands there; give the new length, which is on the disk then.

    Raises:
        FileNotFoundError: the file is gone, or shorter than `length`: somebody removed what was written.
        OSError: the disk refuses. The file may be longer then; calling again with the same length is right.
    """
    data = framed(records)
    if length == 0:
        _make_folder(path.parent)
    with path.open("r+b" if length else "wb") as file:
        if file.seek(0, os.SEEK_END) < length:
            raise FileNotFoundError(f"{path} is shorter than what was written to it")
        file.truncate(length)
        file.seek(length)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if length == 0:
        _sync_folder(path.parent)
    return length + len(data)


def replace(path: Path, records: Iterable[bytes]) -> None:
    """Write a whole file in one step: whoever reads it sees the old one or the new one.

    Raises:
        OSError: the disk refuses; the old file is there then.
    """
    _make_folder(path.parent)
    stage = path.parent / ".neural-writing"  # holds no "tfevents", so TensorBoard passes it by
    with stage.open("wb") as file:
        file.write(framed(records))
        file.flush()
        os.fsync(file.fileno())
    stage.replace(path)
    _sync_folder(path.parent)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some network file systems refuse to sync a folder
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
