"""One MLflow run and what is written to it: the only caller of MLflow's client."""

from __future__ import annotations

import itertools
import json
import posixpath
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from neural_mlflow.sdk import RefusedError, patient, spoken
from neural_mlflow.texts import OLDEST, Limits, short, url_segment

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Run

    from neural_mlflow.place import Place

__all__ = ["MlflowRun", "Said"]

BATCH_POINTS = 1_000
"""MLflow takes so many metrics, parameters and tags together in one request."""
BATCH_ENTRIES = 100
BATCH_BYTES = 900_000

FILES_ID_LENGTH = 18
"""MLflow draws the ids of experiments so long where they are folders; databases count."""

Said = tuple[Mapping[str, str], Mapping[str, str]]
"""Parameters and tags, key → text."""


class MlflowRun:
    """A run by its id.

    Attributes:
        run_id: MLflow's.
        metrics: the keys of those that have points, as MLflow has them.
        params: key → value, likewise.
        tags: key → text, likewise.
        limits: what it takes.
        is_files: whether points, parameters and tags are files, here or behind a server.
    """

    def __init__(self, client: MlflowClient, run: Run, place: Place, limits: Limits) -> None:
        self.place = place
        self.run_id: str = run.info.run_id
        self.metrics: set[str] = set(run.data.metrics)
        self.params: dict[str, str] = dict(run.data.params)
        self.tags: dict[str, str] = dict(run.data.tags)
        self.limits = limits
        self.is_files = place.folder is not None or len(run.info.experiment_id) == FILES_ID_LENGTH
        self._client = client

    def beside(self, *keys: Iterable[str]) -> Iterable[str]:
        """Give the keys that stand in the way of others: of files those that there are, elsewhere none."""
        return itertools.chain(*keys) if self.is_files else ()

    def say(self, make: Callable[[Limits], Said]) -> None:
        """Write parameters and tags.

        A server that refuses them as invalid may be older than the MLflow here: it gets them once more, shorter.

        Args:
            make: gives them, given what texts may be like.

        Raises:
            RefusedError: MLflow did not take them.
        """
        limits = self.limits
        try:
            self._say(*make(limits))
        except RefusedError as error:
            if not error.is_invalid or limits == OLDEST:
                raise
            self.limits = OLDEST
            try:
                self._reload()
                self._say(*make(OLDEST))
            except RefusedError:
                self.limits = limits
                raise

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Set tags, each text shortened to what a tag may be long."""
        if tags:
            self.say(lambda limits: ({}, {key: short(text, limits.tag) for key, text in tags.items()}))

    def _reload(self) -> None:
        with spoken(self.place):
            data = self._client.get_run(self.run_id).data
        self.params, self.tags = dict(data.params), dict(data.tags)

    def _say(self, params: Mapping[str, str], tags: Mapping[str, str]) -> None:
        from mlflow.entities import Param, RunTag

        for chunk in _chunks(params):
            with spoken(self.place):
                self._client.log_batch(self.run_id, params=[Param(*pair) for pair in chunk.items()], synchronous=True)
            self.params |= chunk
        for chunk in _chunks({key: text for key, text in tags.items() if self.tags.get(key) != text}):
            with spoken(self.place):
                self._client.log_batch(self.run_id, tags=[RunTag(*pair) for pair in chunk.items()], synchronous=True)
            self.tags |= chunk

    def remove_tags(self, keys: Iterable[str]) -> None:
        """Remove tags; one that is not there is none."""
        for key in keys:
            try:
                with spoken(self.place):
                    self._client.delete_tag(self.run_id, key)
            except RefusedError as error:
                if not error.is_missing:
                    raise
            self.tags.pop(key, None)

    def log_points(self, points: list[Metric], tags: Mapping[str, str]) -> None:
        """Write one request of points, and tags with it or, where they find no room, after it.

        MLflow writes the points first, so a tag stands for them.
        """
        from mlflow.entities import RunTag

        whole = len(points) + len(tags) <= BATCH_POINTS
        with spoken(self.place):
            more = [RunTag(*pair) for pair in tags.items()]
            self._client.log_batch(self.run_id, metrics=points, tags=more if whole else (), synchronous=True)
            if not whole:
                self._client.log_batch(self.run_id, tags=more, synchronous=True)
        self.tags |= tags

    def history(self, key: str) -> list[Metric]:
        """Give the points that MLflow has of a metric."""
        with spoken(self.place):
            return list(self._client.get_metric_history(self.run_id, key))

    def update(self, status: str | None = None, name: str | None = None) -> None:
        """Set status or name, or both."""
        with spoken(self.place):
            self._client.update_run(self.run_id, status=status, name=name)

    def end(self, status: str, end_time: int | None) -> None:
        """Set how and when it ended, in milliseconds."""
        with spoken(self.place):
            self._client.set_terminated(self.run_id, status=status, end_time=end_time)

    def store_text(self, text: str, path: str) -> None:
        """Store a text as an artifact."""
        with spoken(self.place), patient():
            self._client.log_text(self.run_id, text, path)

    def store_tree(self, folder: Path, into: str) -> dict[str, str]:
        """Store what is in a folder below a path of artifacts; give new → own name of files that could not keep it."""
        files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        names = {own: own if self.place.is_here else "/".join(map(url_segment, own.split("/"))) for own in files}
        renamed = {name: own for own, name in names.items() if name != own}
        if renamed or not self._store_whole(folder, into):
            for own, path in files.items():
                place = posixpath.join(into, names[own])
                self.store_file(path, posixpath.dirname(place), posixpath.basename(place))
        return renamed

    def _store_whole(self, folder: Path, into: str) -> bool:
        """Store a folder at once; False where an earlier attempt left files that may not be written, like ours."""
        try:
            with spoken(self.place), patient():
                self._client.log_artifacts(self.run_id, str(folder), into)
        except RefusedError as error:
            if isinstance(error.__cause__, PermissionError):
                return False
            raise
        return True

    def store_file(self, path: Path, into: str, name: str) -> str:
        """Store a file below a path of artifacts, under a name that the store takes; give its whole path."""
        with spoken(self.place), patient():
            if name == path.name:
                self._client.log_artifact(self.run_id, str(path), into)
            else:
                with tempfile.TemporaryDirectory(prefix="neural-mlflow-") as scratch:
                    self._client.log_artifact(self.run_id, str(_under_other_name(path, Path(scratch, name))), into)
        return f"{into}/{name}"


def _under_other_name(path: Path, place: Path) -> Path:
    try:
        place.symlink_to(path)
    except OSError:  # not every system lets everybody make links
        shutil.copyfile(path, place)
    return place


def _chunks(pairs: Mapping[str, str]) -> Iterable[dict[str, str]]:
    """Split pairs by number and by size, as a request is limited in both."""
    chunk: dict[str, str] = {}
    size = 0
    for key, text in pairs.items():
        more = len(json.dumps(key)) + len(json.dumps(text))
        if chunk and (len(chunk) == BATCH_ENTRIES or size + more > BATCH_BYTES):
            yield chunk
            chunk, size = {}, 0
        chunk[key] = text
        size += more
    if chunk:
        yield chunk
