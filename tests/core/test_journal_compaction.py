"""Compaction killed at every step, beside a reader, and with a row that lands late."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journal_support import bits, command, contents, environment, listed, only, pool, problems, run, statuses, strace

from neural_core import ExperimentTracker
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.journal import compaction, frames

MAKE = """
import os, sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker("compact", sys.argv[1], auto_visualize=False, tags=["t"])
for step in range(50):
    tracker.log_metrics({"loss": step / 7} if step % 3 else {"loss": 0.5, "accuracy": float("nan")}, step)
    if step % 20 == 0:
        tracker.log_hyperparameters({"at": step})
tracker._session.append({"kind": "from the future", "deep": {"x": [1, None]}})
tracker._session.writer.parts and os.write(
    tracker._session.writer.parts.descriptor, bytes.fromhex(sys.argv[2]))
tracker.log_metrics({"late": 1.0})
os._exit(0)
"""
COMPACT = """
import sys
from pathlib import Path
from neural_core._storage.writing.closing import compact_dead_parts
compact_dead_parts(Path(sys.argv[1]))
"""
UNKNOWN = frames.frame(frames.FACT, b"not JSON at all " * 2)


def positions(reader: RunReader) -> dict[str, Any]:
    """Give rows, facts and unknown frames with their positions, as a relay would deliver them."""
    reader.refresh()
    return {
        part.stem: (
            part.ordinals().tolist(),
            [(row.step, {name: bits(value) for name, value in row.values.items()}) for row in part.history(0, 10**9)],
            part.facts,
            [(ordinal, bytes(body)) for ordinal, body in part.fact_frames],  # type: ignore[attr-defined]
        )
        for part in reader.parts
    }


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base folder with the experiment of a process that is gone."""
    base = tmp_path_factory.mktemp("compaction") / "base"
    assert run(MAKE, base, UNKNOWN.hex()).returncode == 0
    return base


def test_positions_and_unknown_frames_stay(killed: Path, tmp_path: Path) -> None:
    """Rows, facts and frames of no known kind keep their bytes and ordinals when a part is compacted."""
    base = tmp_path / "base"
    shutil.copytree(killed, base)
    before, data = positions(RunReader(only(base))), contents(only(base))
    assert UNKNOWN[8:] in [body for _, body in next(iter(before.values()))[3]]
    assert run(COMPACT, only(base)).returncode == 0
    assert not list(only(base).glob("metrics/*[0-9].nj"))
    assert positions(RunReader(only(base))) == before
    assert contents(only(base)) == data
    assert ("from the future", {"x": [1, None]}) in [
        (fact.get("kind"), fact.get("deep")) for _, fact in next(iter(before.values()))[2]
    ]


@pytest.mark.fault("D02")
@pytest.mark.privileged("strace")
@pytest.mark.parametrize(
    ("call", "last"), [("write", 8), ("fsync", 6), ("rename", 4), ("unlink", 4), ("openat", 14), ("close", 10)]
)
def test_killed_at_every_step(killed: Path, tmp_path: Path, call: str, last: int) -> None:
    """Killed before any of its calls, compaction leaves the same rows at the same ordinals; a second one ends it."""
    reference, data = positions(RunReader(only(killed))), contents(only(killed))

    first = first_call(killed, tmp_path / "dry", call)
    numbers = [first + extra for extra in range(last)]
    jobs = []
    for number in numbers:
        base = tmp_path / str(number)
        shutil.copytree(killed, base)
        jobs.append((base, number, RunReader(only(base))))
    for _, _, half_way in jobs:
        half_way.refresh()
    ends = pool.map(lambda job: run(COMPACT, only(job[0]), prefix=strace(f"{call}:signal=SIGKILL:when={job[1]}")), jobs)
    statuses_seen = set()
    for (base, _, half_way), end in zip(jobs, ends, strict=True):
        statuses_seen.add(end.returncode)
        assert "Traceback" not in end.stderr
        assert positions(RunReader(only(base))) == reference
        assert positions(half_way) == reference
        assert contents(only(base)) == data
        assert problems(only(base)) == []
        assert list(statuses(base).values()) == ["interrupted"]
    assert len(statuses_seen) > 1 or last < 6
    for base, _, _ in jobs[:3]:
        compaction_again(base)
        assert positions(RunReader(only(base))) == reference
        assert not list(only(base).glob("metrics/.*"))


def compaction_again(base: Path) -> None:
    """Compact in this process what is left."""
    for path in only(base).glob("metrics/*[0-9].nj"):
        assert compaction.compact_part(path)


def first_call(killed: Path, folder: Path, call: str) -> int:
    """Give the number of the first call of compaction itself, behind those of Python's start."""
    shutil.copytree(killed, folder)
    log = folder.with_suffix(".log")
    prefix = ("strace", "-qq", "-o", str(log), "-e", f"trace={call},rename,openat,unlink")
    assert run(COMPACT, only(folder), prefix=prefix).returncode == 0
    count = 0
    for line in log.read_text().splitlines():
        if "/metrics/" in line and ".tmp" in line:
            return count + 1
        count += line.startswith(f"{call}(")
    raise AssertionError("compaction made no temporary file")


@pytest.mark.fault("C04")
def test_a_reader_beside_compaction(killed: Path, tmp_path: Path) -> None:
    """A reader that looks all the time while parts are compacted never sees fewer or other rows."""
    base = tmp_path / "base"
    shutil.copytree(killed, base)
    reference = positions(RunReader(only(base)))
    process = subprocess.Popen(command(COMPACT, only(base)), env=environment())
    old = RunReader(only(base))
    looks = 0
    while process.poll() is None or looks < 3:
        assert positions(RunReader(only(base))) == reference
        assert positions(old) == reference
        assert listed(only(base)).error is None
        looks += 1
    assert process.returncode == 0


@pytest.fixture
def hooked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Do something between the Parquet file and the look at the journal's size."""

    def install(action: Callable[[], None]) -> None:
        original, done = compaction._write_files, []

        def write_files(part: Any) -> None:
            original(part)
            if not done:
                done.append(True)
                action()

        monkeypatch.setattr(compaction, "_write_files", write_files)

    return install


def test_a_late_row_is_not_lost(tmp_path: Path, hooked: Callable[[Callable[[], None]], None]) -> None:
    """A row that lands in the journal after it was read for compaction is compacted as well."""
    tracker = ExperimentTracker("late", tmp_path, auto_visualize=False)
    for step in range(5):
        tracker.log_metrics({"loss": 1.0}, step)
    assert tracker._session is not None
    journal = tracker._session.writer.parts.path
    row = frames.row_packer(1).pack(frames.row_head(1, 1), 5, 1e9, 0.5)[4:]

    def land() -> None:
        descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND)
        os.write(descriptor, frames.frame(1, row))
        os.close(descriptor)

    hooked(land)
    tracker.finish()
    assert not journal.exists()
    assert tracker.get_metrics("loss") == [1.0] * 5 + [0.5]
    assert tracker.damage == []


def test_half_a_late_row_keeps_the_journal(tmp_path: Path, hooked: Callable[[Callable[[], None]], None]) -> None:
    """Half a row that lands late keeps the part a journal: what cannot be read is kept as it is."""
    tracker = ExperimentTracker("late", tmp_path, auto_visualize=False)
    for step in range(5):
        tracker.log_metrics({"loss": 1.0}, step)
    assert tracker._session is not None
    journal = tracker._session.writer.parts.path

    def land() -> None:
        with journal.open("ab") as file:
            file.write(b"\1\2\3\4\1\0\3\0half")

    hooked(land)
    tracker.finish()
    assert journal.exists()
    assert tracker.get_metrics("loss") == [1.0] * 5
    assert any("cut off" in problem for problem in problems(tracker.experiment_dir))
    assert tracker.status == "completed"
