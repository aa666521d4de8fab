"""A journal part, read in place: live or not, sound or not."""

from __future__ import annotations

import bisect
import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_core._series import NO_STEP
from neural_core._storage.journal import frames
from neural_core._storage.journal.blocks import STEP_AT, TIME_AT, Block, Words, coalesce, remove_rows, split_damaged
from neural_core._storage.journal.gathering import gather, read_run
from neural_core._storage.journal.part import Column, HistoryRow, join_columns, join_table
from neural_core._storage.journal.part_bytes import PartBytes
from neural_core._storage.journal.scan import Scan
from neural_core.errors import DamagedError, FormatVersionError
from neural_core.records import Damage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from neural_core._storage.journal.check_cache import CheckCache

__all__ = ["JournalPart"]


class JournalPart:
    """The rows and facts of one ``.nj`` file. Never writes and never follows a link."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stem = path.stem
        self.header: Mapping[str, Any] = {}
        self.start_word = 0
        self._bytes = PartBytes(path)
        self._scan: Scan | None = None
        self._blocks: list[Block] = []
        self._ends: list[int] = []
        self._checked = 0
        self._damage: list[Damage] = []
        self._facts: list[tuple[int, dict[str, Any]]] = []

    @property
    def end(self) -> int:
        """The ordinal up to which it was read."""
        return 0 if self._scan is None else self._scan.at

    @property
    def rows(self) -> int:
        """Rows found so far."""
        return self._ends[-1] if self._ends else 0

    @property
    def facts(self) -> list[tuple[int, dict[str, Any]]]:
        """(ordinal, fact) in order."""
        return self._facts

    @property
    def fact_frames(self) -> list[tuple[int, bytes]]:
        """(ordinal, body) of every extension frame, also of those that are no facts of ours."""
        return [] if self._scan is None else self._scan.facts

    @property
    def schemas(self) -> Mapping[int, tuple[str, ...]]:
        """Names by sid."""
        return {} if self._scan is None else self._scan.schemas

    @property
    def places(self) -> Mapping[str, Mapping[int, int]]:
        """Metric → sid → word of its value within a row of that kind."""
        return {} if self._scan is None else self._scan.places

    @property
    def tail(self) -> int:
        """Bytes at the end that are no whole frame: a call under way, or what a crash left."""
        at = 0 if self._scan is None else self._scan.at * frames.WORD
        return self.size - at

    @property
    def damage(self) -> list[Damage]:
        """Gaps between sound frames, rows whose CRC does not fit, an unreadable header. The tail is not in it."""
        gaps = [] if self._scan is None else self._scan.gaps
        return self._damage + [self._say(a, b, "bytes that are no frame") for a, b in gaps]

    def _say(self, first: int, after: int, problem: str) -> Damage:
        return Damage(f"metrics/{self.path.name}", first * frames.WORD, (after - first) * frames.WORD, problem)

    def refresh(self) -> bool:
        """Look for new bytes; True when there were new rows or facts.

        Raises:
            OSError: the file cannot be read.
            FormatVersionError: another major version.
        """
        size = self.size
        grown = self._bytes.read_more()
        if not grown:
            return False
        if grown < 0:
            self._begin_again(size)
        if self._scan is None and not self._begin():
            return False
        return self._advance()

    def _begin_again(self, before: int) -> None:
        """Forget what was found: nobody of ours shortens a part, so what stood there may be anything."""
        self._scan = None
        self._blocks, self._ends, self._facts, self._checked = [], [], [], 0
        problem = "the file became shorter while it was read"
        self._damage = [Damage(f"metrics/{self.path.name}", self.size, before - self.size, problem)]

    def _begin(self) -> bool:
        try:
            found = frames.decode_header(self.words.buffer)
        except FormatVersionError as error:
            self._bytes.size = 0  # the next look refuses it as well
            raise FormatVersionError(f"{self.path.name}: {error}") from None
        except DamagedError as error:
            # Frames carry all that rows need; only order and rank are lost with the header.
            self._damage.append(Damage(f"metrics/{self.path.name}", 0, None, str(error)))
            found = {}, frames.WORD
        if found is None:
            return False
        self.header, start = found
        self.start_word = start // frames.WORD
        self._scan = Scan(self.start_word)
        return True

    def _advance(self) -> bool:
        assert self._scan is not None
        before = self.rows, len(self._scan.facts)
        self._blocks += self._scan.advance(self.words)
        self._blocks[self._checked :] = coalesce(self._blocks[self._checked :])
        self._ends = list(itertools.accumulate(block.count for block in self._blocks))
        if len(self._scan.facts) > before[1]:
            self._facts = frames.join_facts(self._scan.facts)
        return (self.rows, len(self._scan.facts)) != before

    def check(self, remembered: CheckCache | None = None) -> None:
        """Check the CRC of every row that was not checked yet; rows that fail are left out from then on.

        Args:
            remembered: outcomes of earlier checks, trusted for a file in the very state that was checked.
        """
        if self._scan is None or self._checked == len(self._blocks):
            return
        status = self._bytes.status if self._checked == 0 else None
        known = remembered.get(status) if remembered is not None and status is not None else None
        sound, damaged = self._blocks[: self._checked], []
        for block in self._blocks[self._checked :]:
            if known is None:
                kept, failed = split_damaged(self.words, block, self._scan.width)
            else:
                kept, failed = remove_rows(block, json.loads(known))
            sound += kept
            damaged += failed
        if remembered is not None and status is not None and known is None:
            remembered.put(status, json.dumps(damaged))
        self._damage += [self._say(p, p + 1, "a row whose checksum does not fit") for p in damaged]
        self._blocks = coalesce(sound)
        self._checked = len(self._blocks)
        self._ends = list(itertools.accumulate(block.count for block in self._blocks))

    def names(self) -> list[str]:
        """Metrics in the order of their first schema."""
        return list(self.places)

    def _cut(self, first: int, last: int | None) -> Iterator[Block]:
        """Give the blocks of the rows from the `first`-th to before the `last`-th."""
        last = self.rows if last is None else last
        index = bisect.bisect_right(self._ends, first)
        while index < len(self._blocks) and self._ends[index] - self._blocks[index].count < last:
            begin = self._ends[index] - self._blocks[index].count
            yield self._blocks[index].cut(first - begin, last - begin)
            index += 1

    def column(self, name: str, first: int = 0, last: int | None = None) -> Column:
        """The points of a metric in the rows from the `first`-th to before the `last`-th."""
        place = self.places.get(name, {})
        found = (gather(self.words, block, place) for block in self._cut(first, last))
        return join_columns([Column(*points) for points in found if points is not None])

    def row_at(self, ordinal: int) -> int:
        """How many rows stand before `ordinal`."""
        index = bisect.bisect_right(self._blocks, ordinal, key=lambda block: block.start)
        if not index:
            return 0
        block = self._blocks[index - 1]
        return self._ends[index - 1] - block.count + block.row_at(ordinal)

    def ordinals(self, first: int = 0, last: int | None = None) -> NDArray[np.int64]:
        """The ordinals of the rows from the `first`-th to before the `last`-th."""
        cut = (block.all_positions() for block in self._cut(first, last))
        return np.concatenate([np.empty(0, np.int64), *cut])

    def sids(self) -> NDArray[np.uint16]:
        """The kind of every row."""
        runs = (np.full(b.count, b.sid, np.uint16) if b.sids is None else b.sids for b in self._blocks)
        return np.concatenate([np.empty(0, np.uint16), *runs])

    @property
    def words(self) -> Words:
        """The bytes that were found so far."""
        return self._bytes.words

    @property
    def size(self) -> int:
        """Bytes of the file at the last look."""
        return self._bytes.size

    def times(self, first: int = 0, last: int | None = None) -> NDArray[np.float64]:
        """The times of the rows from the `first`-th to before the `last`-th."""
        return self.words.f64[self.ordinals(first, last) + TIME_AT]

    def steps(self, first: int = 0, last: int | None = None) -> NDArray[np.int64]:
        """The steps of these rows, `NO_STEP` for none."""
        return self.words.i64[self.ordinals(first, last) + STEP_AT]

    def history(self, start: int, stop: int) -> list[HistoryRow]:
        """The rows from `start` to before `stop`."""
        return [self._row(*block.row(i)) for block in self._cut(start, stop) for i in range(block.count)]

    def table(self, first: int, last: int) -> dict[str, Any]:
        """These rows as arrays of the same length; see `MetricRows.columns`."""
        blocks = list(self._cut(first, last))
        if len(blocks) != 1 or blocks[0].sids is not None:
            return join_table(self, first, last)
        steps, times, values = read_run(self.words, blocks[0], len(self.schemas[blocks[0].sid]))
        names = self.schemas[blocks[0].sid]
        present = {name: np.ones(blocks[0].count, np.bool_) for name in names}
        return {"step": steps, "timestamp": times, "values": dict(zip(names, values, strict=True)), "present": present}

    def _row(self, position: int, sid: int) -> HistoryRow:
        names = self.schemas[sid]
        step = int(self.words.i64[position + 1])
        first = position + frames.ROW_WORDS
        values = self.words.f64[first : first + len(names)].tolist()
        time = float(self.words.f64[position + 2])
        return HistoryRow(None if step == NO_STEP else step, time, dict(zip(names, values, strict=True)))
