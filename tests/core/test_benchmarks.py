"""The benchmarks: each one runs and gives its figures. No test here asserts how long anything takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.peers.command import PARTS
from benchmarks.run import NAMES

pytestmark = pytest.mark.timeout(1_200)  # some take most of a minute on a machine that does nothing else
ROOT = Path(__file__).resolve().parents[2]
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
    lines = [line for line in run_tiny(name, output).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def run_tiny(name: str, output: Path) -> str:
    """Run one with tiny sizes; give what it writes down."""
    command = [sys.executable, "-m", "benchmarks.run", name, "--tiny", "--folder", str(output.parent)]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, "--output", str(output)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1), done.stderr  # 1: a bound is missed, which a busy machine may do
    assert "Traceback" not in done.stderr, done.stderr
    return output.read_text("utf-8")


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


def test_peers(tmp_path: Path) -> None:
    """The comparison measures every part, keeps each round, says who is missing and why, and draws its picture."""
    text = run_tiny("peers", tmp_path / "results.md")
    kept = json.loads((tmp_path / "peers.json").read_text("utf-8"))
    assert {"bare", "neural", "wandb"} <= kept["titles"].keys()
    assert kept["skipped"] == {"Sacred (files)": "sacred is not in this environment"}
    assert [part["title"] for part in kept["parts"].values()] == [title for title, _ in PARTS.values()]
    rows = {row["key"]: row for part in kept["parts"].values() for row in part["rows"]}
    assert rows["share"]["values"]["neural"] == [0.0]
    assert all(row["values"]["neural"] and row["question"] in text for row in rows.values())
    assert "### Where a peer is better" in text
    assert "<svg" in (tmp_path / "results.svg").read_text("utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"peers.json", "results.md", "results.svg"}
