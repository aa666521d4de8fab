"""The order of rows of several parts.

Parts of one writer follow each other by number. Owners (the constructor, later a resume) follow each other by epoch:
a clock that jumps back cannot shuffle them. Everybody else (other ranks, forked children) wrote beside them: their
rows are put in by time, without ever changing the order within one writer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from neural_core._storage.journal.part import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["epoch_of", "merge_order", "rank_of", "streams_of"]


def _integer(part: Part, key: str) -> int:
    value = part.header.get(key)
    return value if isinstance(value, int) else 0


def epoch_of(part: Part) -> int:
    """Give the epoch of the session that wrote a part."""
    return _integer(part, "epoch")


def rank_of(part: Part) -> int:
    """Give the rank of the process that wrote a part."""
    return _integer(part, "rank")


def _writer_of(part: Part) -> str:
    return part.stem.rpartition("-")[0] or part.stem


def streams_of(parts: Iterable[Part]) -> list[list[Part]]:
    """Give the parts as streams, each in its order; the streams by epoch and name."""
    streams: dict[tuple[int, str], list[Part]] = {}
    for part in sorted(parts, key=lambda part: (epoch_of(part), _writer_of(part), _integer(part, "part"), part.stem)):
        owner = part.header.get("session") == "owner"
        key = (0, f"owner-{rank_of(part)}") if owner else (epoch_of(part), _writer_of(part))
        streams.setdefault(key, []).append(part)
    return list(streams.values())


def merge_order(
    streams: Sequence[Sequence[Part]], times: Callable[[Part], NDArray[np.float64]]
) -> NDArray[np.intp] | None:
    """Give the order of all rows, counted stream by stream; None when they stand in order already.

    Args:
        streams: as `streams_of` gives them.
        times: the times of a part's rows.
    """
    filled = [stream for stream in streams if any(part.rows for part in stream)]
    if len(filled) < 2:
        return None
    keys = []
    for stream in filled:
        joined = np.concatenate([np.empty(0), *(times(part) for part in stream)])
        if len(joined):
            # Within a writer the order of calls holds, whatever the clock did.
            keys.append(np.maximum.accumulate(joined))
    if len(keys) < 2:
        return None
    return np.argsort(np.concatenate(keys), kind="stable")
