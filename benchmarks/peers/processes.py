"""One verb of one contestant in a process of its own, which nothing of it outlives."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import frozen

from benchmarks.measure import ROOT
from benchmarks.peers.contestants import Contestant
from benchmarks.peers.environments import NotPossibleError

__all__ = ["Place", "Runner", "settle"]

_CODE = (
    "import json, sys; sys.path.append(sys.argv[1]); "
    "from benchmarks.peers.clients.driver import main; main(*json.loads(sys.argv[2]))"
)
_MARK = "BENCHMARK_PLACE"
_PATIENCE = 600.0
"""Seconds that a verb may take."""
_SETTLING = 10.0
"""Seconds that processes have to end which a tool left behind."""
_NOWHERE = "http://127.0.0.1:9"
"""Where requests to the network end: nobody listens there."""


@frozen
class Place:
    """Folders of one contestant: its current folder, its home, what it says and what it answers."""

    root: Path

    @property
    def store(self) -> Path:
        """Where it is started."""
        return self.root / "store"

    @property
    def home(self) -> Path:
        """What it takes for the user's home."""
        return self.root / "home"

    @property
    def index(self) -> Path:
        """Where neural keeps what may be thrown away: its index of a store."""
        return self.root / "index"

    def make(self) -> Place:
        """Make the folders where they are not."""
        for folder in (self.store, self.home / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        return self


@frozen
class Runner:
    """Starts verbs of one contestant.

    Attributes:
        one: the contestant.
        python: what has it installed.
        fonts: where Matplotlib keeps its list of fonts, which nobody is to make twice.
    """

    one: Contestant
    python: Path
    fonts: Path

    def run(self, place: Place, verb: str, *arguments: Any) -> tuple[Any, float]:
        """Do a verb; give what it found and the seconds of the whole process.

        Raises:
            NotPossibleError: the tool has nothing of the kind, or failed.
        """
        answer = place.make().root / "answer.json"
        answer.unlink(missing_ok=True)
        began = time.perf_counter()
        with self.started(place, verb, *arguments) as process:
            status = _wait(process)
            took = time.perf_counter() - began
        if status or not answer.exists():
            raise NotPossibleError(_reason(place, status))
        found = json.loads(answer.read_text("utf-8"))
        if "without" in found:
            raise NotPossibleError(found["without"])
        return found["found"], took

    @contextmanager
    def started(self, place: Place, verb: str, *arguments: Any) -> Iterator[subprocess.Popen[bytes]]:
        """Start a verb; when the block ends, wait a moment for what it has started itself, and end that."""
        words = [self.one.client, dict(self.one.options), verb, arguments, str(place.root / "answer.json")]
        command = [str(self.python), "-P", "-c", _CODE, str(ROOT), json.dumps(words)]
        with self.launched(place, command) as process:
            yield process

    @contextmanager
    def launched(self, place: Place, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
        """Start any command as `started` does."""
        with (place.make().root / "said.txt").open("wb") as said:
            process = subprocess.Popen(
                command,
                cwd=place.store,
                env=self._environment(place),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            settle(place)

    def _environment(self, place: Place) -> dict[str, str]:
        ours = ("PYTHON", "NEURAL_", "XDG_", "MLFLOW_", "WANDB_", "TRACKIO_", "DVC", "HF_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), _NOWHERE)
        own = {"HOME": str(place.home), "TMPDIR": str(place.home / "tmp"), "MPLCONFIGDIR": str(self.fonts)}
        local = {"NO_PROXY": "127.0.0.1,localhost", "NEURAL_CACHE_DIR": str(place.index)}
        return {**kept, **proxies, **own, **local, **self.one.switches, _MARK: str(place.root)}


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        return None


def settle(place: Place) -> None:
    """Wait until the processes of a place have ended; end those that stay. Where /proc is not, none are known."""
    deadline = time.monotonic() + _SETTLING
    while (left := _marked(place)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for number in left:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _marked(place: Place) -> list[int]:
    mark = f"{_MARK}={place.root}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes() + b"\0":
                found.append(int(path.parent.name))
        except OSError:  # it has ended, or is another user's
            continue
    return found


def _reason(place: Place, status: int | None) -> str:
    """Give the last line that a failed process said, without paths of the machine."""
    if status is None:
        return f"it needed more than {_PATIENCE / 60:.0f} minutes"
    lines = (place.root / "said.txt").read_text("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), f"it ended with {status}")
    return re.sub(r"(?<![\w.])(?:/[\w.+@-]+)+/", "…/", last)[:200].replace("|", "/")
