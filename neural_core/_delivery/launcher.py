"""The trainer's side of the companion: start it, tell it what to follow, start it again when it died."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from neural_core._delivery.channel import Hearing
from neural_core._delivery.log_file import log_of
from neural_core._delivery.surroundings import changes_since, surroundings
from neural_core._storage import liveness
from neural_core.errors import ArgumentTypeError

__all__ = ["Launcher", "check_options", "companion_allowed", "launcher", "module_folders"]

_log = logging.getLogger("neural")


_BOOT = """
import sys
sys.path += [path for path in sys.argv[1:] if path not in sys.path]
from neural_core._delivery.companion import main
sys.exit(main())
"""


@functools.cache
def _say_once(reason: str) -> None:
    """Say why there is no companion: ten trackers are ten times in the same position."""
    _log.warning("%s: plugins run on threads of this process", reason)


def companion_allowed() -> bool:
    """Tell whether a second process may be used: not with NEURAL_COMPANION=0, and only where Python can be started."""
    if os.environ.get("NEURAL_COMPANION") == "0":
        return False
    if sys.executable and not getattr(sys, "frozen", False):
        return True
    _say_once("there is no Python to start a companion process with")
    return False


class Launcher:
    """The one companion of this process. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._process: _Process | None = None
        self._pipe: int | None = None
        self._hearing: Hearing | None = None
        self._unheard: list[str] = []
        self._log_path = Path(os.devnull)
        self._open: dict[str, Mapping[str, Any]] = {}
        self._environment: Mapping[str, str] = {}  # in which the companion was started
        self.starts = 0
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget_parent)

    def follow(self, directory: Path, what: Mapping[str, Any]) -> bool:
        """Let the companion follow an experiment from now on; False when no process can be started."""
        with self._lock:
            who = {"directory": str(directory), "trainer": liveness.this_process()}
            command = {"op": "open", **who, **what, **surroundings()}
            self._open[str(directory)] = command
            starts = self.starts
            following = self._say_or_start(command)
        if not following and self.starts > starts:
            self.say_broken()
        return following

    def hurry(self, directory: Path) -> bool:
        """Let the companion look into the journal now; one that died is started again."""
        with self._lock:
            if str(directory) not in self._open:
                return False
            return self._say_or_start({"op": "hurry", "directory": str(directory)})

    def forget(self, directory: Path) -> None:
        """The experiment is delivered, or left to ``neural sync``."""
        with self._lock:
            self._open.pop(str(directory), None)

    def warnings(self) -> list[str]:
        """Give what the companion has warned of since."""
        with self._lock:
            self._listen()
            said, self._unheard = self._unheard, []
            return said

    def _listen(self) -> None:
        if self._hearing is not None:
            self._unheard += self._hearing.sentences()

    def is_running(self) -> bool:
        """Tell whether the companion lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def is_broken(self) -> bool:
        """Tell whether no companion can work here: what was started ended by itself before it was one.

        It does not find what this process finds, or `sys.executable` is no Python.
        """
        with self._lock:
            ended = None if self._process is None else self._process.poll()
            self._listen()
            return ended is not None and ended >= 0 and self._hearing is not None and not self._hearing.greeted

    def say_broken(self) -> None:
        """Say that no companion can work here."""
        _say_once(f"{sys.executable} does not work as a companion process ({self._log_path} may say why)")

    @property
    def pid(self) -> int | None:
        """Process id of the companion; None when none was started."""
        return None if self._process is None else self._process.pid

    def _forget_parent(self) -> None:
        """In a forked child, which has no companion: the parent's delivers what the child writes."""
        self._lock = threading.RLock()
        self._close_pipe()
        self._process, self._open, self._unheard = None, {}, []

    def _say_or_start(self, command: Mapping[str, Any]) -> bool:
        if self.is_running() and self._say(command):
            return True
        if self.is_broken or not self._start():
            return False
        return all(self._say(known) for known in self._open.values())

    def _say(self, command: Mapping[str, Any]) -> bool:
        if "environment" in command:
            command = {**command, "environment": changes_since(self._environment, command["environment"])}
        data = _encode(command)
        try:
            while data and self._pipe is not None:
                data = data[os.write(self._pipe, data) :]
        except OSError:
            return False  # it has just ended
        return not data

    def _start(self) -> bool:
        self._listen()
        self._close_pipe()
        self._log_path = log_of(next(iter(self._open)))
        try:
            commands, self._pipe = os.pipe()
            with _log_file(self._log_path) as log, os.fdopen(commands, "rb") as stdin, self._begin_to_hear() as stdout:
                self._environment = dict(os.environ)
                self._process = _Process(
                    [sys.executable, "-P", "-c", _BOOT, *module_folders()],
                    stdin=stdin,
                    stdout=stdout,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            _say_once(f"no companion process can be started ({error})")
            return False
        self.starts += 1
        return True

    def _begin_to_hear(self) -> IO[bytes]:
        """Make the pipe on which the companion speaks; give its end of it."""
        hearing, speaking = os.pipe()
        self._hearing = Hearing(hearing)
        return os.fdopen(speaking, "wb")

    def _close_pipe(self) -> None:
        if self._hearing is not None:
            self._hearing.close()
            self._hearing = None
        if self._pipe is not None:
            with contextlib.suppress(OSError):
                os.close(self._pipe)
            self._pipe = None


class _Process(subprocess.Popen[bytes]):
    """A process that is meant to outlive this one."""

    def __del__(self) -> None:
        """Popen would warn of a process that still runs."""


def module_folders() -> list[str]:
    """Where this process finds modules: ours and the plugins' may lie beside the script."""
    return [str(Path(folder).absolute()) for folder in sys.path if isinstance(folder, str)]


def _log_file(path: Path) -> IO[bytes]:
    try:
        path.parent.mkdir(exist_ok=True)
        return path.open("ab")
    except OSError:
        return Path(os.devnull).open("ab")


def _encode(command: Mapping[str, Any]) -> bytes:
    return json.dumps(command, default=_plain).encode("ascii") + b"\n"


def check_options(backends: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse options of backends (name → options) that cannot be handed to another process, before anything is made.

    Raises:
        ArgumentTypeError: one of them cannot.
    """
    _encode(backends)


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise ArgumentTypeError(
        f"options of a backend are text, numbers, lists, mappings and paths, for they are handed to another process: "
        f"{value!r:.80} is none of them"
    )


launcher = Launcher()
