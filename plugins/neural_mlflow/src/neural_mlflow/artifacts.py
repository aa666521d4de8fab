"""Artifacts: where each stands below a run, and the tags that say what it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from neural_core.records import ArtifactVersion
from neural_mlflow.texts import OLDEST, artifact_segment, key_of

if TYPE_CHECKING:
    from neural_mlflow.run import MlflowRun

__all__ = ["ARTIFACT", "DOCUMENT", "SHA256", "folder_of", "store"]

ARTIFACT, SHA256 = "neural.artifact.", "neural.sha256."
OURS = ("models", "plots", "neural")
"""Folders of ours below the run."""
UNVERSIONED = "latest"
DOCUMENT = "document"
"""What is too long for a tag stands whole in an artifact, and in the tag, under this word, where that is."""


def store(run: MlflowRun, artifact: ArtifactVersion) -> set[str]:
    """Store an artifact and say its checksum; one that is there already is left alone.

    Returns:
        What had to be done: ``gone`` when its bytes are no longer in the experiment, so that only its tags are
        written; ``renamed`` when files in a folder were; ``long`` when a tag does not hold what is said of it.

    Raises:
        RefusedError: MLflow, or where it keeps artifacts, did not take it.
    """
    called = artifact.artifact_name + ("" if artifact.version is None else f".v{artifact.version}")
    sha256, about = (key_of(f"{kind}{called}", run.limits, run.beside(run.tags)) for kind in (SHA256, ARTIFACT))
    if run.tags.get(sha256) == artifact.checksum:
        return set()
    is_there = artifact.path.exists()
    path, renamed = _upload(run, artifact) if is_there else (None, {})
    description = {
        "name": artifact.artifact_name,
        "version": artifact.version,
        "kind": artifact.kind,
        "path": path,
        "size": artifact.size,
        "metadata": dict(artifact.metadata),
        **({"renamed": renamed} if renamed else {}),
    }
    text = json.dumps(description, default=str)
    is_long = len(text) > OLDEST.tag
    if is_long:
        document = f"neural/artifacts/{artifact_segment(about)}.json"
        run.store_text(text, document)
        text = json.dumps({DOCUMENT: document})
    run.set_tags({about: text, sha256: artifact.checksum})
    return {kind for kind, so in (("gone", not is_there), ("renamed", renamed), ("long", is_long)) if so}


def _upload(run: MlflowRun, artifact: ArtifactVersion) -> tuple[str, dict[str, str]]:
    """Give where it is now, and new → own name of files in it that had to be renamed."""
    folder = folder_of(artifact)
    if artifact.is_tree:
        return folder, run.store_tree(artifact.path, folder)
    return run.store_file(artifact.path, folder, artifact_segment(_file_name(artifact))), {}


def _file_name(artifact: ArtifactVersion) -> str:
    """Give the name of the file: of a figure its own, so that it is shown by it, of others that of the stored copy."""
    name, suffix = artifact.artifact_name, artifact.path.suffix
    if artifact.kind != "figure":
        return artifact.path.name
    return name if name.lower().endswith(suffix) else f"{name}{suffix}"


def folder_of(artifact: ArtifactVersion) -> str:
    """Give the folder of an artifact below the run, which no other has: figures in ``plots``, all others by version.

    What has no version is in a folder, too: its files could have the name of an artifact ``<name>/<file>``.
    """
    if artifact.kind == "figure":
        return "plots"
    own, *below = (artifact_segment(part) for part in artifact.artifact_name.split("/"))
    first = ["models", own] if artifact.kind == "model" else [f"user.{own}" if own in OURS else own]
    return "/".join([*first, *below, UNVERSIONED if artifact.version is None else f"v{artifact.version}"])
