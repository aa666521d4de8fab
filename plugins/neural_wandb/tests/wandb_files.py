"""What these tests share: runs as they stand in W&B's files, read with W&B's own records.

W&B's reader of these files is in its service; test_mirror.py lets it print them, test_server.py send them to a server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neural_wandb.names import RUN, STEP
from neural_wandb.run_log import RunLog
from wandb.proto.wandb_internal_pb2 import Record


class Written:
    """The folders of one run, in order.

    Attributes:
        records: of every kind, in order.
        history: name → JSON value, of every row.
        config, summary: as they are at the end.
    """

    def __init__(self, folder: Path, run_id: str = "*") -> None:
        self.files = sorted(folder.glob(f"wandb/*run-*/run-{run_id}.wandb"), key=lambda file: file.parent.name)
        self.records = [record for file in self.files for record in _records(file)]
        self.history = [_items(record.history.item) for record in self._of("history")]
        self.config: dict[str, Any] = {}
        self.summary: dict[str, Any] = {}
        for record in self.records:
            kind = record.WhichOneof("record_type")
            if kind == "config":
                self.config |= _items(record.config.update)
            elif kind == "summary":
                self.summary |= _items(record.summary.update)

    def _of(self, kind: str) -> Iterator[Record]:
        return (record for record in self.records if record.WhichOneof("record_type") == kind)

    def points(self, name: str | None = None) -> list[tuple[str, int | None, float]]:
        """Metric, step and value of every number, without W&B's own."""
        return [
            (key, row.get(STEP), float(value))
            for row in self.history
            for key, value in row.items()
            if not key.startswith("_") or key.endswith("~2")
            if key != STEP and not isinstance(value, dict) and name in (None, key)
        ]

    @property
    def run(self) -> Any:
        """The last record of the run itself."""
        return [record.run for record in self._of("run")][-1]

    @property
    def artifacts(self) -> list[Any]:
        """Records of artifacts."""
        return [record.artifact for record in self._of("artifact")]

    @property
    def exit_codes(self) -> list[int]:
        """Of each end."""
        return [record.exit.exit_code for record in self._of("exit")]

    @property
    def about(self) -> dict[str, Any]:
        """What we say of the experiment."""
        return dict(self.config[RUN])


def _records(file: Path) -> list[Record]:
    with RunLog(file) as log:
        return list(log.records())


def _items(items: Any) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for item in items:
        first, *rest = item.nested_key or [item.key]
        if rest:
            said.setdefault(first, {})["/".join(rest)] = _json(item.value_json)
        else:
            said[first] = _json(item.value_json)
    return said


def _json(text: str) -> Any:
    return json.loads(text, parse_int=lambda digits: -0.0 if digits == "-0" else int(digits))
