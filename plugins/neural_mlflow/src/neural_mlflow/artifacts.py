"""Artifacts: where each stands below a run, and the tags that say what it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from neural_core.records import ArtifactVersion
from neural_mlflow.texts import Limits, artifact_segment, clean, key_of

if TYPE_CHECKING:
    from neural_mlflow.run import MlflowRun, Said

__all__ = ["ARTIFACT", "SHA256", "folder_of", "store"]

ARTIFACT, SHA256 = "neural.artifact.", "neural.sha256."


def store(run: MlflowRun, artifact: ArtifactVersion) -> bool:
    """Store an artifact and say its checksum; one that is there already is left alone.

    Returns:
        False when its bytes are no longer in the experiment, so that only its tags are written.

    Raises:
        RefusedError: MLflow, or where it keeps artifacts, did not take it.
    """
    called = artifact.artifact_name + ("" if artifact.version is None else f".v{artifact.version}")
    sha256, about = key_of(f"{SHA256}{called}", run.limits), key_of(f"{ARTIFACT}{called}", run.limits)
    if run.tags.get(sha256) == artifact.checksum:
        return True
    is_there = artifact.path.exists()
    path = _upload(run, artifact) if is_there else None
    description = {
        "name": artifact.artifact_name,
        "version": artifact.version,
        "kind": artifact.kind,
        "path": path,
        "size": artifact.size,
    }

    def make(limits: Limits) -> Said:
        whole = clean(json.dumps({**description, "metadata": dict(artifact.metadata)}, default=str))
        text = whole if len(whole) <= limits.tag else clean(json.dumps(description))
        return {}, {about: text[: limits.tag], sha256: artifact.checksum}

    run.say(make)
    return is_there


def _upload(run: MlflowRun, artifact: ArtifactVersion) -> str:
    folder = folder_of(artifact)
    if not artifact.is_tree:
        return run.store_file(artifact.path, folder)
    run.store_tree(artifact.path, folder)
    return folder


def folder_of(artifact: ArtifactVersion) -> str:
    """Give the folder of an artifact below the run: figures in ``plots``, models in ``models``, all by version."""
    if artifact.kind == "figure":
        return "plots"
    name = "/".join(artifact_segment(part) for part in artifact.artifact_name.split("/"))
    parts = ["models"] if artifact.kind == "model" else []
    return "/".join([*parts, name, *([] if artifact.version is None else [f"v{artifact.version}"])])
