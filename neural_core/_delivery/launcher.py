"""The trainer's side of the companion: start it, tell it what to follow, start it again when it died."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neural_core._storage import liveness

__all__ = ["Launcher", "companion_allowed", "launcher"]

_log = logging.getLogger("neural")


def companion_allowed() -> bool:
    """Tell whether a second process may be used: not with NEURAL_COMPANION=0, and only where Python can be started."""
    if os.environ.get("NEURAL_COMPANION") == "0":
        return False
    return bool(sys.executable) and not getattr(sys, "frozen", False)


class Launcher:
    """The one companion of this process. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pid = 0
        self._open: dict[str, Mapping[str, Any]] = {}
        self.starts = 0

    def follow(self, directory: Path, what: Mapping[str, Any]) -> bool:
        """Let the companion follow an experiment from now on; False when no process can be started."""
        with self._lock:
            self._forget_parent()
            command = {"op": "open", "directory": str(directory), "trainer": liveness.this_process(), **what}
            self._open[str(directory)] = command
            return self._say_or_start(command)

    def hurry(self, directory: Path) -> bool:
        """Let the companion look into the journal now; one that died is started again."""
        with self._lock:
            self._forget_parent()
            if str(directory) not in self._open:
                return False
            return self._say_or_start({"op": "hurry", "directory": str(directory)})

    def forget(self, directory: Path) -> None:
        """The experiment is delivered, or left to ``neural sync``."""
        with self._lock:
            self._open.pop(str(directory), None)

    def is_running(self) -> bool:
        """Tell whether the companion lives."""
        return self._pid == os.getpid() and self._process is not None and self._process.poll() is None

    def _forget_parent(self) -> None:
        """A forked child has no companion: the parent's delivers what the child writes."""
        if self._pid != os.getpid():
            self._process, self._pid, self._open = None, os.getpid(), {}

    def _say_or_start(self, command: Mapping[str, Any]) -> bool:
        if self.is_running() and self._say(command):
            return True
        if not self._start():
            return False
        return all(self._say(known) for known in self._open.values())

    def _say(self, command: Mapping[str, Any]) -> bool:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(command).encode("ascii") + b"\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            return False  # it has just ended
        return True

    def _start(self) -> bool:
        self._end_old()
        log_file = Path(next(iter(self._open))) / "delivery" / "companion.log"
        try:
            log_file.parent.mkdir(parents=True, exist_ok=True)
            with log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "neural_core._delivery.companion"],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    cwd=log_file.parent,
                )
        except OSError as error:
            _log.warning("no companion process can be started (%s): plugins run on threads of this process", error)
            return False
        self.starts += 1
        return True

    def _end_old(self) -> None:
        if self._process is not None:
            with contextlib.suppress(OSError, ValueError):
                if self._process.stdin is not None:
                    self._process.stdin.close()
            self._process.poll()


launcher = Launcher()
