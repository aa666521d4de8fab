"""Artifacts and figures: copies in the run's own folder, so that nothing refers to a file that may vanish."""

from __future__ import annotations

import shutil
from pathlib import Path

from neural_core.records import ArtifactVersion
from neural_wandb import sdk
from neural_wandb.mirror import Mirror
from neural_wandb.names import FIGURES, artifact_alias, artifact_name
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
    if artifact.kind == "figure" and artifact.path.suffix.lower() in _IMAGES:
        _log_figure(mirror, artifact)
    elif (artifact.artifact_name, artifact.version, artifact.checksum) not in mirror.kept.artifacts:
        _log_artifact(mirror, artifact)


def _log_figure(mirror: Mirror, artifact: ArtifactVersion) -> None:
    if (artifact.artifact_name, artifact.checksum) not in mirror.kept.figures:
        picture = sdk.image(str(artifact.path), artifact.artifact_name)
        time = unix_time(artifact.timestamp)
        mirror.log({f"{FIGURES}{artifact.artifact_name}": picture, "_timestamp": time})


def _log_artifact(mirror: Mirror, artifact: ArtifactVersion) -> None:
    name = artifact_name(artifact.artifact_name)
    made = sdk.make_artifact(
        name,
        artifact.kind,
        {
            "name": artifact.artifact_name,
            "version": artifact.version,
            "sha256": artifact.checksum,
            "size": artifact.size,
            "time": artifact.timestamp,
            "source_name": artifact.source_name,
            "is_tree": artifact.is_tree,
            "metadata": dict(artifact.metadata),
        },
    )
    alias = artifact_alias(artifact)
    copy = _copy(artifact, Path(mirror.run.settings.sync_dir, COPIES, name, alias or artifact.checksum[:16]))
    for file in sorted(copy.rglob("*")) if artifact.is_tree else [copy]:
        if file.is_file():
            inside = file.relative_to(copy).as_posix() if artifact.is_tree else file.name
            made.add_file(str(file), inside, skip_cache=True, policy="immutable")
    mirror.log_artifact(made, ["latest", *([alias] if alias else [])])


def _copy(artifact: ArtifactVersion, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    if artifact.is_tree:
        shutil.copytree(artifact.path, folder)
        return folder
    folder.mkdir(parents=True)
    name = Path(artifact.source_name or artifact.artifact_name).name or "file"
    return Path(shutil.copyfile(artifact.path, folder / name))
