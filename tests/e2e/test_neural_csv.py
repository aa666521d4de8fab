"""A stranger's backend: examples/neural_csv, installed into an environment of its own and used from scripts."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from example_support import ROOT, install_example, neural, run

from neural_core.testing import wait_for

EXAMPLE = ROOT / "examples" / "neural_csv"

TRAIN = """
import sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker("train", sys.argv[1], auto_visualize=False, backend="csv")
print(tracker.experiment_dir, flush=True)
for step in range(int(sys.argv[2])):
    tracker.log_metrics({"loss": step / 8, "größe, \\"quoted\\"": float(step)}, step=step)
print("logged", flush=True)
"""
FINISH = TRAIN + "tracker.finish()"
WAIT_TO_BE_KILLED = TRAIN + "input()"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the Python of an environment with the plugin in it."""
    return install_example("neural_csv", tmp_path_factory.mktemp("environment"))


def lines_of(path: Path) -> list[list[str]]:
    """Read a CSV file; none is empty."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def points_of(path: Path) -> list[tuple[int, str, float]]:
    """Give (step, metric, value) of each line, those that came twice once."""
    once = dict.fromkeys(tuple(line) for line in lines_of(path))
    return [(int(step), metric, float(value)) for _, _, step, metric, value in once]


def logged(steps: int) -> list[tuple[int, str, float]]:
    """Give what the script logs."""
    names = ("loss", 'größe, "quoted"')
    return [(step, name, value) for step in range(steps) for name, value in zip(names, (step / 8, step), strict=True)]


def is_delivered(directory: Path) -> bool:
    """Tell whether the CSV backend has heard of the end."""
    try:
        cursors = [json.loads(path.read_bytes()) for path in directory.glob("delivery/csv-*.json")]
    except FileNotFoundError:  # that of a trial, which has ended meanwhile
        return False
    return [cursor["state"] for cursor in cursors] == ["complete"]


def test_listed(python: Path) -> None:
    """`neural plugins` tells of the installed backend: its package, its version, its hooks."""
    listed = neural(python, "plugins")
    [line] = [line for line in listed.splitlines() if "neural-csv" in line]
    for word in ("csv", "0.1.0", "backends", "ok", "experiment_started", "metrics_logged", "experiment_finished"):
        assert word in line


def test_contract(python: Path) -> None:
    """The example's own tests pass as they are shipped."""
    tests = EXAMPLE / "tests" / "test_contract.py"
    assert len(tests.read_text(encoding="utf-8").splitlines()) <= 25
    run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), str(tests))


def test_every_row(python: Path, tmp_path: Path) -> None:
    """With ``backend="csv"`` a script's every value is in the file when `finish()` returns, in order, once."""
    directory = Path(run(python, "-c", FINISH, str(tmp_path), "3000").splitlines()[0])
    assert len(lines_of(directory / "metrics.csv")) == 6_000
    assert points_of(directory / "metrics.csv") == logged(3_000)
    assert is_delivered(directory)


def test_every_row_without_a_companion(python: Path, tmp_path: Path) -> None:
    """With NEURAL_COMPANION=0 the backend runs on a thread of the script, and the file is the same."""
    directory = Path(run(python, "-c", FINISH, str(tmp_path), "500", NEURAL_COMPANION="0").splitlines()[0])
    assert points_of(directory / "metrics.csv") == logged(500)
    assert not (directory / "delivery" / "companion.log").exists()


def test_killed_trainer(python: Path, tmp_path: Path) -> None:
    """After SIGKILL of the training process with rows undelivered, the companion delivers them all, and the end."""
    trainer = subprocess.Popen(
        [str(python), "-c", WAIT_TO_BE_KILLED, str(tmp_path), "30000"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert trainer.stdout is not None
    directory = Path(trainer.stdout.readline().strip())
    assert trainer.stdout.readline() == "logged\n"
    trainer.send_signal(signal.SIGKILL)
    trainer.communicate()
    wait_for(lambda: is_delivered(directory))
    assert points_of(directory / "metrics.csv") == logged(30_000)
    assert json.loads((directory / "metadata.json").read_bytes())["status"] == "interrupted"


def test_sync_later(python: Path, tmp_path: Path) -> None:
    """An experiment that was tracked without the backend is replayed into it; doing so twice changes nothing."""
    without = TRAIN.replace(', backend="csv"', "") + "tracker.finish()"
    directory = Path(run(python, "-c", without, str(tmp_path / "runs"), "100").splitlines()[0])
    arguments = ["sync", "--all", "--to", "csv", "--option", f"folder={tmp_path / 'csv'}"]
    arguments += ["--base-dir", str(tmp_path / "runs")]
    assert "100 rows" in neural(python, *arguments)
    [path] = (tmp_path / "csv").iterdir()
    assert path.stem in directory.name
    assert points_of(path) == logged(100)
    assert "nothing to do" in neural(python, *arguments)
    assert len(lines_of(path)) == 200


MOVES_ON = """
import os, sys
from neural_csv import CsvBackend
from neural_core import ExperimentTracker
from neural_core.testing import deliver
with ExperimentTracker("moves", sys.argv[1] + "/runs", auto_visualize=False) as tracker:
    tracker.log_metrics({"loss": 0.5}, step=0)
os.chdir(sys.argv[1])
backend = CsvBackend(folder="csv/new")
os.mkdir("elsewhere")
os.chdir("elsewhere")
assert deliver(tracker.experiment_dir, backend).complete
"""


def test_relative_folder(python: Path, tmp_path: Path) -> None:
    """A relative folder is meant from where the backend was made, and is made when it is not there."""
    run(python, "-c", MOVES_ON, str(tmp_path))
    [path] = (tmp_path / "csv" / "new").iterdir()
    assert points_of(path) == [(0, "loss", 0.5)]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_not_here() -> None:
    """The environment of the tests has not got the example, so the tests above prove the installed one."""
    assert subprocess.run([sys.executable, "-c", "import neural_csv"], capture_output=True, check=False).returncode
