"""Take the numbers of rows out of the words of a part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from neural_core._storage.journal.blocks import STEP_AT, TIME_AT, Block, Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["gather", "positions_of", "read_run"]


def positions_of(block: Block, place: Mapping[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the positions of the rows that hold a metric, and where in each row it stands.

    Args:
        block: no run.
        place: sid → word within the row.
    """
    assert block.positions is not None
    assert block.sids is not None
    table = np.zeros(0x10000, np.int64)
    for sid, word in place.items():
        table[sid] = word
    words = table[block.sids]
    held = words > 0
    return block.positions[held], words[held]


def gather(
    words: Words, block: Block, place: Mapping[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]] | None:
    """Give ordinal, step, time and value of the rows of a block that hold a metric; None when none does.

    Args:
        words: the part.
        block: where to look.
        place: sid → word within the row.
    """
    if block.positions is None:
        word = place.get(block.sid)
        if word is None:
            return None
        at, end, width = block.start, block.start + block.count * block.width, block.width
        step, time = words.i64[at + STEP_AT : end : width], words.f64[at + TIME_AT : end : width]
        return block.all_positions(), step, time, words.f64[at + word : end : width]
    positions, value_at = positions_of(block, place)
    if not len(positions):
        return None
    return (
        positions,
        words.i64[positions + STEP_AT],
        words.f64[positions + TIME_AT],
        words.f64[positions + value_at],
    )


def read_run(
    words: Words, run: Block, count: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], list[NDArray[np.float64]]]:
    """Give steps, times and the `count` metrics of a run, as arrays of their own."""
    at, end, width = run.start, run.start + run.count * run.width, run.width
    columns = [words.f64[at + word : end : width].copy() for word in range(TIME_AT, TIME_AT + 1 + count)]
    return words.i64[at + STEP_AT : end : width].copy(), columns[0], columns[1:]
