"""CRC-32 of many ranges of one buffer that overlap, each byte looked at once.

Behind damage any word may look like the beginning of a frame of up to half a megabyte. To check such places one by one
takes hours in a file of some hundred megabytes; a CRC that is carried along, and subtracted, takes seconds:
``crc(A + B) == follow(crc(A), len(B)) ^ crc(B)``, where ``follow`` lets so many zero bytes follow and is linear.
"""

from __future__ import annotations

import functools
import zlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["UNIT", "RangeCrcs"]

UNIT = 4
"""Ranges begin and end at multiples of so many bytes."""
_LENGTH_BITS = 18
"""Ranges have fewer than 2**18 units: a frame has at most 2**17."""


class RangeCrcs:
    """The CRCs of a buffer's beginnings, kept for a window that moves forward."""

    def __init__(self) -> None:
        self._first = 0
        self._carried: NDArray[np.uint32] = np.zeros(1, np.uint32)

    def of(self, buffer: memoryview, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.uint32]:
        """Give the CRC of the bytes from the `first`-th to before the `last`-th unit, for each pair.

        Args:
            buffer: the bytes; where they were covered before they are the same.
            first: cheapest when none lies before those of the call before.
            last: at least one of them, each behind its `first`.
        """
        self._cover(buffer, int(first.min()), int(last.max()))
        before, length = self._carried[first - self._first], last - first
        for bit, tables in enumerate(_followers()):
            chosen = np.flatnonzero(length >> bit & 1)
            before[chosen] = _follow(tables, before[chosen])
        return before ^ self._carried[last - self._first]

    def _cover(self, buffer: memoryview, first: int, last: int) -> None:
        """Forget what is before `first`, and carry the CRC on to `last`; begin anew where nothing was carried."""
        end = self._first + len(self._carried) - 1
        if not self._first <= first <= end:
            self._first, self._carried, end = first, np.zeros(1, np.uint32), first
        self._carried = self._carried[first - self._first :]
        self._first = first
        crc, crc32 = int(self._carried[-1]), zlib.crc32
        more = [crc := crc32(buffer[at : at + UNIT], crc) for at in range(end * UNIT, last * UNIT, UNIT)]
        self._carried = np.concatenate([self._carried, np.array(more, np.uint32)])


@functools.cache
def _followers() -> list[NDArray[np.uint32]]:
    """Give for each bit of a length the tables that let 2**bit units of zeros follow a CRC."""
    zeros = bytes(UNIT)
    by_byte = [[zlib.crc32(zeros, byte << shift) for byte in range(256)] for shift in range(0, 32, 8)]
    tables = np.array(by_byte, np.uint32) ^ np.uint32(zlib.crc32(zeros))
    found = [tables]
    for _ in range(_LENGTH_BITS - 1):
        tables = _follow(tables, tables)
        found.append(tables)
    return found


def _follow(tables: NDArray[np.uint32], crcs: NDArray[np.uint32]) -> NDArray[np.uint32]:
    followed: NDArray[np.uint32] = tables[0][crcs & 0xFF]
    for byte in (1, 2, 3):
        followed = followed ^ tables[byte][crcs >> 8 * byte & 0xFF]
    return followed
