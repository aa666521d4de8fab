"""The logging verbs of an experiment. Each one: validate, store, done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, SupportsFloat, SupportsIndex, get_args

from neural_core._storage.experiment.plain import as_mapping, key_text, to_plain
from neural_core._storage.writing.edits import edit
from neural_core._storage.writing.session import Session
from neural_core.errors import ArgumentTypeError, ArgumentValueError
from neural_core.records import ArtifactKind, ArtifactVersion, Status

__all__ = ["LoggingVerbs", "tag_pairs"]


class LoggingVerbs:
    """What can be logged to an experiment."""

    experiment_dir: Path
    _disabled: bool
    _session: Session | None
    _log: Callable[..., None]

    def _open_session(self) -> Session:
        """The session to write to."""
        raise NotImplementedError

    def log_metrics(
        self, metrics: Mapping[str, SupportsFloat | SupportsIndex | None], step: SupportsIndex | None = None
    ) -> None:
        """Log one row of metrics.

        Args:
            metrics: name → number: of Python or NumPy, a tensor or array of one element; None leaves a metric out.
            step: an integer of 64 bits, in any order and as often as you like; None for none.

        Raises:
            ArgumentTypeError: a name is no text, a value no number, the step no integer. Nothing of the call is stored.
            ArgumentValueError: a name, a number or the step is too large, or there are too many metrics.
            ExperimentFinishedError: after ``finish()``.
        """
        if not self._disabled:
            self._open_session()
            self._log(metrics, step)

    def log_metric(
        self, name: str, value: SupportsFloat | SupportsIndex | None, step: SupportsIndex | None = None
    ) -> None:
        """Log one metric, as ``log_metrics({name: value}, step)`` does."""
        self.log_metrics({name: value}, step)

    def log_hyperparameters(self, hyperparameters: object) -> None:
        """Log hyperparameters: a mapping, a dataclass, an attrs object or an argparse.Namespace, nested as you like.

        A second call adds to the first; of a name that comes again the later value stands and both stay in the journal.
        What JSON cannot hold is kept as its repr, marked as such.

        Raises:
            ArgumentTypeError: none of these.
        """
        pairs = as_mapping(hyperparameters)
        if not self._disabled:
            plain = {key_text(key): to_plain(value) for key, value in pairs.items()}
            self._fact("hyperparameters_logged", document="hyperparameters", hyperparameters=plain)

    def log_artifact(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        version: bool = True,
        *,
        metadata: Mapping[str, Any] | None = None,
    ) -> ArtifactVersion | None:
        """Store a file or a folder with the experiment, on the disk when the call returns.

        Args:
            path: what to copy.
            name: groups the versions; the file's own name when None.
            version: False replaces the one unversioned entry of this name instead of adding a version.
            metadata: kept with it, JSON values.

        Returns:
            What was stored; None when the disk refused (a warning and `health` tell) or tracking is disabled.

        Raises:
            ArtifactError: the file is not there, is no file or folder, or changed while it was read.
        """
        return self._store(path, name or _file_name(path), "file", version, metadata or {})

    def log_model(
        self,
        path: str | os.PathLike[str],
        framework: str | None = None,
        version: bool = True,
        *,
        name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> ArtifactVersion | None:
        """Store a model, as `log_artifact` does; the file is never opened as a model.

        ``model_10.pt`` and ``model_20.pt`` are versions of ``model.pt``: a number behind one of the words model,
        checkpoint, ckpt, epoch, step, iter, weights, snapshot is taken for a step. ``name=`` overrides that.
        """
        from neural_core._storage.artifacts.names import model_name

        said = {**({} if framework is None else {"framework": framework}), **(metadata or {})}
        return self._store(path, name or model_name(_file_name(path)), "model", version, said)

    def log_figure(self, figure: Any, name: str) -> ArtifactVersion | None:
        """Store a matplotlib figure in the ``plots`` folder; one of the same name takes its place.

        Args:
            figure: is drawn at once and left as it was.
            name: of the file; ``.png`` is added when there is no image suffix.

        Raises:
            ArgumentTypeError: no matplotlib figure.
            ArgumentValueError: a name that begins with ``auto_``.
        """
        if self._disabled:
            return None
        from neural_core._plotting.user_figure import render_figure
        from neural_core._storage.artifacts.names import figure_file

        if not isinstance(name, str) or not name:
            raise ArgumentTypeError("a figure's name is text that is not empty")
        file = figure_file(name)
        data = render_figure(figure, Path(file).suffix)
        return self._open_session().store_bytes(data, file_name=file, name=name, kind="figure", metadata={})

    def _store(
        self, path: Any, name: object, kind: ArtifactKind, version: bool, metadata: Mapping[str, Any]
    ) -> ArtifactVersion | None:
        if not isinstance(name, str):
            raise ArgumentTypeError(f"an artifact's name is text, not {type(name).__name__}")
        if self._disabled:
            return None
        session = self._open_session()
        return session.store_artifact(path, name=name, kind=kind, version=bool(version), metadata=metadata)

    def set_status(self, status: Status) -> None:
        """Set the status: created, running, completed, failed or interrupted.

        Raises:
            ArgumentValueError: another word.
        """
        if status not in get_args(Status):
            raise ArgumentValueError(f"status {status!r} is unknown: take one of {', '.join(get_args(Status))}")
        if not self._disabled:
            self._fact("status_changed", document="metadata", status=status)

    def set_tags(self, tags: Mapping[str, str] | Iterable[str]) -> None:
        """Add tags: names, or a mapping of names to text; a text of None removes the tag."""
        self._annotation(tags=tag_pairs(tags))

    def set_notes(self, notes: str) -> None:
        """Set the notes, free text; what stood there before stays in the journal."""
        if not isinstance(notes, str):
            raise ArgumentTypeError(f"notes are text, not {type(notes).__name__}")
        self._annotation(notes=notes)

    def _annotate(self, hyperparameters: object, tags: Any, notes: str | None) -> None:
        if hyperparameters is not None:
            self.log_hyperparameters(hyperparameters)
        if tags:
            self.set_tags(tags)
        if notes is not None:
            self.set_notes(notes)

    def _annotation(self, **content: Any) -> None:
        """Add to the record; a stored experiment is not resumed by it, and keeps its end."""
        fact = {"kind": "annotations_changed", **content}
        if self._session is not None:
            self._session.append(fact, document="metadata")
        elif not self._disabled:
            edit(self.experiment_dir, fact)

    def _fact(self, kind: str, *, document: str, **content: Any) -> None:
        self._open_session().append({"kind": kind, **content}, document=document)


def _file_name(path: Any) -> str:
    try:
        return Path(os.path.abspath(os.fsdecode(path))).name  # noqa: PTH100 - resolve() would follow a link
    except TypeError:
        raise ArgumentTypeError(f"path is a path, not {type(path).__name__}") from None


def tag_pairs(tags: object) -> dict[str, str | None]:
    if isinstance(tags, str):
        tags = [tags]
    if not isinstance(tags, Iterable):
        raise ArgumentTypeError(f"tags are names, or a mapping of names to text, not {type(tags).__name__}")
    pairs = dict(tags) if isinstance(tags, Mapping) else dict.fromkeys(tags, "")
    for name, text in pairs.items():
        if not isinstance(name, str) or not name or not isinstance(text, (str, type(None))):
            raise ArgumentTypeError(f"a tag is a name with a text, not {name!r:.80}: {text!r:.80}")
    return pairs
