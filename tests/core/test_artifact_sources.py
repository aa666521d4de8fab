"""What may be stored, and what happens when it changes meanwhile."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from neural_core._storage.artifacts.copying import Copied, copy_and_hash
from neural_core._storage.artifacts.source import open_source
from neural_core._storage.artifacts.store import ArtifactStore
from neural_core.errors import (
    ArgumentValueError,
    ArtifactChangedError,
    ArtifactError,
    ArtifactNotFoundError,
    ArtifactRefusedError,
)
from neural_core.records import ArtifactVersion

NOBODY = 65534


def names(folder: Path) -> list[str]:
    """List a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An experiment folder in which nothing is stored."""
    path = tmp_path / "experiment"
    path.mkdir()
    return path


def log(directory: Path, path: object, version: bool = True) -> ArtifactVersion:
    """Store one path."""
    store = ArtifactStore(directory)
    return store.store(path, name="a", kind="file", version=version, metadata={}, known=[])  # type: ignore[arg-type]  # odd paths too


def assert_refused(directory: Path, path: Path, error: type[Exception]) -> None:
    """Assert that the path is named in the error, that nothing is made, and that no number is used up."""
    for version in (True, False):
        with pytest.raises(error) as raised:
            log(directory, path, version)
        assert repr(os.fspath(path)) in str(raised.value)
    assert names(directory) == []
    (directory.parent / "good").write_text("good")
    assert log(directory, directory.parent / "good").version == 1


@contextlib.contextmanager
def without_root(path: Path) -> Iterator[None]:
    """Be somebody whom the modes of files concern, and own `path`."""
    root = os.geteuid() == 0
    if root:
        shutil.chown(path, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter; those of pytest are closed."""
    with tempfile.TemporaryDirectory(prefix="neural-test-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.mark.fault("A01")
def test_a_missing_file(directory: Path, tmp_path: Path) -> None:
    """A01: a path where nothing is raises with the path; no number is used up, no folder made."""
    assert_refused(directory, tmp_path / "no" / "model.pt", ArtifactNotFoundError)


def test_a_file_taken_for_a_folder(directory: Path, tmp_path: Path) -> None:
    """A01: a path through a file is a missing one."""
    (tmp_path / "file").touch()
    assert_refused(directory, tmp_path / "file" / "model.pt", ArtifactNotFoundError)


@pytest.mark.fault("A01")
def test_a_dangling_link(directory: Path, tmp_path: Path) -> None:
    """A01: a link to nothing is refused with its path."""
    (tmp_path / "latest.pt").symlink_to(tmp_path / "gone.pt")
    assert_refused(directory, tmp_path / "latest.pt", ArtifactRefusedError)


@pytest.mark.fault("A01")
def test_a_link_loop(directory: Path, tmp_path: Path) -> None:
    """A01: links that lead to each other are refused with their path."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert_refused(directory, tmp_path / "a", ArtifactRefusedError)


@pytest.mark.fault("A01")
@pytest.mark.parametrize("hidden", ["file", "folder", "folder/file"])
def test_unreadable(open_folder: Path, hidden: str) -> None:
    """A01: a file or folder that may not be read, or a folder with one inside, is refused with the path."""
    with without_root(open_folder):
        (open_folder / "experiment").mkdir()
        (open_folder / "folder").mkdir()
        for name in ("file", "folder/file"):
            (open_folder / name).touch()
        (open_folder / hidden).chmod(0)
        with pytest.raises(ArtifactRefusedError, match=hidden):
            log(open_folder / "experiment", open_folder / hidden.split("/")[0])
        assert names(open_folder / "experiment") == []
        (open_folder / hidden).chmod(0o700)


def test_a_link_to_a_file_is_followed(directory: Path, tmp_path: Path) -> None:
    """A link is stored as the bytes that it leads to, under the link's own name."""
    (tmp_path / "model_3.pt").write_text("three")
    (tmp_path / "latest.pt").symlink_to("model_3.pt")
    stored = log(directory, tmp_path / "latest.pt")
    assert (stored.source_name, stored.path.is_symlink(), stored.path.read_text()) == ("latest.pt", False, "three")


@pytest.mark.parametrize("path", ["", b"", "a\0b", "\ud800"])
def test_no_path_at_all(directory: Path, path: str | bytes) -> None:
    """An empty path is not the working folder, and text that can be no path says so."""
    with pytest.raises((ArtifactNotFoundError, ArgumentValueError)):
        log(directory, path)
    assert names(directory) == []


@pytest.mark.fault("A03")
@pytest.mark.timeout(200)
def test_a_pipe(directory: Path, tmp_path: Path) -> None:
    """A03: a pipe is refused and not waited for."""
    os.mkfifo(tmp_path / "pipe")
    assert_refused(directory, tmp_path / "pipe", ArtifactRefusedError)


@pytest.mark.fault("A03")
def test_a_socket(directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A03: a socket is refused."""
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        assert_refused(directory, tmp_path / "socket", ArtifactRefusedError)


@pytest.mark.fault("A03")
@pytest.mark.timeout(200)
@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_a_device(directory: Path, device: str) -> None:
    """A03: a device is refused; one without an end does not fill the disk."""
    assert_refused(directory, Path(device), ArtifactRefusedError)


@pytest.mark.fault("A03")
@pytest.mark.timeout(200)
def test_a_pipe_in_the_place_of_a_file(tmp_path: Path) -> None:
    """A03: a pipe that takes a file's place after it was looked at is refused at once; so is a folder."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(ArtifactRefusedError):
            open_source(path)


def truncate(path: Path) -> None:
    """Cut the file."""
    os.truncate(path, 10)


def append(path: Path) -> None:
    """Make the file longer."""
    with path.open("ab") as file:
        file.write(b"more" * 1_000_000)


def overwrite(path: Path) -> None:
    """Change the file without a change of its size."""
    with path.open("r+b") as file:
        file.write(b"other")


def replace(path: Path) -> None:
    """Put another file in its place, as careful writers do."""
    path.with_suffix(".new").write_bytes(b"new")
    path.with_suffix(".new").replace(path)


def copy_while(path: Path, change: Callable[[Path], None]) -> tuple[bytes, Copied | ArtifactError]:
    """Copy into a pipe, which stops the copy after its first bytes until they are taken out; change the source then."""
    reading, writing = os.pipe()
    result: list[Copied | ArtifactError] = []

    def copy() -> None:
        with open_source(path) as source, io.FileIO(writing, "wb") as target:
            try:
                result.append(copy_and_hash(source, target))
            except ArtifactError as error:
                result.append(error)

    thread = threading.Thread(target=copy)
    thread.start()
    with io.FileIO(reading, "rb") as pipe:
        data = pipe.read(1) or b""
        change(path)
        data += pipe.readall()
    thread.join()
    return data, result[0]


@pytest.mark.fault("A04")
@pytest.mark.parametrize("size", [2_500_000, 12_500_000])
@pytest.mark.parametrize("change", [truncate, append, overwrite])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, change: Callable[[Path], None], size: int) -> None:
    """A04: a source that is cut, grows or is written to during the copy raises, with its path."""
    source = tmp_path / "model.pt"
    source.write_bytes(os.urandom(size))
    os.utime(source, (1, 1))
    _, result = copy_while(source, change)
    assert isinstance(result, ArtifactChangedError)
    assert str(source) in str(result)


@pytest.mark.fault("A04")
def test_a_growing_file_is_not_chased(tmp_path: Path) -> None:
    """A04: of a file that grows faster than it is copied no more is read than was there, and one block."""
    source = tmp_path / "train.log"
    source.write_bytes(b"x" * 1_500_000)
    data, result = copy_while(source, append)
    assert isinstance(result, ArtifactChangedError)
    assert len(data) <= 1_500_000 + (1 << 20)


def test_a_file_that_is_replaced_while_it_is_read(tmp_path: Path) -> None:
    """A04: a checkpoint that another one replaces by rename is stored as it was, whole."""
    source = tmp_path / "model.pt"
    source.write_bytes(before := os.urandom(2_500_000))
    data, result = copy_while(source, replace)
    assert result == Copied(len(before), hashlib.sha256(before).hexdigest())
    assert data == before


@pytest.mark.fault("A04")
def test_the_checksum_is_always_of_the_stored_bytes(directory: Path, tmp_path: Path) -> None:
    """A04: whatever a writer does to the source, a version is stored with its own checksum or not at all."""
    source = tmp_path / "model.pt"
    source.write_bytes(bytes(6_000_000))
    stop = threading.Event()

    def keep_writing() -> None:
        with source.open("r+b") as file:
            for number in range(1 << 30):
                file.seek(number % 6 * 1_000_000)
                file.write(os.urandom(1000))
                file.flush()
                if stop.is_set():
                    return

    thread = threading.Thread(target=keep_writing)
    thread.start()
    stored = []
    for _ in range(20):
        with contextlib.suppress(ArtifactChangedError):
            stored.append(log(directory, source))
    stop.set()
    thread.join()
    stored.append(log(directory, source))
    assert ArtifactStore(directory).verify(stored) == []
    assert len(names(directory / "versions/a")) == len(stored)
