"""Weights & Biases, offline, by the calls of its documentation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.peers.clients import base

_BLOCK, _HEAD, _FILE_HEAD = 32_768, 7, 7
_FULL, _FIRST, _LAST = 1, 2, 4


class Client(base.Client):
    """Runs in ./wandb."""

    without: ClassVar = dict.fromkeys(("read", "listed"), "an offline run has no reader: it is sent to a server first")

    def load(self) -> None:
        """Import it."""
        base.tool("wandb")

    def start(self, name: str) -> base.Log:
        """Begin a run."""
        self._run = base.tool("wandb").init(project="bench", name=name, mode="offline")
        return lambda metrics, step: self._run.log(metrics, step=step)

    def finish(self) -> None:
        """Finish it."""
        self._run.finish()

    def found(self) -> list[int]:
        """Take the steps from the only run's file: a log of LevelDB's format with protocol buffers of W&B's own."""
        (path,) = Path("wandb").glob("*run-*/*.wandb")
        records = map(base.tool("wandb.proto.wandb_internal_pb2").Record.FromString, _records(path.read_bytes()))
        return [_step(record) for record in records if record.WhichOneof("record_type") == "history"]

    def store(self, path: str) -> None:
        """Log an artifact with this one file."""
        self._run.log_artifact(path, name="checkpoint", type="model")


def _step(record: Any) -> int:
    items = record.history.item
    return next(int(json.loads(item.value_json)) for item in items if "_step" in (item.key, *item.nested_key))


def _records(content: bytes) -> Iterator[bytes]:
    """Give the whole records of a log; the last may be cut."""
    place, parts = _FILE_HEAD, b""
    while place + _HEAD <= len(content):
        if _BLOCK - place % _BLOCK < _HEAD:
            place += _BLOCK - place % _BLOCK
            continue
        length, kind = int.from_bytes(content[place + 4 : place + 6], "little"), content[place + 6]
        part = content[place + _HEAD : place + _HEAD + length]
        if not kind or len(part) < length:
            return
        parts = part if kind in (_FULL, _FIRST) else parts + part
        place += _HEAD + length
        if kind in (_FULL, _LAST):
            yield parts
