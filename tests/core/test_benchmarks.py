"""The benchmarks: each one runs and gives its figures. No test here asserts how long anything takes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMES = (
    "log_calls",
    "long_run",
    "kills",
    "startup",
    "reading",
    "listing",
    "artifacts",
    "delivery",
    "backends",
    "ui",
    "ui_lists",
)
FACTS = (
    "acknowledged calls lost",
    "a damaged row",
    "loaded by the import",
    "wrong answers",
    "new bytes on the disk",
    "requests while",
)


def run(name: str, output: Path) -> list[list[str]]:
    """Run one benchmark with tiny sizes in a process of its own; give the cells of its rows."""
    command = [sys.executable, "-m", "benchmarks.run", name, "--tiny", "--folder", str(output.parent)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, "--output", str(output)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr  # 1: a bound is missed, which a busy machine may do
    assert "Traceback" not in done.stderr, done.stderr
    lines = [line for line in output.read_text("utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("name", NAMES)
def test_runs(name: str, tmp_path: Path) -> None:
    """Each benchmark runs, writes a figure on every row, and the facts among them hold at any size."""
    rows = run(name, tmp_path / "results.md")
    assert rows
    for question, measured, _bound, _ratio, holds, _beside in rows:
        assert question
        assert measured
        assert holds != "NO" or not any(fact in question for fact in FACTS), question
    assert [path.name for path in tmp_path.iterdir()] == ["results.md"]
