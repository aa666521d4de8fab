"""Threads and processes that share an experiment or a folder: nothing acknowledged is lost, nobody waits for ever."""

from __future__ import annotations

import gc
import itertools
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neural.tracking import ExperimentManager, ExperimentTracker
from neural_core.errors import ExperimentInUseError

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base folder."""
    return tmp_path / "base"


def start(script: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """Start a script in a process of its own that talks through pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


def end(child: subprocess.Popen[str], expected: int = 0) -> str:
    """Wait for a script and give what it said."""
    out, err = child.communicate(timeout=PATIENCE)
    assert child.returncode == expected, err
    return out


def stored(base: Path, experiment_id: str, metric: str) -> list[float]:
    """Give the values of a metric as a stranger reads them."""
    return ExperimentManager(base).get_experiment(experiment_id).get_metrics(metric)


def collect(pid: int) -> int:
    """Wait for a forked child, at most for a while, and give its exit status."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    raise AssertionError("the forked child hangs")


def fork(work: Callable[[], None]) -> int:
    """Run `work` in a forked child, which leaves without running anything of the parent's; give its pid."""
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return pid


ATTACHED = """
import sys
from neural.tracking import ExperimentTracker
how, where, who, count = sys.argv[1:5]
tracker = getattr(ExperimentTracker, how)(where)
print("ready", flush=True)
sys.stdin.readline()
for i in range(int(count)):
    tracker.log_metrics({"m": float(who) * 1000 + i, f"only_{who}": float(i)}, step=i)
tracker.set_tags({f"tag_{who}": who})
tracker.log_hyperparameters({f"p_{who}": int(who)})
tracker.finish()
"""


class TestProcesses:
    @pytest.mark.fault("C01")
    @pytest.mark.parametrize("how", ["attach", "resume"])
    def test_two_processes_write_one_experiment(self, base: Path, how: str) -> None:
        """Two processes that attach, or resume at one moment, log at once: both sets are whole and each in order."""
        owner = ExperimentTracker("shared", base, False)
        owner.log_metrics({"m": 0.0}, step=0)
        if how == "resume":
            owner.finish()
        children = [start(ATTACHED, how, owner.experiment_dir, who, 200) for who in (1, 2)]
        said = [child.stdout.readline() for child in children if child.stdout]
        for child in children:
            child.communicate("go\n", timeout=PATIENCE)
        won = [who for who, line in zip((1, 2), said, strict=True) if line == "ready\n"]
        assert won == [1, 2] if how == "attach" else won
        if how == "attach":
            owner.finish()
        reader = ExperimentManager(base).get_experiment(owner.experiment_id)
        for who in won:
            assert reader.get_metrics(f"only_{who}") == [float(i) for i in range(200)]
            mine = [value for value in reader.get_metrics("m") if value // 1000 == who]
            assert mine == [who * 1000.0 + i for i in range(200)]
        assert len(reader.metrics_history) == 1 + 200 * len(won)
        assert reader.tags == {f"tag_{who}": str(who) for who in won}
        assert reader.hyperparameters == {f"p_{who}": who for who in won}
        assert reader.status == "completed"
        assert ExperimentManager(base).verify() == {owner.experiment_dir.name: []}

    @pytest.mark.fault("C05")
    def test_sixty_processes_make_sixty_experiments(self, base: Path) -> None:
        """Processes that make an experiment of one name at one moment get one each."""
        context: Any = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
        barrier = context.Barrier(60)
        children = [context.Process(target=_make_one, args=(base, barrier)) for _ in range(60)]
        for child in children:
            child.start()
        for child in children:
            child.join(PATIENCE)
            assert child.exitcode == 0
        rows = ExperimentManager(base).list_experiments()
        assert len({row["experiment_id"] for row in rows}) == len({row["experiment_dir"] for row in rows}) == 60
        assert {row["status"] for row in rows} == {"completed"}

    @pytest.mark.fault("C04")
    def test_readers_beside_a_writer(self, base: Path) -> None:
        """Listing and reading in a loop beside a writer never fails, never sees fewer rows, and touches nothing."""
        script = """
import select, sys, time
from neural.tracking import ExperimentTracker
tracker = ExperimentTracker("live", sys.argv[1], False)
print(tracker.experiment_id, flush=True)
i = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    for i in range(i, i + 50):
        tracker.log_metrics({"loss": float(i), f"m{i % 7}": 1.0}, step=i)
    i += 1
    time.sleep(0.01)  # readers check every byte, and are to keep up
tracker.finish()
print(i)
"""
        child = start(script, base)
        assert child.stdout
        experiment_id = child.stdout.readline().strip()
        manager, seen = ExperimentManager(base), 0
        reader = manager.get_experiment(experiment_id)
        for _ in range(25):
            (row,) = manager.list_experiments()
            assert row["error"] is None
            fresh = ExperimentManager(base).get_experiment(experiment_id)
            for one in (reader, fresh):
                losses = one.get_metrics("loss")
                assert losses == [float(i) for i in range(len(losses))]
                assert len(losses) >= seen
                seen = len(losses)
            assert not any(manager.verify().values())
        assert child.poll() is None
        out, err = child.communicate("stop\n", timeout=PATIENCE)
        assert (child.returncode, err) == (0, "")
        assert len(reader.get_metrics("loss")) == int(out) >= seen > 0
        assert len(manager.list_experiments()) == 1

    @pytest.mark.fault("C07")
    def test_a_writing_process_keeps_its_experiment(self, base: Path) -> None:
        """While another process writes, deleting and resuming are refused and verifying finds nothing wrong."""
        script = """
import sys
from neural.tracking import ExperimentTracker
tracker = ExperimentTracker("busy", sys.argv[1], False)
tracker.log_metrics({"m": 1.0})
print(tracker.experiment_id, flush=True)
sys.stdin.readline()
tracker.log_metrics({"m": 2.0})
tracker.finish()
"""
        child = start(script, base)
        assert child.stdout
        experiment_id = child.stdout.readline().strip()
        manager = ExperimentManager(base)
        with pytest.raises(ExperimentInUseError, match="Nothing was deleted"):
            manager.delete_experiment(experiment_id)
        with pytest.raises(ExperimentInUseError, match="attach"):
            ExperimentTracker.resume(experiment_id, base)
        assert not any(manager.verify().values())
        manager.get_experiment(experiment_id).set_tags(["seen"])
        child.communicate("go\n", timeout=PATIENCE)
        assert child.returncode == 0
        assert stored(base, experiment_id, "m") == [1.0, 2.0]
        (row,) = manager.list_experiments()
        assert (row["status"], row["tags"]) == ("completed", {"seen": ""})
        assert manager.delete_experiment(experiment_id) is True


def _make_one(base: Path, barrier: Any) -> None:
    barrier.wait(PATIENCE)
    with ExperimentTracker("same", base, False) as tracker:
        tracker.log_metrics({"m": 1.0})


@needs_fork
class TestFork:
    @pytest.mark.fault("C02")
    def test_parent_and_children_all_log(self, base: Path) -> None:
        """After two forks all three log: nothing is lost, and neither child's end ends the run."""
        script = """
import os, sys
from neural.tracking import ExperimentTracker
with ExperimentTracker("forked", sys.argv[1], False) as tracker:
    tracker.log_metrics({"m": 0.0}, step=0)
    children = []
    for who in (1, 2):
        pid = os.fork()
        if pid == 0:
            for i in range(100):
                tracker.log_metrics({f"child_{who}": float(i)}, step=i)
            tracker.log_hyperparameters({f"p_{who}": who})
            sys.exit(3 if who == 1 else 0)  # through the with block, atexit and all
        children.append(pid)
    for i in range(100):
        tracker.log_metrics({"parent": float(i)}, step=i)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    assert codes == [3, 0], codes
    assert tracker.status == "running", tracker.status
print(tracker.experiment_id)
"""
        experiment_id = end(start(script, base)).strip()
        reader = ExperimentManager(base).get_experiment(experiment_id)
        for name in ("parent", "child_1", "child_2"):
            assert reader.get_metrics(name) == [float(i) for i in range(100)]
        assert reader.get_metrics("m") == [0.0]
        assert reader.hyperparameters == {"p_1": 1, "p_2": 2}
        assert reader.status == "completed"
        assert ExperimentManager(base).verify() == {reader.experiment_dir.name: []}

    def test_no_thread_of_ours_lives_through_a_fork(self, base: Path) -> None:
        """Forking with a running tracker warns of nothing: our thread is joined before, and is back afterwards."""
        script = """
import os, sys, threading, warnings
warnings.simplefilter("error")
seen = []
os.register_at_fork(before=lambda: seen.append(threading.active_count()))  # runs after those registered later
from neural.tracking import ExperimentTracker
tracker = ExperimentTracker("quiet", sys.argv[1], False)
tracker.log_metrics({"m": 0.0})
assert threading.active_count() == 2
for _ in range(3):
    pid = os.fork()
    if pid == 0:
        code = 0 if threading.active_count() == 1 else 4
        tracker.log_metrics({"m": 1.0})
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    tracker.log_metrics({"m": 2.0})
assert seen == [1, 1, 1], seen
assert threading.active_count() == 2
tracker.finish()
print(sorted(tracker.get_metrics("m")))
"""
        child = start(script, base)
        assert end(child) == "[0.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0]\n"

    @pytest.mark.fault("C06")
    def test_a_fork_in_the_middle_of_other_threads_calls(self, base: Path) -> None:
        """A child that is forked while threads log rows, tags and new names logs all kinds itself, and never hangs."""
        tracker = ExperimentTracker("busy", base, False)
        stop = threading.Event()

        def busy(who: int) -> None:
            for i in itertools.count():
                if stop.is_set():
                    return
                tracker.log_metrics({f"t{who}_{i % 50}": float(i)}, step=i)
                tracker.set_tags({f"t{who}": str(i)})

        def child() -> None:
            tracker.log_metrics({"child": 1.0})
            tracker.log_hyperparameters({"child": 1})
            tracker.set_tags({"child": "1"})
            tracker.finish()

        threads = [threading.Thread(target=busy, args=(who,)) for who in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(15):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)  # these threads are the test's own
                    pid = fork(child)
                assert collect(pid) == 0
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        tracker.finish()
        reader = ExperimentManager(base).get_experiment(tracker.experiment_id)
        assert reader.get_metrics("child") == [1.0] * 15
        assert reader.hyperparameters == {"child": 1}
        assert reader.status == "completed"

    @pytest.mark.fault("C02")
    def test_a_childs_failure_is_its_own(self, base: Path) -> None:
        """A child that raises inside the ``with`` block it inherited does not fail the run of its parent."""
        script = """
import os, sys
from neural.tracking import ExperimentTracker
with ExperimentTracker("x", sys.argv[1], False) as tracker:
    tracker.log_metrics({"m": 0.0})
    pid = os.fork()
    if pid == 0:
        raise RuntimeError("a worker's error")
    os.waitpid(pid, 0)
    print(tracker.status)
"""
        assert end(start(script, base)) == "running\n"
        assert ExperimentManager(base).list_experiments()[0]["status"] == "completed"


def _worker(tracker: ExperimentTracker, who: int) -> None:
    """Log as a DataLoader's worker does whose dataset holds the tracker, and leave without a word."""
    for i in range(20):
        tracker.log_metrics({f"worker_{who}": float(i)}, step=i)


class TestWorkers:
    @pytest.mark.fault("C06")
    @pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
    def test_a_tracker_goes_into_workers(self, base: Path, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Four workers of any start method log to the tracker they were given, without a deadlock."""
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        context: Any = multiprocessing.get_context(method)
        with ExperimentTracker("workers", base, False) as tracker:
            tracker.log_metrics({"m": 0.0})
            workers = [context.Process(target=_worker, args=(tracker, who)) for who in range(4)]
            for worker in workers:
                worker.start()
            tracker.log_metrics({"m": 1.0})
            for worker in workers:
                worker.join(PATIENCE)
                assert worker.exitcode == 0
        reader = ExperimentManager(base).get_experiment(tracker.experiment_id)
        assert reader.get_metrics("m") == [0.0, 1.0]
        for who in range(4):
            assert reader.get_metrics(f"worker_{who}") == [float(i) for i in range(20)]
        assert reader.status == "completed"

    @pytest.mark.fault("C06")
    def test_a_pickle_is_a_handle(self, base: Path) -> None:
        """However much was logged, a pickled tracker is a few hundred bytes."""
        tracker = ExperimentTracker("x", base, False)
        for step in range(1000):
            tracker.log_metrics({"m": 1.0}, step=step)
        assert len(pickle.dumps(tracker)) < 1000


class TestThreads:
    @pytest.mark.fault("C03")
    def test_threads_share_a_tracker(self, base: Path) -> None:
        """Four threads log rows of known and new names beside one that draws: all are there, in order."""
        tracker = ExperimentTracker("threads", base, False)
        errors: list[BaseException] = []
        go = threading.Barrier(5)

        def log(who: int) -> None:
            try:
                go.wait()
                for i in range(500):
                    tracker.log_metrics({f"t{who}": float(i), "all": float(who)}, step=i)
                    if i % 100 == 0:
                        tracker.log_metrics({f"t{who}_{i}": 1.0})
                        tracker.log_hyperparameters({f"p{who}": i})
            except BaseException as error:  # noqa: BLE001 - a thread's error would be lost
                errors.append(error)

        threads = [threading.Thread(target=log, args=(who,)) for who in range(4)]
        for thread in threads:
            thread.start()
        go.wait()
        while any(thread.is_alive() for thread in threads):
            tracker.generate_visualizations()
            assert len(tracker.metrics_history) >= 0
        assert errors == []
        for who in range(4):
            assert tracker.get_metrics(f"t{who}") == [float(i) for i in range(500)]
        assert len(tracker.get_metrics("all")) == 2000
        assert tracker.hyperparameters == {f"p{who}": 400 for who in range(4)}
        tracker.finish()
        assert len(ExperimentManager(base).get_experiment(tracker.experiment_id).metrics_history) == 2020

    def test_finishing_under_the_feet_of_others(self, base: Path) -> None:
        """A thread that logs while another finishes is either stored or told; what it was not told of is there."""
        tracker = ExperimentTracker("race", base, False)
        done: list[int] = []
        running = threading.Event()

        def log() -> None:
            for i in itertools.count():
                try:
                    tracker.log_metrics({"m": float(i)}, step=i)
                except RuntimeError:
                    return
                done.append(i)
                if i == 50:
                    running.set()

        thread = threading.Thread(target=log)
        thread.start()
        assert running.wait(PATIENCE)
        tracker.finish()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert stored(base, tracker.experiment_id, "m") == [float(i) for i in done]

    def test_many_trackers_share_one_thread(self, base: Path) -> None:
        """Twenty open experiments are looked after by one thread, which goes with the last of them."""
        before = threading.active_count()
        trackers = [ExperimentTracker(f"t{i}", base, False) for i in range(20)]
        for tracker in trackers:
            tracker.log_metrics({"m": 1.0})
        assert threading.active_count() == before + 1
        for tracker in trackers:
            tracker.finish()
        deadline = time.monotonic() + PATIENCE
        while threading.active_count() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert threading.active_count() == before


class TestForgotten:
    def test_a_forgotten_tracker_may_end_in_the_middle_of_another_call(self, base: Path) -> None:
        """Trackers that only the garbage collector finds end at whatever line it runs, and nothing waits for ever."""
        script = """
import faulthandler, gc, sys
from neural.tracking import ExperimentTracker
faulthandler.dump_traceback_later(100, exit=True)
gc.set_threshold(1, 1, 1)
class Trainer:
    def __init__(self):
        self.me = self
        self.tracker = ExperimentTracker("x", sys.argv[1], False)
for i in range(20):
    trainer = Trainer()
    trainer.tracker.log_metrics({"m": float(i)}, step=i)
    trainer.tracker.log_metrics({"m": float(i)}, step=i)
print("done")
"""
        assert end(start(script, base)) == "done\n"
        rows = ExperimentManager(base).runs()
        assert {row.status for row in rows} == {"interrupted"}
        assert {row.metrics["m"].count for row in rows} == {2}


@pytest.fixture(autouse=True)
def _no_thread_of_an_earlier_test() -> None:
    """Let the housekeeping thread of earlier tests go, so that threads can be counted."""
    gc.collect()
    deadline = time.monotonic() + PATIENCE
    while any(one.name.startswith("neural") for one in threading.enumerate()) and time.monotonic() < deadline:
        time.sleep(0.01)
