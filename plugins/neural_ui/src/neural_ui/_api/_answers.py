"""Answers of the interface: strict JSON, packed when the browser takes it, and errors of one sentence."""

from __future__ import annotations

import gzip
import json
import math
from typing import Any

from flask import Response, request

__all__ = ["data_answer", "error_answer", "json_answer", "json_text", "packed_bytes", "text_answer"]

_STRICT = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
_PACKED_FROM = 16_384
"""Bytes below which packing takes longer than sending."""


def json_text(value: Any) -> str:
    """Give strict JSON; NaN and infinities stand as text: ``"NaN"``, ``"Infinity"``, ``"-Infinity"``."""
    try:
        return _STRICT.encode(value)
    except ValueError:
        return _STRICT.encode(_named(value))


def _named(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _named(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_named(inner) for inner in value]
    return value


def json_answer(value: Any, status: int = 200) -> Response:
    """Give a value as an answer."""
    return text_answer(json_text(value), status)


def text_answer(text: str, status: int = 200) -> Response:
    """Give text that is JSON already as an answer."""
    return data_answer(text.encode(), "application/json", status)


def data_answer(
    data: bytes, content_type: str, status: int = 200, *, pack_it: bool = True, packed: bytes | None = None
) -> Response:
    """Give bytes as an answer, packed when they are many and that is wanted.

    Args:
        data: the bytes.
        content_type: what they are.
        status: of the answer.
        pack_it: whether packing is wanted.
        packed: what `packed_bytes` made of them, when that was done before.
    """
    wanted = pack_it and len(data) >= _PACKED_FROM and "gzip" in request.headers.get("Accept-Encoding", "")
    answer = Response((packed or packed_bytes(data)) if wanted else data, status=status)
    answer.headers["Content-Type"] = content_type
    answer.headers["Vary"] = "Accept-Encoding"
    if wanted:
        answer.headers["Content-Encoding"] = "gzip"
    return answer


def packed_bytes(data: bytes) -> bytes:
    """Pack at the fastest level: it takes what is worth taking, and a page on the same machine waits for it."""
    return gzip.compress(data, compresslevel=1, mtime=0)


def error_answer(sentence: str, status: int) -> Response:
    """Give an error: one sentence, neither stack nor path."""
    return json_answer({"error": sentence}, status)
