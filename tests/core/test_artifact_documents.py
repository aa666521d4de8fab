"""The record of a stored version as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from neural_core._storage.artifacts.documents import from_document, to_document
from neural_core._storage.artifacts.store import ArtifactStore
from neural_core.errors import DamagedError
from neural_core.records import ArtifactVersion

VERSION = ArtifactVersion(
    artifact_name="model.pt",
    version=3,
    checksum="ab" * 32,
    size=700,
    timestamp="2025-01-02T03:04:05.000006+00:00",
    path=Path("/base/run/versions/model.pt/v3/model_30.pt"),
    metadata={"framework": "pytorch", "nested": {"a": [1, None]}},
    kind="model",
    source_name="model_30.pt",
)
RUN = Path("/base/run")


@given(st.text(max_size=30), st.none() | st.integers(1, 10**9), st.integers(0, 10**15), st.text(max_size=30))
def test_a_record_survives_json(name: str, number: int | None, size: int, source: str) -> None:
    """What is written is strict ASCII JSON, and reading it back gives an equal record."""
    version = evolve(VERSION, artifact_name=name, version=number, size=size, source_name=source)
    text = json.dumps(to_document(version, RUN), allow_nan=False, ensure_ascii=True)
    assert text.isascii()
    assert from_document(json.loads(text), RUN) == version


@pytest.mark.fault("A08")
def test_a_moved_experiment_keeps_its_artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A08: paths in records are relative, so a folder that was moved, and is opened from elsewhere, opens its files."""
    (tmp_path / "old").mkdir()
    (tmp_path / "a.txt").write_text("a")
    store = ArtifactStore(tmp_path / "old")
    stored = store.store(tmp_path / "a.txt", name="a", kind="file", version=True, metadata={}, known=[])
    document = to_document(stored, tmp_path / "old")
    assert document["path"] == "versions/a/v1/a.txt"
    (tmp_path / "old").rename(tmp_path / "new")
    monkeypatch.chdir(tmp_path)
    moved = from_document(document, Path("new"))
    with moved.open() as file:
        assert file.read() == b"a"
    assert ArtifactStore(Path("new")).verify([moved]) == []


def test_a_path_outside_is_not_written() -> None:
    """A record whose file is not in the experiment has no document."""
    with pytest.raises(DamagedError):
        to_document(VERSION, Path("/base/other"))


@pytest.mark.fault("A08")
@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../x", "a\\..\\..\\x", "C:\\x", "C:x", "\\\\host\\x", "", ".", "a\0"]
)
def test_a_path_outside_is_not_read(path: str) -> None:
    """A record with a path that leaves the experiment, on this system or another, is damage."""
    with pytest.raises(DamagedError, match="path"):
        from_document(to_document(VERSION, RUN) | {"path": path}, RUN)


BROKEN: dict[str, list[Any]] = {
    "artifact_name": [None],
    "version": [0, -1, True, 1.0, "1", []],
    "checksum": [None, "", "AB" * 32, "ab" * 32 + "\n", 5],
    "size": [None, -1, True, 1.0, "1"],
    "timestamp": [None],
    "path": [None],
    "metadata": [None, [], "x"],
    "kind": [None, "", "Model", 1],
    "source_name": [None, 3],
    "is_tree": [None, 1],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field in BROKEN for value in BROKEN[field]])
def test_types_are_strict(field: str, value: Any) -> None:
    """A field of another type than was written is damage, not a guess."""
    with pytest.raises(DamagedError, match=r"artifact '(model|None)"):
        from_document(to_document(VERSION, RUN) | {field: value}, RUN)


@pytest.mark.parametrize("field", list(to_document(VERSION, RUN)))
def test_no_field_may_be_missing(field: str) -> None:
    """A record without one of its fields is damage."""
    document = to_document(VERSION, RUN)
    del document[field]
    with pytest.raises(DamagedError):
        from_document(document, RUN)


@pytest.mark.parametrize("document", [None, [], "x", 3])
def test_a_record_is_an_object(document: object) -> None:
    """Other JSON than an object is damage."""
    with pytest.raises(DamagedError):
        from_document(document, RUN)


def test_fields_of_a_later_version_are_passed_over() -> None:
    """A field that is not known does not make a record unreadable."""
    assert from_document(to_document(VERSION, RUN) | {"aliases": ["best"]}, RUN) == VERSION
