"""Where W&B's runs lie: files, folders of runs, folders of folders."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from neural_core.errors import ArgumentValueError, DamagedError
from neural_wandb.run_log import RunLog

__all__ = ["Found", "find_runs"]


@frozen
class Found:
    """One run.

    Attributes:
        run_id: W&B's id, of which there may be one in each `project`.
        files: its ``.wandb`` files, in the order in which they were begun.
    """

    run_id: str
    project: str
    files: tuple[Path, ...]

    @property
    def source(self) -> str:
        """Name it for ever: the folder of folders that it lies in, its project and its id."""
        return f"wandb {self.files[0].parent.parent} {self.project}/{self.run_id}"

    @property
    def state(self) -> str:
        """Tell one state of it from another: the sizes of its files, which only grow, and when they last did."""
        stats = [(file.parent.name, file.stat()) for file in self.files]
        return " ".join(f"{name}:{stat.st_size}:{stat.st_mtime_ns}" for name, stat in stats)


def find_runs(source: str | os.PathLike[str]) -> tuple[list[Found], list[tuple[Path, Exception]]]:
    """Find the runs of a ``.wandb`` file, of a run's folder, of a folder ``wandb``, or of the folder that it is in.

    Returns:
        The runs, those begun first first; and the files that cannot be read, with the reasons.

    Raises:
        ArgumentValueError: there is no ``.wandb`` file.
    """
    place = Path(source).expanduser()
    files = _files(place)
    if not files:
        raise ArgumentValueError(f"{place} is no .wandb file, no folder of a run, and no folder with folders of runs")
    runs: dict[tuple[Path, str, str], list[tuple[float, Path]]] = {}
    unread: list[tuple[Path, Exception]] = []
    for file in files:
        try:
            run_id, project, started = _begin_of(file)
        except (DamagedError, OSError) as error:
            unread.append((file, error))
            continue
        runs.setdefault((file.parent.parent, run_id, project), []).append((started, file))
    ordered = sorted(runs.items(), key=lambda item: min(item[1]))
    return [Found(*names[1:], tuple(file for _, file in sorted(begun))) for names, begun in ordered], unread


def _files(place: Path) -> list[Path]:
    """Give each file once: ``latest-run`` is another name of one of the folders."""
    if place.suffix == ".wandb" and not place.is_dir():
        return [place.resolve()] if place.is_file() else []
    patterns = ("*.wandb", "*/*.wandb", "wandb/*/*.wandb", ".wandb/*/*.wandb")
    return next((found for pattern in patterns if (found := _unique(place.glob(pattern)))), [])


def _unique(files: Iterable[Path]) -> list[Path]:
    return sorted({file.resolve() for file in files if file.is_file()})


def _begin_of(file: Path) -> tuple[str, str, float]:
    """Give id, project and start of the run that a file says it is of.

    Raises:
        DamagedError: it says none.
    """
    with RunLog(file) as log:
        for record in log.records(recover=True):
            if record.WhichOneof("record_type") == "run":
                run = record.run
                return str(run.run_id), str(run.project), run.start_time.seconds + run.start_time.nanos / 1e9
    raise DamagedError(f"{file} does not say which run it is of")
