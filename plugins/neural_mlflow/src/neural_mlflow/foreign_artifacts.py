"""The artifacts of a foreign run that lie on this machine; others are counted."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import urlsplit

from attrs import frozen

from neural_core.errors import ArtifactError
from neural_core.importing import ImportTarget
from neural_mlflow.artifacts import ARTIFACT, DOCUMENT
from neural_mlflow.finding import UID
from neural_mlflow.place import path_in
from neural_mlflow.sdk import RefusedError, spoken

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

    from neural_mlflow.place import Place

__all__ = ["Artifacts"]

OWN_FOLDER = "neural"
Kind = Literal["file", "model", "figure"]


@frozen
class _Artifact:
    path: Path
    name: str
    kind: Kind = "file"
    metadata: Mapping[str, Any] | None = None


@frozen
class Artifacts:
    """What a run has stored.

    Attributes:
        folder: where it lies, None when it does not lie here.
        tags: of the run; those of neural say what is what.
        remote: how many files and folders lie elsewhere.
        listed: name, size and time of every file: changes when one does.
    """

    folder: Path | None
    tags: Mapping[str, str]
    remote: int
    listed: list[tuple[str, int, int]]

    @classmethod
    def of(cls, client: MlflowClient, place: Place, run: Run) -> Artifacts:
        """Look where they are."""
        folder = next((folder.resolve() for folder in _candidates(place, run) if folder.is_dir()), None)
        tags = dict(run.data.tags)
        if folder is not None:
            return cls(folder, tags, 0, sorted(_listed(folder)))
        if run.info.artifact_uri.startswith(("file:", "/")):  # nobody but the tags knows what was there
            return cls(None, tags, sum(key.startswith(ARTIFACT) for key in tags) if UID in tags else 0, [])
        return cls(None, tags, _count(client, place, run), [])

    def document(self, path: str) -> dict[str, Any]:
        """Give a JSON document that neural stored with a run of its own; {} when there is none."""
        if self.folder is not None and UID in self.tags:
            with contextlib.suppress(OSError, ValueError):
                place = (self.folder / path).resolve()
                content = json.loads(place.read_bytes()) if place.is_relative_to(self.folder) else {}
                return content if isinstance(content, dict) else {}
        return {}

    def write_to(self, target: ImportTarget) -> None:
        """Store every artifact; what cannot be read is counted, as is what lies elsewhere."""
        if self.remote:
            target.leave_out("artifacts that lie elsewhere", self.remote)
        for artifact in self._all():
            try:
                target.log_artifact(artifact.path, artifact.name, kind=artifact.kind, metadata=artifact.metadata)
            except (ArtifactError, OSError):
                target.leave_out("artifacts that cannot be read")

    def _all(self) -> Iterator[_Artifact]:
        if self.folder is None:
            return
        known = list(self._known(self.folder)) if UID in self.tags else []
        yield from known
        covered = {artifact.path.relative_to(self.folder).parts[0] for artifact in known}
        if UID in self.tags:
            covered.add(OWN_FOLDER)
        for path in sorted(self.folder.iterdir()):
            if path.name not in covered:
                is_model = (path / "MLmodel").is_file()
                yield _Artifact(path, path.name, "model" if is_model else "file")

    def _known(self, folder: Path) -> Iterator[_Artifact]:
        """Give what neural stored, each version by its name, in the order of the versions."""
        found = []
        for key, text in self.tags.items():
            if key.startswith(ARTIFACT):
                with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):  # a tag may hold anything
                    said = json.loads(text)
                    said |= self.document(said.get(DOCUMENT, ""))
                    path, name, version = (folder / str(said["path"])).resolve(), str(said["name"]), said["version"]
                    if folder in path.parents and said["kind"] in get_args(Kind):
                        order = (name, version is None, int(version or 0))
                        about = dict(said.get("metadata") or {})
                        found.append((order, _Artifact(path, name, said["kind"], about)))
        for _, artifact in sorted(found, key=lambda pair: pair[0]):
            yield artifact


def _candidates(place: Place, run: Run) -> Iterator[Path]:
    """Give where the artifacts may lie: where MLflow says, or beside a store that was moved here as a whole."""
    uri, ids = run.info.artifact_uri or "", (run.info.experiment_id, run.info.run_id, "artifacts")
    scheme, path = urlsplit(uri).scheme, path_in(uri)
    if scheme == "file" or uri.startswith("/"):
        yield Path(path)
    if place.folder is not None:
        yield place.folder.joinpath(*ids)
    if place.database is not None:
        beside = place.database.parent
        if scheme == "mlflow-artifacts":
            yield beside / "mlartifacts" / path.lstrip("/")
        yield beside.joinpath(*Path(path).parts[-4:])  # mlartifacts/<name>/<run>/artifacts
        yield beside.joinpath("mlruns", *ids)


def _listed(folder: Path) -> Iterator[tuple[str, int, int]]:
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            if path.is_file():
                about = path.stat()
                yield path.relative_to(folder).as_posix(), about.st_size, about.st_mtime_ns


def _count(client: MlflowClient, place: Place, run: Run) -> int:
    """Count files and folders that lie elsewhere; a store that cannot be asked counts as one."""
    try:
        with spoken(place):
            return len(client.list_artifacts(run.info.run_id))
    except RefusedError:
        return 1
