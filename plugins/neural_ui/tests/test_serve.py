"""The server as users start it: in a process of its own, over a real socket, ended by Ctrl-C."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from neural_core import ExperimentTracker

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 120.0
CLI = "from neural_core._cli import main; main()"
WAYS = {
    "script": ["neural/tracking/comparison_ui.py", "--port", "{port}", "--base-dir", "{base}"],
    "function": [
        "-c",
        "from neural.tracking import launch_comparison_ui\n"
        "launch_comparison_ui(base_dir={base!r}, port={port}, debug=False)",
    ],
    "class": [
        "-c",
        "from neural.tracking import ExperimentManager, ExperimentComparisonUI\n"
        "manager = ExperimentManager(base_dir={base!r})\n"
        "ui = ExperimentComparisonUI(manager=manager, port={port})\n"
        "ui.run(debug=False)",
    ],
    "command": ["-c", CLI, "ui", "--port", "{port}", "--base-dir", "{base}"],
    "module": ["-m", "neural_ui", "--port", "{port}", "--base-dir", "{base}"],
}
WRITER = """
import sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker("live", sys.argv[1], False)
for step, _ in enumerate(sys.stdin):
    tracker.log_metrics({"loss": float(step)}, step=step)
    print(step, flush=True)
tracker.finish()
"""


def free_port() -> int:
    """Give a port that nobody has, outside of the range from which the system gives ports to others."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", random.randrange(10_000, 32_000)))
            return int(probe.getsockname()[1])


class Process:
    """A server's process.

    Attributes:
        output: what it has written so far.
        address: host and port where it says it is; text after them.
    """

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
        self.output = ""
        self.address = ("", 0)
        self.query = ""

    def wait(self) -> Process:
        """Wait until it says where it is."""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            end = time.monotonic() + PATIENCE
            while time.monotonic() < end:
                found = re.search(r"http://([^/\s:]+):(\d+)(\S*)", self.output)
                if found:
                    self.address, self.query = (found[1], int(found[2])), found[3]
                    return self
                if not selector.select(1.0):
                    continue
                if not (data := os.read(self.process.stdout.fileno(), 65_536)):
                    break
                self.output += data.decode()
        raise AssertionError(f"it does not say where it is: {self.output}")

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
        """Send a request over a connection of its own; give status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.address[1], timeout=PATIENCE)
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def runs(self) -> Any:
        """Give the list of runs."""
        status, _, body = self.ask("/api/v1/runs")
        assert status == 200
        return json.loads(body)["runs"]

    def interrupt(self) -> int:
        """Press Ctrl-C; give the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        rest, _ = self.process.communicate(timeout=PATIENCE)
        self.output += (rest or b"").decode()
        return self.process.returncode

    def end(self) -> int:
        """Wait until it ends by itself; give the exit status."""
        rest, _ = self.process.communicate(timeout=PATIENCE)
        self.output += (rest or b"").decode()
        return self.process.returncode

    def kill(self) -> None:
        """End it in any case."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Give a function that starts a server's process, which is gone after the test."""
    running: list[Process] = []

    def begin(*arguments: str, **environment: str) -> Process:
        running.append(Process(*arguments, **environment))
        return running[-1]

    yield begin
    for process in running:
        process.kill()


def way(name: str, base: Path, port: int) -> list[str]:
    """Give the arguments of one of the ways to start it."""
    values = {"base": str(base), "port": port}
    return [re.sub(r"\{(\w+)(!r)?\}", lambda m: (repr if m[2] else str)(values[m[1]]), text) for text in WAYS[name]]


@pytest.mark.parametrize("name", WAYS)
def test_ways_to_start(start: Start, track: Callable[..., ExperimentTracker], tmp_path: Path, name: str) -> None:
    """The guide's three ways, the command and the module serve the experiments, and Ctrl-C ends them without a word."""
    tracker, port = track(tmp_path / "base"), free_port()
    server = start(*way(name, tmp_path / "base", port)).wait()
    assert server.address == ("127.0.0.1", port)
    assert server.runs()["id"] == [tracker.experiment_id]
    status, headers, body = server.ask("/")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"neural-token" in body
    assert server.interrupt() == 0
    assert server.output.count("\n") == 1
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # nobody listens; old connections are no matter
        again.bind(("127.0.0.1", port))


@pytest.mark.fault("U04")
def test_only_this_machine(start: Start, tmp_path: Path) -> None:
    """Nobody listens on any other address than the loopback's."""
    server = start(*way("command", tmp_path, 0)).wait()
    with socket.socket() as other, pytest.raises(ConnectionRefusedError):
        other.connect(("127.0.0.2", server.address[1]))
    assert server.interrupt() == 0


def test_a_busy_port(start: Start, tmp_path: Path) -> None:
    """A port that was asked for and is busy ends the start with one sentence."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        for name in ("command", "script", "module"):
            server = start(*way(name, tmp_path, port))
            assert server.end() in (1, 2)
            assert f"port {port} is busy" in server.output
            assert "Traceback" not in server.output


def test_the_next_port(start: Start, tmp_path: Path) -> None:
    """When the default port is busy and was not asked for, the next free one is taken."""
    with socket.socket() as busy:
        with contextlib.suppress(OSError):  # somebody else has it: busy all the same
            busy.bind(("127.0.0.1", 8052))
            busy.listen()
        server = start("-c", CLI, "ui", "--base-dir", str(tmp_path)).wait()
        assert 8052 < server.address[1] < 8052 + 51
        assert server.runs()["id"] == []
        assert server.interrupt() == 0


@pytest.mark.fault("U05")
def test_debug(start: Start, tmp_path: Path) -> None:
    """Debug mode tells of every request in the terminal, and brings no console to the browser."""
    server = start(*way("command", tmp_path, 0), "--debug").wait()
    assert server.ask("/console")[0] == 404
    assert server.ask("/api/v1/%0aforged")[0] == 404
    assert server.interrupt() == 0
    assert "GET '/console': 404 Not Found\n" in server.output
    assert "GET '/api/v1/\\nforged': 404" in server.output


def test_open(start: Start, tmp_path: Path) -> None:
    """The browser is opened with ``--open`` only, at the page."""
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f"#!/bin/sh\necho \"$1\" >> '{seen}'\n")
    browser.chmod(0o755)
    for options in ([], ["--open"]):
        server = start(*way("command", tmp_path, 0), *options, BROWSER=str(browser)).wait()
        server.runs()
        assert server.interrupt() == 0
    assert seen.read_text() == f"http://127.0.0.1:{server.address[1]}\n"


@pytest.mark.fault("U04")
def test_other_machines(start: Start, tmp_path: Path) -> None:
    """Other machines are let in only when that was said, and then by the token that stands in the printed address."""
    refused = start(*way("command", tmp_path, 0), "--host", "0.0.0.0")
    assert refused.end() == 2
    assert "--allow-remote" in refused.output
    server = start(*way("command", tmp_path, 0), "--host", "0.0.0.0", "--allow-remote").wait()
    assert re.fullmatch(r"/\?token=[\w-]{32,}", server.query)
    assert server.ask("/api/v1/runs")[0] == 401
    status, headers, _ = server.ask(server.query)
    assert status == 200
    assert server.ask("/api/v1/runs", Cookie=headers["Set-Cookie"].partition(";")[0])[0] == 200
    assert "every machine that reaches this one" in server.output
    assert server.interrupt() == 0


@pytest.mark.fault("U16")
def test_over_the_wire(start: Start, tmp_path: Path) -> None:
    """No banner; too long a body, too long a head and no HTTP at all are refused, and the server goes on."""
    server = start(*way("command", tmp_path, 0)).wait()
    status, headers, _ = server.ask("/api/v1/runs")
    assert (status, headers["Server"]) == (200, None)
    json_type = {"Content_Type": "application/json"}
    status, headers, body = server.ask("/_dash-update-component", "POST", b"[" + b"1," * 700_000 + b"1]", **json_type)
    assert status == 413
    assert b"Traceback" not in body
    long = b"GET /" + b"x" * 300_000 + b" HTTP/1.1\r\n\r\n"
    for data in (b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9.9\r\n\r\n", long):
        where = ("127.0.0.1", server.address[1])
        with socket.create_connection(where, timeout=PATIENCE) as raw, contextlib.suppress(OSError):
            raw.sendall(data)
            raw.shutdown(socket.SHUT_WR)
            assert b"Traceback" not in raw.recv(65_536)
    assert server.ask("/api/v1/runs", Host="evil.example")[0] == 403
    assert server.ask("/api/v1/runs")[0] == 200
    assert server.interrupt() == 0
    assert "Traceback" not in server.output


def test_a_live_writer(start: Start, tmp_path: Path) -> None:
    """What another process logs is in the next answer, without a restart and without reading all again."""
    server = start(*way("command", tmp_path, 0)).wait()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdin
    assert writer.stdout
    cursor = json.loads(server.ask("/api/v1/changes")[2])["cursor"]
    for step in range(3):
        writer.stdin.write("\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == f"{step}\n"
        changes = json.loads(server.ask(f"/api/v1/changes?cursor={cursor}")[2])
        cursor = changes["cursor"]
        ((run_id, metric, total),) = changes["grown"]
        assert (metric, total, changes["runs"]["status"]) == ("loss", step + 1, ["running"])
        assert server.ask(f"/api/v1/series?runs={run_id}&metric=loss")[0] == 200
    writer.communicate()
    assert json.loads(server.ask(f"/api/v1/changes?cursor={cursor}")[2])["runs"]["status"] == ["completed"]
    assert server.interrupt() == 0


def test_many_at_once(start: Start, track: Callable[..., ExperimentTracker], tmp_path: Path) -> None:
    """Requests beside each other, and edits among them, are all answered."""
    ids = [track(tmp_path, str(i), 200).experiment_id for i in range(6)]
    server = start(*way("command", tmp_path, 0)).wait()
    series = f"/api/v1/series?runs={','.join(ids)}&metric=loss&points="
    paths = ["/api/v1/runs", "/api/v1/changes", "/", f"{series}10", f"{series}700"]
    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda path: server.ask(path)[0], paths * 20))
    assert set(statuses) == {200}
    assert server.interrupt() == 0
    assert "Traceback" not in server.output
