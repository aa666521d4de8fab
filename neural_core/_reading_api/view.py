"""A metric of several experiments, seen through one window with the same buckets for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, field, frozen

from neural_core._reading_api.buckets import width_for
from neural_core._reading_api.records import CurveView, SeriesView
from neural_core.errors import NeuralError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neural_core._reading_api.buckets import Buckets
    from neural_core._reading_api.curve import Curve, Piece

__all__ = ["Look", "Window", "sentence", "view_of"]


@frozen
class Window:
    """What part of the x axis is looked at.

    Attributes:
        start: where it begins, None for the beginning of the data; `stop` likewise.
        lead: how much more is given on the left, in x, for smoothing to warm up.
        points: buckets that the window is cut into, and raw points up to which there are none.
    """

    start: float | None = None
    stop: float | None = None
    lead: float = 0.0
    points: int = 700


@frozen(eq=False)
class Look:
    """One experiment of a view.

    Attributes:
        id: of the experiment.
        curve: None when it cannot be read.
        error: why, or what is wrong with it all the same.
        lock: held while the curve is used: it may grow.
    """

    id: str
    curve: Curve | None = None
    error: str | None = None
    lock: Lock = field(factory=Lock)


def sentence(error: Exception) -> str:
    """Say what is wrong without naming a folder of this machine."""
    if isinstance(error, NeuralError) or not isinstance(error, OSError):
        return str(error)
    return f"a file cannot be read: {error.strerror or 'nobody knows why'}"


def view_of(metric: str, x: str, looks: Sequence[Look], window: Window) -> SeriesView:
    """Give the view of some experiments."""
    limits = _limits([look.curve.span for look in looks if look.curve is not None], window)
    if limits is None:
        return SeriesView(metric, x, None, None, None, [_nothing(look) for look in looks])
    width = width_for(limits[1] - limits[0], window.points)
    views = [_seen(look, limits, window, width) for look in looks]
    bucketed = any(view.kind == "agg" for view in views)
    return SeriesView(metric, x, limits[0], limits[1], width if bucketed else None, views)


def _limits(found: Sequence[tuple[float, float] | None], window: Window) -> tuple[float, float] | None:
    spans = [span for span in found if span is not None]
    if not spans:
        return None
    start = min(low for low, _ in spans) if window.start is None else window.start
    stop = max(high for _, high in spans) if window.stop is None else window.stop
    return start, max(start, stop)


def _seen(look: Look, limits: tuple[float, float], window: Window, width: float) -> CurveView:
    if look.curve is None:
        return _nothing(look)
    try:
        with look.lock:
            return _curve_view(look, look.curve, limits, window, width)
    except (NeuralError, OSError) as error:
        return CurveView(look.id, "none", np.empty(0), np.empty(0), error=sentence(error))


def _curve_view(look: Look, curve: Curve, limits: tuple[float, float], window: Window, width: float) -> CurveView:
    low, high = limits[0] - window.lead, limits[1]
    # Whole buckets, and one more on both sides, so that lines reach the edges of the window.
    wide = (math.floor(low / width) - 1) * width, (math.floor(high / width) + 2) * width
    piece = curve.piece(*wide, width, window.points)
    if curve.span is None or (piece.x is not None and not len(piece.x)):
        return _nothing(look)
    view = _raw(look.id, piece) if piece.buckets is None else _bucketed(look.id, piece, piece.buckets, curve)
    return evolve(_with_facts(view, curve, piece, limits, width), error=look.error)


def _nothing(look: Look) -> CurveView:
    empty = CurveView(look.id, "none", np.empty(0), np.empty(0), error=look.error)
    if look.curve is None:
        return empty
    first, last = look.curve.span or (None, None)
    return evolve(empty, total=look.curve.total, first=first, last=last)


def _raw(name: str, piece: Piece) -> CurveView:
    assert piece.x is not None
    assert piece.y is not None
    return CurveView(name, "raw", piece.x, np.ascontiguousarray(piece.y))


def _bucketed(name: str, piece: Piece, buckets: Buckets, curve: Curve) -> CurveView:
    with np.errstate(over="ignore", invalid="ignore"):
        columns = [
            buckets.sum_x / buckets.count,
            buckets.sum_y / buckets.count,
            buckets.low,
            buckets.high,
            buckets.low_x,
            buckets.high_x,
        ]
    if curve.ends is not None and len(buckets):
        first, last = curve.ends
        if piece.begins and buckets.count[0] > 1:
            columns = _with_point(columns, first, at_end=False)
        if piece.ends and buckets.count[-1] > 1:
            columns = _with_point(columns, last, at_end=True)
    x, mean, low, high, low_x, high_x = columns
    return CurveView(name, "agg", x, mean, low, high, low_x, high_x)


def _with_point(
    columns: list[NDArray[np.float64]], point: tuple[float, float], *, at_end: bool
) -> list[NDArray[np.float64]]:
    """Add the curve's first or last point, which lies before or behind the middle of its bucket."""
    x, y = point
    values = (x, y, y, y, x, x)
    return [
        np.concatenate([column, [value]] if at_end else [[value], column])
        for column, value in zip(columns, values, strict=True)
    ]


def _with_facts(view: CurveView, curve: Curve, piece: Piece, limits: tuple[float, float], width: float) -> CurveView:
    """Add what is known of the curve, and of the part of it that is in the window."""
    span = curve.span or (None, None)
    low_y, high_y, low_x, high_x, reach = view.low, view.high, view.low_x, view.high_x, width
    if low_y is None or high_y is None or low_x is None or high_x is None:
        low_y, high_y, low_x, high_x, reach = view.mean, view.mean, view.x, view.x, 0.0
    seen = np.flatnonzero((view.x >= limits[0] - reach) & (view.x <= limits[1] + reach) & np.isfinite(low_y))
    finite = int(np.isfinite(view.mean).sum()) if piece.buckets is None else int(piece.buckets.count.sum())
    held = len(view.x) if piece.buckets is None else piece.points
    return evolve(
        view,
        total=curve.total,
        hidden=held - finite,
        first=span[0],
        last=span[1],
        min_x=float(low_x[seen[low_y[seen].argmin()]]) if len(seen) else None,
        max_x=float(high_x[seen[high_y[seen].argmax()]]) if len(seen) else None,
    )
