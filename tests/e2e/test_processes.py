"""What a list says of an experiment whose process is killed, stopped, gone, or on another machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neural.tracking import ExperimentManager, ExperimentTracker
from neural_core._storage.experiment.documents import read_document, write_document
from neural_core.errors import ExperimentInUseError

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
WRITER = """
import sys
from neural.tracking import ExperimentTracker
tracker = ExperimentTracker("child", sys.argv[1], False)
for i in range(300):
    tracker.log_metrics({"m": float(i)}, step=i)
print(tracker.experiment_id, flush=True)
for line in sys.stdin:
    tracker.log_metrics({"m": 1000.0}, step=1000)
    print("logged", flush=True)
tracker.finish()
"""
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


class Child:
    """A process that has logged 300 rows, and logs one more for each line it is sent."""

    def __init__(self, base: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, base],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert self.process.stdout
        assert self.process.stdin
        self.out, self.stdin = self.process.stdout, self.process.stdin
        self.experiment_id = self.out.readline().strip()

    def log(self) -> str:
        """Let it log a row, and wait for it."""
        self.stdin.write("\n")
        self.stdin.flush()
        return self.out.readline()

    def kill(self) -> None:
        """Kill it as the system does when memory is short."""
        self.process.kill()
        if not self.out.closed:
            self.process.communicate(timeout=PATIENCE)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base folder."""
    return tmp_path / "base"


@pytest.fixture
def child(base: Path) -> Iterator[Child]:
    """A writing process, which is gone after the test."""
    made = Child(base)
    yield made
    made.kill()


def status(base: Path) -> str:
    """Give the status of the only experiment, by a manager that has never looked before."""
    (row,) = ExperimentManager(base).list_experiments()
    return str(row["status"])


def pretend(directory: Path, **evidence: object) -> None:
    """Change what the experiment says of its writer, and take its signs of life away."""
    path = directory / "metadata.json"
    document = read_document(path)
    document["writer"].update(evidence)
    write_document(path, document)


def silent_since(directory: Path, seconds: float) -> None:
    """Give every file of the experiment an age."""
    then = time.time() - seconds
    for path in [directory / "metadata.json", *(directory / "metrics").iterdir()]:
        os.utime(path, (then, then))


@pytest.mark.fault("D01")
def test_a_killed_process_is_interrupted(base: Path, child: Child) -> None:
    """After ``kill -9`` every acknowledged row is read, the list says interrupted, and reading changes nothing."""
    manager = ExperimentManager(base)
    assert [row["status"] for row in manager.list_experiments()] == ["running"]
    child.kill()
    assert [row["status"] for row in manager.list_experiments()] == ["interrupted"] == [status(base)]
    loaded = manager.get_experiment(child.experiment_id)
    assert loaded.get_metrics("m") == [float(i) for i in range(300)]
    assert loaded.status == "interrupted"
    assert not any(manager.verify().values())


def test_a_killed_process_that_nobody_has_collected(base: Path, child: Child) -> None:
    """A zombie still has its pid, and writes no more: it is interrupted."""
    os.kill(child.process.pid, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while status(base) != "interrupted":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_was_killed_is_resumed_and_finished(base: Path, child: Child) -> None:
    """An interrupted experiment is resumed where it stopped; the dead process's part is compacted with the rest."""
    child.kill()
    with ExperimentTracker.resume(child.experiment_id, base) as tracker:
        tracker.log_metrics({"m": 300.0}, step=300)
    assert status(base) == "completed"
    assert not list((tracker.experiment_dir / "metrics").glob("*[0-9].nj"))
    assert ExperimentManager(base).get_experiment(child.experiment_id).get_metrics("m") == [
        float(i) for i in range(301)
    ]


def test_what_was_killed_is_deleted(base: Path, child: Child) -> None:
    """No lock of a killed process stands in the way of deleting what it wrote."""
    manager = ExperimentManager(base)
    with pytest.raises(ExperimentInUseError):
        manager.delete_experiment(child.experiment_id)
    child.kill()
    assert manager.delete_experiment(child.experiment_id) is True
    assert manager.restore_experiment(child.experiment_id) is True
    assert status(base) == "interrupted"


def test_what_was_killed_is_annotated(base: Path, child: Child) -> None:
    """A tag on an interrupted experiment leaves it interrupted."""
    child.kill()
    ExperimentManager(base).get_experiment(child.experiment_id).set_tags({"verdict": "out of memory"})
    (row,) = ExperimentManager(base).list_experiments()
    assert (row["status"], row["tags"]) == ("interrupted", {"verdict": "out of memory"})


@pytest.mark.fault("D13")
def test_a_stopped_process_is_running(base: Path, child: Child) -> None:
    """A process that is stopped, however long, is not declared dead by its own machine; it continues where it was."""
    child.process.send_signal(signal.SIGSTOP)
    (row,) = ExperimentManager(base).list_experiments()
    silent_since(Path(row["experiment_dir"]), 3600)
    assert status(base) == "running"
    with pytest.raises(ExperimentInUseError):
        ExperimentManager(base).delete_experiment(child.experiment_id)
    child.process.send_signal(signal.SIGCONT)
    assert child.log() == "logged\n"
    assert ExperimentManager(base).get_experiment(child.experiment_id).get_metrics("m")[-1] == 1000.0
    child.process.communicate(timeout=PATIENCE)
    assert status(base) == "completed"


@pytest.mark.fault("D13")
@pytest.mark.parametrize(("silence", "seen"), [(0, "running"), (120, "stalled"), (3600, "interrupted")])
def test_another_machine_is_judged_by_its_signs(base: Path, child: Child, silence: float, seen: str) -> None:
    """A writer elsewhere is running while its files change, stalled after 90 s of silence, interrupted after 10 min."""
    child.kill()
    (row,) = ExperimentManager(base).list_experiments()
    directory = Path(row["experiment_dir"])
    pretend(directory, host="another-machine", boot_id="another-boot")
    silent_since(directory, silence)
    assert status(base) == seen
    assert ExperimentManager(base).get_experiment(child.experiment_id).status == seen
    before = (directory / "metadata.json").read_bytes()
    assert ExperimentManager(base).get_experiment(child.experiment_id).get_metrics("m") == [
        float(i) for i in range(300)
    ]
    assert (directory / "metadata.json").read_bytes() == before


@pytest.mark.fault("C08")
def test_a_pid_that_was_given_to_another_is_no_life(base: Path, child: Child) -> None:
    """A living process with the pid of the writer, but begun at another time or in another boot, is not the writer."""
    child.kill()
    (row,) = ExperimentManager(base).list_experiments()
    directory = Path(row["experiment_dir"])
    pretend(directory, pid=os.getpid(), process_start="1")
    assert status(base) == "interrupted"
    pretend(directory, boot_id="before the machine was started again")
    assert status(base) == "interrupted"


@pytest.mark.fault("D14")
@pytest.mark.parametrize(
    ("ending", "code", "seen"),
    [
        ("tracker.finish()", 0, "completed"),
        ("pass", 0, "interrupted"),
        ("sys.exit(3)", 3, "interrupted"),
        ("raise ValueError('x')", 1, "interrupted"),
        ("os._exit(4)", 4, "interrupted"),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM, "interrupted"),
        ("signal.raise_signal(signal.SIGINT)", -signal.SIGINT, "interrupted"),
        ("tracker.set_status('failed'); sys.exit(3)", 3, "failed"),
        ("tracker.set_status('completed')", 0, "completed"),
        ("atexit.register(tracker.finish)", 0, "completed"),
    ],
)
def test_every_way_out(base: Path, ending: str, code: int, seen: str) -> None:
    """However a script ends, its rows are there, its exit status is its own, its status is no lie."""
    script = f"""
import atexit, os, signal, sys
from neural.tracking import ExperimentTracker
tracker = ExperimentTracker("x", sys.argv[1], False)
for i in range(10):
    tracker.log_metrics({{"m": float(i)}}, step=i)
{ending}
"""
    result = subprocess.run(
        [sys.executable, "-c", script, base],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert result.returncode == code, result.stderr
    assert "neural" not in result.stderr
    (row,) = ExperimentManager(base).list_experiments()
    # An exit function that is registered after the tracker was made runs before ours.
    assert row["status"] == seen
    assert ExperimentManager(base).get_experiment(row["experiment_id"]).get_metrics("m") == [
        float(i) for i in range(10)
    ]


@pytest.mark.fault("D14")
def test_the_users_handlers_stay(tmp_path: Path) -> None:
    """Importing and tracking install no signal handler and no excepthook."""
    script = """
import signal, sys, threading
names = [one for one in signal.Signals]
before = [signal.getsignal(one) for one in names], sys.excepthook, threading.excepthook
from neural.tracking import ExperimentTracker
with ExperimentTracker("x", sys.argv[1]) as tracker:
    tracker.log_metrics({"m": 1.0}, step=0)
assert ([signal.getsignal(one) for one in names], sys.excepthook, threading.excepthook) == before
"""
    subprocess.run(
        [sys.executable, "-c", script, tmp_path],
        check=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
