"""Run the tests that prove faults, and tell for each row what became of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import recording
from attrs import define, field
from marks import ROOT, files_of, files_of_tests, marked_tests

__all__ = ["Result", "run_rows"]

SECONDS = 300
"""After so many a test that hangs has failed."""
_BAD = ("failed", "skipped")


@define
class Result:
    """What became of the tests of one row.

    Attributes:
        outcomes: test → passed, failed or skipped.
        seconds: that they took.
    """

    outcomes: dict[str, str] = field(factory=dict)
    seconds: float = 0.0

    @property
    def word(self) -> str:
        """``proved``, or what is wrong: ``failed``, ``skipped``, ``not tried``."""
        found = set(self.outcomes.values())
        return next((bad for bad in _BAD if bad in found), "proved" if found else "not tried")

    def add(self, test: str, outcome: str, seconds: float) -> None:
        """Take up one phase of a test; the worst of them counts."""
        self.seconds += seconds
        before = self.outcomes.get(test, "passed")
        self.outcomes[test] = next((bad for bad in _BAD if bad in (before, outcome)), "passed")


def run_rows(rows: Sequence[str], arguments: Iterable[str] = ()) -> tuple[int, dict[str, Result]]:
    """Run the tests of these rows on every processor; give pytest's exit status and row → result."""
    marked = marked_tests(files_of_tests())
    files = files_of(test for row in rows for test in marked.get(row, []))
    if not files:
        return 0, {row: Result() for row in rows}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        status = subprocess.call(_command(files, arguments), cwd=ROOT, env=_environment(path, rows))
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return status, _results(rows, [json.loads(line) for line in lines])


def _command(files: Sequence[str], arguments: Iterable[str]) -> list[str]:
    several = ["-n", "auto", "--dist", "loadfile"]
    options = ["-m", "fault", "-q", "-p", "recording", f"--timeout={SECONDS}"]
    return [sys.executable, "-m", "pytest", *files, *several, *options, *arguments]


def _environment(results: Path, rows: Sequence[str]) -> dict[str, str]:
    here = str(Path(__file__).parent)
    found = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
    said = {recording.RESULTS: str(results), recording.WANTED: " ".join(rows)}
    return os.environ | {"PYTHONPATH": found, **said}


def _results(rows: Sequence[str], lines: Iterable[dict[str, object]]) -> dict[str, Result]:
    results = {row: Result() for row in rows}
    for line in lines:
        for row in line["rows"]:  # type: ignore[attr-defined]
            if row in results:
                results[row].add(str(line["test"]), str(line["outcome"]), float(str(line["seconds"])))
    return results
