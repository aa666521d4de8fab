"""``GET series``: a metric of several experiments as binary columns."""

from __future__ import annotations

import struct
import time
from typing import Any

import numpy as np
from flask import Blueprint, Response, request

from neural_core.reading import CurveView, ExperimentStore, SeriesView, Window
from neural_ui._api._answers import data_answer, json_text
from neural_ui._api._arguments import MOST_TEXT, RefusedError, number, run_ids, whole

__all__ = ["add_series", "pack"]

_AXES = ("step", "wall", "relative")
_MOST_POINTS = 4_000


def pack(view: SeriesView) -> bytes:
    """Give a view as header length (uint32), JSON header, float64 arrays; all little endian, arrays on 8 bytes."""
    runs: list[dict[str, Any]] = []
    arrays: list[np.ndarray[Any, Any]] = []
    offset = 0
    for curve in view.curves:
        named = _arrays(curve)
        runs.append({**_facts(curve), "arrays": list(named), "offset": offset})
        arrays += named.values()
        offset += sum(len(array) for array in named.values())
    head = {"metric": view.metric, "x": view.x, "from": view.start, "to": view.stop, "width": view.width, "runs": runs}
    text = json_text(head).encode()
    text += b" " * (-(len(text) + 4) % 8)
    body = [np.ascontiguousarray(array, "<f8").tobytes() for array in arrays]
    return b"".join([struct.pack("<I", len(text)), text, *body])


def _arrays(curve: CurveView) -> dict[str, np.ndarray[Any, Any]]:
    named = {"x": curve.x, "mean": curve.mean}
    if curve.low is not None and curve.high is not None and curve.low_x is not None and curve.high_x is not None:
        named |= {"min": curve.low, "max": curve.high, "at_min": curve.low_x, "at_max": curve.high_x}
    return named


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


def _asked() -> tuple[str, str, Window]:
    metric, x = request.args.get("metric", ""), request.args.get("x", "step")
    if not metric or len(metric) > MOST_TEXT:
        raise RefusedError("metric= is empty or too long: give the name of a metric")
    if x not in _AXES and not (x.startswith("metric:") and len(x) <= MOST_TEXT):
        raise RefusedError("x= is unknown: give step, wall, relative or metric:NAME")
    start, stop = number("from"), number("to")
    if start is not None and stop is not None and stop < start:
        raise RefusedError("to= lies before from=")
    points = whole("points", 700, 2, _MOST_POINTS)
    return metric, x, Window(start, stop, max(0.0, number("lead") or 0.0), points)


def add_series(api: Blueprint, store: ExperimentStore) -> None:
    """Add the route."""

    @api.get("/series")
    def series() -> Response:
        metric, x, window = _asked()
        begun = time.perf_counter()
        view = store.read_series(run_ids(), metric, x, window)
        read = time.perf_counter()
        answer = data_answer(pack(view), "application/octet-stream")
        packed = time.perf_counter()
        spent = f"read;dur={(read - begun) * 1e3:.1f}, pack;dur={(packed - read) * 1e3:.1f}"
        answer.headers["Server-Timing"] = spent
        return answer
