"""What the tests of delivery share: plugins as installed packages, and scripts that train with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from distribution_support import make_distribution
from journal_support import ROOT, TIMEOUT

BACKENDS = {
    "record": "neural_core.testing:RecordingPlugin",
    "raising": "neural_core.testing:RaisingPlugin",
    "slow": "probe:Slow",
    "gated": "probe:Gated",
    "hanging": "neural_core.testing:HangingPlugin",
    "crashing": "neural_core.testing:CrashingPlugin",
    "asking": "probe:Asking",
    "ending": "probe:Ending",
    "flooding": "probe:Flooding",
    "holding": "probe:Holding",
    "lost": "probe:Lost",
    "staying": "probe:Staying",
    "broken": "probe_that_is_not_there:Broken",
    "dying": "probe_dying:Dying",
    "sleeping": "probe_sleeping:Sleeping",
}
PROBE = """
import ctypes, os, sys, threading, time
from neural_core.testing import RecordingPlugin

class Slow(RecordingPlugin):
    def __init__(self, path, seconds=0.05):
        super().__init__(path)
        self.seconds = seconds
    def heard(self, hook, arguments):
        time.sleep(self.seconds)
        super().heard(hook, arguments)

class Gated(RecordingPlugin):
    # Hears so many calls, and all others when the gate is there.
    def __init__(self, path, gate, before=0):
        super().__init__(path)
        self.gate, self.before = gate, before
    def heard(self, hook, arguments):
        self.before -= 1
        while self.before < 0 and not os.path.exists(self.gate):
            time.sleep(0.01)
        super().heard(hook, arguments)

class Holding(RecordingPlugin):
    # Lets no other thread of its process go on.
    def heard(self, hook, arguments):
        ctypes.PyDLL(None).sleep(1000)

class Asking(RecordingPlugin):
    # Asks its user something before it hears.
    def heard(self, hook, arguments):
        assert not os.read(0, 1)
        super().heard(hook, arguments)

class Ending(RecordingPlugin):
    def bookmark(self):
        os._exit(70)

class Staying(RecordingPlugin):
    # Leaves a thread for which Python waits at its end.
    def heard(self, hook, arguments):
        super().heard(hook, arguments)
        threading.Thread(target=time.sleep, args=(1000,), daemon=False).start()

class Lost(RecordingPlugin):
    def destination(self):
        raise LookupError("no address")

class Flooding(RecordingPlugin):
    def heard(self, hook, arguments):
        super().heard(hook, arguments)
        for _ in range(64):
            print("x" * 65_536)
            print("y" * 65_536, file=sys.stderr)
"""
FOREVER = "1000"
"""As NEURAL_FINISH_SECONDS: whoever waits for what never comes fails by the time limit of the process."""


IMPATIENT = """
from neural_core._delivery import launcher as starting
early = "from neural_core._delivery import companion; companion.HELD_SECONDS = 1; sys.exit("
starting._BOOT = starting._BOOT.replace("sys.exit(", early)
"""
"""In a script: its companion ends when one thread has held its interpreter for a second."""


def install_probe(folder: Path) -> Path:
    """Install the backends that these tests use, wherever `folder` is on the path."""
    dying, sleeping = "import os; os._exit(3)", "import time; time.sleep(1000)"
    points = {"neural.backends": BACKENDS}
    return make_distribution(folder, "probe", points, probe=PROBE, probe_dying=dying, probe_sleeping=sleeping)


def environment(*folders: Path, **more: str) -> dict[str, str]:
    """Give the environment of a script that finds this checkout and the packages in `folders`."""
    path = os.pathsep.join(map(str, [*folders, ROOT]))
    return os.environ | {"PYTHONPATH": path, "NEURAL_FINISH_SECONDS": FOREVER} | more


def start(code: str, *arguments: object, env: dict[str, str], **options: Any) -> subprocess.Popen[str]:
    """Start Python code in a process of its own."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=env, text=True, stdin=pipe, stdout=pipe, stderr=pipe, **options)


def finished(process: subprocess.Popen[str], text: str = "") -> tuple[str, str]:
    """Wait for a process that is to succeed; give its output and what it said on stderr."""
    try:
        output, errors = process.communicate(text, timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, output + errors
    return output, errors


def run(code: str, *arguments: object, env: dict[str, str], **options: Any) -> tuple[str, str]:
    """Run Python code that is to succeed."""
    return finished(start(code, *arguments, env=env, **options))


def heard(path: Path) -> list[dict[str, Any]]:
    """Give what a recording backend wrote; a line that is being written is left out."""
    lines = path.read_text("ascii").splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}\n")]


def rows(calls: Iterable[dict[str, Any]]) -> list[tuple[str, int, int]]:
    """Give (part, position, step) of every row of these calls."""
    return [(call["part"], position, step) for call in calls for position, step, _ in call.get("rows", ())]


def steps_once(calls: Iterable[dict[str, Any]]) -> list[int]:
    """Give the steps in the order of their first delivery; a row that came twice counts once, by its position."""
    return [step for _, _, step in dict.fromkeys(rows(calls))]


def is_gone(pid: int) -> bool:
    """Tell whether a process has ended; one whose parent did not collect it has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True
