"""`neural sync` as people see it: a bar on a terminal, sentences on lines of their own, one traceback at most."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from distribution_support import make_distribution, run_python

from neural_core import ExperimentTracker
from neural_core._delivery.cursor import TRIAL, CursorFile
from neural_core._storage.experiment.reader import RunReader

MAIN = "from neural_core._cli import main; main()"
KIT = {"slow": "neural_core.testing:SlowPlugin", "raise": "neural_core.testing:RaisingPlugin"}
ROWS = 1_500  # two batches
ERASED = "\x1b[2K"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Give a folder with a distribution of backends."""
    return make_distribution(tmp_path / "site", "neural-kit", {"neural.backends": KIT})


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Give a base folder with two finished experiments."""
    for name in ("one", "two"):
        with ExperimentTracker(name, tmp_path / "runs", auto_visualize=False) as tracker:
            for step in range(ROWS):
                tracker.log_metrics({"loss": step / 2}, step=step)
    return tmp_path / "runs"


def on_a_terminal(installed: Path, *arguments: str, output: Path | None = None) -> str:
    """Run the command with a terminal, or with its output in a file; give what the terminal was sent."""
    here, terminal = os.openpty()
    paths = os.pathsep.join([str(installed), *sys.path])
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, here)
        out = terminal if output is None else stack.enter_context(output.open("w"))
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, *arguments],
            env={**os.environ, "PYTHONPATH": paths, "TERM": "xterm", "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=terminal,
        )
        os.close(terminal)
        sent = b""
        with contextlib.suppress(OSError):  # Linux says so when nobody holds the other end any more
            while data := os.read(here, 4096):
                sent += data
        assert process.wait() == 0, sent
    return sent.decode()


def test_a_bar_on_a_terminal(installed: Path, base: Path, tmp_path: Path) -> None:
    """The bar moves while rows are delivered, and is gone when the sentence comes; a file gets the sentences alone."""
    options = ["--all", "--to", "slow", "--option", "seconds=0.5", "--base-dir", str(base)]
    sent = on_a_terminal(installed, "sync", *options)
    assert sent.count(f"1000/{ROWS}") >= 2
    names = sorted(path.name for path in base.iterdir() if path.is_dir() and not path.name.startswith("."))
    for name in names:
        assert f"{ERASED}{name}: 1,500 rows delivered to slow\r\n" in sent
    written = tmp_path / "output"
    sent = on_a_terminal(installed, "sync", *options, output=written)
    assert written.read_text() == "".join(f"{name}: nothing to do, slow has it all\n" for name in names)
    assert "nothing" not in sent


def test_no_bar_in_a_file(installed: Path, base: Path) -> None:
    """Without a terminal there is no bar, and nothing that moves a cursor."""
    result = run_python(MAIN, "sync", "--all", "--to", "slow", "--base-dir", str(base), path=installed)
    assert result.stderr == ""
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", result.stdout)


def test_one_traceback(installed: Path, base: Path) -> None:
    """A backend that fails for every experiment is told of in a sentence for each, with one traceback altogether."""
    result = run_python(MAIN, "sync", "--all", "--to", "raise", "--base-dir", str(base), path=installed, status=1)
    assert result.stdout.count("1,500 rows behind: plugin 'raise' (neural-kit 1.0) raised RuntimeError") == 2
    assert result.stderr.count("Traceback") == 1


def test_a_companion_killed_while_it_made_a_backend(installed: Path, tmp_path: Path) -> None:
    """What a killed companion noted while it made a backend is forgotten when `neural sync` has made and told it."""
    with ExperimentTracker("one", tmp_path / "runs", auto_visualize=False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    uid = RunReader(tracker.experiment_dir).state()[0].uid
    CursorFile(tracker.experiment_dir, uid, "slow", TRIAL).release()
    base = ["--base-dir", str(tmp_path / "runs")]
    run_python(MAIN, "sync", "--all", "--to", "slow", *base, path=installed)
    [told] = json.loads(run_python(MAIN, "status", "--json", *base, path=installed).stdout)
    assert told["state"] == "complete"
