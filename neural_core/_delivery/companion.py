"""The companion: one process beside a training process, in which backends and installed plugins live.

It is told over stdin which experiments to follow (a JSON object a line) and sees the end of stdin when the trainer
ends, however it ends. Then it delivers the rest, says of experiments without an end that they were interrupted, and
goes.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from neural_core._delivery.channel import Telling
from neural_core._delivery.crew import Crew
from neural_core._delivery.log_file import divert_output, keep_output_from, log_of
from neural_core._delivery.replay import remove_arrived_spool
from neural_core._delivery.surroundings import Surroundings
from neural_core._storage import liveness

__all__ = ["main"]

IDLE_SECONDS = 5.0
LINGER_SECONDS = 120.0
MAKING_SECONDS = 10.0
STEP_SECONDS = 0.1
CLOSE_SECONDS = 5.0
HELD_SECONDS = 60.0
_log = logging.getLogger("neural")


def main() -> int:
    """Serve one trainer until it has ended and all is delivered."""
    _detach()
    companion, ended = _Companion(), threading.Event()
    threading.Thread(target=_show_life, args=(ended,), daemon=True).start()
    threading.Thread(target=_read_commands, args=(_take_stdin(), companion.commands), daemon=True).start()
    while companion.step():
        pass
    companion.close()
    ended.set()
    return 0


def _show_life(ended: threading.Event) -> None:
    """Say again and again that threads run here, until all is done: who has not said so for a minute ends at once.

    So a plugin that holds the interpreter does not hold the others for ever, and what one leaves running at the end
    keeps no process. The thread that listens is no Python's.
    """
    while True:
        faulthandler.dump_traceback_later(HELD_SECONDS, exit=True)
        if ended.wait(HELD_SECONDS / 20):
            return


class _Companion:
    def __init__(self) -> None:
        self.commands: queue.Queue[Mapping[str, Any] | None] = queue.Queue()
        self._crews: dict[str, Crew] = {}
        self._resumed: dict[str, Mapping[str, Any]] = {}  # while a crew still followed it
        self._trainer: Mapping[str, Any] = {}
        self._surroundings = Surroundings()
        self._arrived: set[Path] = set()
        self._busy_at = time.monotonic()
        self._gone_at: float | None = None

    def step(self) -> bool:
        """Obey what was said, look after the experiments; False when there is nothing left to do."""
        self._listen()
        if self._gone_at is None and self._trainer and liveness.writer_state(self._trainer) == "dead":
            self._gone_at = time.monotonic()  # a forked child may still hold the other end of stdin
        for directory, crew in list(self._crews.items()):
            if self._gone_at is not None:
                crew.trainer_is_gone()
            if crew.finished:
                self._renew(directory, self._resumed.pop(directory, None))
                self._arrived.add(Path(directory))
                self._busy_at = time.monotonic()
        now = time.monotonic()
        if self._crews:
            return self._gone_at is None or now - self._gone_at < _linger()
        return self._gone_at is None and now - self._busy_at < IDLE_SECONDS

    def _listen(self) -> None:
        with contextlib.suppress(queue.Empty):
            command = self.commands.get(timeout=STEP_SECONDS)
            if command is None:
                self._gone_at = self._gone_at or time.monotonic()
                return
            self._busy_at = time.monotonic()
            self._trainer = command.get("trainer", self._trainer)
            self._obey(command)

    def _obey(self, command: Mapping[str, Any]) -> None:
        directory = str(command.get("directory", ""))
        match command.get("op"):
            case "open" if directory in self._crews and _named(command) == self._crews[directory].named:
                self._resumed[directory] = command  # the crew follows it, or sees its first end and is renewed
            case "open":
                self._renew(directory, command)
            case "hurry" if directory in self._crews:
                self._crews[directory].hurry()

    def _renew(self, directory: str, command: Mapping[str, Any] | None) -> None:
        """End the crew of an experiment, and follow it from now on as a command says."""
        crew = self._crews.pop(directory, None)
        if crew is not None:
            crew.close(time.monotonic() + CLOSE_SECONDS)
            keep_output_from(log_of(directory))
        if command is not None:
            changes = command.get("environment") or {}
            self._surroundings.become(command.get("folder"), changes, before=self._wait_until_made)
            divert_output(log_of(directory))
            backends, plots = _named(command)
            self._crews[directory] = Crew(Path(directory), str(command.get("uid", "")), backends=backends, plots=plots)

    def _wait_until_made(self) -> None:
        for crew in self._crews.values():
            crew.wait_until_made(MAKING_SECONDS)

    def close(self) -> None:
        """Let others deliver what could not be delivered here; what only passed through and has arrived goes."""
        deadline = time.monotonic() + CLOSE_SECONDS
        for crew in self._crews.values():
            crew.close(deadline)
        for directory in self._arrived:
            remove_arrived_spool(directory)


def _named(command: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool | str]:
    """Give the backends and the plots that a command names."""
    return command.get("backends") or {}, command.get("plots") or False


def _linger() -> float:
    try:
        return float(os.environ.get("NEURAL_LINGER", ""))
    except ValueError:
        return LINGER_SECONDS


def _detach() -> None:
    """Be no part of the trainer's terminal, and in nobody's way."""
    for name in ("SIGINT", "SIGHUP", "SIGQUIT"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        os.nice(10)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("neural").addHandler(Telling(sys.stdout.fileno()))


def _take_stdin() -> TextIO:
    """Give the pipe of the commands; a plugin that asks its user something, and a child of its own, find nothing."""
    pipe = os.fdopen(os.dup(0), encoding="ascii")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return pipe


def _read_commands(pipe: TextIO, commands: queue.Queue[Mapping[str, Any] | None]) -> None:
    for line in pipe:
        with contextlib.suppress(ValueError):
            command = json.loads(line)
            if isinstance(command, dict):
                commands.put(command)
    commands.put(None)
