"""Scripts that train in a process of their own, as users run them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

__all__ = ["PATIENCE_SECONDS", "run_script", "start_script", "wait_for"]

PATIENCE_SECONDS = 120.0
"""How long a busy machine may take; nothing waits so long for what is there."""

_Found = TypeVar("_Found")


def start_script(code: str, *arguments: object, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    """Start Python code in a process of its own; its input is empty, its output and its errors can be read.

    Args:
        code: the script.
        arguments: its command line.
        cwd: the folder that it runs in.
        environment: further variables.
    """
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "NEURAL_FINISH_SECONDS": str(PATIENCE_SECONDS), **environment},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run_script(code: str, *arguments: object, cwd: Path, **environment: str) -> str:
    """Run Python code that is to succeed without a word on stderr; give its output. Arguments as `start_script`.

    Raises:
        AssertionError: it failed, or said something on stderr.
        subprocess.TimeoutExpired: it did not end; it is killed.
    """
    process = start_script(code, *arguments, cwd=cwd, **environment)
    try:
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert (process.returncode, errors) == (0, ""), output + errors
    return output


def wait_for(condition: Callable[[], _Found], seconds: float = PATIENCE_SECONDS) -> _Found:
    """Ask until the answer is true; give it.

    Raises:
        AssertionError: it did not become true in time.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found
