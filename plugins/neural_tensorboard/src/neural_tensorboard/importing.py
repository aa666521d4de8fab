"""``neural import tensorboard SOURCE``: bring in runs from event files, whoever wrote them.

Each folder that holds event files is a run, as TensorBoard has it. SOURCE is such a folder, a tree of them, or a file.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from neural_core.errors import ArgumentValueError
from neural_core.importing import ForeignRun, ImportTarget, import_command
from neural_tensorboard._installed import require_tensorboard
from neural_tensorboard._telling import tell_once

if TYPE_CHECKING:
    from tensorboard.compat.proto.event_pb2 import Event

__all__ = ["TensorBoardRun", "command", "read"]

_MARK = "tfevents"
_FIRST_EVENTS = 8
"""How many events of each file are looked at for a run's name and start: in files of ours, both stand there."""


@frozen
class TensorBoardRun(ForeignRun):
    """The event files of one folder.

    Attributes:
        files: in the order in which TensorBoard reads them.
    """

    files: Sequence[Path] = ()

    def write_to(self, target: ImportTarget) -> None:
        """Log everything that the files hold.

        Raises:
            OSError: a file cannot be read.
        """
        from neural_tensorboard._reading import RunReader

        with RunReader(target) as reader:
            for file in self.files:
                reader.read(file)
            reader.end()


def read(source: str) -> Iterable[ForeignRun]:
    """Find the runs of a file, a folder or a tree of folders.

    Raises:
        ArgumentValueError: there are no event files.
        NotInstalledError: TensorBoard is missing.
    """
    require_tensorboard()
    root = Path(source).expanduser().resolve()
    if not root.exists():
        raise ArgumentValueError(f"{source}: there is no such file or folder")
    if root.is_file() and next(_events(root), None) is None:
        raise ArgumentValueError(f"{source}: no event file of TensorBoard, nothing in it is an event")
    places = [(root, [root])] if root.is_file() else list(_folders(root))
    if not places:
        raise ArgumentValueError(f"{source}: no event files of TensorBoard, which have {_MARK!r} in their names")
    return (_run(place, files, root) for place, files in places)


def _events(file: Path) -> Iterator[Event]:
    """Give those records of a file that are events."""
    from neural_tensorboard._records import read_records
    from neural_tensorboard._values import parsed

    return (event for event in map(parsed, read_records(file)) if event is not None)


def _folders(root: Path) -> Iterator[tuple[Path, list[Path]]]:
    """Give the folders with event files. Links are followed, as TensorBoard does, but each folder is taken once."""
    seen = set()
    for folder, folders, names in os.walk(root, onerror=_tell_unreadable, followlinks=True):
        real = Path(folder).resolve()
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        paths = [Path(folder, name) for name in sorted(names) if _MARK in name]
        if files := [path for path in paths if path.is_file()]:  # a pipe would never end
            yield Path(folder), files


def _tell_unreadable(error: OSError) -> None:
    tell_once(str(error), f"a folder is left out: {error}")


def _run(place: Path, files: Sequence[Path], root: Path) -> TensorBoardRun:
    name, start = _name_and_start(files)
    name = name or (place.name if place == root else str(place.relative_to(root))) or "tensorboard"
    return TensorBoardRun(f"tensorboard:{place.resolve()}", name, _fingerprint(files), start, files)


def _name_and_start(files: Sequence[Path]) -> tuple[str | None, float | None]:
    from neural_tensorboard._values import name_of

    name, times = None, []
    for file in files:
        with contextlib.suppress(OSError):  # whoever reads it all is told
            for event in itertools.islice(_events(file), _FIRST_EVENTS):
                times.append(event.wall_time)
                name = name or name_of(event)
    return name, min(filter(None, times), default=None)


def _fingerprint(files: Sequence[Path]) -> str:
    """Give text that changes when a file is added, grows or is written again."""
    facts = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hashlib.sha256(repr(facts).encode("utf-8", "surrogatepass")).hexdigest()


command = import_command(
    "tensorboard",
    read,
    help="Bring in TensorBoard runs. SOURCE is an event file, a run's folder or a log folder: each folder that holds "
    "event files becomes an experiment, with its scalars, hyperparameters, images and times.",
)
