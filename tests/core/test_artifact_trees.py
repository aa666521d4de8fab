"""Folders as artifacts."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_core._storage.artifacts.store import ArtifactStore
from neural_core._storage.artifacts.trees import read_manifest
from neural_core.errors import ArtifactChangedError, ArtifactRefusedError, DamagedError
from neural_core.records import ArtifactVersion


def names(folder: Path) -> list[str]:
    """List a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An experiment folder in which nothing is stored."""
    path = tmp_path / "experiment"
    path.mkdir()
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint as a folder, with what is easily forgotten in one."""
    path = tmp_path / "checkpoint-500"
    (path / "sub" / "deep").mkdir(parents=True)
    (path / "empty" / "inner").mkdir(parents=True)
    (path / "weights.bin").write_bytes(b"w" * 1000)
    (path / "sub" / "deep" / "config.json").write_text("{}")
    (path / ".hidden").write_text("hidden")
    (path / "manifest.json").write_text("the user's own")
    (path / "run.sh").write_text("#!/bin/sh")
    (path / "run.sh").chmod(0o755)
    with open(os.fsencode(path) + b"/caf\xe9", "wb") as file:  # noqa: PTH123 - no UTF-8
        file.write(b"latin")
    return path


def log(directory: Path, path: Path, *known: ArtifactVersion, version: bool = True) -> ArtifactVersion:
    """Store one path."""
    store = ArtifactStore(directory)
    return store.store(path, name="tree", kind="model", version=version, metadata={}, known=known)


def contents(folder: Path) -> dict[str, bytes | None]:
    """Give the bytes of every file, and None for every folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


@pytest.mark.fault("A02")
def test_a_folder_is_stored_whole(directory: Path, folder: Path) -> None:
    """A02: every file, hidden ones and empty folders too, with a manifest that a file of the user's cannot meet."""
    stored = log(directory, folder)
    assert stored.is_tree
    assert stored.path == directory / "versions/tree/v1/checkpoint-500"
    assert contents(stored.path) == contents(folder)
    assert os.access(stored.path / "run.sh", os.X_OK)
    assert not (stored.path / "weights.bin").stat().st_mode & 0o333
    assert ArtifactStore(directory).verify([stored]) == []


@pytest.mark.fault("A02")
def test_the_manifest_is_what_the_checksum_covers(directory: Path, folder: Path) -> None:
    """A02: checksum = SHA-256 of the manifest, which has path, size, SHA-256 of each file; size = their sum."""
    stored = log(directory, folder)
    data = (directory / "versions/tree/v1/manifest.json").read_bytes()
    assert stored.checksum == hashlib.sha256(data).hexdigest()
    entries = {entry.path: entry for entry in read_manifest(data)}
    assert list(entries) == sorted(entries)
    files = {path: data for path, data in contents(folder).items() if data is not None}
    assert {path for path, entry in entries.items() if entry.sha256} == set(files)
    assert all(entries[path].sha256 == hashlib.sha256(data).hexdigest() for path, data in files.items())
    assert [path for path, entry in entries.items() if entry.sha256 is None] == ["empty/inner"]
    assert [path for path, entry in entries.items() if entry.executable] == ["run.sh"]
    assert stored.size == sum(map(len, files.values()))


def test_the_checksum_is_of_the_content(directory: Path, folder: Path, tmp_path: Path) -> None:
    """A02: a copy elsewhere, made in another order at another time, has the same checksum; a renamed file has not."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    first, second = log(directory, folder), log(directory, copy)
    assert first.checksum == second.checksum
    (copy / "weights.bin").rename(copy / "weights2.bin")
    assert log(directory, copy).checksum != first.checksum


def test_the_same_folder_is_stored_once(directory: Path, folder: Path) -> None:
    """A06: the files of a folder that is known are shared by the next version."""
    first = log(directory, folder)
    second = log(directory, folder, first)
    assert second.version == 2
    assert (first.path / "weights.bin").samefile(second.path / "weights.bin")
    assert ArtifactStore(directory).verify([first, second]) == []


def test_an_unversioned_folder_is_replaced_whole(directory: Path, folder: Path, tmp_path: Path) -> None:
    """A06: of the old unversioned folder, or file, nothing stays behind."""
    log(directory, folder, version=False)
    (folder / "weights.bin").unlink()
    stored = log(directory, folder, version=False)
    assert contents(stored.path) == contents(folder)
    shutil.rmtree(folder)
    folder.write_text("a file of the same name")
    stored = log(directory, folder, version=False)
    assert names(directory / "artifacts/tree") == ["checkpoint-500"]
    assert stored.path.read_text() == "a file of the same name"
    assert names(directory) == ["artifacts"]
    assert names(tmp_path) == ["checkpoint-500", "experiment"]


def test_a_folder_called_like_the_manifest(directory: Path, tmp_path: Path) -> None:
    """A folder named manifest.json does not meet its own manifest."""
    (tmp_path / "Manifest.json").mkdir()
    (tmp_path / "Manifest.json" / "a").write_text("a")
    stored = log(directory, tmp_path / "Manifest.json")
    assert stored.path.name == "folder"
    assert stored.source_name == "Manifest.json"
    assert ArtifactStore(directory).verify([stored]) == []


def test_links_inside_are_stored_as_copies(directory: Path, folder: Path) -> None:
    """A link to a file of the same folder is stored as a copy of that file."""
    (folder / "latest.bin").symlink_to("weights.bin")
    stored = log(directory, folder)
    assert not (stored.path / "latest.bin").is_symlink()
    assert (stored.path / "latest.bin").read_bytes() == b"w" * 1000


@pytest.mark.parametrize("target", ["../secret", "/etc/hostname", "gone", "self", "sub", "."])
def test_other_links_refuse_the_folder(directory: Path, folder: Path, target: str) -> None:
    """Links that lead outside, to nothing, in a circle or to a folder refuse the whole, and are named."""
    (folder.parent / "secret").write_text("secret")
    (folder / "sub" / "self").symlink_to(f"../{target}" if target == "../secret" else target)
    with pytest.raises(ArtifactRefusedError, match="sub/self"):
        log(directory, folder)
    assert names(directory) == []


@pytest.mark.fault("A03")
@pytest.mark.timeout(200)
@pytest.mark.parametrize("special", ["pipe", "socket"])
def test_special_files_refuse_the_folder(
    directory: Path, folder: Path, special: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe or a socket somewhere inside refuses the whole, and is named."""
    monkeypatch.chdir(folder / "sub")
    with socket.socket(socket.AF_UNIX) as listening:
        os.mkfifo("special") if special == "pipe" else listening.bind("special")
        with pytest.raises(ArtifactRefusedError, match=f"sub/special.* is a {special}"):
            log(directory, folder)
    assert names(directory) == []


def test_the_experiment_is_not_stored_in_itself(directory: Path, tmp_path: Path) -> None:
    """The experiment's own folder, one that holds it, and a link to either are refused."""
    (tmp_path / "link").symlink_to(directory)
    for path in (directory, tmp_path, tmp_path / "link", Path("/"), directory / "x" / ".."):
        (directory / "x").mkdir(exist_ok=True)
        with pytest.raises(ArtifactRefusedError, match="experiment itself"):
            log(directory, path)
    assert names(directory) == ["x"]


@pytest.mark.fault("A04")
@pytest.mark.timeout(200)
def test_a_folder_that_changes_while_it_is_read(directory: Path, folder: Path) -> None:
    """A04: a file that comes into the folder during the copy refuses the whole; half a checkpoint is none."""
    (folder / "a-large").touch()
    os.truncate(folder / "a-large", 1 << 30)  # a second of hashing, no space

    def add() -> None:
        while not list(directory.glob(".tmp-*/checkpoint-500/a-large")):
            time.sleep(0.002)
        (folder / "late").touch()

    thread = threading.Thread(target=add)
    thread.start()
    with pytest.raises(ArtifactChangedError, match="checkpoint-500"):
        log(directory, folder)
    thread.join()
    assert names(directory) == []


def test_a_deep_folder(directory: Path, tmp_path: Path) -> None:
    """A folder 300 levels deep is stored."""
    deep = tmp_path / "tree" / Path(*["d"] * 300)
    deep.mkdir(parents=True)
    (deep / "leaf").write_text("leaf")
    stored = log(directory, tmp_path / "tree")
    assert contents(stored.path) == contents(tmp_path / "tree")


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "", "a//b", ".", "a/.", "a\0", 3, None])
def test_a_manifest_cannot_lead_outside(path: object) -> None:
    """A manifest from a stranger with a path that leaves its folder is damage."""
    entry = {"path": path, "size": 1, "sha256": "0" * 64, "executable": False}
    with pytest.raises(DamagedError):
        read_manifest(json.dumps({"format": 1, "entries": [entry]}).encode())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["path", "size", "sha256"]), inner),
    max_leaves=6,
)


@given(st.binary(max_size=40) | json_values.map(lambda value: json.dumps({"format": 1, "entries": value}).encode()))
def test_a_manifest_of_any_bytes_is_read_or_damaged(data: bytes) -> None:
    """Reading a manifest raises nothing but DamagedError."""
    try:
        entries = read_manifest(data)
    except DamagedError:
        return
    assert all(type(entry.size) is int and ".." not in entry.path.split("/") for entry in entries)
