"""The UI's server in a process of its own, started as a user starts it."""

from __future__ import annotations

import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["Server", "free_port"]

PATIENCE_SECONDS = 120.0
# A shell's background jobs ignore SIGINT, and so would all that they start: Ctrl-C is made to count again.
_LAUNCH = (
    "import faulthandler, signal; faulthandler.register(signal.SIGUSR1); "
    "signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from neural_core._cli import main; main()"
)


def free_port() -> int:
    """Give a port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """``neural ui`` for one base folder.

    Attributes:
        url: of the page, without a slash at its end.
        pid: of its process.
    """

    def __init__(self, base: Path, *arguments: str, python: str = sys.executable) -> None:
        """Start it and wait for the line that says where it is."""
        command = [python, "-c", _LAUNCH, "ui", "--base-dir", str(base), "--port", "0", *arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ}
        )
        self.pid = self._process.pid
        self.output = ""
        self.url = self._wait_for_url()

    def _wait_for_url(self) -> str:
        assert self._process.stdout is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while time.monotonic() < deadline:
                if selector.select(1.0):
                    data = os.read(self._process.stdout.fileno(), 65_536)
                    self.output += data.decode(errors="replace")
                    found = re.search(r"http://[\w.:\[\]]+:\d+", self.output)
                    if found:
                        return found[0]
                    if not data:
                        break
        self.close()
        raise AssertionError(f"the server did not say where it is:\n{self.output}")

    def close(self) -> str:
        """End it as Ctrl-C does; give what it has written."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        try:
            rest, _ = self._process.communicate(timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            rest = self._where_it_hangs()
            raise AssertionError(f"the server did not end after SIGINT:\n{rest.decode()}") from None
        self.output += rest.decode(errors="replace")
        return self.output

    def _where_it_hangs(self) -> bytes:
        """Let it write the stack of each thread, and kill it."""
        self._process.send_signal(signal.SIGUSR1)
        time.sleep(1)
        self._process.kill()
        return self._process.communicate()[0] or b""

    @property
    def status(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()
