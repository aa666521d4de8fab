"""What a metric, a step and a row may be: the slow path's judgement, made before anything is stored."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Mapping
from typing import Any, SupportsFloat, cast

from attrs import frozen

from neural_core._storage.journal import frames
from neural_core.errors import ArgumentTypeError, ArgumentValueError

__all__ = ["EXACT_INTEGERS", "Row", "clean_row", "clean_step"]

EXACT_INTEGERS = 2**53
"""IEEE doubles hold every integer up to here."""


@frozen
class Row:
    """One ``log_metrics`` call that may be stored.

    Attributes:
        rounded: names of metrics whose value is not exactly a double.
    """

    names: tuple[str, ...]
    values: tuple[float, ...]
    step: int | None
    time: float
    rounded: tuple[str, ...] = ()


def clean_row(metrics: object, step: object, time: float) -> Row:
    """Judge the arguments of one call and give what is to be stored. A metric that is None is left out.

    Raises:
        ArgumentTypeError: metrics is no mapping, a name no text, a value no number, the step no integer.
        ArgumentValueError: an empty or endless name, a number beyond a double, a step beyond 64 bits, too many metrics.
    """
    if not isinstance(metrics, Mapping):
        raise ArgumentTypeError(f"log_metrics takes a mapping of names to numbers, not {type(metrics).__name__}")
    kept: dict[str, float] = {}
    rounded = []
    for key, value in dict(metrics).items():
        name = clean_name(key)
        number = _number(name, value)
        if number is not None:
            kept[name] = number
            if _was_rounded(value, number):
                rounded.append(name)
    if len(kept) > frames.MAX_METRICS:
        raise ArgumentValueError(
            f"{len(kept):,} metrics in one call: at most {frames.MAX_METRICS:,} fit, split the call"
        )
    return Row(tuple(kept), tuple(kept.values()), clean_step(step), time, tuple(rounded))


def clean_name(name: object) -> str:
    """Give a metric's name as plain text; any text that is not empty is one."""
    if not isinstance(name, str):
        raise ArgumentTypeError(f"a metric's name is text, not {type(name).__name__}: {name!r:.80}")
    if not name:
        raise ArgumentValueError("a metric's name is empty: give it any text")
    # JSON escapes take at most 12 bytes for a character, so short names need no measuring.
    if len(name) * 12 > frames.MAX_NAME_BYTES:
        raise ArgumentValueError(
            f"a metric's name has {len(name):,} characters: at most {frames.MAX_NAME_BYTES // 12:,} fit"
        )
    return str.__str__(name)


def clean_step(step: object) -> int | None:
    """Give the step as an int, or None.

    Raises:
        ArgumentTypeError: not an integer.
        ArgumentValueError: beyond 64 bits.
    """
    if step is None:
        return None
    try:
        index = operator.index(cast("Any", step))
    except TypeError:
        raise ArgumentTypeError(f"step must be an integer or None, not {type(step).__name__} {step!r:.80}") from None
    if not -(2**63) < index < 2**63:
        raise ArgumentValueError(f"step {index} does not fit into 64 bits")
    return index


def _number(name: str, value: object) -> float | None:
    """Give the value as a double; None for None. Arrays and tensors of one element count as their element."""
    if value is None or type(value) is float:
        return value
    item = getattr(value, "item", None)
    if callable(item) and not isinstance(value, (str, bytes)):
        value = _element(name, value)
    if isinstance(value, (str, bytes, bytearray, Mapping)) or not hasattr(value, "__float__"):
        raise _no_number(name, value)
    if isinstance(value, numbers.Complex) and not isinstance(value, numbers.Real):
        raise _no_number(name, value)
    try:
        return float(cast("SupportsFloat", value))
    except OverflowError:
        raise ArgumentValueError(f"metric {name!r}: the number is too large for a double") from None
    except Exception as error:  # a stranger's __float__ may raise anything; the metric is to be named
        raise _no_number(name, value) from error


def _element(name: str, value: Any) -> object:
    try:
        return value.item()
    except Exception as error:  # every array library raises its own error for several elements
        shape = getattr(value, "shape", "unknown")
        raise ArgumentTypeError(
            f"metric {name!r}: an array of shape {shape!s:.80} is not one number: log its mean or its elements"
        ) from error


def _no_number(name: str, value: object) -> ArgumentTypeError:
    return ArgumentTypeError(
        f"metric {name!r:.200}: {type(value).__name__} is not a number: {_short(value)} "
        "(nothing of this call was stored)"
    )


def _short(value: object) -> str:
    try:
        return f"{value!r:.60}"
    except Exception:  # noqa: BLE001 - a stranger's __repr__ may raise anything; the message must still come
        return "(it has no readable repr)"


def _was_rounded(value: object, number: float) -> bool:
    """Tell whether an exact kind of number lost digits: integers beyond 2**53, Decimals, Fractions."""
    if type(value) is float or isinstance(value, bool):
        return False
    if isinstance(value, int):
        return abs(value) > EXACT_INTEGERS and int(number) != value
    return type(value).__name__ in ("Decimal", "Fraction") and number == number and cast("Any", value) != number
