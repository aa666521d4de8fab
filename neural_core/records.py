"""The frozen records that neural hands out.

They know nothing of files, threads or plugins. Times are Unix seconds (float) in arrays and UTC ISO 8601
text in records that people read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from neural_core._artifact_version import ArtifactKind, ArtifactVersion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "NO_STEP",
    "Annotations",
    "ArtifactKind",
    "ArtifactVersion",
    "ComparedExperiment",
    "Damage",
    "Experiment",
    "Health",
    "MetricInfo",
    "MetricRows",
    "PlotFile",
    "RunRow",
    "Series",
    "Status",
]

NO_STEP = -(2**63)
"""The stored step of a row that was logged without one."""

Status = Literal["created", "running", "completed", "failed", "interrupted"]
"""The states of an experiment. Listings add ``stalled`` and ``damaged``, which are seen, never set."""


@frozen
class MetricInfo:
    """What is known of one metric without reading its points again.

    Attributes:
        count: points logged, NaN and ±Inf included.
        last: the last value logged, whatever it is; `last_step` is its step, or None.
        min: smallest finite value, None when there is none; `min_step` is the step where it came first.
        max: largest finite value, likewise.
    """

    name: str
    count: int
    last: float
    last_step: int | None
    min: float | None
    min_step: int | None
    max: float | None
    max_step: int | None


@frozen(eq=False)
class Series:
    """The points of one metric in the order of the calls: three arrays of the same length.

    Attributes:
        step: int64[n]; `NO_STEP` (-2**63) where no step was given.
        time: float64[n], Unix seconds.
        value: float64[n], bits as logged.
    """

    name: str
    step: NDArray[np.int64]
    time: NDArray[np.float64]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        """Give the number of points."""
        return len(self.value)


@frozen
class Annotations:
    """What changed in the annotations of an experiment.

    Attributes:
        tags: name → text; None for a tag that was removed.
        notes: the new notes, None when they did not change.
        name: the new display name, None when it did not change.
    """

    tags: Mapping[str, str | None] = field(factory=dict)
    notes: str | None = None
    name: str | None = None


class MetricRows(Sequence[Any]):
    """Some rows of one part of a journal, read when they are looked at.

    A row has ``step`` (int or None), ``timestamp`` (Unix seconds) and ``values`` (metric → float), and is a mapping.

    Attributes:
        part: the part of the journal that they stand in.
    """

    part: str

    @property
    def positions(self) -> NDArray[np.int64]:
        """The ordinal of each row in its part, int64[n], ascending. Part and ordinal name a row for ever."""
        raise NotImplementedError

    def columns(self) -> Mapping[str, Any]:
        """Give the rows as arrays.

        Returns:
            {"step": int64[n] with `NO_STEP` for none, "timestamp": float64[n],
            "values": {metric: float64[n], NaN where a row has none}, "present": {metric: bool[n]}}
        """
        raise NotImplementedError


@frozen
class Damage:
    """One place of a store that cannot be read as it was written.

    Attributes:
        file: the file, relative to the experiment's folder.
        offset: the byte where the damage begins, None when the whole file is meant.
        length: how many bytes it covers, None when unknown.
        problem: one sentence.
    """

    file: str
    offset: int | None
    length: int | None
    problem: str


@frozen
class Health:
    """How a tracker fares with its disk.

    Attributes:
        ok: True when all that was logged is stored.
        waiting: rows that wait in memory for the disk to come back.
        lost: rows that are lost for good.
        last_error: the last error of the disk, None when there was none.
    """

    ok: bool = True
    waiting: int = 0
    lost: int = 0
    last_error: str | None = None


@frozen
class Experiment:
    """What an experiment is, apart from its numbers.

    Attributes:
        experiment_id: 12 hex digits, the first of `uid`.
        uid: 128 bits in hex; never changes, not even in a copy.
        name: the display name, any text.
        directory: the experiment's folder, absolute.
        status: `Status`, or ``stalled``/``damaged`` as seen by a reader.
        start_time: UTC ISO 8601; `end_time` likewise, None while it runs.
        hyperparameters: nested as logged.
        tags: name → text, empty text for a plain tag.
        notes: free text.
    """

    experiment_id: str
    uid: str
    name: str
    directory: Path
    status: str = "created"
    start_time: str | None = None
    end_time: str | None = None
    hyperparameters: Mapping[str, Any] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    notes: str = ""


@frozen
class ComparedExperiment:
    """One experiment of a comparison: the record, and its series by metric name."""

    experiment: Experiment
    series: Mapping[str, Series]


@frozen
class PlotFile:
    """A plot that a plugin has drawn itself, in a format of its own, where a matplotlib Figure does not serve.

    Attributes:
        content: the file.
        suffix: of its name, ``.html``.
        beside: name → content of files that it needs in its folder, such as a script; of the same name they are the
            same. The names begin with ``auto_``, as those of all files do that are drawn by themselves.
    """

    content: bytes
    suffix: str
    beside: Mapping[str, bytes] = field(factory=dict)


@frozen
class RunRow:
    """One row of a list of experiments.

    Attributes:
        params: hyperparameters, nested ones flattened with dots.
        metrics: by name.
        error: what is wrong with a damaged experiment, None for a sound one.
        folder: the folder's name inside the base folder.
        color: ``#rrggbb`` that a user gave it for pages, empty for none.
    """

    experiment_id: str
    uid: str
    name: str
    status: str
    start_time: str
    end_time: str | None
    folder: str
    params: Mapping[str, Any] = field(factory=dict)
    metrics: Mapping[str, MetricInfo] = field(factory=dict)
    tags: Mapping[str, str] = field(factory=dict)
    notes: str = ""
    artifacts: int = 0
    error: str | None = None
    color: str = ""
