"""Pure arithmetic on series: what both the storage and the plots need. NumPy only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from neural_core.records import NO_STEP, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NO_STEP", "downsample", "extremes", "freeze", "lower_is_better", "select", "x_axis"]

_LOWER_WORDS = ("loss", "error", "err", "perplexity", "ppl", "mae", "mse", "rmse", "wer", "cer", "fid", "nll", "bpc")


def lower_is_better(name: str) -> bool:
    """Tell from a metric's name whether smaller values are better (``val_loss``), as TensorBoard users expect."""
    words = "".join(c if c.isalnum() else " " for c in name.lower()).split()
    return any(word in _LOWER_WORDS or word.endswith("loss") for word in words)


def x_axis(series: Series) -> NDArray[np.int64]:
    """Give the steps; where none was given, the position in the series.

    A series mixes neither: one missing step anywhere makes the whole axis positions.
    """
    if len(series) and bool((series.step == NO_STEP).any()):
        return np.arange(len(series), dtype=np.int64)
    return series.step


def select(series: Series, index: NDArray[np.intp]) -> Series:
    """Give the points at `index`."""
    return Series(series.name, series.step[index], series.time[index], series.value[index])


def extremes(value: NDArray[np.float64]) -> tuple[int, int] | None:
    """Give the positions of the first smallest and the first largest finite value; None when none is finite."""
    if not len(value):
        return None
    first = int(value.argmin()), int(value.argmax())
    if np.isfinite(value[first[0]]) and np.isfinite(value[first[1]]):
        return first  # NumPy would have found a NaN instead, and any infinity
    finite = np.isfinite(value)
    if not finite.any():
        return None
    low = int(np.argmin(np.where(finite, value, np.inf)))
    high = int(np.argmax(np.where(finite, value, -np.inf)))
    return low, high


def downsample(series: Series, points: int = 1500) -> Series:
    """Keep at most `points` + 2 real points: first, last, and minimum and maximum of equal-count buckets.

    NaN is a gap: a bucket that holds one keeps its first NaN beside its extremes, so gaps stay visible.
    Nothing is averaged and nothing invented: each point kept was logged.

    The method is the min-max decimation of oscilloscopes and of the tsdownsample library.
    """
    count = len(series)
    if count <= points + 2:
        return series
    kept = 3 if np.isnan(series.value.max()) else 2  # any NaN is the maximum to NumPy
    buckets = max(1, (points - 2) // kept)
    return select(series, _bucket_index(series.value, buckets))


def _bucket_index(value: NDArray[np.float64], buckets: int) -> NDArray[np.intp]:
    count = len(value)
    width = count // buckets
    body = value[: width * buckets].reshape(buckets, width)
    base = np.arange(buckets, dtype=np.intp) * width
    parts = [np.array([0, count - 1], dtype=np.intp), base + body.argmin(axis=1), base + body.argmax(axis=1)]
    if bool(np.isnan(value[parts[1]]).any()):  # argmin stops at the first NaN of a bucket, which is to be kept
        low, high = np.fmin.reduce(body, axis=1), np.fmax.reduce(body, axis=1)
        held = ~np.isnan(low)
        parts += [(base + (body == end[:, None]).argmax(axis=1))[held] for end in (low, high)]
    parts.append(_tail_index(value, width * buckets))
    return np.unique(np.concatenate(parts))


def _tail_index(value: NDArray[np.float64], start: int) -> NDArray[np.intp]:
    """The points after the last full bucket: their extremes (fewer than one bucket, so at most two points)."""
    found = extremes(value[start:])
    return np.array([] if found is None else [start + found[0], start + found[1]], dtype=np.intp)


class _Frozen(Mapping[str, Series]):
    """A mapping that cannot be changed, but copied in every way; a mapping proxy cannot be copied deeply."""

    def __init__(self, history: Mapping[str, Series]) -> None:
        self._history = dict(history)

    def __getitem__(self, name: str) -> Series:
        return self._history[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._history)

    def __len__(self) -> int:
        return len(self._history)


def freeze(history: Mapping[str, Series]) -> Mapping[str, Series]:
    """Give series that several may look at and nobody can change; the arrays become read-only."""
    for series in history.values():
        for array in (series.step, series.time, series.value):
            array.flags.writeable = False
    return _Frozen(history)
