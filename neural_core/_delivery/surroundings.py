"""The folder and the environment of a script, as they are when it names a backend: the companion makes it there.

Between two trackers a script may go to another folder or set MLFLOW_TRACKING_URI, and one companion serves both.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["Surroundings", "changes_since", "surroundings"]

_Changes = Mapping[str, str | None]


def surroundings() -> dict[str, Any]:
    """Give what a backend may depend on when it is made: the folder, where there is one, and the environment."""
    found: dict[str, Any] = {"environment": dict(os.environ)}
    with contextlib.suppress(OSError):
        found["folder"] = os.getcwd()  # noqa: PTH109 - relative paths in options are meant from here
    return found


def changes_since(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str | None]:
    """Give the variables that are others now, None for those that are gone: short enough for a pipe, as all are not."""
    changed: dict[str, str | None] = {name: value for name, value in after.items() if before.get(name) != value}
    return changed | dict.fromkeys(before.keys() - after.keys())


class Surroundings:
    """Those of a companion, which follow the script's."""

    def __init__(self) -> None:
        """Take the environment for the one in which the script started this process."""
        self._at_first = dict(os.environ)
        self._changed: _Changes = {}

    def become(self, folder: object, changes: _Changes, *, before: Callable[[], None]) -> None:
        """Go to a folder and change the environment, `before` that wait for whoever still needs them as they are."""
        moves = isinstance(folder, str) and folder != _folder()
        if moves or changes != self._changed:
            before()
        if moves:
            with contextlib.suppress(OSError):
                os.chdir(str(folder))
        # Only what the script has changed: libraries keep variables of their own here.
        as_at_first = {name: self._at_first.get(name) for name in self._changed}
        for name, value in {**as_at_first, **changes}.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._changed = dict(changes)


def _folder() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109 - text is compared with text
    except OSError:
        return None
