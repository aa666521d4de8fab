"""The trash: deleting is a move inside the base folder, by exact id, never of an experiment in use."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from neural_core._storage.experiment.overview import RowReader
from neural_core._storage.folder import TRASH, experiment_folders
from neural_core._storage.index.base_index import Index
from neural_core._storage.index.find import refuse_live
from neural_core.errors import AmbiguousExperimentError, ArgumentTypeError, ExperimentInUseError

__all__ = ["bring_back", "move_from_trash", "move_to_trash", "throw_away"]

_MIN_ID = 4


def move_to_trash(index: Index, base_dir: Path, experiment_id: str) -> bool:
    """Move the experiment with exactly this id to the trash; False when there is none.

    Raises:
        ExperimentInUseError: its writer is alive.
        AmbiguousExperimentError: the id is that of several experiments.
    """
    if not isinstance(experiment_id, str):
        raise ArgumentTypeError(f"experiment_id is text, not {type(experiment_id).__name__}")
    if len(experiment_id) < _MIN_ID:
        return False
    found = [row.folder for row in index.find(experiment_id) if experiment_id in (row.experiment_id, row.uid)]
    directory = _only(base_dir, found, experiment_id)
    if directory is None or directory.is_symlink():
        return False
    throw_away(base_dir, directory)
    return True


def throw_away(base_dir: Path, directory: Path) -> None:
    """Move an experiment's folder to the trash.

    Raises:
        ExperimentInUseError: its writer is alive.
    """
    refuse_live(directory, "Nothing was deleted: stop it first, or wait for its end.")
    trash = base_dir / TRASH
    trash.mkdir(exist_ok=True)
    directory.rename(_free(trash / directory.name))


def move_from_trash(base_dir: Path, experiment_id: str) -> bool:
    """Move the experiment with exactly this id back; False when it is not in the trash.

    Raises:
        ExperimentInUseError: a folder of its name is there already.
        AmbiguousExperimentError: the id is that of several experiments in the trash.
    """
    trash = base_dir / TRASH
    rows = {path.name: RowReader(path).read() for path in experiment_folders(trash)}
    found = [name for name, row in rows.items() if experiment_id in (row.experiment_id, row.uid)]
    directory = _only(trash, found, experiment_id)
    if directory is None:
        return False
    bring_back(base_dir, directory)
    return True


def bring_back(base_dir: Path, directory: Path) -> None:
    """Move an experiment's folder from the trash back.

    Raises:
        ExperimentInUseError: a folder of its name is there already.
    """
    if (base_dir / directory.name).exists():
        raise ExperimentInUseError(f"{base_dir / directory.name} is there already: nothing was restored")
    directory.rename(base_dir / directory.name)
    with contextlib.suppress(OSError):
        os.rmdir(base_dir / TRASH)  # noqa: PTH106 - only an empty folder goes


def _only(base_dir: Path, found: list[str], experiment_id: str) -> Path | None:
    if len(found) > 1:
        raise AmbiguousExperimentError(
            f"{experiment_id!r} is the id of {len(found)} folders of {base_dir}: {', '.join(found)}. "
            "Move by hand the one that is meant",
            found,
        )
    return base_dir / found[0] if found else None


def _free(path: Path) -> Path:
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}.{number}")
    return free
