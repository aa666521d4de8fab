"""The examples, run as users run them."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from neural.tracking import ExperimentManager

ROOT = Path(__file__).resolve().parents[2]


def run(script: str, *arguments: str, cwd: Path) -> str:
    """Run an example in a process of its own, in an empty folder, warnings being errors; give what it prints."""
    path = os.pathsep.join([str(ROOT), *sys.path])
    result = subprocess.run(
        [sys.executable, "-W", "error", str(ROOT / "examples" / script), *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "80", "NO_COLOR": "1", "NEURAL_FINISH_SECONDS": "120"},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def test_tour(tmp_path: Path) -> None:
    """The guide's tour shows what the guide says that it shows, and leaves sound experiments in the folder given."""
    shown = run("experiment_tracking_example.py", "--base-dir", str(tmp_path / "runs"), cwd=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert shown.count("\nVersion ") == 5
    assert f"mlflow ui --backend-store-uri sqlite:///{tmp_path / 'runs' / 'mlflow.db'}" in shown
    with sqlite3.connect(tmp_path / "runs" / "mlflow.db") as store:
        assert store.execute("SELECT key, value FROM params").fetchall() == [("lr", "0.01")]
    assert "auto_correlation.png" in shown
    assert (tmp_path / "runs" / "example_comparison" / "report.html").is_file()
    manager = ExperimentManager(tmp_path / "runs")
    listed = {one["experiment_name"]: one["status"] for one in manager.list_experiments()}
    names = ["basic_example", "versioning_example", "backend_example", "lr_0.01", "lr_0.1", "lr_1"]
    assert listed == dict.fromkeys(names, "completed")
    assert not any(manager.verify().values())


def test_demo(tmp_path: Path) -> None:
    """The demo trains four networks, tells where everything is, and fits a terminal of 80 columns."""
    pytest.importorskip("sklearn")
    shown = run("demo.py", "--epochs", "2", "--base-dir", "runs", cwd=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    manager = ExperimentManager(tmp_path / "runs")
    rows = manager.runs("tags.demo = ''")
    assert {row.name for row in rows} == {"digits small", "digits wide", "digits deep", "digits too fast"}
    for row in rows:
        assert set(row.metrics) == {"train_loss", "train_accuracy", "val_loss", "val_accuracy"}
        assert row.experiment_id[:8] in shown
        assert (tmp_path / "runs" / row.folder / "plots" / "confusion_matrix.png").is_file()
    table = [line for line in shown.splitlines() if line.startswith(" digits")]
    assert len(table) == 4
    assert max(map(len, table)) <= 80
    assert str(tmp_path / "runs" / "demo_comparison" / "report.html") in shown
    assert " ui --base-dir " in shown
    assert shown.splitlines()[-1].startswith("Open the report in a browser, or start the page")
