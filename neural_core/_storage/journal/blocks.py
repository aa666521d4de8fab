"""Where the rows of a journal part lie: runs of equal frames, and stretches in which several kinds alternate.

Positions are in 8-byte words from the file's beginning: the ordinals of docs/format.md.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from neural_core._storage.journal import frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STEP_AT", "TIME_AT", "Block", "Words", "coalesce", "mixed", "remove_rows", "split_damaged"]

_CHECK_BYTES = 8 * 2**20
_SHORT = 64
"""Rows of a run below which its neighbours may join it in a mixed block."""
_MOST = 65_536
"""Rows of a mixed block to which short ones are still added: each time it is copied."""
STEP_AT, TIME_AT = 1, 2


class Words:
    """The bytes of a part, seen as words."""

    def __init__(self, buffer: bytes | memoryview) -> None:
        usable = len(buffer) // frames.WORD * frames.WORD
        self.buffer = memoryview(buffer)[:usable]
        self.count = usable // frames.WORD
        self.u32: NDArray[np.uint32] = np.frombuffer(self.buffer, "<u4")
        self.i64: NDArray[np.int64] = np.frombuffer(self.buffer, "<i8")
        self.f64: NDArray[np.float64] = np.frombuffer(self.buffer, "<f8")

    def frame(self, position: int, words: int) -> memoryview:
        """The bytes of the frame at `position` that is `words` words long."""
        return self.buffer[position * frames.WORD : (position + words) * frames.WORD]

    def is_sound(self, position: int, words: int) -> bool:
        """Tell whether the CRC of the frame at `position` fits its bytes."""
        return zlib.crc32(self.frame(position, words)[4:]) == int(self.u32[2 * position])


@frozen(eq=False)
class Block:
    """Rows in the order in which they were appended.

    Attributes:
        count: how many.
        start: position of the first row; a run has `width` words from each row to the next and one `sid`.
        positions: of every row, when the rows are no run; then `sids` tells the kind of each.
    """

    count: int
    start: int
    sid: int = 0
    width: int = 0
    positions: NDArray[np.int64] | None = None
    sids: NDArray[np.uint16] | None = None

    def cut(self, first: int, last: int) -> Block:
        """The rows from the `first`-th to before the `last`-th."""
        first, last = max(first, 0), min(last, self.count)
        if (first, last) == (0, self.count):
            return self
        if self.positions is None or self.sids is None:
            return Block(max(last - first, 0), self.start + first * self.width, self.sid, self.width)
        return mixed(self.positions[first:last], self.sids[first:last])

    def row_at(self, ordinal: int) -> int:
        """How many rows stand before `ordinal`."""
        if self.positions is not None:
            return int(np.searchsorted(self.positions, ordinal))
        return min(max(-(-(ordinal - self.start) // self.width), 0), self.count)

    def kinds(self) -> list[int]:
        """The sids that occur."""
        return [self.sid] if self.sids is None else [int(sid) for sid in np.unique(self.sids)]

    def all_positions(self) -> NDArray[np.int64]:
        """The position of every row."""
        if self.positions is not None:
            return self.positions
        return np.arange(self.count, dtype=np.int64) * self.width + self.start

    def row(self, index: int) -> tuple[int, int]:
        """Position and sid of the row at `index`."""
        if self.positions is None or self.sids is None:
            return self.start + index * self.width, self.sid
        return int(self.positions[index]), int(self.sids[index])


def mixed(positions: NDArray[np.int64], sids: NDArray[np.uint16]) -> Block:
    """Give the block of rows at `positions` with the kinds `sids`."""
    return Block(len(positions), int(positions[0]) if len(positions) else 0, positions=positions, sids=sids)


def coalesce(blocks: Sequence[Block]) -> list[Block]:
    """Join neighbouring runs that continue each other; a live part grows by many small ones."""
    joined: list[Block] = []
    for block in blocks:
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.positions is None
            and block.positions is None
            and (last.sid, last.width, last.start + last.count * last.width) == (block.sid, block.width, block.start)
        ):
            joined[-1] = Block(last.count + block.count, last.start, last.sid, last.width)
        elif block.count:
            joined.append(block)
    return _gather_short(joined)


def _gather_short(blocks: Sequence[Block]) -> list[Block]:
    """Put neighbouring short blocks into one: where each row has names of its own, a block a row would be slow."""
    gathered: list[list[Block]] = []
    rows = 0
    for block in blocks:
        short = block.sids is not None or block.count < _SHORT
        if gathered and short and rows and rows + block.count <= _MOST:
            gathered[-1].append(block)
            rows += block.count
        else:
            gathered.append([block])
            rows = block.count if short else 0
    return [group[0] if len(group) == 1 else _as_mixed(group) for group in gathered]


def _as_mixed(blocks: Sequence[Block]) -> Block:
    sids = [np.full(b.count, b.sid, np.uint16) if b.sids is None else b.sids for b in blocks]
    return mixed(np.concatenate([block.all_positions() for block in blocks]), np.concatenate(sids))


def split_damaged(words: Words, block: Block, width_of: Callable[[int], int]) -> tuple[list[Block], list[int]]:
    """Check the CRC of every row; give the sound rows as blocks, and the positions of the others."""
    if block.positions is None and _is_sound_run(words, block):
        return [block], []
    positions = block.all_positions()
    sids = np.full(block.count, block.sid, np.uint16) if block.sids is None else block.sids
    sound = np.ones(block.count, np.bool_)
    for sid in block.kinds():
        chosen = np.flatnonzero(sids == sid)
        sound[chosen] = _sound_rows(words, positions[chosen], width_of(sid))
    if bool(sound.all()):
        return [block], []
    kept = mixed(positions[sound], sids[sound])
    return ([kept] if kept.count else []), [int(p) for p in positions[~sound]]


def _is_sound_run(words: Words, block: Block) -> bool:
    """Tell whether every CRC of a run fits, some megabytes at a time, and without letting the interpreter go."""
    size = block.width * frames.WORD
    cut = struct.Struct(f"<4x{size - 4}s")
    crc32, batch = zlib.crc32, max(1, _CHECK_BYTES // size)
    for first in range(0, block.count, batch):
        part = block.cut(first, first + batch)
        end = part.start + part.count * part.width
        stored = words.u32[2 * part.start : 2 * end : 2 * part.width].tolist()
        data = words.frame(part.start, end - part.start)
        if [crc32(body) for (body,) in cut.iter_unpack(data)] != stored:
            return False
    return True


def remove_rows(block: Block, positions: Sequence[int]) -> tuple[list[Block], list[int]]:
    """Leave out the rows at `positions`; give what is left as blocks, and those that were there."""
    every = block.all_positions()
    gone = np.isin(every, np.array(positions, np.int64)) if len(positions) else np.zeros(block.count, np.bool_)
    if not bool(gone.any()):
        return [block], []
    sids = np.full(block.count, block.sid, np.uint16) if block.sids is None else block.sids
    kept = mixed(every[~gone], sids[~gone])
    return ([kept] if kept.count else []), [int(p) for p in every[gone]]


def _sound_rows(words: Words, positions: NDArray[np.int64], width: int) -> NDArray[np.bool_]:
    """Tell for frames of `width` words whether their CRC fits, some megabytes at a time."""
    size = width * frames.WORD
    cut = struct.Struct(f"<4x{size - 4}s")
    crc32 = zlib.crc32
    sound = np.empty(len(positions), np.bool_)
    batch = max(1, _CHECK_BYTES // size)
    for first in range(0, len(positions), batch):
        some = positions[first : first + batch]
        start, end = int(some[0]), int(some[-1]) + width
        if end - start == len(some) * width:
            data: memoryview | bytes = words.frame(start, end - start)
        else:
            data = words.i64[some[:, None] + np.arange(width)].tobytes()
        computed = np.array([crc32(body) for (body,) in cut.iter_unpack(data)], np.uint32)
        sound[first : first + batch] = computed == words.u32[2 * some]
    return sound
