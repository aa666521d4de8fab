"""How long a plugin that fails is left alone, and how long anybody is waited for."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

__all__ = ["DEADLINE_SECONDS", "ERRORS_IN_A_ROW", "LONGEST_PAUSE", "Patience", "waiting_seconds"]

DEADLINE_SECONDS = 30.0
"""How long ``flush`` and ``finish`` wait for plugins; NEURAL_FINISH_SECONDS=5 makes it five."""

ERRORS_IN_A_ROW = 3
LONGEST_PAUSE = 60.0
_log = logging.getLogger("neural")


class Patience:
    """Counts the failures of one plugin: at once twice more, then after growing pauses up to a minute.

    Attributes:
        errors: how often it failed.
        in_a_row: how often since the last success.
        last_error: what it said last.
        until: monotonic time before which it is left alone.
    """

    def __init__(self) -> None:
        self.errors = 0
        self.in_a_row = 0
        self.last_error: str | None = None
        self.until = 0.0

    @property
    def is_over(self) -> bool:
        """Tell whether it failed so often that it is left alone for a while."""
        return self.in_a_row >= ERRORS_IN_A_ROW

    def failed(self, error: Exception) -> None:
        """It raised; the first time is told."""
        self.errors += 1
        self.in_a_row += 1
        self.last_error = str(error)
        if self.errors == 1:
            _log.warning("%s. It is tried again; nothing is lost", error, exc_info=error.__cause__)
        if self.is_over:
            self.until = time.monotonic() + min(LONGEST_PAUSE, 2.0 ** (self.in_a_row - ERRORS_IN_A_ROW))

    def spend(self, work: Callable[[], bool] | None, calling: Callable[[], AbstractContextManager[None]]) -> None:
        """Let the plugin do what is no delivery, in a marked call, unless it is left alone or has no such work."""
        from neural_core._delivery.guard import PluginError  # brings pluggy, which whoever only waits does without

        if work is None or time.monotonic() < self.until:
            return
        try:
            with calling():
                if work():
                    self.succeeded()
        except PluginError as error:
            self.failed(error)

    def ended_processes(self, plugin: object) -> None:
        """Process after process died in its calls, and others live in that process, too."""
        self.errors, self.in_a_row = 1, ERRORS_IN_A_ROW
        self.last_error = f"{plugin} ended the process that delivers to it, several times in a row"
        self.until = time.monotonic() + LONGEST_PAUSE
        _log.warning("%s", self.last_error)

    def succeeded(self) -> None:
        """All is well."""
        self.in_a_row = 0


def waiting_seconds(seconds: float | None = None) -> float:
    """Give how long somebody is waited for: as said, else as the environment says."""
    if seconds is not None:
        return seconds
    try:
        return float(os.environ.get("NEURAL_FINISH_SECONDS", ""))
    except ValueError:
        return DEADLINE_SECONDS
