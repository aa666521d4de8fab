"""What these tests share: scripts that train in a process of their own, as users run them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from neural_core.testing import run_script, start_script

HEAD = "import os, sys, time\nfrom neural.tracking import ExperimentTracker, create_integration\n"
SYNC = """
import sys
from importlib.metadata import entry_points
sys.argv = ["neural", "sync", "--all", "--to", "wandb"]
(command,) = entry_points(group="console_scripts", name="neural")
command.load()()
"""


def start(code: str, *arguments: object, cwd: Path, **environment: str) -> subprocess.Popen[str]:
    """Start a script that begins with HEAD."""
    return start_script(HEAD + code, *arguments, cwd=cwd, **environment)


def run(code: str, *arguments: object, cwd: Path, **environment: str) -> str:
    """Run a script that begins with HEAD."""
    return run_script(HEAD + code, *arguments, cwd=cwd, **environment)


def cursor(experiment_dir: Path) -> dict[str, Any]:
    """Give what is known of the delivery of an experiment to W&B, nothing when there is nothing yet."""
    for path in experiment_dir.glob("delivery/wandb-*.json"):
        with contextlib.suppress(FileNotFoundError):  # that of a trial, which has ended meanwhile
            found: dict[str, Any] = json.loads(path.read_text())
            return found
    return {}


def only(folder: Path) -> Path:
    """Give the only experiment of a base folder."""
    (directory,) = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return directory


def services() -> set[int]:
    """Give the services of W&B that scripts of this session started; other sessions of pytest have their own."""
    ours = f"WANDB_CONFIG_DIR={os.environ['WANDB_CONFIG_DIR']}\0"
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command, stat = (entry / "cmdline").read_text(), (entry / "stat").read_text()
            environment = (entry / "environ").read_text(errors="replace")
        except OSError:
            continue
        parent = int(stat.rpartition(")")[2].split()[1])
        if "wandb-core" in command and ours in f"{environment}\0" and parent != os.getpid():
            found.add(int(entry.name))
    return found
