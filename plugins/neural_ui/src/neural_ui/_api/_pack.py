"""Curves as bytes: a length, a JSON header, then arrays that the browser uses where they lie.

::

    uint32 length | header, padded with spaces | arrays, little endian, the first on a multiple of 8

The header says of each run where its arrays begin, in bytes after the first array, and what they are: ``f8`` or
``f4``. Runs with the same x share one array. ``d_min`` and ``d_max`` are how far from x the extremes of a bucket lie;
they are ``f4`` only where that loses nothing.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_core.reading import CurveView, SeriesView
from neural_ui._api._answers import json_text

__all__ = ["pack"]


class _Arrays:
    """Arrays one behind the other, each on a multiple of its items' size."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._known: dict[bytes, int] = {}

    def put(self, array: NDArray[Any], kind: str) -> tuple[int, str]:
        """Add an array; give where it begins and what it is."""
        data = np.ascontiguousarray(array, f"<{kind}").tobytes()
        self._pad(8)
        return self._add(data), kind

    def shared(self, array: NDArray[Any]) -> tuple[int, str]:
        """Add an array unless the same one is there already."""
        data = np.ascontiguousarray(array, "<f8").tobytes()
        if data not in self._known:
            self._pad(8)
            self._known[data] = self._add(data)
        return self._known[data], "f8"

    def _pad(self, multiple: int) -> None:
        self._add(bytes(-self._size % multiple))

    def _add(self, data: bytes) -> int:
        start = self._size
        self._pieces.append(data)
        self._size += len(data)
        return start

    def bytes(self) -> bytes:
        """Give all of them."""
        return b"".join(self._pieces)


def pack(view: SeriesView) -> bytes:
    """Give a view as bytes."""
    arrays = _Arrays()
    runs = [{**_facts(curve), "at": _placed(curve, arrays)} for curve in view.curves]
    head = {"metric": view.metric, "x": view.x, "from": view.start, "to": view.stop, "width": view.width, "runs": runs}
    text = json_text(head).encode()
    text += b" " * (-(len(text) + 4) % 8)
    return struct.pack("<I", len(text)) + text + arrays.bytes()


def _placed(curve: CurveView, arrays: _Arrays) -> dict[str, tuple[int, str]]:
    places = {"x": arrays.shared(curve.x), "mean": arrays.put(curve.mean, "f8")}
    if curve.low is not None and curve.high is not None and curve.low_x is not None and curve.high_x is not None:
        places |= {"min": arrays.put(curve.low, "f8"), "max": arrays.put(curve.high, "f8")}
        places["d_min"] = _distance(curve.x, curve.low_x, arrays)
        places["d_max"] = _distance(curve.x, curve.high_x, arrays)
    return places


def _distance(x: NDArray[np.float64], at: NDArray[np.float64], arrays: _Arrays) -> tuple[int, str]:
    distance = at - x
    short = distance.astype(np.float32)
    return arrays.put(distance, "f4" if bool((x + short == at).all()) else "f8")


def _facts(curve: CurveView) -> dict[str, Any]:
    facts = {
        "id": curve.id,
        "kind": curve.kind,
        "n": len(curve.x),
        "n_total": curve.total,
        "n_nan": curve.hidden,
        "first": curve.first,
        "last": curve.last,
        "min_x": curve.min_x,
        "max_x": curve.max_x,
    }
    return facts if curve.error is None else {**facts, "error": curve.error}
