"""The event files of one experiment: ``<log folder>/<experiment>/<id>/events.out.tfevents.<start>.neural.<uid>.<n>``.

Number 0000 describes the experiment and is brought up to date; the numbers from 0001 on are only appended to. The order
matters: TensorBoard reads the files of a folder by name, and keeps what it reads first of each description.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neural_core.records import Experiment
from neural_tensorboard._names import folder_name
from neural_tensorboard._records import append, read_records, replace
from neural_tensorboard._telling import tell_once

__all__ = ["EventStream", "RunFiles", "unix_seconds"]


def unix_seconds(time: str | None) -> float:
    """Give a time of a record as Unix seconds; 0.0 when there is none, or none that can be read."""
    try:
        moment = datetime.fromisoformat(time or "")
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class RunFiles:
    """Where the event files of one experiment are; those of others in the same folder are never touched.

    Attributes:
        folder: the folder that TensorBoard takes for the run. It stays the same when the experiment is renamed.
    """

    def __init__(self, log_dir: Path, experiment: Experiment) -> None:
        uid, run = folder_name(experiment.uid), folder_name(experiment.experiment_id)
        found = sorted(log_dir.glob(f"*/{glob.escape(run)}/events.out.tfevents.*.neural.{glob.escape(uid)}.[0-9]*"))
        self.folder = found[0].parent if found else log_dir / _folder_of(experiment.name) / run
        begin = max(0, int(unix_seconds(experiment.start_time)))
        self._held: list[bytes | None] | None = None
        self._stem = found[0].stem if found else f"events.out.tfevents.{begin:010d}.neural.{uid}"

    def path(self, number: int) -> Path:
        """Give the file of a number."""
        return self.folder / f"{self._stem}.{number:04d}"

    def streams(self) -> list[int]:
        """Give the numbers of the files from 0001 on that are there."""
        suffixes = [path.suffix[1:] for path in self.folder.glob(f"{glob.escape(self._stem)}.*")]
        return sorted(int(suffix) for suffix in suffixes if suffix.isdecimal() and int(suffix) > 0)

    def describe(self, records: Sequence[bytes]) -> None:
        """Make file 0000 hold exactly these records.

        What is only new is appended, since a TensorBoard that runs reads on where it was. A description that changed
        takes the place of the file: of two under one name TensorBoard would show the older one.

        Raises:
            OSError: the disk refuses.
        """
        path = self.path(0)
        held = self._held_by(path)
        self._held = None  # to be read again when the disk refuses
        more = [record for record in records if record not in held]
        if not held or any(record not in records for record in held):
            replace(path, records)
            held, more = [], list(records)
        elif more:
            append(path, path.stat().st_size, more)
        self._held = [*held, *more]

    def _held_by(self, path: Path) -> list[bytes | None]:
        """Give the records of file 0000, None for a damaged one. Reading is slow, so they are kept in mind."""
        if not path.exists():
            return []
        return list(read_records(path)) if self._held is None else self._held


def _folder_of(name: str) -> str:
    folder = folder_name(name)
    if folder != name:
        tell_once(f"name {name}", f"experiments called {name!r:.80} are in the folder {folder!r}")
    return folder


class EventStream:
    """The file that events are appended to, up to a known length.

    Attributes:
        files: of the experiment.
        number: of the file.
        length: bytes that count; what stands behind them is left from a write that failed.
    """

    def __init__(self, files: RunFiles, begin: bytes, bookmark: Mapping[str, Any] | None) -> None:
        """Cut off what stands behind a bookmark, all there is for an empty one; without one begin another file.

        Args:
            files: of the experiment.
            begin: the first record of every file.
            bookmark: as `bookmark` gave it.

        Raises:
            OSError: the disk refuses.
        """
        self.files = files
        self._begin = begin
        there = files.streams()
        if bookmark is None:
            self.number, self.length = max(there, default=0) + 1, 0
            return
        self.number, self.length = int(bookmark.get("file", 1)), int(bookmark.get("length", 0))
        for number in there:
            path = files.path(number)
            if number > self.number or (number == self.number and self.length == 0):
                path.unlink()
            elif number == self.number and path.stat().st_size > self.length:
                os.truncate(path, self.length)

    def bookmark(self) -> dict[str, int]:
        """Say where the next event goes."""
        return {"file": self.number, "length": self.length}

    def append(self, records: Sequence[bytes]) -> None:
        """Write records; they are on the disk when this returns.

        Raises:
            OSError: the disk refuses; calling again with the same records is right.
        """
        try:
            self._write(records)
        except FileNotFoundError:
            if self.length == 0:
                raise
            sentence = f"somebody removed or shortened {self.files.path(self.number)}: it goes on in another file there"
            tell_once(f"removed {self.files.folder}", sentence)
            self.number, self.length = self.number + 1, 0
            self._write(records)

    def _write(self, records: Sequence[bytes]) -> None:
        more = records if self.length else [self._begin, *records]
        self.length = append(self.files.path(self.number), self.length, more)
