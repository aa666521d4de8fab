"""A row of a list as one strict JSON document, and back.

JSON has no NaN and no infinities: they stand as null, and a list beside the document says where and which. SQLite keeps
no checksums, so a document ends with one of its own: a flipped bit in the cache must not show as a number.
"""

from __future__ import annotations

import json
import math
import zlib
from typing import Any

from neural_core.errors import DamagedError
from neural_core.records import MetricInfo, RunRow

__all__ = ["from_document", "to_document", "to_text"]

Hole = tuple[list[str | int], str]


def to_document(row: RunRow) -> str:
    """Give the document of a row."""
    metrics = [
        [name, m.name, m.count, m.last, m.last_step, m.min, m.min_step, m.max, m.max_step]
        for name, m in row.metrics.items()
    ]
    fields = [row.experiment_id, row.uid, row.name, row.status, row.start_time, row.end_time, row.folder]
    rest = [row.notes, row.artifacts, row.error, row.color]
    text = to_text([fields, dict(row.params), metrics, dict(row.tags), rest], with_holes=True)
    return f'[{text},"{_checksum(text)}"]'


def from_document(text: str) -> RunRow:
    """Give the row of a document.

    Raises:
        DamagedError: the text is not such a document, or not the one that was made.
    """
    try:
        (value, holes), checksum = json.loads(text)
        if checksum != _checksum(text[1 : -len(',"12345678"]')]):
            raise ValueError("its checksum does not fit")
        for path, number in holes:
            _put(value, path, float(number))
        fields, params, metrics, tags, rest = value
        infos = {name: MetricInfo(*numbers) for name, *numbers in metrics}
        return RunRow(*[*fields, params, infos, tags, *rest])
    except (ValueError, TypeError, LookupError) as problem:
        raise DamagedError(f"a row of the index cannot be read: {problem}") from problem


def _checksum(text: str) -> str:
    return f"{zlib.crc32(text.encode()):08x}"


def to_text(value: Any, *, with_holes: bool = False) -> str:
    """Give strict JSON text; numbers that JSON lacks become null, listed beside the value when asked for."""
    try:
        return json.dumps([value, []] if with_holes else value, allow_nan=False, separators=(",", ":"))
    except ValueError:
        holes: list[Hole] = []
        plain = _plain(value, [], holes)
        return json.dumps([plain, holes] if with_holes else plain, allow_nan=False, separators=(",", ":"))


def _plain(value: Any, path: list[str | int], holes: list[Hole]) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        holes.append((path, repr(float(value))))
        return None
    if isinstance(value, dict):
        return {key: _plain(inner, [*path, key], holes) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, [*path, i], holes) for i, inner in enumerate(value)]
    return value


def _put(value: Any, path: list[Any], number: float) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = number
