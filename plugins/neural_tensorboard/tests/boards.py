"""What these tests share: a real TensorBoard, asked over HTTP."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from neural_core.testing import wait_for


class Board:
    """A TensorBoard that runs."""

    def __init__(self, address: str) -> None:
        self._address = address

    def get(self, path: str, **query: Any) -> Any:
        """Ask for a JSON document."""
        return json.loads(self.fetch(path, **query))

    def fetch(self, path: str, **query: Any) -> bytes:
        """Ask for bytes."""
        with urllib.request.urlopen(f"{self._address}{path}?{urllib.parse.urlencode(query)}", timeout=120) as answer:
            data: bytes = answer.read()
        return data

    def post(self, path: str, **body: Any) -> Any:
        """Ask with a JSON document for another."""
        request = urllib.request.Request(
            f"{self._address}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())


def becomes(expected: object, ask: Callable[[], object]) -> None:
    """Wait until an answer is this: TensorBoard reads runs bit by bit, and shows what it has by then.

    Raises:
        AssertionError: it does not become this.
    """
    answer: object = None

    def same() -> bool:
        nonlocal answer
        with contextlib.suppress(urllib.error.HTTPError, LookupError):  # not there yet
            answer = ask()
        return answer == expected

    with contextlib.suppress(AssertionError):
        wait_for(same)
    assert answer == expected, f"{answer} is not {expected}"


@contextlib.contextmanager
def tensorboard(log_dir: Path, *, fast: bool) -> Iterator[Board]:
    """Serve a log folder with one of TensorBoard's two loaders on a free port of this host."""
    log = log_dir.parent / "tensorboard.log"
    options = ["--logdir", str(log_dir), "--port", "0", "--host", "127.0.0.1", "--reload_interval", "1"]
    command = [sys.executable, "-m", "tensorboard.main", *options, f"--load_fast={str(fast).lower()}"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        address = wait_for(lambda: re.search(r"at (http://127.0.0.1:\d+)/ ", log.read_text()) or process.poll())
        assert process.poll() is None, log.read_text()
        yield Board(address[1])
    finally:
        process.terminate()
        process.wait(timeout=120)
