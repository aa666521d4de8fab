"""Edits of stored experiments by a reader: refused when somebody else edited in between."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from neural_core._storage.folder import check_name
from neural_core._storage.writing.edits import edit
from neural_core.errors import ArgumentTypeError, ArgumentValueError

__all__ = ["Edit", "apply_edit"]

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_MOST_TEXT = 1_000_000
_MOST_TAGS = 1_000


@frozen
class Edit:
    """What is to be changed; None leaves a thing as it is.

    Attributes:
        name: the new display name.
        notes: the new notes.
        tags: name → text, None for a tag that is to go; other tags stay.
        color: ``#rrggbb``; empty text goes back to the colour that pages choose.
    """

    name: str | None = None
    notes: str | None = None
    tags: Mapping[str, str | None] | None = None
    color: str | None = None


def apply_edit(directory: Path, change: Edit) -> None:
    """Add a change to the record of an experiment, alive or ended.

    Raises:
        ArgumentTypeError: a thing of another type.
        ArgumentValueError: a thing that cannot be kept.
        DamagedError: nothing in the folder says which experiment it is.
        OSError: the disk refuses.
    """
    facts = _facts(change)
    if facts:
        edit(directory, *facts)


def _facts(change: Edit) -> list[dict[str, Any]]:
    said: dict[str, Any] = {}
    if change.name is not None:
        said["name"] = check_name(change.name)
    if change.notes is not None:
        said["notes"] = _text("notes", change.notes)
    if change.tags:
        said["tags"] = _tags(change.tags)
    facts: list[dict[str, Any]] = [{"kind": "annotations_changed", **said}] if said else []
    if change.color is not None:
        facts.append({"kind": "appearance_changed", "color": _color(change.color)})
    return facts


def _text(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{what} are text, not {type(value).__name__}")
    if len(value) > _MOST_TEXT:
        raise ArgumentValueError(f"{what} have more than {_MOST_TEXT:,} characters")
    return value


def _tags(tags: object) -> dict[str, str | None]:
    if not isinstance(tags, Mapping):
        raise ArgumentTypeError(f"tags are a mapping of names to text, not {type(tags).__name__}")
    if len(tags) > _MOST_TAGS:
        raise ArgumentValueError(f"{len(tags)} tags at once are too many: take at most {_MOST_TAGS:,}")
    for name, text in tags.items():
        if not isinstance(name, str) or not isinstance(text, (str, type(None))):
            raise ArgumentTypeError(f"a tag is a name with a text, not {name!r:.80}: {text!r:.80}")
        if not name or len(name) > 1_000 or len(text or "") > 10_000:
            raise ArgumentValueError(f"tag {name!r:.80} is empty or too long")
    return dict(tags)


def _color(color: object) -> str:
    if not isinstance(color, str) or not (color == "" or _COLOR.fullmatch(color)):
        raise ArgumentValueError(f"color {color!r:.80} is none: give #rrggbb, or empty text")
    return color.lower()
