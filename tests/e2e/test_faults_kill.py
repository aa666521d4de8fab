"""Killed and ended processes: what was acknowledged is there, and the status says what happened."""

from __future__ import annotations

import mmap
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_support import (
    TIMEOUT,
    command,
    environment,
    experiments,
    listed,
    only,
    pool,
    problems,
    run,
    statuses,
    steps,
    stored,
    strace,
)

from neural_core import ExperimentManager
from neural_core._storage.experiment.overview import RowReader

COUNTING = """
import mmap, os, sys
from neural_core import ExperimentTracker
counter = mmap.mmap(os.open(sys.argv[2], os.O_RDWR), 8)
tracker = ExperimentTracker("killed", sys.argv[1], auto_visualize=False)
step = 0
while True:
    tracker.log_metrics({"loss": step / 7} if step % 5 else {"loss": step / 7, "accuracy": 1.0}, step)
    step += 1
    counter[:] = step.to_bytes(8, "little")
"""

WHOLE_RUN = """
import os, sys
from neural_core import ExperimentTracker
done = os.open(sys.argv[2], os.O_RDWR)
def say(number):
    os.pwrite(done, bytes([number]), 0)
tracker = ExperimentTracker("stepwise", sys.argv[1], auto_visualize=False)
tracker.log_hyperparameters({"lr": 0.5, "layers": [1, 2]})
say(1)
for step in range(20):
    tracker.log_metrics({"loss": step / 7}, step)
    say(2 + step)
tracker.log_artifact(sys.argv[3], name="weights")
say(22)
tracker.finish()
say(23)
"""

ENDINGS = {
    "sys_exit": ("sys.exit(1)", 1, "interrupted"),
    "uncaught": ("raise ValueError('boom')", 1, "interrupted"),
    "os_exit": ("os._exit(7)", 7, "interrupted"),
    "sigterm": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)", -signal.SIGTERM, "interrupted"),
    "sigint": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(30)", -signal.SIGINT, "interrupted"),
    "segfault": ("os.kill(os.getpid(), signal.SIGSEGV); time.sleep(30)", -signal.SIGSEGV, "interrupted"),
    "end_of_script": ("pass", 0, "interrupted"),
    "with_uncaught": ("with tracker: raise ValueError('boom')", 1, "failed"),
    "with_sys_exit": ("with tracker: sys.exit(3)", 3, "failed"),
    "with_sigint": (
        "with tracker: os.kill(os.getpid(), signal.SIGINT); time.sleep(30)",
        -signal.SIGINT,
        "interrupted",
    ),
    "own_handler": (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(42)); os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)",
        42,
        "interrupted",
    ),
    "finished": ("tracker.finish()", 0, "completed"),
    "failed_then_exit": ("tracker.set_status('failed'); sys.exit(2)", 2, "failed"),
}

BEGINNING = """
import os, signal, sys, time
before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)], sys.excepthook
from neural_core import ExperimentTracker
tracker = ExperimentTracker("ending", sys.argv[1], auto_visualize=False)
for step in range(10):
    tracker.log_metrics({"loss": step / 3}, step)
after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)], sys.excepthook
assert before == after, "a handler of the user's was touched"
"""


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[mmap.mmap]:
    """A number that outlives the process that counts it up."""
    path = tmp_path / "counter"
    path.write_bytes(bytes(8))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 8) as shared:
        yield shared


def kill_at(base: Path, counter: mmap.mmap, rows: int) -> int:
    """Kill a process that logs as fast as it can once it has logged `rows` rows; give what was acknowledged."""
    counter[:] = bytes(8)
    arguments = command(COUNTING, base, base.parent / "counter")
    process = subprocess.Popen(arguments, env=environment(), stderr=subprocess.PIPE)
    deadline = time.monotonic() + TIMEOUT
    while int.from_bytes(counter[:], "little") < rows and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    assert process.communicate()[1] == b""
    return int.from_bytes(counter[:], "little")


class TestKilledAtARandomMoment:
    @pytest.mark.fault("D01")
    def test_all_acknowledged_rows_are_read(self, tmp_path: Path, counter: mmap.mmap) -> None:
        """After SIGKILL every acknowledged row is read back, at most one more, and the run shows as interrupted."""
        base = tmp_path / "base"
        for rows in (1, 2, 17, 300, 1_000, 3_333, 5_000, 10_000):
            before = set(experiments(base)) if base.exists() else set()
            acknowledged = kill_at(base, counter, rows)
            (directory,) = set(experiments(base)) - before
            found = steps(directory)
            assert acknowledged <= len(found) <= acknowledged + 1
            assert found == list(range(len(found)))
            assert stored(directory).get_metrics("loss") == [step / 7 for step in range(len(found))]
        assert set(statuses(base).values()) == {"interrupted"}
        assert {row.error for row in ExperimentManager(base).runs()} == {None}

    @pytest.mark.fault("D01")
    def test_a_kill_is_no_damage(self, tmp_path: Path, counter: mmap.mmap) -> None:
        """One write per call leaves no half row behind, so verify has nothing to name after a kill."""
        base = tmp_path / "base"
        kill_at(base, counter, 500)
        assert problems(only(base)) == []


class TestKilledBeforeEachCall:
    def kill_before(self, tmp_path: Path, call: str, number: int) -> tuple[Path, int, int]:
        """Run the whole script, killed before its `number`-th `call`; give folder, acknowledged, exit status."""
        folder = tmp_path / f"{call}-{number}"
        folder.mkdir()
        (folder / "done").write_bytes(b"\0")
        (folder / "source").write_bytes(b"weights" * 1000)
        prefix = strace(f"{call}:signal=SIGKILL:when={number}")
        result = run(WHOLE_RUN, folder / "base", folder / "done", folder / "source", prefix=prefix)
        assert "Traceback" not in result.stderr, result.stderr
        return folder / "base", (folder / "done").read_bytes()[0], result.returncode

    def check(self, base: Path, acknowledged: int) -> None:
        """Everything acknowledged is read; the list and verify work."""
        rows = statuses(base) if base.exists() else {}
        if not rows:
            assert acknowledged == 0
            return
        (directory,) = experiments(base)
        tracker = stored(directory)
        found = steps(directory)
        assert found == list(range(len(found)))
        assert max(0, min(acknowledged - 1, 20)) <= len(found) <= 20
        assert tracker.hyperparameters == {"lr": 0.5, "layers": [1, 2]} or acknowledged < 1
        if acknowledged >= 22:
            version = tracker.get_artifact_version("weights")
            assert version is not None
            with version.open() as file:
                assert file.read() == b"weights" * 1000
        assert list(rows.values()) == ["completed"] if acknowledged == 23 else ["completed", "interrupted"]
        # What a killed copy left is named, and metadata.json may not have been there yet; rows are never the matter.
        for problem in problems(directory):
            assert "left from a copy" in problem or "is missing" in problem, problem

    @pytest.mark.fault("D02")
    @pytest.mark.privileged("strace")
    @pytest.mark.parametrize(
        ("call", "last"),
        [("write", 37), ("fsync,fdatasync", 19), ("rename", 9), ("unlink", 5), ("mkdir", 9), ("link", 2)],
    )
    def test_each_point_leaves_a_whole_experiment(self, tmp_path: Path, call: str, last: int) -> None:
        """Killed before the n-th call of a kind, for every n, a run has all that it had acknowledged."""
        numbers = range(1, last + 1)
        done = list(pool.map(lambda number: self.kill_before(tmp_path, call, number), numbers))
        for base, acknowledged, _ in done:
            self.check(base, acknowledged)
        if call != "link":
            assert any(status for _, _, status in done), "no run was killed: the injection hit nothing"


class TestEndings:
    @pytest.mark.fault("D14")
    @pytest.mark.parametrize("name", list(ENDINGS))
    def test_data_status_and_exit_code(self, tmp_path: Path, name: str) -> None:
        """However a script ends, its rows are whole, its exit status is its own, and no crash counts as completed."""
        ending, exit_status, status = ENDINGS[name]
        result = run(BEGINNING + ending, tmp_path / "base")
        assert result.returncode == exit_status, result.stderr
        assert steps(only(tmp_path / "base")) == list(range(10))
        assert list(statuses(tmp_path / "base").values()) == [status]
        assert listed(only(tmp_path / "base")).error is None
        if exit_status == 0:
            assert result.stderr == ""

    @pytest.mark.fault("D14")
    def test_ctrl_c_in_a_busy_loop(self, tmp_path: Path, counter: mmap.mmap) -> None:
        """Ctrl-C in the middle of logging passes to the script at once and costs no acknowledged row."""
        base = tmp_path / "base"
        for rows in (50, 2_000, 4_000):
            before = set(experiments(base)) if base.exists() else set()
            counter[:] = bytes(8)
            arguments = command(COUNTING, base, tmp_path / "counter")
            process = subprocess.Popen(arguments, env=environment(), stderr=subprocess.PIPE)
            while int.from_bytes(counter[:], "little") < rows:
                time.sleep(0.001)
            process.send_signal(signal.SIGINT)
            error = process.communicate(timeout=TIMEOUT)[1]
            assert process.returncode == -signal.SIGINT
            assert error.rstrip().endswith(b"KeyboardInterrupt")
            (directory,) = set(experiments(base)) - before
            acknowledged = int.from_bytes(counter[:], "little")
            assert acknowledged <= len(steps(directory)) <= acknowledged + 1
            assert RowReader(directory).read().status == "interrupted"


class TestInterpreterExit:
    @pytest.mark.fault("D15")
    def test_daemon_threads_do_not_hang_the_exit(self, tmp_path: Path) -> None:
        """A daemon thread that logs for ever neither delays the exit nor costs an acknowledged row."""
        code = """
import sys, threading, time
from neural_core import ExperimentTracker
tracker = ExperimentTracker("daemon", sys.argv[1], auto_visualize=False)
acknowledged = 0
def loop():
    global acknowledged
    while True:
        tracker.log_metrics({"loss": 1.0}, acknowledged)
        acknowledged += 1
threading.Thread(target=loop, daemon=True).start()
while acknowledged < 1000:
    time.sleep(0.001)
print(acknowledged)
"""
        result = run(code, tmp_path / "base")
        assert result.returncode == 0, result.stderr
        assert "cannot schedule new futures" not in result.stderr
        found = steps(only(tmp_path / "base"))
        assert len(found) >= int(result.stdout)
        assert found == list(range(len(found)))
        assert list(statuses(tmp_path / "base").values()) == ["interrupted"]

    @pytest.mark.fault("D15")
    @pytest.mark.parametrize(
        "held",
        [
            "holder = tracker",
            "import builtins; builtins.tracker = tracker",
            "cycle = [tracker]; cycle.append(cycle)",
            "import atexit; atexit.register(lambda: tracker.log_metrics({'loss': 9.0}, 10))",
            "class Late:\n    def __del__(self): tracker.finish()\nlate = Late()",
        ],
        ids=["global", "builtins", "cycle", "atexit", "del"],
    )
    def test_a_tracker_that_is_never_finished(self, tmp_path: Path, held: str) -> None:
        """Held by a global, a cycle or an exit function of the user's, an unfinished tracker ends interrupted."""
        result = run(BEGINNING + held, tmp_path / "base")
        assert (result.returncode, result.stderr) == (0, "")
        assert steps(only(tmp_path / "base"))[:10] == list(range(10))
        assert list(statuses(tmp_path / "base").values()) == ["interrupted"]

    @pytest.mark.fault("D15")
    def test_a_thread_that_outlives_the_main_thread_can_finish(self, tmp_path: Path) -> None:
        """A plain thread that still logs when the script's last line has run loses nothing and finishes the run."""
        code = BEGINNING + (
            "import threading\n"
            "def late():\n"
            "    time.sleep(0.3)\n"
            "    tracker.log_metrics({'loss': 1.0}, 10)\n"
            "    tracker.finish()\n"
            "threading.Thread(target=late).start()\n"
        )
        result = run(code, tmp_path / "base")
        assert (result.returncode, result.stderr) == (0, "")
        assert steps(only(tmp_path / "base")) == list(range(11))
        assert list(statuses(tmp_path / "base").values()) == ["completed"]


class TestSecondTracker:
    @pytest.mark.fault("D16")
    def test_beside_an_unfinished_one(self, tmp_path: Path) -> None:
        """A cell that is run twice makes two experiments; the first one ends interrupted when nothing holds it."""
        code = """
import gc, sys
from neural_core import ExperimentTracker
for attempt in range(3):
    tracker = ExperimentTracker("cell", sys.argv[1], auto_visualize=False)
    tracker.log_metrics({"loss": float(attempt)}, 0)
    gc.collect()
tracker.finish()
"""
        result = run(code, tmp_path / "base")
        assert (result.returncode, result.stderr) == (0, "")
        assert sorted(statuses(tmp_path / "base").values()) == ["completed", "interrupted", "interrupted"]
        found = sorted(value for one in experiments(tmp_path / "base") for value in stored(one).get_metrics("loss"))
        assert found == [0.0, 1.0, 2.0]

    @pytest.mark.fault("D16")
    def test_both_held_both_whole(self, tmp_path: Path) -> None:
        """Two unfinished trackers of one process with the same name do not mix their rows."""
        code = """
import sys
from neural_core import ExperimentTracker
trackers = [ExperimentTracker("same", sys.argv[1], auto_visualize=False) for _ in range(2)]
for step in range(100):
    for number, tracker in enumerate(trackers):
        tracker.log_metrics({"loss": float(number)}, step)
"""
        result = run(code, tmp_path / "base")
        assert (result.returncode, result.stderr) == (0, "")
        found = {tuple(set(stored(one).get_metrics("loss"))) for one in experiments(tmp_path / "base")}
        assert found == {(0.0,), (1.0,)}
        assert all(steps(one) == list(range(100)) for one in experiments(tmp_path / "base"))
