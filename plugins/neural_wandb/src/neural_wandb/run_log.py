"""Reads ``.wandb`` files: the log of a run that W&B writes first and uploads, or syncs, from.

The file is a header of 7 bytes and blocks of 32 KiB (the log format of LevelDB). A block holds chunks: CRC-32, length,
kind, bytes. A record is one chunk, or several that say first, middle and last. W&B's own reader is part of its service
process and cannot be called from Python; `wandb leet inspect` and `wandb sync` prove in tests that both read alike.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from neural_core.errors import DamagedError
from neural_wandb.loading import load

__all__ = ["RunLog"]

_IDENT, _VERSIONS = b":W&B\xe1\xbe", (0, 1)
_FILE_HEADER = len(_IDENT) + 1
_BLOCK = 32 * 1024
_CHUNK = struct.Struct("<IHB")
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4


class RunLog:
    """One ``.wandb`` file, read from front to end, also while W&B writes it.

    Attributes:
        end: the byte after the last whole record that was read.
        damaged: places that were passed over because they are not what was written.
    """

    @staticmethod
    def is_begun(path: Path) -> bool:
        """Tell whether there is more than the name of a file: W&B makes it a moment before it writes its header."""
        try:
            return path.stat().st_size >= _FILE_HEADER
        except FileNotFoundError:
            return False

    def __init__(self, path: Path, begin: int = 0) -> None:
        """Open it.

        Args:
            path: the file.
            begin: the `end` of an earlier reading; 0 for all of it.

        Raises:
            DamagedError: no ``.wandb`` file, or one of a newer W&B.
            OSError: it cannot be read.
        """
        self._file = path.open("rb")
        self.path, self.end, self.damaged = path, max(begin, _FILE_HEADER), 0
        header = self._file.read(_FILE_HEADER)
        if header[:-1] != _IDENT or header[-1] not in _VERSIONS:
            self._file.close()
            raise DamagedError(f"{path} is no run log that this version can read: its first bytes are {header!r}")

    def __enter__(self) -> RunLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def fileno(self) -> int:
        """Give the descriptor, for ``os.fsync``."""
        return self._file.fileno()

    def records(self, *, recover: bool = False) -> Iterator[Any]:
        """Give W&B's records that are whole, from `end` on; call it again when the file has grown.

        Args:
            recover: pass over a place that is damaged, to the next block, as W&B's own reader does. Without it the
                reading ends there, as what looks damaged may be half written.
        """
        record_type = load("wandb.proto.wandb_internal_pb2").Record
        broken = load("google.protobuf.message").DecodeError
        for payload in self._payloads(recover):
            record = record_type()
            try:
                record.ParseFromString(payload)
            except broken:
                self.damaged += 1
                continue
            yield record

    def _payloads(self, recover: bool) -> Iterator[bytes]:
        parts: list[bytes] = []
        block_at = self.end
        while block := self._read(block_at):
            at = 0
            while (chunk := _chunk(block, at)) is not None:
                kind, payload = chunk
                at += _CHUNK.size + len(payload)
                if kind in (_MIDDLE, _LAST) and not parts:
                    continue  # its beginning was damaged
                parts = [payload] if kind in (_FULL, _FIRST) else [*parts, payload]
                if kind in (_FULL, _LAST):
                    self.end = block_at + at
                    yield b"".join(parts)
                    parts = []
            whole = len(block) == _room(block_at)
            if at + _CHUNK.size <= len(block):
                if not recover:
                    return
                if whole or _claims_to_fit(block, at):
                    self.damaged, parts = self.damaged + 1, []
            if not whole:
                return
            block_at += len(block)

    def _read(self, at: int) -> bytes:
        self._file.seek(at)
        return self._file.read(_room(at))


def _room(at: int) -> int:
    """Give the bytes from a place to the end of its block."""
    return _BLOCK - at % _BLOCK


def _chunk(block: bytes, at: int) -> tuple[int, bytes] | None:
    """Give kind and bytes of a chunk; None when there is no whole and sound one."""
    if at + _CHUNK.size > len(block):
        return None
    crc, length, kind = _CHUNK.unpack_from(block, at)
    payload = block[at + _CHUNK.size : at + _CHUNK.size + length]
    if kind not in (_FULL, _FIRST, _MIDDLE, _LAST) or len(payload) < length:
        return None
    return (kind, payload) if zlib.crc32(payload, zlib.crc32(bytes([kind]))) == crc else None


def _claims_to_fit(block: bytes, at: int) -> bool:
    """Tell a damaged chunk from one that a killed process left unfinished at the end of the file."""
    _, length, _ = _CHUNK.unpack_from(block, at)
    return at + _CHUNK.size + int(length) <= len(block)
