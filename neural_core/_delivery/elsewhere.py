"""Do something to one thing after the other in another process, which may be ended by it, or never return from it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import Any

from neural_core._delivery.launcher import module_folders

__all__ = ["BEGUN", "give_elsewhere"]

BEGUN = "begun"
"""What the other process says first, so that it is known to work."""
HANGING_SECONDS = 20.0


def give_elsewhere(code: str, first: int) -> tuple[list[Any] | None, str]:
    """Run `code`, which writes JSON lines: `BEGUN`, then what it gives for each thing from the one numbered `first`.

    Returns:
        What it gave, None when no process can be started; and what the thing after those did to the process.
    """
    command = [sys.executable or "", "-P", "-c", code, str(first), *module_folders()]
    null = subprocess.DEVNULL
    try:
        with subprocess.Popen(command, stdin=null, stdout=subprocess.PIPE, stderr=null) as process:
            given, hung = _read(process)
    except OSError:
        return None, ""
    if not given or given[0] != BEGUN:
        return None, ""
    return given[1:], "does not return" if hung else "ends its process"


def _read(process: subprocess.Popen[bytes]) -> tuple[list[Any], bool]:
    """Give what a process writes until it ends, or until nothing comes for a long time; and whether that was so."""
    assert process.stdout is not None
    given: list[Any] = []
    hung = threading.Event()

    def end() -> None:
        hung.set()
        process.kill()

    while True:
        patience = threading.Timer(HANGING_SECONDS, end)
        patience.start()
        line = process.stdout.readline()
        patience.cancel()
        if not line.endswith(b"\n"):
            return given, hung.is_set()
        try:
            given.append(json.loads(line))
        except ValueError:  # it is no Python
            process.kill()
            return [], False
