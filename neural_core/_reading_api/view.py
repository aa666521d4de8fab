"""A metric of several experiments, seen through one window with the same buckets for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve, frozen

from neural_core._reading_api.buckets import width_for
from neural_core._reading_api.records import CurveView, SeriesView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neural_core._reading_api.buckets import Buckets
    from neural_core._reading_api.curve import Curve, Piece

__all__ = ["Window", "view_of"]


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


def view_of(metric: str, x: str, curves: Sequence[tuple[str, Curve | str]], window: Window) -> SeriesView:
    """Give the view of curves, each named by its experiment's id; text says why there is no curve."""
    limits = _limits([curve for _, curve in curves if not isinstance(curve, str)], window)
    if limits is None:
        return SeriesView(metric, x, None, None, None, [_nothing(name, curve) for name, curve in curves])
    width = width_for(limits[1] - limits[0], window.points)
    views = [_curve_view(name, curve, limits, window, width) for name, curve in curves]
    bucketed = any(view.kind == "agg" for view in views)
    return SeriesView(metric, x, limits[0], limits[1], width if bucketed else None, views)


def _limits(curves: Sequence[Curve], window: Window) -> tuple[float, float] | None:
    spans = [curve.span for curve in curves if curve.span is not None]
    if not spans:
        return None
    start = min(low for low, _ in spans) if window.start is None else window.start
    stop = max(high for _, high in spans) if window.stop is None else window.stop
    return start, max(start, stop)


def _curve_view(name: str, curve: Curve | str, limits: tuple[float, float], window: Window, width: float) -> CurveView:
    if isinstance(curve, str):
        return _nothing(name, curve)
    low, high = limits[0] - window.lead, limits[1]
    # Whole buckets, and one more on both sides, so that lines reach the edges of the window.
    wide = (math.floor(low / width) - 1) * width, (math.floor(high / width) + 2) * width
    piece = curve.piece(*wide, width, window.points)
    span = curve.span
    if span is None or (piece.x is not None and not len(piece.x)):
        return _nothing(name, curve)
    view = _raw(name, piece) if piece.buckets is None else _bucketed(name, piece, piece.buckets, curve)
    return _with_facts(view, curve, piece, limits, width)


def _nothing(name: str, curve: Curve | str) -> CurveView:
    if isinstance(curve, str):
        return CurveView(name, "none", np.empty(0), np.empty(0), error=curve)
    first, last = curve.span or (None, None)
    return CurveView(name, "none", np.empty(0), np.empty(0), total=curve.total, first=first, last=last)


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
