"""How the contract of backends makes, tells and reads back the backend under test."""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from neural_core._delivery.events import record_of
from neural_core._storage.experiment.reader import RunReader
from neural_core._testing.delivering import Delivered, deliver
from neural_core._testing.scripts import PATIENCE_SECONDS
from neural_core._tracker import ExperimentTracker
from neural_core.records import Experiment

if TYPE_CHECKING:
    import pytest

__all__ = ["BackendUnderTest", "ReadBack", "forbid_network"]

Point = tuple[str, int | None, float]


@frozen
class ReadBack:
    """What a backend's destination holds of one experiment; None for what it does not keep.

    Attributes:
        points: (metric, step, value) in the order in which the destination gives them.
        hyperparameters: their names, nested ones with dots.
        artifacts: names or paths of the stored files.
        status: of the experiment.
    """

    points: Sequence[Point]
    hyperparameters: Collection[str] | None = None
    artifacts: Collection[str] | None = None
    status: str | None = None


class BackendUnderTest:
    """What the author of a backend says of it.

    Attributes:
        exactly_once: True when facts that come twice are stored once. Otherwise they may be stored twice.
        ordered: False when the destination keeps no order among points of the same millisecond.
    """

    exactly_once = False
    ordered = True

    def make_backend(self, tmp_path: Path) -> object:
        """Give a new object of the backend, as a new process would make it, which delivers to below `tmp_path`."""
        raise NotImplementedError("make_backend(tmp_path) gives the backend")

    def read_back(self, tmp_path: Path, experiment: Experiment) -> ReadBack:
        """Read with a reader of the destination's own what it holds of `experiment`."""
        raise NotImplementedError("read_back(tmp_path, experiment) gives a ReadBack")

    def stored_name(self, name: str) -> str:
        """Give the name under which a metric is stored; override it where some characters are not allowed."""
        return name

    def stored_value(self, value: float) -> float:
        """Give the value as it is stored; override it where it is rounded or cannot be infinite."""
        return value

    def _track(self, tmp_path: Path, name: str = "contract") -> ExperimentTracker:
        return ExperimentTracker(name, tmp_path / "experiments", auto_visualize=False)

    def _deliver(self, tmp_path: Path, tracker: Any, after: Delivered | None = None) -> Delivered:
        """Tell a new object everything, or what came after an earlier delivery."""
        position, bookmark = (None, None) if after is None else (after.position, after.bookmark)
        return self._check(deliver(tracker.experiment_dir, self.make_backend(tmp_path), position, bookmark))

    def _check(self, delivered: Delivered) -> Delivered:
        assert not delivered.errors, delivered.last_error
        assert delivered.complete, f"the backend did not take everything within {PATIENCE_SECONDS:.0f} seconds"
        return delivered

    def _read(self, tmp_path: Path, tracker: ExperimentTracker) -> ReadBack:
        state, _ = RunReader(tracker.experiment_dir).state()
        return self.read_back(tmp_path, record_of(tracker.experiment_dir, state))

    def _points(self, tmp_path: Path, tracker: ExperimentTracker, name: str) -> list[tuple[int | None, float]]:
        stored = self._read(tmp_path, tracker).points
        return [(step, value) for metric, step, value in stored if metric == self.stored_name(name)]

    def _same(self, tmp_path: Path, tracker: Any, name: str, wanted: Iterable[tuple[int, float]]) -> None:
        expected = [(step, self.stored_value(value)) for step, value in wanted]
        stored = self._points(tmp_path, tracker, name)
        if not self.ordered:
            expected, stored = sorted(expected, key=repr), sorted(stored, key=repr)
        for at, (one, other) in enumerate(zip(expected, stored, strict=False)):
            assert repr(one) == repr(other), f"point {at} of {name!r} is {other}, logged was {one}"
        assert len(stored) == len(expected), f"{name!r} has {len(stored)} points, logged were {len(expected)}"

    def _log_and_compare(self, tmp_path: Path, name: str, wanted: Sequence[tuple[int, float]]) -> ExperimentTracker:
        with self._track(tmp_path) as tracker:
            for step, value in wanted:
                tracker.log_metrics({name: value}, step=step)
        self._deliver(tmp_path, tracker)
        self._same(tmp_path, tracker, name, wanted)
        return tracker


def forbid_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Refuse every connection that leaves this host; give the list of those that were tried."""
    tried: list[object] = []

    def guarded(real: Any) -> Any:
        def call(own: socket.socket, address: Any, *more: Any) -> Any:
            if own.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(str(address[0])):
                tried.append(address)
                raise OSError(f"this test allows no network: {address}")
            return real(own, address, *more)

        return call

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))
    return tried


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host == "::1" or host.startswith("127.")
