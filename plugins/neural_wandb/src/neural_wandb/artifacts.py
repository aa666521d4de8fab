"""Artifacts and figures: copies in the run's own folder, so that nothing refers to a file that may vanish."""

from __future__ import annotations

import shutil
from pathlib import Path

from neural_core.records import ArtifactVersion
from neural_wandb import sdk
from neural_wandb.config import as_value
from neural_wandb.mirror import Mirror
from neural_wandb.names import FIGURES, artifact_alias, artifact_name, figure_name, legible
from neural_wandb.times import unix_time

__all__ = ["COPIES", "store"]

COPIES = "artifacts"
"""The folder of the copies, in the run's folder."""
_IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff"}


def store(mirror: Mirror, artifact: ArtifactVersion) -> None:
    """Log an artifact, unless a segment has it already.

    Raises:
        OSError: it cannot be copied.
    """
    if artifact.kind == "figure" and artifact.path.suffix.lower() in _IMAGES and _log_figure(mirror, artifact):
        return
    if (legible(artifact.artifact_name), artifact.version, artifact.checksum) not in mirror.kept.artifacts:
        _log_artifact(mirror, artifact)


def _log_figure(mirror: Mirror, artifact: ArtifactVersion) -> bool:
    """Log an image; tell whether it is one that W&B can read."""
    called = legible(artifact.artifact_name)
    if (called, artifact.checksum) in mirror.kept.figures:
        return True
    picture = sdk.image(str(artifact.path), called)
    if picture is None:
        return False
    name, time = figure_name(artifact.artifact_name), unix_time(artifact.timestamp)
    mirror.log({f"{FIGURES}{name}": picture, "_timestamp": time})
    return True


def _log_artifact(mirror: Mirror, artifact: ArtifactVersion) -> None:
    name = artifact_name(artifact.artifact_name)
    made = sdk.make_artifact(
        name,
        artifact.kind,
        {
            "name": legible(artifact.artifact_name),
            "version": artifact.version,
            "sha256": artifact.checksum,
            "size": artifact.size,
            "time": artifact.timestamp,
            "source_name": legible(artifact.source_name),
            "is_tree": artifact.is_tree,
            "metadata": as_value(dict(artifact.metadata)),
        },
    )
    alias = artifact_alias(artifact)
    copy = _copy(artifact, Path(mirror.run.settings.sync_dir, COPIES, name, alias or artifact.checksum[:16]))
    for file in sorted(file for file in copy.rglob("*") if file.is_file()):
        made.add_file(str(file), file.relative_to(copy).as_posix(), skip_cache=True, policy="immutable")
    mirror.log_artifact(made, ["latest", *([alias] if alias else [])])


def _copy(artifact: ArtifactVersion, folder: Path) -> Path:
    """Copy the files of an artifact, under names that W&B can keep."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if not artifact.is_tree:
        name = Path(legible(artifact.source_name or artifact.artifact_name)).name or "file"
        shutil.copyfile(artifact.path, folder / name)
        return folder
    for file in artifact.path.rglob("*"):
        if file.is_file():
            copy = folder / legible(file.relative_to(artifact.path).as_posix())
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
    return folder
