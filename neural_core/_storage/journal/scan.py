"""Find the frames of a journal part: vectorised, incremental, and past any damage.

The lengths of the frames lead from one to the next. Where they do not, the scan looks for the next frame whose CRC
fits and reports the gap. Rows are not checked here (`blocks.split_damaged` does it); schemas and facts are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neural_core._storage.journal import frames
from neural_core._storage.journal.blocks import Block, Words, mixed
from neural_core._storage.journal.range_crcs import UNIT, RangeCrcs
from neural_core.errors import DamagedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Scan"]

_UNKNOWN = 0xFFFF_FFFF
_SHORT_RUN = 256
_HELD = 500
"""Beyond so many elements NumPy lets other threads have the interpreter, and a busy one may keep it for long."""
_SMALL_CHUNK = 1 << 12
_LARGE_CHUNK = 1 << 20
_SEARCH_CHUNK = 1 << 8


class Scan:
    """What was found so far in one part.

    Attributes:
        schemas: sid → names.
        places: metric → sid → word of its value within a row of that kind.
        facts: (ordinal, body) of extension frames with a sound CRC.
        gaps: (first word, word after the last) of what is no sound frame.
        at: the word where the scan goes on; what follows it is the tail.
    """

    def __init__(self, start: int) -> None:
        self.at = start
        self.schemas: dict[int, tuple[str, ...]] = {}
        self.places: dict[str, dict[int, int]] = {}
        self.facts: list[tuple[int, bytes]] = []
        self.gaps: list[tuple[int, int]] = []
        self._partial: dict[int, list[str]] = {}
        self._lengths = np.full(0x10000, _UNKNOWN, np.uint32)
        self._short_runs = 0
        self._chunk = _SMALL_CHUNK
        self._crcs = RangeCrcs()

    def width(self, sid: int) -> int:
        """Words of a row of this kind."""
        return int(self._lengths[sid]) + 1

    def advance(self, words: Words) -> list[Block]:
        """Go on to the end of `words`; give the blocks of rows that were found."""
        heads = words.u32[1::2]
        found: list[Block] = []
        while self.at < words.count:
            block = self._rows(heads, words)
            if block is not None:
                found.append(block)
                continue
            after = self._special(heads, words, self.at)
            if after is None:
                after = self._next_sound(heads, words)
                if after is None:
                    break
                self.gaps.append((self.at, after))
            self.at = after
        return found

    def _rows(self, heads: NDArray[np.uint32], words: Words) -> Block | None:
        head = int(heads[self.at])
        if not self._is_row(head) or self.at + (head >> 16) + 1 > words.count:
            return None
        if self._short_runs >= 4:
            block = self._alternating(heads, words)
            if block is not None:
                return block
        return self._run(heads, head)

    def _is_row(self, head: int) -> bool:
        return 0 < head & 0xFFFF < frames.FACT and int(self._lengths[head & 0xFFFF]) == head >> 16

    def _run(self, heads: NDArray[np.uint32], head: int) -> Block:
        """Count the frames with this very head, one behind the other."""
        width = (head >> 16) + 1
        most = (len(heads) - self.at) // width
        count, look = 0, 64
        while count < most:
            some = min(look, most - count)
            first = self.at + count * width
            equal = heads[first : first + some * width : width] == head
            same = some if bool(equal.all()) else int(equal.argmin())
            count += same
            if same < some:
                break
            look = _HELD if count < 4 * _HELD else min(look * 8, _LARGE_CHUNK)
        block = Block(count, self.at, head & 0xFFFF, width)
        self.at += count * width
        self._short_runs = self._short_runs + 1 if count < _SHORT_RUN else 0
        return block

    def _alternating(self, heads: NDArray[np.uint32], words: Words) -> Block | None:
        """Take all heads of a stretch at once and follow the chain of their lengths as far as it holds."""
        stretch = np.ascontiguousarray(heads[self.at : self.at + self._chunk])
        lengths = stretch >> 16
        candidates = np.flatnonzero(lengths == self._lengths[stretch & 0xFFFF])
        broken = np.flatnonzero(np.diff(candidates) != lengths[candidates[:-1]] + 1)
        whole = not len(broken)
        chain = candidates if whole else candidates[: broken[0] + 1]
        if self.at + int(chain[-1]) + int(lengths[chain[-1]]) + 1 > words.count:
            chain = chain[:-1]
        self._chunk = min(self._chunk * 4, _LARGE_CHUNK) if whole else _SMALL_CHUNK
        if len(chain) < 16:
            self._short_runs = 0
            return None
        block = mixed(chain.astype(np.int64) + self.at, (stretch[chain] & 0xFFFF).astype(np.uint16))
        self.at += int(chain[-1]) + int(lengths[chain[-1]]) + 1
        return block

    def _special(self, heads: NDArray[np.uint32], words: Words, at: int) -> int | None:
        """Read a schema or an extension frame; give the word after it, None when there is none."""
        sid, length = int(heads[at]) & 0xFFFF, int(heads[at]) >> 16
        if sid not in (frames.SCHEMA, frames.FACT) or length == 0 or at + length + 1 > words.count:
            return None
        if not words.is_sound(at, length + 1):
            return None
        body = words.frame(at + 1, length)
        if sid == frames.FACT:
            self.facts.append((at, bytes(body)))
        elif not self._define(body):
            return None
        return at + length + 1

    def _define(self, body: memoryview) -> bool:
        try:
            sid, count, first, names = frames.decode_schema(body)
        except DamagedError:
            return False
        known = [*self._partial.get(sid, [])[:first], *names]
        if len(known) < first + len(names) or not 0 < sid < frames.FACT:
            return False
        self._partial[sid] = known
        if len(known) == count:
            self.schemas[sid] = tuple(self._partial.pop(sid))
            for word, name in enumerate(self.schemas[sid], frames.ROW_WORDS):
                self.places.setdefault(name, {})[sid] = word
            self._lengths[sid] = count + frames.ROW_WORDS - 1
        return True

    def _next_sound(self, heads: NDArray[np.uint32], words: Words) -> int | None:
        """Find the next frame with a sound CRC; None when there is none (yet)."""
        start, look = self.at + 1, _SEARCH_CHUNK
        while start < words.count:
            stretch = np.ascontiguousarray(heads[start : start + look])
            sids, lengths = stretch & 0xFFFF, stretch >> 16
            special = ((sids == frames.SCHEMA) | (sids == frames.FACT)) & (lengths > 0)
            likely = np.flatnonzero(special | (lengths == self._lengths[sids]))
            first, last = likely + start, likely + start + lengths[likely] + 1
            whole = last <= words.count
            found = self._first_sound(words, first[whole], last[whole])
            if found is not None:
                return found
            start, look = start + look, min(look * 8, _LARGE_CHUNK)
        return None

    def _first_sound(self, words: Words, first: NDArray[np.int64], last: NDArray[np.int64]) -> int | None:
        """Give the first of these frames, by their first words and those behind them, whose CRC fits."""
        if not len(first):
            return None
        units = frames.WORD // UNIT
        computed = self._crcs.of(words.buffer, first * units + 1, last * units)
        sound = np.flatnonzero(computed == words.u32[units * first])
        return int(first[sound[0]]) if len(sound) else None
