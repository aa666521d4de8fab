"""What every contestant can be asked, in words of one kind. Only the standard library: this runs beside each peer."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

__all__ = ["METRIC", "Client", "Log", "Metrics", "Points", "WithoutError", "row_of", "tool"]

Metrics = Mapping[str, float]
Log = Callable[[Metrics, int], Any]
Points = tuple[Any, Any]  # steps and values, in lists or arrays
METRIC = "metric_0"
"""The metric that is read back."""


class WithoutError(Exception):
    """The tool has nothing of the kind; one sentence says what it has instead."""


class Client:
    """One tool, whose store is the current folder.

    A subclass imports its tool inside its methods, so that the time of the import can be told from the rest.

    Attributes:
        without: methods that it has not got, and in one sentence what the tool has instead.
    """

    without: ClassVar[Mapping[str, str]] = {}

    def load(self) -> None:
        """Import what a script imports that logs."""

    def load_reader(self) -> None:
        """Import what a script imports that reads."""
        self.load()

    def start(self, name: str) -> Log:
        """Begin a run as the tool's documentation shows; give what logs several metrics of one step."""
        raise NotImplementedError

    def finish(self) -> None:
        """End the run; all is stored when this returns."""
        raise NotImplementedError

    def fill(self, name: str, rows: Iterator[tuple[int, Metrics]]) -> None:
        """Store a run in the tool's fastest way; it is only read afterwards."""
        log = self.start(name)
        for step, metrics in rows:
            log(metrics, step)
        self.finish()

    def ready(self) -> None:
        """Do what the tool has others do before its store is read."""

    def read(self) -> Points:
        """Give steps and values of METRIC of the only run, in order, with the tool's own reader."""
        raise NotImplementedError

    def found(self) -> list[int]:
        """Give the steps of METRIC that are stored in the only run, also when its process was killed."""
        return list(self.read()[0])

    def listed(self) -> dict[str, float]:
        """Give the last value of METRIC of each run, with the tool's own reader."""
        raise NotImplementedError

    def store(self, path: str) -> None:
        """Keep a file as an artifact of the current run."""
        raise NotImplementedError


def tool(name: str) -> Any:
    """Import a module of a tool. Peers are installed in environments of their own, where no type checker looks."""
    return importlib.import_module(name)


def row_of(step: int, width: int = 4) -> dict[str, float]:
    """Give `width` metrics of a step; each fills its double."""
    return {f"metric_{number}": step / 7 + 1 / (number + 3) for number in range(width)}
