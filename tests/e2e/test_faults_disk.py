"""Full, small, read-only and vanishing disks."""

from __future__ import annotations

import itertools
import logging
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from journal_support import contents, experiments, listed, mounted, only, problems, run, statuses, steps, stored

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage.writing.trouble import RING_ROWS


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings so far, as a list that is read anew on each use."""
    caplog.set_level(logging.WARNING, "neural")

    class Messages(list[str]):
        def __iter__(self) -> Iterator[str]:
            return iter([record.getMessage() for record in caplog.records])

    return Messages()


def fill(tracker: ExperimentTracker) -> list[int]:
    """Log until the disk refuses; give the steps that were acknowledged."""
    step = 0
    while tracker.health.waiting == 0:
        tracker.log_metrics({"loss": step / 7, "accuracy": 0.5}, step)
        step += 1
        assert step < 100_000
    return list(range(step - 1))


@pytest.mark.privileged("mount")
class TestFullDisk:
    @pytest.mark.fault("D03")
    def test_told_once_waits_and_recovers(self, tmp_path: Path, told: list[str]) -> None:
        """On a full disk rows wait, are told once, are readable before, and are stored in order with their times."""
        with mounted(tmp_path / "disk", "-o", "size=256k") as disk:
            tracker = ExperimentTracker("full", disk, auto_visualize=False)
            acknowledged = fill(tracker)
            for step in range(len(acknowledged) + 1, len(acknowledged) + 100):
                tracker.log_metrics({"loss": step / 7, "accuracy": 0.5}, step)
            full_until = time.time()
            assert (tracker.health.ok, tracker.health.waiting, tracker.health.lost) == (False, 100, 0)
            assert steps(tracker.experiment_dir) == acknowledged
            assert [one["status"] for one in ExperimentManager(disk).list_experiments()] == ["running"]
            assert sum("the disk refuses" in text for text in told) == 1

            subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
            tracker.flush()
            assert (tracker.health.waiting, tracker.health.lost) == (0, 0)
            for step in range(len(acknowledged) + 100, len(acknowledged) + 103):
                tracker.log_metrics({"loss": step / 7, "accuracy": 0.5}, step)
            rows = list(tracker.metrics_history)
            assert [row.step for row in rows] == list(range(len(acknowledged) + 103))
            assert all(row.timestamp <= full_until for row in rows[:-3])
            assert [row.timestamp for row in rows] == sorted(row.timestamp for row in rows)
            assert sum("the disk works again" in text for text in told) == 1
            tracker.finish()
            assert tracker.health.ok
            assert statuses(disk) == {tracker.experiment_dir.name: "completed"}
            assert steps(tracker.experiment_dir) == list(range(len(acknowledged) + 103))

    @pytest.mark.fault("D03")
    def test_the_ring_is_bounded_and_what_is_beyond_is_counted(self, tmp_path: Path, told: list[str]) -> None:
        """Ten thousand rows wait; what comes beyond is counted lost, in health and in the words of the recovery."""
        with mounted(tmp_path / "disk", "-o", "size=128k") as disk:
            tracker = ExperimentTracker("full", disk, auto_visualize=False)
            acknowledged = fill(tracker)
            for step in range(RING_ROWS + 49):
                tracker.log_metrics({"late": 1.0}, step)
            health = tracker.health
            assert (health.ok, health.waiting, health.lost) == (False, RING_ROWS, 50)
            subprocess.run(["mount", "-o", "remount,size=16m", str(disk)], check=True)
            tracker.flush()
            assert (tracker.health.ok, tracker.health.waiting, tracker.health.lost) == (False, 0, 50)
            assert any("50 rows were lost" in text for text in told)
            assert tracker.get_metrics("loss") == [step / 7 for step in range(len(acknowledged) + 1)]
            assert len(tracker.get_metrics("late")) == RING_ROWS - 1
            tracker.finish()

    @pytest.mark.fault("D03")
    def test_finish_on_a_full_disk(self, tmp_path: Path, told: list[str]) -> None:
        """finish() on a full disk does not raise, says how much is lost, and leaves what was acknowledged readable."""
        with mounted(tmp_path / "disk", "-o", "size=128k") as disk:
            tracker = ExperimentTracker("full", disk, auto_visualize=False)
            acknowledged = fill(tracker)
            tracker.finish()
            assert tracker.health.lost >= 1
            assert any("could not be stored" in text for text in told)
            assert steps(tracker.experiment_dir) == acknowledged
            assert len(statuses(disk)) == 1

    @pytest.mark.fault("A05")
    def test_an_artifact_that_does_not_fit(self, tmp_path: Path, told: list[str]) -> None:
        """An artifact too large for the disk is told and counted, leaves no part of itself, and rows go on."""
        source = tmp_path / "large"
        source.write_bytes(b"x" * 2**20)
        with mounted(tmp_path / "disk", "-o", "size=512k") as disk:
            tracker = ExperimentTracker("full", disk, auto_visualize=False)
            tracker.log_metrics({"loss": 1.0}, 0)
            assert tracker.log_artifact(source) is None
            assert tracker.health.lost == 1
            tracker.log_metrics({"loss": 0.5}, 1)
            assert tracker.artifacts == []
            tracker.finish()
            assert tracker.get_metrics("loss") == [1.0, 0.5]
            assert problems(tracker.experiment_dir) == []
            assert sum("the disk refuses" in text for text in told) == 1

    @pytest.mark.fault("D09")
    def test_no_inode_is_left(self, tmp_path: Path, told: list[str]) -> None:
        """With the inode table full rows go on into the open part, what needs a new file is told, finish() as well."""
        with mounted(tmp_path / "disk", "-o", "nr_inodes=24") as disk:
            tracker = ExperimentTracker("inodes", disk, auto_visualize=False)
            tracker.log_metrics({"loss": 1.0}, 0)
            fillers = []
            for number in range(30):
                try:
                    (disk / f".filler{number}").touch()
                    fillers.append(number)
                except OSError:
                    break
            tracker.log_metrics({"loss": 0.5}, 1)
            tracker.log_hyperparameters({"lr": 0.1})
            assert sum("the disk refuses" in text for text in told) == 1
            assert tracker.hyperparameters == {"lr": 0.1}
            tracker.finish()
            assert steps(tracker.experiment_dir) == [0, 1]
            assert tracker.hyperparameters == {"lr": 0.1}
            assert list(statuses(disk).values()) == ["completed"]
            assert tracker.health.last_error is not None
            for number in fillers:
                (disk / f".filler{number}").unlink()
            resumed = ExperimentTracker.resume(tracker.experiment_id, disk)
            resumed.log_metrics({"loss": 0.25}, 2)
            resumed.finish()
            assert steps(tracker.experiment_dir) == [0, 1, 2]


class TestFileSizeLimit:
    @pytest.mark.fault("D04")
    def test_a_short_write_and_efbig(self, tmp_path: Path) -> None:
        """At a file size limit the row that was cut is written again into a new part, and none is missing."""
        code = """
import resource, sys
from neural_core import ExperimentTracker
resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, resource.RLIM_INFINITY))
tracker = ExperimentTracker("limit", sys.argv[1], auto_visualize=False)
for step in range(5000):
    tracker.log_metrics({"loss": step / 7, "accuracy": 0.5, "odd": 1.0} if step % 2 else {"loss": step / 7}, step)
health = tracker.health
print(health.waiting, health.lost)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))  # Parquet may be larger
tracker.finish()
print(tracker.status, tracker.health.lost)
"""
        result = run(code, tmp_path)
        assert result.returncode == 0, result.stderr
        assert result.stdout.split() == ["0", "0", "completed", "0"]
        assert result.stderr == "", "every row was stored: nothing is to be told"
        directory = only(tmp_path)
        assert all("cut off" in problem for problem in problems(directory))
        assert steps(directory) == list(range(5000))
        assert stored(directory).get_metrics("loss") == [step / 7 for step in range(5000)]
        assert stored(directory).status == "completed"

    @pytest.mark.fault("D04")
    def test_several_threads_at_the_limit(self, tmp_path: Path) -> None:
        """When one thread leaves a part because a write was cut, no row of the others is lost or comes twice."""
        code = """
import resource, sys, threading
from neural_core import ExperimentTracker
resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, resource.RLIM_INFINITY))
sys.setswitchinterval(1e-5)
tracker = ExperimentTracker("limit", sys.argv[1], auto_visualize=False)
def work(number):
    for step in range(1000):
        tracker.log_metrics({f"m{number}": float(step)}, step)
threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
tracker.flush()
assert (tracker.health.waiting, tracker.health.lost) == (0, 0), tracker.health
tracker.finish()
"""
        result = run(code, tmp_path)
        assert result.returncode == 0, result.stderr
        tracker = stored(only(tmp_path))
        for number in range(4):
            assert tracker.get_metrics(f"m{number}") == [float(step) for step in range(1000)]


def test_strict_mode_raises(tmp_path: Path) -> None:
    """With NEURAL_STRICT=1 a row that the disk refuses raises, which a test suite of the user's may want."""
    code = """
import resource, sys
from neural_core import ExperimentTracker
from neural_core.errors import StorageError
tracker = ExperimentTracker("strict", sys.argv[1], auto_visualize=False)
tracker.log_metrics({"loss": 1.0}, 0)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
try:
    tracker.log_metrics({"loss": 1.0}, 1)
except StorageError as error:
    print("raised", error.__class__.__name__)
"""
    assert run(code, tmp_path, NEURAL_STRICT="1").stdout.split() == ["raised", "StorageError"]
    assert run(code, tmp_path).stdout == ""


@pytest.mark.privileged("mount")
class TestReadOnly:
    SCRIPT = """
import logging, os, sys
logging.basicConfig(format="%(message)s")
from pathlib import Path
from neural_core import ExperimentManager, ExperimentTracker
base = Path(sys.argv[1])
os.chmod(base, 0o777)
warm = ExperimentTracker("warm", base, auto_visualize=False)
warm.log_metrics({"a": 1.0}, 0)
warm.log_artifact(sys.argv[2])
warm.finish()
ExperimentManager(base).list_experiments(), ExperimentManager(base).verify()
os.umask(0)
os.seteuid(65534)
"""

    @pytest.fixture
    def tmp_path(self) -> Iterator[Path]:
        """Give a folder that another user reaches: pytest closes its own to others whenever a session begins."""
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)

    def prepare(self, tmp_path: Path) -> Path:
        """Make a base folder that another user can reach, and a file for him to store."""
        base = tmp_path / "base"
        base.mkdir()
        top = Path(tempfile.gettempdir())
        for folder in itertools.takewhile(lambda folder: folder != top, (base, *base.parents)):
            folder.chmod(folder.stat().st_mode | 0o055)
        (tmp_path / "source").write_bytes(b"1")
        (tmp_path / "source").chmod(0o644)
        return base

    @pytest.mark.fault("D08")
    def test_the_folder_becomes_read_only_and_comes_back(self, tmp_path: Path) -> None:
        """In a folder that turns read-only rows go on or wait, every refusal is told, and all is made up for later."""
        base = self.prepare(tmp_path)
        code = (
            self.SCRIPT
            + """
tracker = ExperimentTracker("readonly", base, auto_visualize=False)
folders = [tracker.experiment_dir, *(path for path in tracker.experiment_dir.iterdir() if path.is_dir())]
tracker.log_metrics({"loss": 1.0}, 0)
for folder in folders:
    folder.chmod(0o555)
tracker.log_metrics({"loss": 1.0}, 1)
tracker.log_hyperparameters({"lr": 1})
assert tracker.log_artifact(sys.argv[2]) is None
tracker._session.writer.leave(tracker._session.writer.parts.descriptor)
for step in range(2, 10):
    tracker.log_metrics({"loss": 1.0}, step)
assert tracker.health.waiting == 8, tracker.health
assert tracker.hyperparameters == {"lr": 1}
assert len(tracker.metrics_history) == 2
for folder in folders:
    folder.chmod(0o755)
tracker.flush()
assert (tracker.health.waiting, tracker.health.lost) == (0, 1), tracker.health
tracker.log_metrics({"loss": 1.0}, 10)
assert tracker.log_artifact(sys.argv[2]) is not None
tracker.finish()
assert [row.step for row in tracker.metrics_history] == list(range(11))
"""
        )
        result = run(code, base, tmp_path / "source")
        assert result.returncode == 0, result.stderr
        assert result.stderr.count("the disk refuses") == 1, result.stderr
        directory = next(path for path in experiments(base) if path.name.startswith("readonly"))
        assert (listed(directory).status, problems(directory)) == ("completed", [])

    @pytest.mark.fault("D08")
    def test_reading_needs_no_write(self, tmp_path: Path) -> None:
        """Listing, loading and verifying work in a folder that may not be written; making an experiment is refused."""
        base = self.prepare(tmp_path)
        code = (
            self.SCRIPT
            + """
assert [one["status"] for one in ExperimentManager(base).list_experiments()] == ["completed"]
one = ExperimentManager(base).get_experiment(warm.experiment_id)
assert one.get_metrics("a") == [1.0] and one.damage == []
assert list(ExperimentManager(base).verify().values()) == [[]]
os.seteuid(0); os.chmod(base, 0o555); os.seteuid(65534)
try:
    ExperimentTracker("new", base)
except ValueError as error:
    print(error)
"""
        )
        result = run(code, base, tmp_path / "source")
        assert (result.returncode, result.stderr) == (0, "")
        assert "Permission denied" in result.stdout
        assert [path.name.startswith("warm") for path in experiments(base)] == [True]

    @pytest.mark.fault("I08")
    def test_an_unreadable_experiment_does_not_hide_the_others(self, tmp_path: Path) -> None:
        """An experiment that this user may not read is named or left out; the others are listed as ever."""
        base = self.prepare(tmp_path)
        code = (
            self.SCRIPT
            + """
os.seteuid(0)
for name in ("closed_000000000001", "half_000000000002"):
    (base / name / "metrics").mkdir(parents=True)
(base / "closed_000000000001").chmod(0)
(base / "half_000000000002" / "metrics").chmod(0)
os.seteuid(65534)
for one in ExperimentManager(base).list_experiments():
    print(one["experiment_name"], one["status"])
for name, damage in ExperimentManager(base).verify().items():
    print(name, bool(damage))
"""
        )
        result = run(code, base, tmp_path / "source")
        assert (result.returncode, result.stderr) == (0, "")
        said = result.stdout.splitlines()
        assert "warm completed" in said
        assert "half_000000000002 damaged" in said
        assert "half_000000000002 True" in said


class TestVanishingFolder:
    @pytest.mark.fault("D12")
    def test_deleted_under_the_writer(self, tmp_path: Path, told: list[str]) -> None:
        """A deleted folder is noticed and told once, never made again, and harms no other experiment."""
        tracker = ExperimentTracker("gone", tmp_path, auto_visualize=False)
        other = ExperimentTracker("other", tmp_path, auto_visualize=False)
        tracker.log_metrics({"loss": 1.0}, 0)
        shutil.rmtree(tracker.experiment_dir)
        assert tracker._session is not None
        tracker._session.writer._upkeep.tick()
        for step in range(1, 20):
            tracker.log_metrics({"loss": 1.0}, step)
            other.log_metrics({"loss": 2.0}, step)
        tracker.log_hyperparameters({"lr": 1})
        assert not tracker.health.ok
        tracker.finish()
        other.finish()
        assert not tracker.experiment_dir.exists()
        assert sum("the disk refuses" in text for text in told) == 1
        assert tracker.health.lost >= 19
        assert statuses(tmp_path) == {other.experiment_dir.name: "completed"}
        assert problems(other.experiment_dir) == []

    @pytest.mark.fault("D12")
    def test_renamed_under_the_writer(self, tmp_path: Path, told: list[str]) -> None:
        """A renamed folder keeps its rows where it is; no folder is made at the old path, and it is told once."""
        tracker = ExperimentTracker("moved", tmp_path, auto_visualize=False)
        tracker.log_metrics({"loss": 1.0}, 0)
        moved = tmp_path / "elsewhere"
        tracker.experiment_dir.rename(moved)
        for step in range(1, 20):
            tracker.log_metrics({"loss": 1.0}, step)
        tracker.log_hyperparameters({"lr": 1})
        tracker.finish()
        assert not tracker.experiment_dir.exists()
        assert sum("the disk refuses" in text for text in told) == 1
        found = contents(moved)
        assert [row[0] for row in found["rows"]] == list(range(20))
        assert found["hyperparameters"] == {"lr": 1}
        assert list(statuses(tmp_path).values()) == ["completed"]
