"""A plugin of pytest that writes what became of each test that proves a fault: ``FAULTS_RESULTS`` names the file.

A line is a JSON object: test, rows, phase, outcome, seconds.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

__all__ = ["VARIABLE", "pytest_collection_modifyitems", "pytest_configure"]

VARIABLE = "FAULTS_RESULTS"
_PROPERTY = "proves faults"


class Recorder:
    """Writes a line for each phase of a test."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the line."""
        rows = [row for name, found in report.user_properties if name == _PROPERTY for row in str(found).split()]
        line = {
            "test": report.nodeid, "rows": rows, "phase": report.when, "outcome": report.outcome,
            "seconds": report.duration,
        }  # fmt: skip
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Record in the process that hears of all tests, which is not the one that runs them when there are several."""
    path = os.environ.get(VARIABLE)
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(Path(path)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each test carry its rows along into its report."""
    for item in items:
        rows = [str(row) for marker in item.iter_markers("fault") for row in marker.args]
        item.user_properties.append((_PROPERTY, " ".join(rows)))
