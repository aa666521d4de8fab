"""What a training loop does not need is not imported: facts, not times."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "numpy",
    "matplotlib",
    "pandas",
    "sqlite3",
    "asyncio",
    "cattrs",
    "click",
    "rich",
    "typing_extensions",
)
REPORT = f"""
import sys
found = sorted({{name.split(".")[0] for name in sys.modules}} & {set(HEAVY) | {"PIL", "polars", "pyarrow"}!r})
print(*found)
"""


def loaded(script: str, *arguments: object) -> list[str]:
    """Run a script in a process of its own and give which heavy packages it has loaded at its end."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", script + REPORT, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()[-1].split()


@pytest.mark.parametrize("module", ["neural_core", "neural.tracking", "neural_core.errors"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    """Importing neural loads no array, plotting, database or terminal package."""
    assert loaded(f"import {module}") == []


def test_importing_starts_no_thread_and_says_nothing() -> None:
    """An import starts no thread, adds no log handler, no warning filter and no exit function but logging's own."""
    assert (
        loaded("""
import logging, sys, threading, warnings
filters = list(warnings.filters)
import neural.tracking
assert threading.active_count() == 1
assert not logging.root.handlers and not logging.getLogger("neural").handlers
assert warnings.filters == filters
assert "neural_core._tracker" in sys.modules and "neural_core._manager" not in sys.modules
""")
        == []
    )


def test_a_training_loop_loads_no_numpy(tmp_path: Path) -> None:
    """Making a tracker, logging rows, hyperparameters, tags and status loads neither NumPy nor SQLite."""
    assert loaded("""
import sys
from neural.tracking import ExperimentTracker
tracker = ExperimentTracker("x", sys.argv[1], hyperparameters={"lr": 0.1}, tags=["a"], notes="b")
for step in range(25):
    tracker.log_metrics({"m": float(step)}, step=step)
tracker.set_status("running")
""", tmp_path) == []  # fmt: skip


def test_an_artifact_loads_no_numpy(tmp_path: Path) -> None:
    """Storing a model loads neither NumPy nor matplotlib."""
    (tmp_path / "model.pt").write_bytes(b"weights")
    assert loaded("""
import sys
from neural.tracking import ExperimentTracker
tracker = ExperimentTracker("x", sys.argv[1] + "/base", False)
tracker.log_model(sys.argv[1] + "/model.pt", framework="pytorch")
""", tmp_path) == []  # fmt: skip


def test_reading_loads_no_matplotlib(tmp_path: Path) -> None:
    """Listing, loading and asking for metrics draws nothing, so it loads nothing that could."""
    assert "matplotlib" not in loaded("""
import sys
from neural.tracking import ExperimentManager, ExperimentTracker
with ExperimentTracker("x", sys.argv[1], False) as tracker:
    tracker.log_metrics({"m": 1.0}, step=0)
manager = ExperimentManager(sys.argv[1])
assert manager.get_experiment(manager.list_experiments()[0]["experiment_id"]).get_best_metric("m") == (1.0, 0)
assert manager.verify()
""", tmp_path)  # fmt: skip


@pytest.mark.fault("G02")
def test_plots_never_load_pyplot(tmp_path: Path) -> None:
    """Drawing and comparing leave the user's pyplot alone: it is not even imported."""
    assert loaded("""
import sys
from neural.tracking import ExperimentManager, ExperimentTracker
with ExperimentTracker("x", sys.argv[1]) as tracker:
    for step in range(12):
        tracker.log_metrics({"m": step, "n": -step}, step=step)
assert tracker.generate_visualizations()
assert ExperimentManager(sys.argv[1]).compare_experiments([tracker.experiment_id])
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
""", tmp_path)  # fmt: skip
