"""Hyperparameters and metadata as strict JSON, and back. Whatever cannot be kept exactly is kept readable and marked.

Marks are objects with one key that begins with ``$``: ``{"$number": "NaN"}``, ``{"$repr": "<Model …>"}``. A user's
own mapping with such a key is wrapped in ``{"$mapping": [[key, value], …]}``.
"""

from __future__ import annotations

import enum
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import attrs
from attrs import define, field

from neural_core.errors import ArgumentTypeError

__all__ = ["as_mapping", "flatten", "from_plain", "key_text", "to_plain"]

_MAX_DEPTH = 50
_MAX_CONTAINERS = 20_000
_MAX_REPR = 2_000
_MAX_ARRAY = 1_000
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def as_mapping(hyperparameters: object, what: str = "hyperparameters") -> Mapping[Any, Any]:
    """Give the pairs of a mapping, a dataclass, an attrs object or an argparse.Namespace.

    Raises:
        ArgumentTypeError: it is none of these.
    """
    found = _pairs(hyperparameters)
    if found is None:
        raise ArgumentTypeError(
            f"{what} are a mapping, a dataclass, an attrs object or an argparse.Namespace, "
            f"not {type(hyperparameters).__name__}"
        )
    return found


def _pairs(value: object) -> Mapping[Any, Any] | None:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, type):
        return None
    if hasattr(type(value), "__dataclass_fields__"):
        return {item.name: getattr(value, item.name) for item in sys.modules["dataclasses"].fields(value)}
    kind: Any = type(value)
    if attrs.has(kind):
        return {item.name: getattr(value, item.name) for item in attrs.fields(kind)}
    # Whoever has a Namespace or a Decimal has imported its module; we need not.
    if _is_a(value, "argparse", "Namespace"):
        return dict(vars(value))
    return None


def _is_a(value: object, module: str, name: str) -> bool:
    return module in sys.modules and isinstance(value, getattr(sys.modules[module], name))


@define
class _Walk:
    """Where a value is being written out: inside of which others, and how many mappings and lists may follow."""

    inside: list[int] = field(factory=list)
    left: int = _MAX_CONTAINERS

    def refusal(self, value: object) -> str | None:
        """Tell why `value` is not written out; None when it may be."""
        if id(value) in self.inside:
            return "(contains itself)"
        return "(nested too deeply)" if len(self.inside) >= _MAX_DEPTH else None

    def is_full(self) -> bool:
        """Count one more mapping or list; True when there are too many: values that share others grow without end."""
        self.left -= 1
        return self.left < 0


def to_plain(value: object) -> Any:
    """Give what strict JSON holds of any value; never raises and never recurses without end."""
    return _plain(value, _Walk())


def _plain(value: object, walk: _Walk) -> Any:
    if value is None or (isinstance(value, (bool, str)) and type(value) in (bool, str)):
        return value
    if type(value) is int:
        return value if abs(value) < 2**63 else _plain_integer(value)
    if type(value) is float:
        return value if math.isfinite(value) else {"$number": _name_of(value)}
    refusal = walk.refusal(value)
    if refusal is not None:
        return {"$repr": refusal}
    walk.inside.append(id(value))
    try:
        return _plain_object(value, walk)
    except Exception:  # noqa: BLE001 - a stranger's object may raise anything while it is looked at
        return {"$repr": _repr(value)}
    finally:
        walk.inside.pop()


def _plain_integer(value: int) -> Any:
    # Python writes no integer of more than 4,300 digits.
    return {"$number": str(value)} if abs(value) < 10**1000 else {"$repr": _repr(value)}


def _plain_object(value: object, walk: _Walk) -> Any:
    pairs = _pairs(value)
    if pairs is not None:
        return _plain_mapping(pairs, walk)
    if isinstance(value, enum.Enum):
        return _plain(value.value, walk)
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, (str, int, float)):
        return _plain(next(base(value) for base in (str, int, float) if isinstance(value, base)), walk)
    if isinstance(value, (set, frozenset)):
        return _plain_list(sorted(value, key=repr), walk)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return _plain_list(value, walk)
    return _plain_number(value, walk)


def _plain_number(value: object, walk: _Walk) -> Any:
    """NumPy and tensor scalars become numbers, small arrays lists, all else its repr."""
    if _is_a(value, "decimal", "Decimal"):
        number: Any = value
        return {"$number": str(number)} if number.is_finite() else _plain(float(number), walk)
    tolist = getattr(value, "tolist", None)
    if callable(tolist) and _elements(value) <= _MAX_ARRAY:
        listed = tolist()
        if isinstance(listed, (bool, int, float, str, list)):
            return _plain(listed, walk)
    return {"$repr": _repr(value)}


def _elements(value: Any) -> int:
    """Count the elements of a NumPy array (``size``) or a tensor (``numel()``)."""
    size = getattr(value, "size", 1)
    return int(size if isinstance(size, int) else value.numel())


def _plain_list(items: Sequence[Any], walk: _Walk) -> Any:
    return {"$repr": "(too large)"} if walk.is_full() else [_plain(item, walk) for item in items]


def _plain_mapping(pairs: Mapping[Any, Any], walk: _Walk) -> Any:
    if walk.is_full():
        return {"$repr": "(too large)"}
    plain = {key_text(key): _plain(item, walk) for key, item in pairs.items()}
    if any(key.startswith("$") for key in plain):
        return {"$mapping": [[key, item] for key, item in plain.items()]}
    return plain


def key_text(key: object) -> str:
    """Give the key of a mapping as text: ``1`` for 1, ``(1, 2)`` for a tuple; never raises."""
    if isinstance(key, str):
        return str.__str__(key)
    try:
        return str(key)
    except Exception:  # noqa: BLE001 - a stranger's __str__ may raise anything
        return _repr(key)


def _name_of(number: float) -> str:
    return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"


def _repr(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a stranger's __repr__ may raise anything
        text = f"<{type(value).__name__} without a readable repr>"
    return text if len(text) <= _MAX_REPR else text[: _MAX_REPR - 1] + "…"


def from_plain(value: Any) -> Any:
    """Give the value that JSON stands for: numbers as numbers, a repr as its text."""
    if isinstance(value, list):
        return [from_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"$number": str(text)}:
            return _number(text)
        case {"$repr": str(text)}:
            return text
        case {"$mapping": list(pairs)}:
            return {str(pair[0]): from_plain(pair[1]) for pair in pairs if isinstance(pair, list) and len(pair) == 2}
    return {key: from_plain(item) for key, item in value.items()}


def _number(text: str) -> Any:
    if text in _SPECIAL:
        return _SPECIAL[text]
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def flatten(hyperparameters: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give (dotted name, value) of nested hyperparameters; lists as JSON text, as filters compare them."""
    for key, value in hyperparameters.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{name}.")
        elif isinstance(value, (list, Mapping)):
            yield name, json.dumps(to_plain(value))
        else:
            yield name, value
