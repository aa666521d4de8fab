"""The folders in which W&B keeps one run: one for each time that somebody began or went on to write it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import Factory, define

from neural_core.errors import DamagedError
from neural_wandb.names import FIGURES
from neural_wandb.points import Known, point_of
from neural_wandb.run_log import RunLog

__all__ = ["Kept", "find_segments", "look_into"]

_FOLDERS = ("wandb", ".wandb")


@define
class Kept:
    """What the segments of a run hold that may be told again.

    Attributes:
        rows: rows.
        artifacts: (name, version, SHA-256) of artifacts.
        figures: (name, SHA-256) of figures.
        count: W&B's count for the next row.
    """

    rows: Known = Factory(Known)
    artifacts: set[tuple[str, int | None, str]] = Factory(set)
    figures: set[tuple[str, str]] = Factory(set)
    count: int = 0


def find_segments(folder: Path, run_id: str, project: str, entity: str) -> list[Path]:
    """Give the files of a run of a project, in the order of their making."""
    files = [file for name in _FOLDERS for file in (folder / name).glob(f"*run-*/run-{run_id}.wandb")]
    ours = [file for file in files if _project_of(file) == (project, entity)]
    return sorted(ours, key=lambda file: (file.parent.name.removeprefix("offline-"), file))


def _project_of(file: Path) -> tuple[str, str] | None:
    with contextlib.suppress(DamagedError, FileNotFoundError), RunLog(file) as log:
        for record in log.records(recover=True):
            if record.WhichOneof("record_type") == "run":
                return record.run.project, record.run.entity
    return None


def look_into(segments: Iterable[Path], read: Mapping[str, int]) -> Kept:
    """Read what is in segments after what was told up to a bookmark.

    Args:
        segments: the files.
        read: name of a segment's folder → byte up to which all of it was told; others are read from their beginning.
    """
    kept = Kept()
    for file in segments:
        with contextlib.suppress(DamagedError, FileNotFoundError), RunLog(file, read.get(file.parent.name, 0)) as log:
            _look(log, kept)
    return kept


def _look(log: RunLog, kept: Kept) -> None:
    for record in log.records(recover=True):
        match record.WhichOneof("record_type"):
            case "history":
                point = point_of(record.history)
                kept.count = max(kept.count, (point.count or 0) + 1)
                if point.values:
                    kept.rows.add(point)
                kept.figures |= {
                    (str(value.get("caption")), str(value.get("sha256")))
                    for name, value in point.others.items()
                    if isinstance(value, dict) and name.startswith(FIGURES)
                }
            case "artifact":
                about = json.loads(record.artifact.metadata or "{}")
                kept.artifacts.add((str(about.get("name")), about.get("version"), str(about.get("sha256"))))
