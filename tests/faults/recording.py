"""A plugin of pytest that runs the tests of some rows and writes what became of each.

``FAULTS_ROWS`` names the rows. ``FAULTS_RESULTS`` names the file; a line of it is a JSON object: test, rows, phase,
outcome, seconds.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

__all__ = ["RESULTS", "WANTED", "pytest_collection_modifyitems", "pytest_configure"]

RESULTS = "FAULTS_RESULTS"
WANTED = "FAULTS_ROWS"
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
    path = os.environ.get(RESULTS)
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(Path(path)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what proves none of the rows; let each test carry its rows along into its report."""
    wanted, others = set(os.environ[WANTED].split()), []
    for item in list(items):
        rows = [str(row) for marker in item.iter_markers("fault") for row in marker.args]
        item.user_properties.append((_PROPERTY, " ".join(rows)))
        if wanted.isdisjoint(rows):
            items.remove(item)
            others.append(item)
    config.hook.pytest_deselected(items=others)
