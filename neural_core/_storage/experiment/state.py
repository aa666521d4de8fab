"""What an experiment is, as its facts tell it: documents are snapshots of this, readers fold later facts over them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import define, field

from neural_core._storage.experiment.documents import read_document
from neural_core.errors import DamagedError
from neural_core.records import Damage

__all__ = ["DOCUMENTS", "OPEN_STATES", "State", "journals_of", "load_state"]

OPEN_STATES = ("created", "running")
"""The states of an experiment that has not ended."""


def journals_of(directory: Path) -> list[Path]:
    """Give the parts of an experiment that are journals still; the name of a facts file ends otherwise.

    A pattern would have to be compiled for the first row of every process.
    """
    with contextlib.suppress(FileNotFoundError), os.scandir(directory / "metrics") as entries:
        return [Path(e.path) for e in entries if e.name.endswith(".nj") and e.name[:-3][-1:].isdigit()]
    return []


DOCUMENTS = ("metadata", "hyperparameters", "artifacts")
Fact = Mapping[str, Any]


@define
class State:
    """The record of an experiment without its rows.

    Attributes:
        final: finished and compacted; only a replaced ``metadata.json`` can tell of a change.
        color: ``#rrggbb`` that pages draw it in, empty for none of its own.
        artifacts: documents of artifact versions, in order.
        writer: evidence of the process that owns it (see `liveness`).
        journal: document → {part: ordinal up to which it holds}.
    """

    uid: str = ""
    name: str = ""
    kind: str = "experiment"
    status: str = "created"
    start_time: str | None = None
    end_time: str | None = None
    tags: dict[str, str] = field(factory=dict)
    notes: str = ""
    color: str = ""
    final: bool = False
    writer: dict[str, Any] = field(factory=dict)
    environment: dict[str, Any] = field(factory=dict)
    hyperparameters: dict[str, Any] = field(factory=dict)
    artifacts: list[dict[str, Any]] = field(factory=list)
    journal: dict[str, dict[str, int]] = field(factory=dict)

    @property
    def experiment_id(self) -> str:
        """The first 12 hex digits of the uid."""
        return self.uid[:12]

    def apply(self, fact: Fact) -> None:
        """Let the state hold after `fact`; facts of other kinds and of odd shapes change nothing."""
        change = _CHANGES.get(str(fact.get("kind")))
        if change is not None:
            change[1](self, fact)

    def document(self, name: str, journal: Mapping[str, int]) -> dict[str, Any]:
        """Give the snapshot called `name`, true up to `journal`."""
        content: dict[str, Any] = {"journal": dict(journal)}
        if name != "metadata":
            return {**content, name: getattr(self, name)}
        own = {key: getattr(self, key) for key in _METADATA}
        return {"id": self.experiment_id, **own, **content}

    def load(self, name: str, content: Mapping[str, Any]) -> None:
        """Take over a snapshot.

        Raises:
            DamagedError: it has not the shape of one.
        """
        journal = content.get("journal", {})
        if not isinstance(journal, dict) or not all(isinstance(at, int) for at in journal.values()):
            raise DamagedError(f"{name}.json is damaged: journal does not say up to where it holds")
        for key in _METADATA if name == "metadata" else (name,):
            value = content.get(key, getattr(self, key))
            if not _fits(getattr(self, key), value):
                raise DamagedError(f"{name}.json is damaged: {key} is no {type(getattr(self, key)).__name__}")
            setattr(self, key, value)
        self.tags = {key: str(text) for key, text in self.tags.items()}
        self.journal[name] = journal


_METADATA = (
    "uid",
    "name",
    "kind",
    "status",
    "start_time",
    "end_time",
    "tags",
    "notes",
    "color",
    "final",
    "writer",
    "environment",
)


def _fits(like: object, value: object) -> bool:
    return isinstance(value, (str, type(None))) if like is None else isinstance(value, type(like))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _started(state: State, fact: Fact) -> None:
    state.uid = str(fact.get("uid", state.uid))
    state.name = str(fact.get("name", state.name))
    state.kind = str(fact.get("experiment_kind", state.kind))
    state.start_time = state.start_time or _text(fact.get("start_time"))
    state.end_time = None
    state.final = False
    state.status = "created"
    state.writer = dict(fact.get("writer") or {})
    state.environment = dict(fact.get("environment") or state.environment)


def _hyperparameters(state: State, fact: Fact) -> None:
    state.hyperparameters = {**state.hyperparameters, **(fact.get("hyperparameters") or {})}


def _artifact(state: State, fact: Fact) -> None:
    """A new version is added; a new unversioned file takes the place of the one before."""
    new = dict(fact.get("artifact") or {})
    state.artifacts = [*(old for old in state.artifacts if _place(old) != _place(new)), new]


def _removed(state: State, fact: Fact) -> None:
    """Versions whose files were given up are no longer on record; what they were stays in the fact."""
    named = fact.get("artifacts")
    gone = [_place(one) for one in named if isinstance(one, dict)] if isinstance(named, list) else []
    state.artifacts = [one for one in state.artifacts if _place(one) not in gone]


def _place(artifact: Fact) -> tuple[object, ...]:
    return artifact.get("artifact_name"), artifact.get("version"), artifact.get("kind") == "figure"


def _annotations(state: State, fact: Fact) -> None:
    tags = {**state.tags, **(fact.get("tags") or {})}
    state.tags = {key: str(value) for key, value in tags.items() if value is not None}
    state.notes = str(fact.get("notes", state.notes))
    state.name = str(fact.get("name", state.name))


def _appearance(state: State, fact: Fact) -> None:
    """How pages show the experiment: a fact of its own, of which backends hear nothing."""
    state.color = str(fact.get("color", state.color))


def _status(state: State, fact: Fact) -> None:
    state.status = str(fact.get("status", state.status))


def _finished(state: State, fact: Fact) -> None:
    _status(state, fact)
    state.end_time = _text(fact.get("end_time"))


_CHANGES: dict[str, tuple[str, Callable[[State, Fact], None]]] = {
    "experiment_started": ("metadata", _started),
    "annotations_changed": ("metadata", _annotations),
    "appearance_changed": ("metadata", _appearance),
    "status_changed": ("metadata", _status),
    "experiment_finished": ("metadata", _finished),
    "hyperparameters_logged": ("hyperparameters", _hyperparameters),
    "artifact_logged": ("artifacts", _artifact),
    "artifacts_removed": ("artifacts", _removed),
}


def load_state(directory: Path, facts: Iterable[tuple[str, int, Fact]]) -> tuple[State, list[Damage]]:
    """Read the documents and fold over each the facts that it does not hold yet.

    Args:
        directory: the experiment's folder.
        facts: (part, ordinal, fact) in the order in which they hold.

    Raises:
        FormatVersionError: a document of a newer neural.
    """
    state, damage = State(), []
    for name in DOCUMENTS:
        path = directory / f"{name}.json"
        try:
            state.load(name, read_document(path))
        except FileNotFoundError:
            if name == "metadata":
                damage.append(Damage(path.name, None, None, f"{path.name} is missing"))
        except (OSError, DamagedError) as error:
            if type(error) is not DamagedError and isinstance(error, DamagedError):
                raise  # a newer format is refused, not repaired
            damage.append(Damage(path.name, None, None, str(error)))
    for part, ordinal, fact in facts:
        change = _CHANGES.get(str(fact.get("kind")))
        if change is not None and ordinal >= state.journal.get(change[0], {}).get(part, 0):
            # A fact of a shape that no neural of this format writes changes nothing.
            with contextlib.suppress(TypeError, ValueError, AttributeError):
                change[1](state, fact)
    return state, damage
