"""System calls that fail, are slow or are interrupted: the n-th one for every n, and all from the n-th on."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from journal_support import (
    ROOT,
    command,
    contents,
    environment,
    experiments,
    is_told,
    only,
    pool,
    problems,
    run,
    statuses,
    steps,
    stored,
    strace,
)

RUN = """
import json, logging, sys
logging.basicConfig(format="%(levelname)s %(message)s")
from neural_core import ExperimentTracker
from neural_core.errors import ConfigurationError
try:
    tracker = ExperimentTracker("faulty", sys.argv[1], auto_visualize=False)
except ConfigurationError as error:
    sys.exit(f"refused: {error}")
tracker.log_hyperparameters({"lr": 0.5})
for step in range(10):
    tracker.log_metrics({"loss": step / 7}, step)
version = tracker.log_artifact(sys.argv[2], name="weights")
for step in range(10, 20):
    tracker.log_metrics({"loss": step / 7, "accuracy": 1.0}, step)
tracker.set_tags(["tried"])
tracker.flush()
before = tracker.health
tracker.finish()
health = tracker.health
try:
    status = tracker.status
except OSError:
    status = "completed"  # a look that was refused is told by its error
with open(sys.argv[3], "w") as file:
    json.dump({"lost": health.lost, "waiting": before.waiting, "ok": health.ok, "error": health.last_error,
               "stored": version is not None, "status": status}, file)
"""

ERRORS = ("ENOSPC", "EIO", "EACCES", "EDQUOT")


def run_with(folder: Path, *injections: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any] | None]:
    """Run the script under injections; give the process and what its tracker said at the end."""
    folder.mkdir()
    (folder / "source").write_bytes(b"weights" * 1000)
    result = run(RUN, folder / "base", folder / "source", folder / "said", prefix=strace(*injections))
    said = folder / "said"
    return result, json.loads(said.read_text()) if said.exists() and said.stat().st_size else None


def check_once(folder: Path, result: subprocess.CompletedProcess[str], said: dict[str, Any] | None) -> None:
    """One failed call: refused at construction, or all rows are there and what is not is counted and told."""
    assert "Traceback" not in result.stderr, result.stderr
    base = folder / "base"
    if result.returncode:
        assert result.stderr.splitlines()[-1].startswith("refused: "), result.stderr
        if base.exists():
            statuses(base)
        return
    assert said is not None
    directory = only(base)
    found = contents(directory)
    assert [row[0] for row in found["rows"]] == list(range(20)), result.stderr
    assert found["hyperparameters"] == {"lr": 0.5}
    assert list(found["tags"]) == ["tried"]
    assert bool(found["artifacts"]) == said["stored"]
    assert said["waiting"] == 0
    if not said["stored"]:
        assert said["lost"] == 1
        assert "WARNING" in result.stderr
    assert said["status"] == "completed"
    assert statuses(base)[directory.name] in ("completed", "damaged")
    for problem in problems(directory):  # half a frame, or a copy that could not be cleared away, is named
        assert "cut off" in problem or "left from a copy" in problem or "bytes that are no frame" in problem, problem


@pytest.mark.privileged("strace")
class TestTheNthCallFails:
    @pytest.mark.fault("D06")
    @pytest.mark.timeout(1_200)  # every call of a kind is one run
    @pytest.mark.parametrize(
        ("call", "last", "stride"),
        [("write", 40, 1), ("fsync", 20, 1), ("fdatasync", 5, 1), ("rename", 9, 1), ("unlink,rmdir", 5, 1)],
    )
    def test_told_or_stored(self, tmp_path: Path, call: str, last: int, stride: int) -> None:
        """Whichever call fails once, no exception reaches the loop, the later calls work, and no row is missing."""
        numbers = range(1, last, stride)
        jobs = [
            (tmp_path / f"{number}", f"{call}:error={ERRORS[number % len(ERRORS)]}:when={number}") for number in numbers
        ]
        for (folder, _), (result, said) in zip(jobs, pool.map(lambda job: run_with(*job), jobs), strict=True):
            check_once(folder, result, said)

    @pytest.mark.fault("D06")
    @pytest.mark.timeout(1_200)  # every call of a kind is one run
    @pytest.mark.parametrize("call", ["openat", "mkdir"])
    def test_a_name_cannot_be_opened_or_made(self, tmp_path: Path, call: str) -> None:
        """A file or folder of the store that cannot be opened or made once (EMFILE, EACCES) is told or made later."""
        numbers = self.calls_in_store(tmp_path / "dry", call)
        assert numbers
        jobs = [
            (tmp_path / f"{number}", f"{call}:error={('EMFILE', 'EACCES', 'ENOSPC')[at % 3]}:when={number}")
            for at, number in enumerate(numbers)
        ]
        for (folder, _), (result, said) in zip(jobs, pool.map(lambda job: run_with(*job), jobs), strict=True):
            if said is None and call == "openat" and "said" in result.stderr:
                continue  # the script's own file was hit
            check_once(folder, result, said)

    def calls_in_store(self, folder: Path, call: str) -> list[int]:
        """Give which of all calls of this kind of an undisturbed run have to do with the store."""
        folder.mkdir()
        (folder / "source").write_bytes(b"weights" * 1000)
        log = folder / "log"
        prefix = ("strace", "-qq", "-o", str(log), "-e", f"trace={call}")
        result = run(RUN, folder / "base", folder / "source", folder / "said", prefix=prefix)
        assert result.returncode == 0, result.stderr
        lines = [line for line in log.read_text().splitlines() if line.startswith(call)]
        return [at for at, line in enumerate(lines, 1) if str(folder / "base") in line or "/dev/null" in line]

    @pytest.mark.fault("D04")
    def test_a_short_write(self, tmp_path: Path) -> None:
        """A write that stores only a part of a row (here: claims so) costs no row: it is written again whole."""
        for number in (3, 8, 12):
            folder = tmp_path / str(number)
            result, said = run_with(folder, f"write:retval=3:when={number}")
            check_once(folder, result, said)


@pytest.mark.privileged("strace")
class TestCallsThatKeepFailing:
    @pytest.mark.fault("D07")
    def test_every_sync_fails(self, tmp_path: Path) -> None:
        """With a disk whose every sync gives EIO, training goes on, one warning comes, and health is not ok."""
        result, said = run_with(tmp_path / "x", "fsync,fdatasync:error=EIO:when=1+")
        assert result.returncode == 0, result.stderr
        assert said is not None
        assert said["ok"] is False
        assert "Input/output error" in said["error"]
        assert result.stderr.count("the disk refuses") == 1, result.stderr
        assert (said["stored"], said["lost"]) == (False, 1)  # an artifact that cannot be synced is not stored
        assert steps(only(tmp_path / "x" / "base")) == list(range(20))

    @pytest.mark.fault("D07")
    def test_a_failed_sync_is_not_forgotten(self, tmp_path: Path) -> None:
        """Rows that a failing sync may have lost count as not durable for good, though none is missing or waits."""
        code = """
import sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker("rows", sys.argv[1], auto_visualize=False)
for step in range(3):
    tracker.log_metrics({"loss": 1.0}, step)
    tracker.flush()
print(tracker.health.ok, tracker.health.waiting, tracker.health.lost, tracker.health.last_error)
"""
        result = run(code, tmp_path, prefix=strace("fdatasync:error=EIO:when=1"))
        assert result.returncode == 0, result.stderr
        assert result.stdout == "False 0 0 [Errno 5] Input/output error\n"
        assert result.stderr.count("the disk refuses") == 1, result.stderr
        assert steps(only(tmp_path)) == [0, 1, 2]

    @pytest.mark.fault("D07")
    def test_every_sync_fails_in_power_mode(self, tmp_path: Path) -> None:
        """With ``durability="power"`` a failing sync is not taken for a stored row: health says so, rows go on."""
        code = """
import sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker("power", sys.argv[1], auto_visualize=False, durability="power")
for step in range(50):
    tracker.log_metrics({"loss": 1.0}, step)
print(tracker.health.ok, tracker.health.last_error)
"""
        result = run(code, tmp_path, prefix=strace("fsync,fdatasync:error=EIO:when=1+"))
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith("False [Errno 5]"), result.stdout
        assert result.stderr.count("the disk refuses") == 1, result.stderr
        assert steps(only(tmp_path)) == list(range(50))

    @pytest.mark.fault("D11")
    @pytest.mark.parametrize("error", ["ENOSPC", "ESTALE", "EAGAIN", "EROFS"])
    def test_every_write_fails_for_a_while(self, tmp_path: Path, error: str) -> None:
        """Rows that no write takes for a while wait, and are stored in order when the disk works again."""
        result, said = run_with(tmp_path / "x", f"write:error={error}:when=9..10")
        assert said is not None, result.stderr
        check_once(tmp_path / "x", result, said)

    @pytest.mark.fault("D11")
    def test_nothing_can_be_written_from_some_point_on(self, tmp_path: Path) -> None:
        """A disk that never comes back: what was acknowledged before is read, the rest is counted, finish() tells."""
        code = """
import os, sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker("dead", sys.argv[1], auto_visualize=False)
for step in range(100):
    tracker.log_metrics({"loss": 1.0}, step)
waiting = tracker.health.waiting
tracker.finish()
os.pwrite(os.open(sys.argv[2], os.O_RDWR | os.O_CREAT), f"{waiting} {tracker.health.lost}".encode(), 0)
"""
        (tmp_path / "base").mkdir()
        result = run(code, tmp_path / "base", tmp_path / "said", prefix=strace("write:error=EIO:when=30+"))
        waiting, lost = map(int, (tmp_path / "said").read_text().split())
        found = steps(only(tmp_path / "base"))
        assert found == list(range(len(found)))
        assert 0 < len(found) == 100 - waiting
        assert lost >= waiting  # the fact of the end as well
        assert result.returncode == 0

    @pytest.mark.fault("D11")
    def test_interrupted_writes_are_repeated(self, tmp_path: Path) -> None:
        """EINTR is no error of the disk: the interrupted write is made again and nobody is told."""
        result, said = run_with(tmp_path / "x", "write:error=EINTR:when=5..15+3")
        assert said is not None
        assert (said["ok"], said["error"], result.stderr) == (True, None, "")
        check_once(tmp_path / "x", result, said)


@pytest.mark.fault("D10")
@pytest.mark.privileged("strace")
def test_the_calling_thread_never_waits_for_the_disk(tmp_path: Path) -> None:
    """While rows are logged, only the housekeeping thread syncs; the calling thread makes one write a row."""
    code = """
import os, sys, time
import neural_core._storage.writing.ticker as ticker
ticker.TICK_SECONDS = 0.05
from neural_core import ExperimentTracker
tracker = ExperimentTracker("slow", sys.argv[1], auto_visualize=False)
tracker.log_metrics({"loss": 1.0}, 0)
os.write(1, b"begin")
for step in range(1, 1001):
    tracker.log_metrics({"loss": 1.0}, step)
    if step % 100 == 0:
        time.sleep(0.05)
os.write(1, b"end")
"""
    log = tmp_path / "log"
    delay = ("-e", "inject=fsync,fdatasync:delay_enter=300000")
    prefix = ("strace", "-f", "-qq", "-o", str(log), "-e", "trace=write,fsync,fdatasync", *delay)
    assert run(code, tmp_path / "base", prefix=prefix).returncode == 0
    lines = log.read_text().splitlines()
    main = f"{lines[0].split()[0]} "
    begin = next(at for at, line in enumerate(lines) if '"begin' in line)
    end = next(at for at, line in enumerate(lines) if '"end' in line)
    during = lines[begin + 1 : end]
    assert sum("fsync(" in line or "fdatasync(" in line for line in during if line.startswith(main)) == 0
    assert sum("write(" in line for line in during if line.startswith(main)) == 1000
    assert any("fdatasync" in line for line in during if not line.startswith(main)), "the tick never synced"
    assert steps(only(tmp_path / "base")) == list(range(1001))


@pytest.mark.privileged("strace")
def test_a_reader_names_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A part whose read gives EIO is named as damage; the other experiments are listed as ever."""
    code = """
import sys
from neural_core import ExperimentManager
for one in ExperimentManager(sys.argv[1]).list_experiments():
    print(one["experiment_name"], one["status"])
"""
    make = """
import os, sys
from neural_core import ExperimentTracker
for name in ("bad", "good"):
    tracker = ExperimentTracker(name, sys.argv[1], auto_visualize=False)
    tracker.log_metrics({"loss": 1.0}, 0)
os._exit(0)
"""
    assert run(make, tmp_path).returncode == 0
    bad = next(path for path in experiments(tmp_path) if path.name.startswith("bad"))
    (part,) = (bad / "metrics").glob("*.nj")
    result = run(code, tmp_path, prefix=("strace", "-o", "/dev/null", "-P", str(part), "-e", "inject=read:error=EIO"))
    assert result.returncode == 0, result.stderr
    assert sorted(result.stdout.split("\n")) == ["", "bad damaged", "good interrupted"]
    assert not is_told(bad)
    assert stored(bad).get_metrics("loss") == [1.0]


def test_the_environment_of_children() -> None:
    """The children of these tests import this checkout."""
    result = subprocess.run(
        command("import neural_core; print(neural_core.__file__)"), env=environment(), capture_output=True, check=True
    )
    assert result.stdout.decode().startswith(str(ROOT))
