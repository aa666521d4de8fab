"""Plugins for tests that misbehave. Their options are plain values: ``backend={name: options}`` can make them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

from neural_core._testing.recording import METRICS, EveryHook, RecordingPlugin

__all__ = ["CrashingPlugin", "HangingPlugin", "RaisingPlugin", "SlowPlugin"]

STATUS = 70


class RaisingPlugin(RecordingPlugin):
    """Raises RuntimeError in some hooks, and keeps the calls in which it did not.

    Attributes:
        raised: how often it did.
    """

    def __init__(self, hooks: Collection[str] = (METRICS,), times: int | None = None) -> None:
        """Raise in `hooks`, the first `times` times or, with None, always."""
        super().__init__()
        self.raised = 0
        self._hooks, self._times = hooks, times

    def heard(self, hook: str, arguments: dict[str, Any]) -> None:
        """Raise, or keep the call."""
        if hook in self._hooks and (self._times is None or self.raised < self._times):
            self.raised += 1
            raise RuntimeError(f"raised on purpose, {self.raised}")
        super().heard(hook, arguments)


class SlowPlugin(RecordingPlugin):
    """Sleeps `seconds` in each call of `hooks`, then keeps it."""

    def __init__(self, seconds: float = 0.1, hooks: Collection[str] = (METRICS,)) -> None:
        super().__init__()
        self._seconds, self._hooks = seconds, hooks

    def heard(self, hook: str, arguments: dict[str, Any]) -> None:
        """Sleep, and keep the call."""
        if hook in self._hooks:
            time.sleep(self._seconds)
        super().heard(hook, arguments)


class HangingPlugin(RecordingPlugin):
    """Does not return from `hooks` until somebody sets `release`.

    Attributes:
        hanging: set while it hangs.
        release: lets it go on.
    """

    def __init__(self, hooks: Collection[str] = (METRICS,)) -> None:
        super().__init__()
        self.hanging, self.release = threading.Event(), threading.Event()
        self._hooks = hooks

    def heard(self, hook: str, arguments: dict[str, Any]) -> None:
        """Hang, then keep the call."""
        if hook in self._hooks:
            self.hanging.set()
            self.release.wait()
            self.hanging.clear()
        super().heard(hook, arguments)


class CrashingPlugin(EveryHook):
    """Ends the process that it runs in: by ``os._exit``, ``os.abort`` or ``sys.exit``."""

    def __init__(
        self,
        how: Literal["_exit", "abort", "exit"] = "_exit",
        hooks: Collection[str] = (METRICS,),
        once: str | os.PathLike[str] | None = None,
    ) -> None:
        """Crash in `hooks`; with `once` only while that file does not exist, which is made before."""
        self._how, self._hooks, self._once = how, hooks, once

    def heard(self, hook: str, arguments: dict[str, Any]) -> None:
        """Crash."""
        if hook not in self._hooks or (self._once is not None and Path(self._once).exists()):
            return
        if self._once is not None:
            Path(self._once).touch()
        if self._how == "abort":
            os.abort()
        if self._how == "exit":
            sys.exit(STATUS)
        os._exit(STATUS)
