"""The bytes of a journal part, format version 1. docs/format.md is the specification; this is its only encoder.

A part is a header and frames. All numbers are little-endian, every frame is a multiple of 8 bytes, so a frame is
named by its *ordinal*: its byte offset divided by 8. Ordinals never change, not by damage and not by compaction.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neural_core.errors import DamagedError, FormatVersionError

__all__ = [
    "FACT",
    "MAGIC",
    "MAX_METRICS",
    "MAX_NAME_BYTES",
    "MAX_SCHEMAS",
    "ROW_WORDS",
    "SCHEMA",
    "WORD",
    "decode_header",
    "decode_schema",
    "encode_fact",
    "encode_header",
    "encode_schema",
    "frame",
    "join_facts",
    "row_head",
    "row_packer",
]

MAGIC = b"NEURALJ"
VERSION = b"1"
WORD = 8
SCHEMA = 0
"""The sid of a schema frame: the names of the values of the rows with the sid that it defines."""
FACT = 0xFFFF
"""The sid of an extension frame; a JSON payload is a fact."""
MAX_SCHEMAS = FACT - 1
MAX_METRICS = 0xFFFF - 2
ROW_WORDS = 3
"""Words of a row before its values: head, step, time."""
MAX_BODY = 0xFFFF * WORD
MAX_NAME_BYTES = MAX_BODY - 64
_CRC = struct.Struct("<I")
_HEAD = struct.Struct("<HH")
_SCHEMA_HEAD = struct.Struct("<HHI")
_LENGTH_AT = len(MAGIC) + len(VERSION)
_JSON_AT = _LENGTH_AT + _CRC.size
_CRC_KEY = b',"crc":"'
_CRC_TAIL = len(_CRC_KEY) + 8 + len(b'"}')


def _dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def _pad(body: bytes) -> bytes:
    return body + b" " * (-len(body) % WORD)


def frame(sid: int, body: bytes) -> bytes:
    """Give the frame of `sid` with `body`, whose length is a multiple of 8."""
    rest = _HEAD.pack(sid, len(body) // WORD) + body
    return _CRC.pack(zlib.crc32(rest)) + rest


def row_packer(metrics: int) -> struct.Struct:
    """Give the packer of a row without its CRC: head, step, time and the values."""
    return struct.Struct(f"<Iqd{metrics}d")


def row_head(sid: int, metrics: int) -> int:
    """Give sid and length of a row as the one number that its packer takes first."""
    return sid | (metrics + ROW_WORDS - 1) << 16


def encode_header(fields: Mapping[str, Any]) -> bytes:
    """Give the header of a part. Its JSON ends with the CRC of all header bytes before ``,"crc":"``."""
    body = _dumps({"format": "neural-journal", "version": 1, **fields})[:-1]
    start = MAGIC + VERSION + _CRC.pack(len(body) + _CRC_TAIL) + body
    return _pad(start + _CRC_KEY + b"%08x" % zlib.crc32(start) + b'"}')


def decode_header(buffer: bytes | memoryview) -> tuple[dict[str, Any], int] | None:
    """Give the fields of a header and its length in bytes; None when more bytes are needed.

    Raises:
        FormatVersionError: another major version.
        DamagedError: not a header, or not the bytes that were written.
    """
    start = bytes(buffer[:_JSON_AT])
    if not (MAGIC + VERSION).startswith(start[:_LENGTH_AT]):
        if start.startswith(MAGIC) and len(start) >= _LENGTH_AT:
            found = start[len(MAGIC) : _LENGTH_AT].decode("ascii", "replace")
            raise FormatVersionError(f"written in journal format {found}; this neural reads format 1: upgrade neural")
        raise DamagedError("the file does not begin as a journal")
    if len(start) < _JSON_AT:
        return None
    (length,) = _CRC.unpack_from(start, _LENGTH_AT)
    end = -(-(_JSON_AT + length) // WORD) * WORD
    if length > MAX_BODY:
        raise DamagedError("the header is damaged")
    return (_checked_header(bytes(buffer[:end]), _JSON_AT + length), end) if len(buffer) >= end else None


def _checked_header(header: bytes, end: int) -> dict[str, Any]:
    covered = header[: end - _CRC_TAIL]
    if header[len(covered) :] != (_CRC_KEY + b"%08x" % zlib.crc32(covered) + b'"}').ljust(
        len(header) - len(covered), b" "
    ):
        raise DamagedError("the header is damaged")
    fields = _parse(covered[_JSON_AT:] + b"}")
    if fields is None:
        raise DamagedError("the header does not parse")
    return fields


def encode_schema(sid: int, names: Sequence[str]) -> bytes:
    """Give the frame, or for very many names the frames, that define `sid`.

    Each says at which name it begins, so that a list longer than a frame goes into several.
    """
    frames: list[bytes] = []
    texts = [_dumps(name) for name in names]
    first = 0
    while first < len(texts) or not frames:
        size, last = 2, first
        while last < len(texts) and size + len(texts[last]) + 1 <= MAX_NAME_BYTES:
            size += len(texts[last]) + 1
            last += 1
        body = _SCHEMA_HEAD.pack(sid, len(names), first) + b"[" + b",".join(texts[first:last]) + b"]"
        frames.append(frame(SCHEMA, _pad(body)))
        first = last
    return b"".join(frames)


def decode_schema(body: bytes | memoryview) -> tuple[int, int, int, list[str]]:
    """Give (sid, number of names, first, names) of a schema frame's body whose CRC was checked.

    Raises:
        DamagedError: the body is no schema.
    """
    try:
        sid, count, first = _SCHEMA_HEAD.unpack_from(body)
        names = json.loads(bytes(body[_SCHEMA_HEAD.size :]))
    except (struct.error, ValueError) as error:
        raise DamagedError("a schema frame does not parse") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DamagedError("a schema frame does not hold names")
    return sid, count, first, names


def encode_fact(fact: Mapping[str, Any]) -> bytes:
    """Give the frame of a fact; one longer than a frame becomes fragments, written together."""
    body = _dumps(fact)
    if len(body) <= MAX_BODY:
        return frame(FACT, _pad(body))
    # A fragment is text inside JSON, so it may grow when its quotes are escaped: half a frame always fits.
    size = MAX_BODY // 2 - 64
    pieces = [body[i : i + size].decode("ascii") for i in range(0, len(body), size)]
    return b"".join(
        frame(FACT, _pad(_dumps({"fragment": [i, len(pieces)], "text": piece}))) for i, piece in enumerate(pieces)
    )


def join_facts(frames: Iterable[tuple[int, bytes]]) -> list[tuple[int, dict[str, Any]]]:
    """Give (ordinal, fact) of extension frames' bodies; fragments are joined under the last one's ordinal.

    What is no JSON object is a frame of somebody else: skipped.
    """
    facts: list[tuple[int, dict[str, Any]]] = []
    pieces: list[str] = []
    for ordinal, body in frames:
        fact = _parse(body)
        if fact is None:
            continue
        if "fragment" not in fact:
            facts.append((ordinal, fact))
            continue
        index, total, text = _fragment(fact)
        pieces = [*pieces, text] if index == len(pieces) else [text] if index == 0 else []
        if len(pieces) == total:
            whole = _parse("".join(pieces).encode())
            facts += [(ordinal, whole)] if whole is not None else []
            pieces = []
    return facts


def _fragment(fact: Mapping[str, Any]) -> tuple[int, int, str]:
    """Give (index, total, text); a fragment that is none of ours has an index that fits nowhere."""
    match fact:
        case {"fragment": [int(index), int(total)], "text": str(text)}:
            return index, total, text
    return -1, -1, ""


def _parse(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
