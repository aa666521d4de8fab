"""The hot path of the journal: all that a ``log_metrics`` call costs a training loop."""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from neural_core.records import NO_STEP

__all__ = ["Entry", "durable_path", "hot_path"]

Entry = tuple[Callable[..., bytes], int, int, int]
"""What the hot path knows of a tuple of names: packer of the row, its head, descriptor, bytes of the frame."""


def hot_path(
    entries: Mapping[tuple[str, ...], Entry],
    slow: Callable[[Any, Any, int | None, BaseException | None], None],
) -> Callable[..., None]:
    """Give ``log_metrics(metrics, step=None)``.

    Args:
        entries: names → entry; emptied by others whenever the calls have to go through `slow`.
        slow: ``slow(metrics, step, descriptor, error)``, called with what failed: a descriptor without an error
            is a short write.
    """
    write, now, crc32, crc, no_step = os.write, time.time, zlib.crc32, struct.Struct("<I").pack, NO_STEP

    def log_metrics(metrics: Any, step: Any = None) -> None:
        descriptor = None
        try:
            pack, head, descriptor, size = entries[tuple(metrics)]
            if step is None:
                step = no_step
            elif step == no_step:
                raise ValueError  # this one number stands for "no step"
            body = pack(head, step, now(), *metrics.values())
            if write(descriptor, crc(crc32(body)) + body) == size:
                return
        except Exception as error:  # noqa: BLE001 - a value's own __float__ may raise anything; _slow judges it again
            failure: BaseException | None = error
        else:
            failure = None
        slow(metrics, None if step is no_step else step, descriptor, failure)

    return log_metrics


def durable_path(
    log: Callable[..., None], entries: Mapping[tuple[str, ...], Entry], fsync: Callable[[int], None]
) -> Callable[..., None]:
    """Give `log` with a wait for the disk on every call."""

    def log_metrics(metrics: Any, step: Any = None) -> None:
        log(metrics, step)
        entry = entries.get(tuple(metrics))
        if entry is not None:
            fsync(entry[2])

    return log_metrics
