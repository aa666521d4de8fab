"""The records that `neural_core.reading` hands out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from neural_core.records import RunRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Changes", "CurveView", "Listed", "RunDetail", "SeriesView", "StoredFile", "StoredRun"]


@frozen
class StoredRun:
    """One experiment of a store, as a list shows it.

    Attributes:
        id: what names it in this store: the experiment's id, ``id~folder`` where a copy shares it or there is none.
        ordinal: its place by creation among all experiments, those in the trash included; colours go by it.
        row: name, status, parameters, metrics, tags, notes.
        last_sign: Unix time of the last sign of its writer; the end for one that has ended.
        revision: of name, notes, tags and colour: an edit that names another one is refused.
        version: grows whenever anything of the experiment changes.
    """

    id: str
    ordinal: int
    row: RunRow
    last_sign: float
    revision: str
    version: int


@frozen
class Listed:
    """The experiments of a store at one moment.

    Attributes:
        version: names this state of the store; another state has another one.
        cursor: for `changes`, which then tells what came after.
        trash: how many experiments lie in the trash.
        runs: the newest first.
        pending: how many more there are, which were not read yet; their ordinals are taken to be the smallest.
    """

    version: str
    cursor: str
    trash: int
    runs: Sequence[StoredRun]
    pending: int = 0


@frozen
class Changes:
    """What changed in a store since a cursor.

    Attributes:
        cursor: where the next question goes on.
        runs: experiments that are new or changed.
        removed: ids of those that are gone.
        grown: (id, metric, number of points) of every metric that has more points.
        pending: as in `Listed`.
    """

    cursor: str
    runs: Sequence[StoredRun]
    removed: Sequence[str]
    grown: Sequence[tuple[str, str, int]]
    pending: int = 0


@frozen(eq=False)
class CurveView:
    """A metric of one experiment, as far as it was asked for.

    Attributes:
        id: of the experiment.
        kind: ``raw``, ``agg`` (buckets) or ``none`` (no point of it).
        x: float64[n] ascending: of the points, or the mean x of each bucket.
        mean: float64[n]: the values, or the mean of each bucket.
        low: float64[n], smallest value of each bucket; None for raw. `low_x` is the x where it came first.
        high: float64[n], largest value of each bucket, likewise.
        total: points of the whole curve, whatever their value.
        hidden: of the points in view, how many are NaN or infinite.
        first: x of the curve's first point, None for none; `last` of its last.
        min_x: x of the smallest finite value in view, None for none; `max_x` of the largest.
        error: why there is nothing of it, None when it could be read.
    """

    id: str
    kind: Literal["raw", "agg", "none"]
    x: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    low_x: NDArray[np.float64] | None = None
    high_x: NDArray[np.float64] | None = None
    total: int = 0
    hidden: int = 0
    first: float | None = None
    last: float | None = None
    min_x: float | None = None
    max_x: float | None = None
    error: str | None = None


@frozen(eq=False)
class SeriesView:
    """A metric of several experiments.

    Attributes:
        metric: its name.
        x: what the x axis is.
        start: where the view begins in x; `stop` where it ends. None when no experiment has a point.
        width: width of a bucket, a power of two, the same for all; None when every curve is raw.
        curves: one for each experiment asked for, in that order.
    """

    metric: str
    x: str
    start: float | None
    stop: float | None
    width: float | None
    curves: Sequence[CurveView]


@frozen
class RunDetail:
    """All that is known of one experiment but its numbers.

    Attributes:
        run: as a list shows it.
        hyperparameters: nested as logged.
        environment: where it ran.
        artifacts: whose files are there; details have version, kind, size (bytes), sha256, time (UTC ISO 8601),
            file_name, is_tree, metadata.
        plots: files of its folder ``plots``; details have auto (drawn by neural), time (Unix seconds), suffix.
    """

    run: StoredRun
    hyperparameters: Mapping[str, Any]
    environment: Mapping[str, Any]
    artifacts: Sequence[StoredFile]
    plots: Sequence[StoredFile]


@frozen
class StoredFile:
    """A file of an experiment that may be shown or downloaded.

    Attributes:
        fid: names it within the experiment; no path.
        path: the file or folder, proven to lie inside the experiment's folder.
        name: what people call it.
        details: more, in JSON values.
    """

    fid: str
    path: Path
    name: str
    details: Mapping[str, Any] = field(factory=dict)
