"""The values of W&B's records: JSON text, or since 0.31 also typed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

__all__ = ["as_integer", "as_mapping", "as_number", "leaves", "plain", "put", "said_in", "value_of"]


class _Integer(float):
    """A number that was written without a point: exact as `whole`, and with the sign of a negative zero."""

    whole: int

    def __new__(cls, text: str) -> _Integer:
        made = super().__new__(cls, text)
        made.whole = int(text)
        return made


_decode = json.JSONDecoder(parse_int=_Integer).decode
_NO_JSON = ValueError, RecursionError
"""What reading JSON raises: it is none, or is nested deeper than Python reads."""


def said_in(items: Iterable[Any]) -> dict[str, Any]:
    """Give what items of a history, a summary or a config say: name → value; nested names make mappings."""
    said: dict[str, Any] = {}
    for item in items:
        put(said, item)
    return said


def put(place: dict[str, Any], item: Any) -> None:
    """Put the value of an item where its name, or the names around it, say."""
    *above, last = item.nested_key or (item.key,)
    for key in above:
        if not isinstance(place.get(key), dict):
            place[key] = {}
        place = place[key]
    place[last] = value_of(item)


def leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Give the values inside of nested mappings under their names with dots, as W&B shows them; media are one value."""
    if not isinstance(value, Mapping) or "_type" in value:
        yield name, value
        return
    for key, inner in value.items():
        yield from leaves(f"{name}.{key}", inner)


def as_integer(value: Any) -> int | None:
    """Give an exact integer, None when it is none."""
    if isinstance(value, _Integer):
        return value.whole
    return int(value) if isinstance(value, float) and value.is_integer() else None


def as_mapping(said: Any) -> dict[str, Any]:
    """Give a mapping, which may stand in JSON text; an empty one for anything else."""
    try:
        found = json.loads(said) if isinstance(said, str) and said else said
    except _NO_JSON:
        return {}
    return {str(key): value for key, value in found.items()} if isinstance(found, Mapping) else {}


def as_number(value: Any) -> float | None:
    """Give a number, None when it is none."""
    return float(value) if isinstance(value, float) else None


def plain(value: Any) -> Any:
    """Give a value with integers as integers again."""
    if isinstance(value, _Integer):
        return value.whole
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def value_of(item: Any) -> Any:
    """Give the value of one item; text that is no JSON as it is."""
    text = item.value_json
    if not text and "value" in item.DESCRIPTOR.oneofs_by_name:
        kind = item.WhichOneof("value")
        text = item.json if kind == "json" else json.dumps(None if kind in (None, "none") else getattr(item, kind))
    try:
        return _decode(text) if text else None
    except _NO_JSON:
        return text
