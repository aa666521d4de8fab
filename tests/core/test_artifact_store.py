"""What is stored, where, and how often: versions, the unversioned entry, figures."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from neural_core._storage.artifacts.copying import create
from neural_core._storage.artifacts.names import figure_file
from neural_core._storage.artifacts.store import ArtifactStore
from neural_core.errors import ArgumentTypeError, ArgumentValueError, ArtifactChangedError
from neural_core.records import ArtifactVersion

HOSTILE = ["../x", "../../metadata.json", "/etc/passwd", "a\0b", "a\nb", "x" * 300, "😀" * 80, "\udcff", "CON", "a."]


def names(folder: Path) -> list[str]:
    """List a folder."""
    return sorted(path.name for path in folder.iterdir())


class Store:
    """A store, with the records that a journal would hold."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.files = ArtifactStore(directory)
        self.known: list[ArtifactVersion] = []

    def log(self, path: object, name: str = "model.pt", **options: Any) -> ArtifactVersion:
        """Store one path."""
        given: dict[str, Any] = {"kind": "file", "version": True, "metadata": {}, "known": self.known} | options
        stored = self.files.store(path, name=name, **given)  # type: ignore[arg-type]  # tests give odd paths too
        self.known = [one for one in self.known if (one.artifact_name, one.version) != (name, stored.version)]
        self.known.append(stored)
        return stored


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "experiment")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A file to be stored."""
    path = tmp_path / "model_10.pt"
    path.write_bytes(b"weights" * 100)
    return path


def sha256(data: bytes) -> str:
    """Give the SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def everything(directory: Path) -> set[str]:
    """Give every path in a folder."""
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*")}


def test_the_record_says_what_was_stored(store: Store, model: Path) -> None:
    """A version has number, SHA-256, size, time, path, kind, metadata and the file that it was logged from."""
    stored = store.log(model, kind="model", metadata={"framework": "pytorch"})
    assert (stored.artifact_name, stored.version, stored.kind) == ("model.pt", 1, "model")
    assert (stored.checksum, stored.size) == (sha256(model.read_bytes()), 700)
    assert (stored.metadata, stored.source_name, stored.is_tree) == ({"framework": "pytorch"}, "model_10.pt", False)
    assert stored.timestamp.endswith("+00:00")
    assert stored.path == store.directory / "versions/model.pt/v1/model_10.pt"
    with stored.open() as file:
        assert file.read() == model.read_bytes()


def test_nothing_is_made_before_the_first_artifact(store: Store) -> None:
    """A store that stores nothing leaves no trace."""
    assert everything(store.directory) == set()


@pytest.mark.fault("A05")
@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 9_999_999])
def test_every_size_is_stored_whole(store: Store, tmp_path: Path, size: int) -> None:
    """A05: size and checksum are right from 0 bytes on, at block borders, with and without the hashing thread."""
    data = os.urandom(size)
    (tmp_path / "data.bin").write_bytes(data)
    stored = store.log(tmp_path / "data.bin")
    assert (stored.size, stored.checksum) == (size, sha256(data))
    assert stored.path.read_bytes() == data


@pytest.mark.fault("A05")
def test_a_sparse_file_stays_sparse(store: Store, tmp_path: Path) -> None:
    """A05: holes are stored as holes; size and checksum are those of the zeros in them."""
    source = tmp_path / "sparse.bin"
    with source.open("wb") as file:
        file.seek((100 << 20) + 5)  # in a block that begins with zeros
        file.write(b"in the middle")
        file.truncate(200 << 20)
    stored = store.log(source)
    with source.open("rb") as file:
        assert stored.checksum == hashlib.file_digest(file, "sha256").hexdigest()
    assert stored.size == stored.path.stat().st_size == 200 << 20
    assert stored.path.stat().st_blocks * 512 < 4 << 20
    assert store.files.verify([stored]) == []


@pytest.mark.fault("A06")
def test_the_same_bytes_are_stored_once(store: Store, model: Path) -> None:
    """A06: content that is known, under whatever name, is a new version over shared bytes."""
    first = store.log(model)
    again = store.log(model)
    elsewhere = store.log(model, "best.pt")
    unversioned = store.log(model, "last.pt", version=False)
    assert (first.version, again.version, elsewhere.version, unversioned.version) == (1, 2, 1, None)
    assert len({one.path.stat().st_ino for one in store.known}) == 1
    assert len({one.path for one in store.known}) == 4


@pytest.mark.fault("A06")
def test_other_bytes_are_a_version_of_their_own(store: Store, model: Path) -> None:
    """A06: a name that is logged again with other bytes keeps the old version as it was."""
    first = store.log(model)
    model.write_bytes(b"other")
    second = store.log(model)
    assert first.path.read_bytes() == b"weights" * 100
    assert second.path.read_bytes() == b"other"
    assert (first.version, second.version) == (1, 2)


@pytest.mark.fault("A06")
def test_the_same_base_name_from_two_folders(store: Store, tmp_path: Path) -> None:
    """A06: two files of one name are two versions, or two artifacts when they are named so."""
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.pt").write_text(folder)
    assert [store.log(tmp_path / folder / "model.pt").version for folder in ("a", "b")] == [1, 2]
    assert [store.log(tmp_path / folder / "model.pt", folder).version for folder in ("a", "b")] == [1, 1]
    assert [one.path.read_text() for one in store.known] == ["a", "b", "a", "b"]


@pytest.mark.fault("A06")
def test_unversioned_replaces_only_itself(store: Store, tmp_path: Path) -> None:
    """A06: `version=False` after three versions touches none of them, and a second one takes the first one's place."""
    for number in range(3):
        (tmp_path / f"model_{number}.pt").write_text(str(number))
        store.log(tmp_path / f"model_{number}.pt")
    first = store.log(tmp_path / "model_0.pt", version=False)
    second = store.log(tmp_path / "model_1.pt", version=False)
    assert (first.version, second.version, first.path.exists()) == (None, None, False)
    assert second.path == store.directory / "artifacts/model.pt/model_1.pt"
    assert [one.path.read_text() for one in store.known] == ["0", "1", "2", "1"]
    assert store.files.verify(store.known) == []


def test_a_damaged_version_is_not_shared(store: Store, model: Path) -> None:
    """A version whose bytes went bad on the disk does not spread to the next one with that checksum."""
    first = store.log(model)
    first.path.chmod(0o600)
    first.path.write_bytes(b"X" * 700)
    second = store.log(model)
    assert second.path.read_bytes() == model.read_bytes()
    with pytest.raises(ArtifactChangedError):
        first.open()


def test_numbers_go_on_behind_what_is_known_and_what_is_there(store: Store, model: Path) -> None:
    """A number is never given twice, even when its folder was deleted or no record names it."""
    stored = [store.log(model) for _ in range(3)]
    shutil.rmtree(stored[2].path.parent)
    assert store.log(model).version == 4
    store.known = []
    assert store.log(model).version == 5


def _log_five(directory: Path, path: Path) -> list[int | None]:
    store = Store(directory)
    return [store.log(path).version for _ in range(5)]


def test_processes_share_the_numbers(store: Store, model: Path) -> None:
    """Versions that four processes store at the same time have twenty numbers without a gap."""
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        numbers = pool.starmap(_log_five, [(store.directory, model)] * 4)
    assert sorted(number for one in numbers for number in one if number) == list(range(1, 21))
    assert len(list((store.directory / "versions/model.pt").iterdir())) == 20


@pytest.mark.fault("N03")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_in_the_store(store: Store, tmp_path: Path, name: str) -> None:
    """N03: whatever the name, files are made below versions/ and artifacts/ only, and the name is kept as given."""
    (tmp_path / "a.txt").write_text("a")
    for version in (True, False):
        stored = store.log(tmp_path / "a.txt", name, version=version)
        assert stored.artifact_name == name
        assert stored.path.resolve().is_relative_to(store.directory)
    assert names(tmp_path) == ["a.txt", "experiment"]
    assert names(store.directory) == ["artifacts", "versions"]


@pytest.mark.fault("N03")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_figure_names_stay_below_plots(store: Store, tmp_path: Path, name: str) -> None:
    """N03: whatever a figure is called, its file lies in plots/."""
    stored = store.files.store_bytes(b"PNG", file_name=figure_file(name), name=name, kind="figure", metadata={})
    assert stored.path.parent == store.directory / "plots"
    assert names(tmp_path) == ["experiment"]


@pytest.mark.parametrize("name", [b"caf\xe9 10.pt", b"two words.pt", b"new\nline", b"..pt", b"-rf", b"\xff" * 200])
def test_odd_file_names_can_be_logged(store: Store, tmp_path: Path, name: bytes) -> None:
    """A source may have spaces, line breaks and bytes that are no UTF-8 in its name; the record keeps it exactly."""
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "wb") as file:  # noqa: PTH123 - a path of bytes is what this is about
        file.write(b"odd")
    for given in (path, os.fsdecode(path), Path(os.fsdecode(path))):
        stored = store.log(given)
        assert os.fsencode(stored.source_name) == name
        assert stored.path.read_bytes() == b"odd"


def test_a_figure_is_replaced(store: Store) -> None:
    """A figure that is logged again takes the place of the old one; the record has no version number."""
    options: dict[str, Any] = {"file_name": "curve.png", "name": "curve.png", "kind": "figure", "metadata": {}}
    store.files.store_bytes(b"old", **options)
    stored = store.files.store_bytes(b"new", **options)
    assert (stored.version, stored.kind, stored.checksum) == (None, "figure", sha256(b"new"))
    assert everything(store.directory) == {"plots", "plots/curve.png"}
    assert stored.path.read_bytes() == b"new"


@pytest.mark.parametrize("file", ["../x.png", "/x.png", "", ".tmp-1", "a/b.png", "a\0.png", "auto_loss.png", "Ä.png"])
def test_a_figure_file_is_one_safe_name(store: Store, file: str) -> None:
    """Only file names that the naming rule gives are taken for plots/."""
    with pytest.raises(ArgumentValueError):
        store.files.store_bytes(b"", file_name=file, name="x", kind="figure", metadata={})
    assert everything(store.directory) == set()


@pytest.mark.fault("N08")
@pytest.mark.parametrize(
    ("umask", "file_mode", "folder_mode"), [(0o000, 0o444, 0o755), (0o077, 0o400, 0o700), (0o022, 0o444, 0o755)]
)
def test_modes_follow_the_umask(store: Store, model: Path, umask: int, file_mode: int, folder_mode: int) -> None:
    """N08: stored files are read-only, and nothing is ever writable for the world, whatever the umask."""
    folder = model.parent / "folder"
    (folder / "deep/deeper").mkdir(parents=True)
    (folder / "deep/deeper/file").touch(mode=0o666)
    model.chmod(0o666)
    before = os.umask(umask)
    try:
        store.log(model)
        store.log(folder, "folder")
        store.log(model, version=False)
        store.files.store_bytes(b"x", file_name="x.png", name="x", kind="figure", metadata={})
    finally:
        os.umask(before)
    for path in store.directory.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (folder_mode if path.is_dir() else file_mode), path


@pytest.mark.fault("N08")
def test_a_copy_under_way_is_not_writable_for_the_world(tmp_path: Path) -> None:
    """N08: a temporary file is made anew, and is the owner's alone to write to even under umask 000."""
    before = os.umask(0)
    try:
        with create(tmp_path / "temporary") as file:
            assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o644
    finally:
        os.umask(before)
    with pytest.raises(FileExistsError):
        create(tmp_path / "temporary")


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"loss": float("nan")}, ArgumentValueError),
        ({"model": object()}, ArgumentTypeError),
        ({("a", "b"): 1}, ArgumentTypeError),
    ],
)
def test_metadata_is_judged_first(store: Store, model: Path, metadata: dict[Any, Any], error: type[Exception]) -> None:
    """Metadata that JSON cannot keep raises before anything is stored."""
    with pytest.raises(error):
        store.log(model, metadata=metadata)
    assert everything(store.directory) == set()


def test_a_copied_experiment_is_complete(store: Store, model: Path, tmp_path: Path) -> None:
    """A08: shared bytes are plain files, so a copy of the folder holds every version."""
    for _ in range(2):
        store.log(model)
    shutil.copytree(store.directory, tmp_path / "copy")
    shutil.rmtree(store.directory)
    copied = {path.read_bytes() for path in (tmp_path / "copy").rglob("*.pt") if path.is_file()}
    assert copied == {model.read_bytes()}
    assert len(list((tmp_path / "copy").rglob("model_10.pt"))) == 2


def test_relative_paths_are_absolute_in_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A08: a store made with a relative folder goes on working after the working folder changed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("a")
    store = Store(Path("experiment"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    stored = store.log("../a.txt")
    assert stored.path.is_absolute()
    assert stored.path.read_text() == "a"
