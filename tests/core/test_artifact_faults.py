"""Full disks, failing calls and kills in the middle of storing."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from neural_core._storage.artifacts.store import ArtifactStore
from neural_core.errors import ArtifactError
from neural_core.records import ArtifactVersion

ROOT = Path(__file__).resolve().parents[2]
SMALL, LARGE = 3_000_000, 9_000_000  # hashed on the caller's thread, and on one of its own
SCRIPT = """
import resource, sys, threading
from pathlib import Path
from neural_core._storage.artifacts.store import ArtifactStore
from neural_core.errors import ArtifactError
store, known = ArtifactStore(Path(sys.argv[1])), []
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
for path in sys.argv[4:]:
    try:
        known.append(store.store(path, name="a", kind="file", version=sys.argv[2] == "True", metadata={}, known=known))
        print("stored", known[-1].version)
    except ArtifactError as error:
        print("refused", error.errno, error)
    assert threading.active_count() == 1
    assert not store.verify(known), store.verify(known)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""


def names(folder: Path) -> list[str]:
    """List a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An experiment folder in which nothing is stored."""
    path = tmp_path / "experiment"
    path.mkdir()
    return path


def make(directory: Path, size: int) -> Path:
    """Make a source of random bytes."""
    path = directory.parent / f"{size}.bin"
    path.write_bytes(os.urandom(size))
    return path


def command(directory: Path, *paths: Path, version: bool = True, limit: int = -1) -> list[str]:
    """Give the command line that stores the paths in a process of its own."""
    return [sys.executable, "-c", SCRIPT, str(directory), str(version), str(limit), *map(str, paths)]


def run(arguments: list[str]) -> tuple[int, list[str]]:
    """Run it; give its exit status and what it printed. A traceback fails the test."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    result = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False, timeout=200)
    assert result.returncode <= 0 or result.returncode >= 128, result.stderr
    return result.returncode, result.stdout.splitlines()


def strace(inject: str) -> list[str]:
    """Give the beginning of a command line under which system calls fail or kill."""
    calls = inject.split(":")[0]
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={inject}"]


def assert_whole(directory: Path, source: Path) -> None:
    """Whatever stands under a version's name is complete, and no version's folder is empty."""
    for folder in directory.glob("versions/*/v*"):
        assert [path.read_bytes() == source.read_bytes() for path in folder.iterdir()] == [True]


def log(directory: Path, path: Path) -> ArtifactVersion:
    """Store one path."""
    return ArtifactStore(directory).store(path, name="a", kind="file", version=True, metadata={}, known=[])


@pytest.mark.fault("A05")
@pytest.mark.parametrize("size", [SMALL, LARGE])
@pytest.mark.parametrize("version", [True, False])
def test_a_limit_on_the_size_of_files(directory: Path, size: int, version: bool) -> None:
    """D03, A05: a short write and then EFBIG is told with the name; nothing is left, and the next one is stored."""
    source = make(directory, size)
    _, lines = run(command(directory, source, source, version=version, limit=1_500_000))
    assert lines[0].startswith("refused 27 artifact 'a' could not be stored")
    assert lines[1:] == [f"stored {1 if version else None}"]
    assert names(directory) == ["versions" if version else "artifacts"]


@contextlib.contextmanager
def small_disk(path: Path, size: str) -> Iterator[None]:
    """Mount an empty disk of this size."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


@pytest.mark.fault("A05")
@pytest.mark.privileged("mount")
@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_a_full_disk(directory: Path, size: int) -> None:
    """D03, A05: a disk that fills up in the middle of a copy is told; nothing is left, and later there is room."""
    source = make(directory, size)
    with small_disk(directory, "2m"):
        for _ in range(2):
            with pytest.raises(ArtifactError, match="No space left") as raised:
                log(directory, source)
            assert raised.value.errno == 28
            assert names(directory) == []
        subprocess.run(["mount", "-o", "remount,size=20m", directory], check=True)
        assert log(directory, source).version == 1
        assert_whole(directory, source)


@pytest.mark.privileged("mount")
def test_a_full_disk_and_what_was_stored(directory: Path) -> None:
    """D03: earlier versions stay as they were when the disk fills, and the same bytes still become a version."""
    source, other = make(directory, SMALL), make(directory, LARGE)
    with small_disk(directory, "7m"):
        first = log(directory, source)
        with pytest.raises(ArtifactError):
            log(directory, other)
        store = ArtifactStore(directory)
        second = store.store(source, name="a", kind="file", version=True, metadata={}, known=[first])
        assert (second.version, store.verify([first, second])) == (2, [])
        assert first.path.samefile(second.path)


@pytest.mark.fault("A05")
@pytest.mark.privileged("strace")
@pytest.mark.parametrize(
    "inject",
    [
        *(f"write:error=ENOSPC:when={number}" for number in (1, 3)),
        *(f"fsync:error=EIO:when={number}" for number in range(1, 6)),
        *(f"mkdir:error=ENOSPC:when={number}" for number in range(1, 4)),
        "rename:error=ENOSPC:when=1",
    ],
)
def test_a_call_that_fails(directory: Path, inject: str) -> None:
    """A05: whichever call of the disk fails, the error is told and nothing is left."""
    source = make(directory, SMALL)
    _, lines = run([*strace(inject), *command(directory, source)])
    assert len(lines) == 1
    assert lines[0].startswith("refused")
    assert names(directory) == []
    assert log(directory, source).version == 1


@pytest.mark.privileged("strace")
def test_a_source_that_cannot_be_read_to_its_end(directory: Path) -> None:
    """A05: a bad block of the source's disk is told, and nothing is left."""
    source = make(directory, LARGE)
    _, lines = run([*strace("read:error=EIO:when=4"), "-P", str(source), *command(directory, source)])
    assert lines[0].startswith("refused 5 artifact 'a' could not be stored")
    assert names(directory) == []


@pytest.mark.privileged("strace")
@pytest.mark.parametrize("error", ["EPERM", "EXDEV", "EMLINK", "EOPNOTSUPP"])
def test_without_hard_links(directory: Path, error: str) -> None:
    """A06: where the file system makes no hard links, the same bytes are stored twice."""
    source = make(directory, SMALL)
    _, lines = run([*strace(f"link,linkat:error={error}"), *command(directory, source, source)])
    assert lines == ["stored 1", "stored 2"]
    assert_whole(directory, source)
    assert {path.stat().st_nlink for path in directory.rglob("*.bin")} == {1}


@pytest.mark.privileged("strace")
def test_without_modes(directory: Path) -> None:
    """Where the file system keeps no modes, artifacts are stored all the same."""
    source = make(directory, SMALL)
    _, lines = run([*strace("chmod,fchmodat:error=EPERM"), *command(directory, source)])
    assert lines == ["stored 1"]


@pytest.mark.fault("A09")
@pytest.mark.privileged("strace")
@pytest.mark.parametrize(
    "call",
    [
        *(f"write:{number}" for number in (1, 3)),
        *(f"fsync:{number}" for number in range(1, 6)),
        *(f"mkdir:{number}" for number in range(1, 4)),
        "rename:1",
        "chmod,fchmodat:1",
    ],
)
def test_a_kill_before_each_call(directory: Path, call: str) -> None:
    """A09: killed before any call, a version is there whole or not at all, uses up no number, and the rest is named."""
    source = make(directory, SMALL)
    calls, number = call.split(":")
    code, lines = run([*strace(f"{calls}:signal=SIGKILL:when={number}"), *command(directory, source)])
    assert (code, lines) in [(-signal.SIGKILL, []), (128 + signal.SIGKILL, [])]
    assert_whole(directory, source)
    renamed = len(list(directory.glob("versions/a/v*")))
    assert renamed == (call == "fsync:5")
    leftovers = {path.name for path in directory.glob(".tmp-*")}
    assert {damage.file for damage in ArtifactStore(directory).verify([])} == leftovers
    assert len(leftovers) == (not renamed and call != "mkdir:1")
    assert log(directory, source).version == 1 + renamed


@pytest.mark.fault("A09")
def test_a_kill_in_the_copy(directory: Path) -> None:
    """A09: SIGKILL while a large file is copied leaves nothing under a version's name."""
    source = directory.parent / "large.bin"
    source.touch()
    os.truncate(source, 4 << 30)  # seconds of hashing, no space
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command(directory, source), env=environment)
    try:
        deadline = time.monotonic() + 120
        while not list(directory.glob(".tmp-*/large.bin")) and time.monotonic() < deadline:
            time.sleep(0.005)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    (left,) = directory.iterdir()
    assert left.name.startswith(".tmp-")
    assert [damage.file for damage in ArtifactStore(directory).verify([])] == [left.name]
