"""What the tests of the server share: small stores, and a client of the application without a network."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import define
from neural_ui import ExperimentComparisonUI
from neural_ui._security import Policy
from werkzeug.test import Client, TestResponse

from neural_core import ExperimentManager, ExperimentTracker

TOKEN = "the token of the tests"


@define
class Api:
    """The application over one base folder."""

    base: Path
    client: Client

    def get(self, path: str, **headers: str) -> TestResponse:
        """Ask the interface; underscores in the names of headers stand for hyphens."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.get(f"/api/v1/{path}", headers=named, buffered=True)

    def json(self, path: str) -> Any:
        """Give an answer's JSON, which must be strict."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))

    def post(self, path: str, content: Any, **headers: str) -> TestResponse:
        """Change something, as the page does."""
        named = {"X-Neural-Token": TOKEN} | {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.post(f"/api/v1/{path}", json=content, headers=named)

    @staticmethod
    def unpack(data: bytes) -> tuple[dict[str, Any], list[dict[str, list[float]]]]:
        """Read a binary answer as the page does."""
        return unpack(data)

    def series(self, query: str) -> tuple[dict[str, Any], list[dict[str, list[float]]]]:
        """Give the header and the arrays of each run."""
        answer = self.get(f"series?{query}")
        assert answer.status_code == 200, answer.text
        return unpack(answer.data)


def unpack(data: bytes) -> tuple[dict[str, Any], list[dict[str, list[float]]]]:
    """Read a binary answer as the page does."""
    (length,) = struct.unpack_from("<I", data)
    assert (4 + length) % 8 == 0
    header = json.loads(data[4 : 4 + length])
    runs = []
    for run in header["runs"]:
        arrays = {
            name: np.frombuffer(data, f"<{kind}", run["n"], 4 + length + offset).astype(float)
            for name, (offset, kind) in run["at"].items()
        }
        for end in ("min", "max"):
            if f"d_{end}" in arrays:
                arrays[f"at_{end}"] = arrays["x"] + arrays.pop(f"d_{end}")
        runs.append({name: array.tolist() for name, array in arrays.items()})
    return header, runs


@pytest.fixture
def serve() -> Callable[..., Api]:
    """Give a function that makes the application over a base folder."""

    def make(base: Path, **policy: Any) -> Api:
        app = ExperimentComparisonUI(ExperimentManager(base)).make_app(Policy(token=TOKEN, **policy))
        return Api(base, app.server.test_client())

    return make


@pytest.fixture
def api(tmp_path: Path, serve: Callable[..., Api]) -> Api:
    """The application over an empty base folder."""
    return serve(tmp_path / "base")


def track(base: Path, name: str = "run", count: int = 3, **more: Any) -> ExperimentTracker:
    """Make a finished experiment with some points of two metrics."""
    with ExperimentTracker(name, base, False, **more) as tracker:
        for step in range(count):
            tracker.log_metrics({"loss": 1.0 / (step + 1), "acc": float(step)}, step=step)
    return tracker


@pytest.fixture(name="track")
def given_track() -> Callable[..., ExperimentTracker]:
    """Give the function that makes a finished experiment."""
    return track
