"""``GET series``: a metric of several experiments as binary columns."""

from __future__ import annotations

import time

from flask import Blueprint, Response, request

from neural_core.reading import ExperimentStore, Window
from neural_ui._api._answers import data_answer
from neural_ui._api._arguments import MOST_TEXT, RefusedError, number, run_ids, whole
from neural_ui._api._pack import pack
from neural_ui._security import is_loopback

__all__ = ["add_series"]

_AXES = ("step", "wall", "relative")
_MOST_POINTS = 4_000


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
        answer = data_answer(pack(view), "application/octet-stream", pack_it=not _is_near())
        packed = time.perf_counter()
        spent = f"read;dur={(read - begun) * 1e3:.1f}, pack;dur={(packed - read) * 1e3:.1f}"
        answer.headers["Server-Timing"] = spent
        return answer


def _is_near() -> bool:
    """Tell whether the browser runs on this machine: packing would take longer than sending."""
    return is_loopback(request.remote_addr or "")
