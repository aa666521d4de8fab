"""Checking what is stored, and not following links out of the store."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from neural_core._storage.artifacts.store import ArtifactStore
from neural_core.errors import ArtifactChangedError, ArtifactNotFoundError, ArtifactRefusedError
from neural_core.records import ArtifactVersion

CONTENT = b"weights" * 1000


def names(folder: Path) -> list[str]:
    """List a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """An experiment folder in which nothing is stored."""
    path = tmp_path / "experiment"
    path.mkdir()
    (tmp_path / "model.pt").write_bytes(CONTENT)
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "folder" / "sub" / "model.pt").write_bytes(CONTENT)
    (tmp_path / "folder" / "config.json").write_text("{}")
    (tmp_path / "folder" / "empty").mkdir()
    return path


def log(directory: Path, path: str = "model.pt", version: bool = True) -> ArtifactVersion:
    """Store one path."""
    store = ArtifactStore(directory)
    return store.store(directory.parent / path, name=path, kind="file", version=version, metadata={}, known=[])


def problems(directory: Path, *versions: ArtifactVersion) -> list[tuple[str, str]]:
    """Verify; give file and problem of each damage."""
    return [(damage.file, damage.problem) for damage in ArtifactStore(directory).verify(versions)]


def flip(path: Path) -> None:
    """Flip one bit."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def swap(path: Path) -> None:
    """Put another file of the same size in its place."""
    path.with_name("other").write_bytes(b"X" * path.stat().st_size)
    path.with_name("other").replace(path)


def cut(path: Path) -> None:
    """Cut the file to 10 bytes."""
    path.chmod(0o600)
    os.truncate(path, 10)


def link_out(path: Path) -> None:
    """Put a link to an equal file outside of the store in its place."""
    path.unlink()
    outside = next(parent for parent in path.parents if parent.name == "experiment").parent
    path.symlink_to(outside / "model.pt")


def to_pipe(path: Path) -> None:
    """Put a pipe in its place."""
    path.unlink()
    os.mkfifo(path)


DAMAGES = [
    (flip, "other bytes"),
    (Path.unlink, "missing"),
    (swap, "other bytes"),
    (cut, "10 bytes"),
    (link_out, "link"),
    (to_pipe, "pipe"),
]


def test_a_sound_store_has_no_damage(directory: Path) -> None:
    """Versions, folders, the unversioned entry and figures that are as they were stored give no damage."""
    figure = ArtifactStore(directory).store_bytes(b"x", file_name="x.png", name="x", kind="figure", metadata={})
    stored = [log(directory), log(directory, "folder"), log(directory, version=False), log(directory, "folder", False)]
    assert problems(directory, *stored, figure) == []


@pytest.mark.fault("I04")
@pytest.mark.timeout(200)
@pytest.mark.parametrize(("damage", "word"), DAMAGES)
def test_a_damaged_file_is_named(directory: Path, damage: Callable[[Path], None], word: str) -> None:
    """I04: a flipped byte, a missing, swapped, cut file, a link or a pipe in its place is named, with the version."""
    sound, stored = log(directory), log(directory)
    damage(stored.path)
    ((file, problem),) = problems(directory, sound, stored)
    assert file == "versions/model.pt/v2/model.pt"
    assert word in problem
    assert "'model.pt', version 2" in problem


@pytest.mark.fault("I04")
@pytest.mark.timeout(200)
@pytest.mark.parametrize(("damage", "word"), DAMAGES)
def test_a_damaged_file_of_a_folder_is_named(directory: Path, damage: Callable[[Path], None], word: str) -> None:
    """I04: the same for a file inside a stored folder."""
    stored = log(directory, "folder")
    damage(stored.path / "sub" / "model.pt")
    found = problems(directory, stored)
    assert ("versions/folder/v1/folder/sub/model.pt", True) in [(file, word in problem) for file, problem in found]


@pytest.mark.parametrize("damage", [flip, Path.unlink, cut])
def test_a_damaged_manifest_is_named(directory: Path, damage: Callable[[Path], None]) -> None:
    """I04: a manifest that is not the one of the record is named, and not believed."""
    stored = log(directory, "folder")
    damage(stored.path.with_name("manifest.json"))
    ((file, _),) = problems(directory, stored)
    assert file == "versions/folder/v1/manifest.json"


def test_what_was_added_to_a_stored_folder_is_named(directory: Path) -> None:
    """I04: files, links and folders' absence that the manifest does not know are named."""
    stored = log(directory, "folder")
    (stored.path / "sub" / "added").touch()
    (stored.path / "out").symlink_to("/etc")
    (stored.path / "empty").rmdir()
    files = [file.removeprefix("versions/folder/v1/folder/") for file, _ in problems(directory, stored)]
    assert sorted(files) == ["empty", "out", "sub/added"]


@pytest.mark.fault("I04")
def test_reading_can_check(directory: Path) -> None:
    """I04: opening a version compares its bytes with the checksum first."""
    stored = log(directory)
    flip(stored.path)
    with pytest.raises(ArtifactChangedError):
        stored.open()
    stored.path.unlink()
    with pytest.raises(ArtifactNotFoundError):
        stored.open()


def test_verify_writes_nothing(directory: Path) -> None:
    """Verifying creates, removes and touches nothing."""
    stored = [log(directory), log(directory, "folder")]
    (directory / ".tmp-0123").mkdir()

    def state() -> list[tuple[str, int]]:
        return sorted((str(path), path.stat().st_mtime_ns) for path in directory.rglob("*"))

    before = state()
    problems(directory, *stored)
    assert state() == before


class Bomb:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("exploded",)


@pytest.mark.fault("U17")
def test_nothing_is_loaded(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pickle with code in it is stored and verified as bytes."""
    monkeypatch.chdir(directory.parent)
    Path("model.pt").write_bytes(pickle.dumps(Bomb()))
    assert problems(directory, log(directory)) == []
    assert not Path("exploded").exists()


@pytest.mark.fault("N05")
@pytest.mark.parametrize("link", ["versions", "versions/model.pt", "versions/model.pt/v1"])
def test_links_on_the_way_are_not_followed_for_reading(directory: Path, link: str) -> None:
    """N05: a folder of the store that became a link is named; what is behind it is not read."""
    stored = log(directory)
    (directory / link).rename(directory.parent / "moved")
    (directory / link).symlink_to(directory.parent / "moved")
    ((_, problem),) = problems(directory, stored)
    assert f"{link!r} is a link, which was not followed" in problem


@pytest.mark.fault("N05")
@pytest.mark.parametrize("link", ["versions", "versions/model.pt", "artifacts", "artifacts/model.pt"])
def test_links_on_the_way_are_not_followed_for_writing(directory: Path, link: str) -> None:
    """N05: a folder of the store that is a link takes no artifact: nothing is written behind it."""
    outside = directory.parent / "outside"
    outside.mkdir()
    (directory / link).parent.mkdir(exist_ok=True)
    (directory / link).symlink_to(outside)
    with pytest.raises(ArtifactRefusedError, match=link):
        log(directory, version=link.startswith("versions"))
    assert names(outside) == []
    assert not list(directory.glob(".tmp-*"))


@pytest.mark.fault("N05")
def test_a_linked_plots_folder_takes_no_figure(directory: Path) -> None:
    """N05: the same for figures."""
    (directory / "plots").symlink_to(directory.parent / "folder")
    with pytest.raises(ArtifactRefusedError, match="plots"):
        ArtifactStore(directory).store_bytes(b"x", file_name="x.png", name="x", kind="figure", metadata={})
    assert names(directory.parent / "folder") == ["config.json", "empty", "sub"]


@pytest.mark.fault("N05")
@pytest.mark.parametrize("target", ["model.pt", "folder"])
def test_links_in_the_way_are_replaced_not_followed(directory: Path, target: str) -> None:
    """N05: a link in the place of the unversioned file, or beside it, is removed; what it leads to stays."""
    (directory / "artifacts/model.pt").mkdir(parents=True)
    for name in ("model.pt", "beside"):
        (directory / "artifacts/model.pt" / name).symlink_to(directory.parent / target)
    stored = log(directory, version=False)
    assert not stored.path.is_symlink()
    assert names(stored.path.parent) == ["model.pt"]
    assert (directory.parent / "model.pt").read_bytes() == CONTENT
    assert (directory.parent / "folder/sub/model.pt").read_bytes() == CONTENT


@pytest.mark.fault("N05")
def test_a_link_is_not_shared(directory: Path) -> None:
    """N05: a known version that became a link to outside is not linked to; the new bytes are kept."""
    stored = log(directory)
    link_out(stored.path)
    store = ArtifactStore(directory)
    again = store.store(directory.parent / "model.pt", name="m", kind="file", version=True, metadata={}, known=[stored])
    assert not again.path.is_symlink()
    assert again.path.stat().st_nlink == 1


@pytest.mark.parametrize("path", ["/etc/hostname", "../model.pt", "versions/../../model.pt", "a\0b", "x" * 5000])
@pytest.mark.parametrize("is_tree", [True, False])
def test_records_that_lead_outside_are_not_opened(directory: Path, path: str, is_tree: bool) -> None:
    """A record with a path outside the experiment, or none at all, is damage; nothing is raised."""
    stored = evolve(log(directory), path=directory / path, is_tree=is_tree)
    ((_, problem),) = problems(directory, stored)
    assert "leads out" in problem or "cannot be read" in problem


@pytest.mark.fault("A09")
def test_leftovers_are_named(directory: Path) -> None:
    """A09: what a killed copy left in the store is named."""
    (directory / ".tmp-0123").mkdir()
    ((file, problem),) = problems(directory)
    assert file == ".tmp-0123"
    assert "can be removed" in problem
