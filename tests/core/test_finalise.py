"""Experiments whose writers died: brought to their end, and never those that somebody writes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage.care.finalise import Finalised, finalise
from neural_core._storage.journal import frames
from neural_core.errors import ExperimentInUseError

KILLED = """
import os, signal, sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker("killed", base_dir=sys.argv[1], auto_visualize=False)
for step in range(5):
    tracker.log_metrics({"loss": 1 / (step + 1)}, step=step)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """Give the folder of an experiment whose process was killed after five rows."""
    result = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert result.returncode == -signal.SIGKILL
    return next(tmp_path.glob("killed_*"))


def files(directory: Path) -> dict[str, bytes]:
    """Give every file of a folder with its content."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def move_to_other_host(directory: Path) -> None:
    """Let every part and document of an experiment say that its writer ran elsewhere, and long ago."""
    for path in (directory / "metrics").glob("*.nj"):
        data = path.read_bytes()
        found = frames.decode_header(data)
        assert found is not None
        fields, length = found
        kept = {key: value for key, value in fields.items() if key not in ("format", "version")}
        rest = data[length:].replace(b'"host":"', b'"tsoh":"')  # the facts' own evidence: of no known host
        path.write_bytes(frames.encode_header({**kept, "host": "elsewhere"}) + _recrc(rest))
    for path in directory.rglob("*"):
        os.utime(path, (1e9, 1e9))


def _recrc(data: bytes) -> bytes:
    """Give frames again, each with the CRC that fits it."""
    whole, at = b"", 0
    while at < len(data):
        sid, words = int.from_bytes(data[at + 4 : at + 6], "little"), int.from_bytes(data[at + 6 : at + 8], "little")
        whole += frames.frame(sid, data[at + 8 : at + 8 + words * 8])
        at += 8 + words * 8
    return whole


def test_killed_experiment_is_brought_to_its_end(killed: Path) -> None:
    """An experiment whose writer was killed becomes interrupted and Parquet, with every row that it had."""
    assert finalise(killed) == Finalised(ended=True, compacted=1)
    assert not list(killed.glob("metrics/*[0-9].nj"))
    manager = ExperimentManager(killed.parent)
    [row] = manager.list_experiments()
    assert row["status"] == "interrupted"
    assert row["end_time"] is not None
    assert manager.get_experiment(row["experiment_id"]).get_metrics("loss") == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    assert json.loads((killed / "metadata.json").read_bytes())["final"] is True
    assert manager.verify() == {killed.name: []}


def test_second_time_changes_nothing(killed: Path) -> None:
    """A final experiment is not touched."""
    finalise(killed)
    before = files(killed)
    assert finalise(killed) == Finalised()
    assert finalise(killed, force=True) == Finalised()
    assert files(killed) == before


@pytest.mark.parametrize("force", [False, True])
def test_living_writer_is_refused(tmp_path: Path, force: bool) -> None:
    """An experiment that a process writes is refused, with force as well, and nothing in it changes."""
    tracker = ExperimentTracker("alive", base_dir=tmp_path)
    tracker.log_metrics({"loss": 1.0}, step=0)
    before = files(tracker.experiment_dir)
    with pytest.raises(ExperimentInUseError, match="living process"):
        finalise(tracker.experiment_dir, force=force)
    assert files(tracker.experiment_dir) == before


def test_recorded_status_stands(tmp_path: Path) -> None:
    """A script that ended without finish() recorded its end: only the parts are compacted, the status stays."""
    code = (
        "import sys; from neural_core import ExperimentTracker; t = ExperimentTracker('x', base_dir=sys.argv[1]); "
        "t.log_metrics({'a': 1}); t.set_status('failed')"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    directory = next(tmp_path.glob("x_*"))
    assert finalise(directory) == Finalised(ended=False, compacted=1)
    assert ExperimentManager(tmp_path).list_experiments()[0]["status"] == "failed"


def test_unknown_writer_needs_force(killed: Path) -> None:
    """A writer on another host is never proven dead: its experiment stays a journal until force is given."""
    move_to_other_host(killed)
    (killed / "metadata.json").unlink()  # the journal alone says who wrote it
    left = finalise(killed)
    assert (left.ended, left.compacted, len(left.left)) == (False, 0, 1)
    assert finalise(killed, force=True) == Finalised(ended=True, compacted=1)
    assert ExperimentManager(killed.parent).list_experiments()[0]["status"] == "interrupted"


def test_torn_part_stays_a_journal(killed: Path) -> None:
    """A part with half a frame at its end stays what it is and is named; its rows are read from it."""
    part = next(killed.glob("metrics/*[0-9].nj"))
    with part.open("ab") as file:
        file.write(b"\x01\x02\x03\x04\x01\x00\x03\x00")
    done = finalise(killed)
    assert (done.ended, done.left) == (True, (part.stem,))
    row: Any = ExperimentManager(killed.parent).runs()[0]
    assert row.metrics["loss"].count == 5
