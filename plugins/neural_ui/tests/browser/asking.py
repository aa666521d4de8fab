"""Questions to the server without a browser, and answers decoded."""

from __future__ import annotations

import http.client
import json
import struct
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import numpy as np
from numpy.typing import NDArray

__all__ = ["Answer", "ask", "runs_of", "series"]


class Answer:
    """Status, headers and body."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Keep them."""
        self.status, self.headers, self.body = status, headers, body


def ask(url: str, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    """Send a request exactly as written: the path is neither normalised nor quoted."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def runs_of(url: str) -> dict[str, str]:
    """Give id → name of every run, the newest first."""
    found = json.loads(ask(url, "/api/v1/runs").body)["runs"]
    return dict(zip(found["id"], found["name"], strict=True))


def series(url: str, runs: list[str], metric: str, **more: Any) -> list[dict[str, Any]]:
    """Give the curves of a metric: what the header says of each, its arrays decoded."""
    query = urlencode({"runs": ",".join(runs), "metric": metric, **more}, quote_via=quote)
    body = ask(url, f"/api/v1/series?{query}").body
    [length] = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + length])
    return [{**run, **_arrays(body, 4 + length, run)} for run in header["runs"]]


def _arrays(body: bytes, start: int, run: dict[str, Any]) -> dict[str, NDArray[np.float64]]:
    """Decode the arrays of one run; where an extreme stands is written as its distance from x."""
    found = {
        name: np.frombuffer(body, f"<{kind}", run["n"], start + at).astype(np.float64)
        for name, (at, kind) in run.get("at", {}).items()
    }
    for name in ("min", "max"):
        if f"d_{name}" in found:
            found[f"at_{name}"] = found["x"] + found.pop(f"d_{name}")
    return found
