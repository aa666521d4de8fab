"""Read one experiment, live or finished, without changing anything in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_core import _series
from neural_core._series import NO_STEP
from neural_core._storage.experiment.history import History
from neural_core._storage.experiment.state import State, load_state
from neural_core._storage.experiment.streams import epoch_of, merge_order, rank_of, streams_of
from neural_core._storage.experiment.summary import Summary
from neural_core._storage.journal import facts_file
from neural_core._storage.journal.check_cache import REMEMBERED_FROM, shared_checks
from neural_core._storage.journal.compacted_part import CompactedPart, load_compacted
from neural_core._storage.journal.journal_part import JournalPart
from neural_core._storage.journal.part import join_columns
from neural_core._storage.journal.part_bytes import PartNames
from neural_core._storage.journal.parts import SUFFIX
from neural_core.errors import DamagedError, FormatVersionError
from neural_core.records import Damage, MetricInfo, Series

if TYPE_CHECKING:
    from neural_core._storage.journal.part import Part

__all__ = ["RunReader"]

_LOOKS = 3
"""A part may be compacted between the look at the folder and the look into the file."""


class RunReader:
    """The rows, facts and documents of one experiment's folder, as far as they are written.

    Reading creates, renames and touches nothing; it works on a read-only and on a full disk, beside a live writer.
    """

    def __init__(self, path: str | os.PathLike[str], *, verify: bool = True, remember: bool = True) -> None:
        """Read nothing yet.

        Args:
            path: the experiment's folder.
            verify: check every CRC before rows are given out; False serves at once and leaves it to `check`.
            remember: take the outcome of an earlier check of unchanged bytes for granted.
        """
        self.path = Path(path).absolute()
        self._verify = verify
        self._remember = remember
        self._parts: dict[str, Part] = {}
        self._folder = PartNames(self.path / "metrics")
        self._listed: dict[str, str] = {}
        self._unreadable: dict[str, Damage] = {}
        self._summary = Summary()
        self._loaded = False
        self._names: set[str] = set()

    def refresh(self) -> bool:
        """Look for what was written since; True when there are new rows or facts. Costs what the new bytes cost.

        Raises:
            FormatVersionError: a part was written by a newer neural.
        """
        self._loaded = True
        changed = False
        for _ in range(_LOOKS):
            changed |= self._find_parts()
            for part in list(self._parts.values()):
                with self._naming_damage(part.stem):
                    changed |= part.refresh()
            if self._parts.keys() | self._unreadable.keys() >= self._listed.keys() == self._names:
                break
        if self._verify:
            self._check_journals()
        return changed

    def _find_parts(self) -> bool:
        """Take up new parts, and those that were compacted since the last look."""
        compacted, journals = facts_file.parts_among(self._folder.look())
        changed = False
        self._names = compacted | journals
        for stem in sorted(self._names):
            found = ("c" if stem in compacted else "") + ("j" if stem in journals else "")
            if self._listed.get(stem) != found:
                self._listed[stem] = found
                self._take_up(stem, found)
                changed = True
        return changed

    def _take_up(self, stem: str, found: str) -> None:
        self._unreadable.pop(stem, None)
        part = self._open(stem, found)
        if part is not None:
            self._parts[stem] = part
        self._summary = Summary()

    def _open(self, stem: str, found: str) -> Part | None:
        """Open a part as Parquet when that is whole, otherwise as the journal while it is still there."""
        folder = self.path / "metrics"
        journal = JournalPart(folder / f"{stem}{SUFFIX}") if "j" in found else None
        whole: CompactedPart | None = None
        if "c" in found:
            with self._naming_damage(stem):
                whole = load_compacted(folder / f"{stem}{facts_file.SUFFIX}")
        if journal is None:
            if whole is None:
                problem = "its Parquet file is missing or belongs to something else"
                self._unreadable.setdefault(stem, Damage(f"metrics/{stem}.parquet", None, None, problem))
            return whole
        self._unreadable.pop(stem, None)
        with self._naming_damage(stem):
            if whole is not None and journal.path.stat().st_size <= whole.length:
                return whole
        return journal

    @contextlib.contextmanager
    def _naming_damage(self, stem: str) -> Iterator[None]:
        try:
            yield
        except FormatVersionError:
            raise
        except FileNotFoundError:
            self._listed.pop(stem, None)  # it is being compacted: look again
            self._parts.pop(stem, None)
        except (OSError, DamagedError) as error:
            self._unreadable[stem] = Damage(f"metrics/{stem}", None, None, str(error))
            if isinstance(error, OSError):
                self._listed.pop(stem, None)  # the next look may be luckier

    def _ready(self) -> None:
        if not self._loaded:
            self.refresh()

    @property
    def parts(self) -> list[Part]:
        """The parts, in the order in which their facts hold."""
        self._ready()
        return sorted(self._parts.values(), key=lambda part: (epoch_of(part), part.stem))

    @property
    def damage(self) -> list[Damage]:
        """What was found so far that cannot be read as it was written."""
        return [*self._unreadable.values(), *(damage for part in self.parts for damage in part.damage)]

    @property
    def rows(self) -> int:
        """Rows written so far, by all processes."""
        return sum(part.rows for part in self.parts)

    def check(self) -> list[Damage]:
        """Check every checksum that was not checked yet; give all damage."""
        self._check_journals()
        for part in self.parts:
            part.check()
        return self.damage

    def _check_journals(self) -> None:
        """Check rows that are about to be given out; a Parquet page is checked when it is read."""
        for part in self._parts.values():
            if isinstance(part, JournalPart):
                before = part.rows
                part.check(shared_checks() if self._remember and part.size >= REMEMBERED_FROM else None)
                if part.rows != before:
                    self._summary = Summary()

    def facts(self) -> list[tuple[str, int, dict[str, Any]]]:
        """(part, ordinal, fact) of every fact, in the order in which they hold."""
        return [(part.stem, ordinal, fact) for part in self.parts for ordinal, fact in part.facts]

    def state(self) -> tuple[State, list[Damage]]:
        """The record without its rows, and the damage of its documents.

        Raises:
            FormatVersionError: a document of a newer neural.
        """
        return load_state(self.path, self.facts())

    def names(self) -> list[str]:
        """Metrics in the order in which they came first."""
        return list(
            dict.fromkeys(name for stream in streams_of(self.parts) for part in stream for name in part.names())
        )

    def metrics(self) -> list[MetricInfo]:
        """Count, last, min and max of every metric; only new rows are read again."""
        self._ready()
        self._summary.update(streams_of(self._parts.values()))
        infos = self._summary.infos()
        return [infos[name] for name in self.names() if name in infos]

    def series(
        self, name: str, *, rank: int | None = None, start: int | None = None, stop: int | None = None
    ) -> Series:
        """The points of a metric in the order of the calls; of an unknown metric there are none.

        Args:
            name: the metric.
            rank: only what this rank logged.
            start: first step.
            stop: the step before which it ends.

        Raises:
            DamagedError: a page of a Parquet part is damaged.
        """
        self._ready()
        parts = [part for part in self._parts.values() if rank is None or rank_of(part) == rank]
        streams = streams_of(parts)
        columns = {part.stem: part.column(name) for stream in streams for part in stream}
        joined = join_columns([columns[part.stem] for stream in streams for part in stream])
        order = merge_order(streams, lambda part: columns[part.stem].time)
        series = Series(name, joined.step, joined.time, joined.value)
        series = series if order is None else _series.select(series, order)
        return _between(series, start, stop)

    def downsample(self, name: str, points: int = 1500, *, start: int | None = None, stop: int | None = None) -> Series:
        """At most `points` + 2 real points of a metric; extremes and gaps are kept (see `_series.downsample`)."""
        return _series.downsample(self.series(name, start=start, stop=stop), points)

    def history(self) -> History:
        """All rows as a lazy sequence."""
        self._ready()
        return History(streams_of(self._parts.values()))

    def columns(self, names: Sequence[str] | None = None) -> dict[str, Any]:
        """All rows as equal-length arrays: ``step``, ``timestamp``, and NaN-filled values with a mask for each metric.

        Returns:
            {"step": int64[n], "timestamp": float64[n], "values": {name: float64[n]}, "present": {name: bool[n]}}
        """
        history = self.history()
        chosen = self.names() if names is None else list(names)
        return history.columns(chosen)


def _between(series: Series, start: int | None, stop: int | None) -> Series:
    if start is None and stop is None:
        return series
    inside = series.step != NO_STEP
    if start is not None:
        inside &= series.step >= start
    if stop is not None:
        inside &= series.step < stop
    return _series.select(series, np.flatnonzero(inside))
