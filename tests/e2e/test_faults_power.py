"""Loss of power: the image below a live file system is copied, and read as a machine would find it afterwards."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from journal_support import command, environment, experiments, problems, statuses, steps, stored

from neural_core._storage.writing.ticker import TICK_SECONDS
from neural_core.testing import wait_for

WRITER = """
import os, sys, time
rows, fdatasync = 0, os.fdatasync
def say(*words):
    os.write(1, f"{' '.join(map(str, words))}\\n".encode())
def told(descriptor):
    before = rows
    fdatasync(descriptor)
    say("synced", before)
os.fdatasync = told
from neural_core import ExperimentTracker
tracker = ExperimentTracker("power", sys.argv[1], auto_visualize=False, durability=sys.argv[2])
tracker.log_hyperparameters({"lr": 0.5})
tracker.log_artifact(sys.argv[3], name="weights")
while True:
    tracker.log_metrics({"loss": rows / 7}, rows)
    rows += 1
    say("logged", rows)
    time.sleep(0.005)
"""


@contextlib.contextmanager
def loop_mounted(image: Path, folder: Path, options: str) -> Iterator[Path]:
    """Mount an image."""
    folder.mkdir()
    subprocess.run(["mount", "-o", f"loop,{options}", str(image), str(folder)], check=True, capture_output=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An ext4 file system that writes nothing by itself for five minutes."""
    path = tmp_path / "image"
    with path.open("wb") as file:
        file.truncate(24 * 2**20)
    result = subprocess.run(["mkfs.ext4", "-q", "-F", str(path)], capture_output=True, check=False)
    if result.returncode:
        pytest.skip(f"privileged: mkfs.ext4: {result.stderr.decode()}")
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(loop_mounted(path, tmp_path / "trial", "commit=300"))
        except subprocess.CalledProcessError as error:
            pytest.skip(f"privileged: no loop mounts here: {error.stderr.decode()}")
    return path


class Said:
    """What the writer has said so far.

    Attributes:
        logged: rows that were acknowledged.
        synced: of these, how many were before each sync began that has ended.
    """

    def __init__(self, path: Path) -> None:
        """Read it; a line that is being written is left out."""
        lines = [line.split() for line in path.read_text("ascii").splitlines(keepends=True) if line.endswith("\n")]
        self.logged = sum(word == "logged" for word, _ in lines)
        self.synced = [int(count) for word, count in lines if word == "synced"]


def cut(image: Path, durability: str, enough: Callable[[Said], bool]) -> tuple[Path, Said]:
    """Log onto the image and cut the power; give the copy of the image, and what had been said before."""
    source = image.with_name("source")
    source.write_bytes(b"weights" * 1000)
    path = image.with_name("said")
    with loop_mounted(image, image.with_name("live"), "commit=300") as live, path.open("wb") as out:
        arguments = command(WRITER, live / "base", durability, source)
        process = subprocess.Popen(arguments, env=environment(), stdout=out)
        try:
            said = wait_for(lambda: said if enough(said := Said(path)) else None)
            shutil.copyfile(image, image.with_name("copy"))
        finally:
            process.kill()
            process.wait()
    assert said is not None
    return image.with_name("copy"), said


def check_documents(directory: Path, base: Path) -> None:
    """What is synced before its call returns is there: hyperparameters and the artifact. The run can be listed."""
    tracker = stored(directory)
    assert tracker.hyperparameters == {"lr": 0.5}
    version = tracker.get_artifact_version("weights")
    assert version is not None
    with version.open() as file:
        assert file.read() == b"weights" * 1000
    assert list(statuses(base).values()) == ["interrupted"]
    assert [problem for problem in problems(directory) if "cut off" not in problem and "no frame" not in problem] == []


@pytest.mark.privileged("mount", "mkfs.ext4")
class TestPowerCut:
    @pytest.mark.fault("D05")
    def test_nothing_older_than_the_last_sync_is_lost(self, image: Path, tmp_path: Path) -> None:
        """With the default durability a cut costs at most the rows since the last sync, made every two seconds."""
        assert TICK_SECONDS == 2.0
        copy, said = cut(image, "process", lambda said: len({count for count in said.synced if count}) >= 2)
        with loop_mounted(copy, tmp_path / "after", "commit=5") as after:
            (directory,) = experiments(after / "base")
            found = steps(directory)
            assert found == list(range(len(found)))
            assert len(found) >= said.synced[-1]
            check_documents(directory, after / "base")

    @pytest.mark.fault("D05")
    def test_power_durability_loses_nothing(self, image: Path, tmp_path: Path) -> None:
        """With ``durability="power"`` every acknowledged row is there after a cut."""
        copy, said = cut(image, "power", lambda said: said.logged >= 100)
        with loop_mounted(copy, tmp_path / "after", "commit=5") as after:
            (directory,) = experiments(after / "base")
            found = steps(directory)
            assert found == list(range(len(found)))
            assert len(found) >= said.logged
            check_documents(directory, after / "base")

    @pytest.mark.fault("D05")
    def test_a_cut_does_lose_what_was_never_synced(self, image: Path, tmp_path: Path) -> None:
        """The method can fail: bytes that nobody synced are not in the copy."""
        with loop_mounted(image, image.with_name("live"), "commit=300") as live:
            (live / "file").write_bytes(b"never synced" * 1000)
            shutil.copyfile(image, image.with_name("copy"))
        with loop_mounted(image.with_name("copy"), tmp_path / "after", "commit=5") as after:
            assert not (after / "file").exists() or (after / "file").read_bytes() != b"never synced" * 1000
