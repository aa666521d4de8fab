"""Edits of a stored experiment by somebody who does not write it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neural_core._storage.writing.session import Session

__all__ = ["edit"]


def edit(directory: Path, *facts: Mapping[str, Any]) -> None:
    """Add facts to the record of a stored experiment, alive or ended, in a part of its own.

    Raises:
        DamagedError: nothing in the folder says which experiment it is.
    """
    session = Session.open(directory, kind="edit")
    for fact in facts:
        session.append(fact)
    session.finish()
