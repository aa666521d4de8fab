"""An environment of its own for each peer: made once, kept, and made again when what it needs has changed."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.peers.contestants import Contestant

__all__ = ["NotPossibleError", "interpreter"]

_PATIENCE = 1800
_STAMP = "installed.json"


class NotPossibleError(Exception):
    """A contestant cannot do something; one sentence says why."""


def interpreter(one: Contestant, folder: Path) -> Path:
    """Give the Python that has a contestant installed; make its environment below `folder` where there is none.

    Raises:
        NotPossibleError: it cannot be installed.
    """
    if not one.requirements:
        return Path(sys.executable)
    place = folder / one.name
    python = place / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    stamp, wanted = place / _STAMP, json.dumps([*one.requirements, sys.version])
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return python
    print(f"  installing {one.title} …", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", "utf-8")
    venv.create(place, clear=True, with_pip=True)
    _install(python, one)
    stamp.write_text(wanted, "utf-8")
    return python


def _install(python: Path, one: Contestant) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *one.requirements]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        raise NotPossibleError(f"pip needed more than {_PATIENCE // 60} minutes") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["ERROR: pip failed"]
        raise NotPossibleError(said[-1].removeprefix("ERROR: "))
