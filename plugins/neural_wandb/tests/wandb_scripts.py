"""What these tests share: scripts that train in a process of their own, as users run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

TIMEOUT = 120.0
HEAD = "import os, sys, time\nfrom neural.tracking import ExperimentTracker, create_integration\n"
SYNC = """
import sys
from importlib.metadata import entry_points
sys.argv = ["neural", "sync", "--all", "--to", "wandb"]
(command,) = entry_points(group="console_scripts", name="neural")
command.load()()
"""


def start(code: str, *arguments: object, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    """Start Python code in a folder."""
    command = [sys.executable, "-c", HEAD + code, *map(str, arguments)]
    env = os.environ | {"NEURAL_FINISH_SECONDS": str(TIMEOUT)} | environment
    return subprocess.Popen(
        command, cwd=cwd, env=env, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def run(code: str, *arguments: object, cwd: Path, **environment: str) -> str:
    """Run Python code that is to succeed without a word on stderr; give its output."""
    process = start(code, *arguments, cwd=cwd, **environment)
    try:
        output, errors = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert (process.returncode, errors) == (0, ""), output + errors
    return output


def wait_for(condition: Callable[[], Any], seconds: float = TIMEOUT) -> Any:
    """Wait until it holds; give what it gave."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
    return found


def cursor(experiment_dir: Path) -> dict[str, Any]:
    """Give what is known of the delivery of an experiment to W&B, nothing when there is nothing yet."""
    for path in experiment_dir.glob("delivery/wandb-*.json"):
        found: dict[str, Any] = json.loads(path.read_text())
        return found
    return {}


def only(folder: Path) -> Path:
    """Give the only experiment of a base folder."""
    (directory,) = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return directory


def services() -> set[int]:
    """Give the processes that are a W&B service, still run, and were not started by this one."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command, stat = (entry / "cmdline").read_text(), (entry / "stat").read_text()
        except OSError:
            continue
        parent = int(stat.rpartition(")")[2].split()[1])
        if "wandb-core" in command and parent != os.getpid():
            found.add(int(entry.name))
    return found
