"""What a relay keeps of its progress: in a cursor file, or only as long as it lives."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from typing import Any

from neural_core._delivery.cursor import CursorFile

__all__ = ["Ledger"]

CURSOR_SECONDS = 0.5


class Ledger:
    """Position and bookmark of one relay.

    Attributes:
        file: the cursor file; None for a plugin that lives only as long as the script.
        position: part → ordinal up to which everything was delivered.
        bookmark: what the plugin wants to be told when another object goes on from there: {} at the very beginning,
            None when it says nothing.
    """

    def __init__(
        self, file: CursorFile | None, position: Mapping[str, int] | None, bookmark: Mapping[str, Any] | None
    ) -> None:
        """Begin where the cursor file is; without one at `position` and `bookmark`, or at the beginning."""
        self.file = file
        known = bookmark if file is None else file.cursor.bookmark
        self.position: dict[str, int] = dict(position or {}) if file is None else dict(file.cursor.position)
        self.begins = not self.position
        self.bookmark: dict[str, Any] | None = {} if self.begins else None if known is None else dict(known)
        self._saved = 0.0

    def calling(self) -> contextlib.AbstractContextManager[None]:
        """Mark a call, so that the next process knows in whose call this one died."""
        return contextlib.nullcontext() if self.file is None else self.file.calling(self.position, self.bookmark)

    def delivered(self, position: Mapping[str, int], bookmark: dict[str, Any] | None, rows: int) -> None:
        """Note that everything up to `position` was delivered, `rows` rows among it."""
        self.position, self.bookmark = dict(position), bookmark
        if self.file is not None:
            self.file.cursor.delivered += rows
            self.file.cursor.crashes = 0

    def failed(self) -> None:
        """Note that the plugin raised: it ended no process."""
        if self.file is not None:
            self.file.cursor.crashes = 0

    def save(self, state: str, error: str | None, behind: Callable[[], int], *, force: bool = False) -> None:
        """Write the cursor file now and then when something has changed; at once with `force` or at the end.

        Args:
            state: ``delivering``, ``set aside`` or ``complete``.
            error: the plugin's last error, None after a success.
            behind: counts the rows that were not delivered.
            force: write it at once.
        """
        if self.file is None:
            return
        cursor, now, done = self.file.cursor, time.monotonic(), state == "complete"
        moved = cursor.calling or (self.position, state, error) != (cursor.position, cursor.state, cursor.error)
        due = moved and (force or now - self._saved > CURSOR_SECONDS)
        if not due and (done or not self.file.due()):
            return
        self._saved = now
        cursor.position, cursor.bookmark = dict(self.position), self.bookmark
        cursor.state, cursor.error, cursor.calling, cursor.behind = state, error, False, behind()
        # Whoever waits for the end may take the folder away once it is told: nothing is written after it.
        if done:
            self.file.release(moved=True)
        else:
            self.file.write()

    def release(self) -> None:
        """Let another process deliver from here."""
        if self.file is not None:
            self.file.release()
