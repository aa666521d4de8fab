"""TensorBoard beside us: the same curves as event files, its server, and the time of its first chart."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FIRST_CHART", "serving", "write_events"]

MINUTES = 600.0
_POLYNOMIAL = 0x82F63B78

FIRST_CHART = """() => new Promise(done => {
    const answered = () => performance.getEntriesByType('resource')
        .some(one => one.name.includes('timeSeries') && one.responseEnd > 0);
    const drawn = () => document.querySelector('scalar-card line-chart canvas, scalar-card line-chart svg path');
    const busy = () => document.querySelector('scalar-card mat-spinner, scalar-card mat-progress-spinner');
    const look = () => {
        if (answered() && drawn() && !busy()) requestAnimationFrame(() => requestAnimationFrame(
            () => done(performance.now())));
        else requestAnimationFrame(look);
    };
    look();
})"""
"""Gives the milliseconds from the navigation until the spinner is gone and two more frames are painted."""


def _table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1).astype(np.uint32)
    return table


_TABLE = _table()


def _masked_crc(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Give the masked CRC-32C of each row of bytes, as TFRecord files hold it."""
    crc = np.full(len(rows), 0xFFFFFFFF, np.uint32)
    for column in rows.T:
        crc = _TABLE[(crc ^ column) & 0xFF] ^ (crc >> np.uint32(8))
    crc ^= np.uint32(0xFFFFFFFF)
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)


def write_events(folder: Path, runs: Mapping[str, NDArray[np.float64]], metric: str) -> None:
    """Write one event file for each run; its records are those of TensorBoard's own writer, made all at once."""
    for name, values in runs.items():
        (folder / name).mkdir(parents=True)
        path = folder / name / "events.out.tfevents.1790000000.host.1.0"
        with path.open("wb") as file:
            file.write(_record(b"\x09" + struct.pack("<d", 1.79e9) + b"\x1a\x0dbrain.Event:2"))
            file.write(_scalars(values, metric.encode()).tobytes())


def _record(event: bytes) -> bytes:
    length = struct.pack("<Q", len(event))
    crcs = [_masked_crc(np.frombuffer(part, np.uint8)[None, :])[0] for part in (length, event)]
    return length + struct.pack("<I", crcs[0]) + event + struct.pack("<I", crcs[1])


def _scalars(values: NDArray[np.float64], tag: bytes) -> NDArray[np.uint8]:
    """Give records of one length each: wall time, a step of three bytes (below 2,097,152), tag and value."""
    count = len(values)
    value = b"\x0a" + bytes([len(tag)]) + tag + b"\x15"
    inner = b"\x0a" + bytes([len(value) + 4]) + value
    event = b"\x09" + bytes(8) + b"\x10" + bytes(3) + b"\x2a" + bytes([len(inner) + 4]) + inner + bytes(4)
    length = struct.pack("<Q", len(event))
    head = length + struct.pack("<I", _masked_crc(np.frombuffer(length, np.uint8)[None, :])[0])
    rows = np.tile(np.frombuffer(head + event + bytes(4), np.uint8), (count, 1))
    at, steps = len(head), np.arange(count, dtype=np.uint32)
    rows[:, at + 1 : at + 9] = (1.79e9 + steps * 0.05).astype("<f8").view(np.uint8).reshape(count, 8)
    for place, more in ((0, 0x80), (1, 0x80), (2, 0)):
        rows[:, at + 10 + place] = ((steps >> np.uint32(7 * place)) & 0x7F) | more
    end = at + len(event)
    rows[:, end - 4 : end] = values.astype("<f4").view(np.uint8).reshape(count, 4)
    rows[:, end : end + 4] = _masked_crc(rows[:, at:end]).astype("<u4").view(np.uint8).reshape(count, 4)
    return rows


@contextlib.contextmanager
def serving(folder: Path, runs: int, port: int) -> Iterator[tuple[str, float]]:
    """Run TensorBoard; give its address and the seconds until it had read everything."""
    log = (folder / "server.log").open("wb")
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", str(port)]
    start = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ}, start_new_session=True
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_read(url, runs, process)
        yield url, time.perf_counter() - start
    finally:
        log.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)  # its data server is a process of the same group
        process.wait()


def _wait_until_read(url: str, runs: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until all runs are there, and the last step of each has not changed for two looks."""
    deadline = time.monotonic() + MINUTES
    before: Any = None
    while time.monotonic() < deadline:
        assert process.poll() is None, "TensorBoard has ended: see server.log"
        time.sleep(1.0)
        with contextlib.suppress(OSError, ValueError):
            tags = _ask(f"{url}/data/plugin/timeseries/tags")["scalars"]["runTagInfo"]
            if len(tags) < runs:
                continue
            now = {run: _last_step(url, run, found[0]) for run, found in tags.items()}
            if now == before:
                return
            before = now
    raise AssertionError("TensorBoard has not read the events in ten minutes")


def _last_step(url: str, run: str, tag: str) -> int:
    body = f"requests={json.dumps([{'plugin': 'scalars', 'tag': tag}])}".encode()
    [answer] = _ask(f"{url}/data/plugin/timeseries/timeSeries", body)
    return int(answer["runToSeries"][run][-1]["step"])


def _ask(address: str, body: bytes | None = None) -> Any:
    headers = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}
    with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=60) as answer:
        return json.load(answer)
