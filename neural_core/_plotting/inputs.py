"""What callers hand in as a history of metrics, made into series."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np

from neural_core._series import NO_STEP
from neural_core.errors import ArgumentTypeError
from neural_core.records import Series

__all__ = ["History", "to_series"]

History: TypeAlias = "Mapping[str, Series | Sequence[float]] | Sequence[Mapping[str, Any]]"
"""A history: rows with "step", "timestamp" and metrics; or name → Series; or name → numbers."""

_log = logging.getLogger("neural")
_Columns: TypeAlias = dict[str, tuple[list[int], list[float], list[float]]]


def to_series(metrics_history: History) -> dict[str, Series]:
    """Make series of a history.

    Args:
        metrics_history: a sequence of rows, each a mapping with ``step``, ``timestamp`` and the metrics (a row with
            the attributes ``step``, ``timestamp`` and ``values`` is read through these, so a metric may be called
            "step"); or a mapping from name to `Series`; or a mapping from name to a sequence of numbers, which have
            neither steps (`NO_STEP`) nor times (NaN).

    Returns:
        Series by metric name, in the order in which the names first appear. A value that is no number is left out,
        and said once per metric in the log ``neural``.

    Raises:
        ArgumentTypeError: `metrics_history` is none of these.
    """
    if isinstance(metrics_history, Mapping):
        return {str(name): _from_values(str(name), values) for name, values in metrics_history.items()}
    if isinstance(metrics_history, str | bytes) or not hasattr(metrics_history, "__iter__"):
        raise ArgumentTypeError(
            "pass tracker.metrics_history, a list of rows or a mapping from metric name to numbers, "
            f"not {type(metrics_history).__name__}"
        )
    return _from_rows(metrics_history)


def _from_values(name: str, values: Series | Sequence[float]) -> Series:
    if isinstance(values, Series):
        return values if values.name == name else Series(name, values.step, values.time, values.value)
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        raise ArgumentTypeError(f"metric {name!r}: pass a sequence of numbers, not {type(values).__name__}")
    numbers = [number for number in map(_number, values) if number is not None]
    if len(numbers) < len(values):
        _warn_not_numbers(name)
    count = len(numbers)
    return Series(name, np.full(count, NO_STEP), np.full(count, np.nan), np.array(numbers, dtype=np.float64))


def _from_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, Series]:
    columns: _Columns = {}
    refused: set[str] = set()
    for row in rows:
        step, time, values = _parts(row)
        for name, value in values.items():
            if (number := _number(value)) is None:
                refused.add(str(name))
                continue
            column = columns.setdefault(str(name), ([], [], []))
            column[0].append(step)
            column[1].append(time)
            column[2].append(number)
    for name in sorted(refused):
        _warn_not_numbers(name)
    return {name: _series(name, *column) for name, column in columns.items()}


def _series(name: str, step: list[int], time: list[float], value: list[float]) -> Series:
    return Series(name, np.array(step, dtype=np.int64), np.array(time), np.array(value))


def _parts(row: Mapping[str, Any]) -> tuple[int, float, Mapping[str, Any]]:
    values = getattr(row, "values", None)
    if isinstance(values, Mapping) and hasattr(row, "step"):
        return _step(row.step), _time(getattr(row, "timestamp", None)), values
    if not isinstance(row, Mapping):
        raise ArgumentTypeError(f"each row of a history is a mapping with step and metrics, not {type(row).__name__}")
    metrics = {name: value for name, value in row.items() if name not in ("step", "timestamp")}
    return _step(row.get("step")), _time(row.get("timestamp")), metrics


def _step(value: Any) -> int:
    number = _number(value)
    return int(value) if number is not None and abs(number) < 2**63 else NO_STEP


def _time(value: Any) -> float:
    """Unix seconds of a number, a datetime or ISO 8601 text; NaN when it is none of these."""
    try:
        value = datetime.fromisoformat(value) if isinstance(value, str) else value
        return value.timestamp() if isinstance(value, datetime) else float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def _number(value: Any) -> float | None:
    """Give a float of anything that says it is one (tensors, Decimal); None of text, None and the rest."""
    if value is None or isinstance(value, str | bytes | bytearray):
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    except (TypeError, ValueError, RuntimeError):  # RuntimeError: what torch raises for a tensor of several elements
        return None


def _warn_not_numbers(name: str) -> None:
    _log.warning("plots: metric %.80r has values that are no numbers; they are not drawn", name)
