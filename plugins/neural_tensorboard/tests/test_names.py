"""Names of experiments as folders, and what the constructor refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from neural_tensorboard import TensorBoardBackend
from neural_tensorboard._names import folder_name

from neural_core.errors import ConfigurationError


@pytest.mark.parametrize(
    "name", ["tensorboard_experiment", "resnet50_imagenet_lr0.01_batch128", "Größe 2", "损失", "a+b=c (1)"]
)
def test_harmless_names_stay(name: str) -> None:
    """A harmless name is its folder: `tensorboard --logdir=runs/<experiment name>` is what the guide says."""
    assert folder_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../../etc", "a/b", "a\\b", ".hidden", "end.", " ", "CON", "nul.txt", "\0", "a\nb", "~", "e\u0301"],
)
def test_other_names_become_one_harmless_folder(name: str) -> None:
    """Any other name becomes one component, with a hash of the name."""
    folder = folder_name(name)
    assert folder != name
    assert "~" in folder
    assert Path(folder).name == folder


@given(st.lists(st.text(st.characters()), min_size=2, max_size=4, unique=True))
def test_two_names_never_share_a_folder(names: list[str]) -> None:
    """Two names have two folders, each one component that file systems take."""
    folders = [folder_name(name) for name in names]
    assert len(set(folders)) == len(names)
    for folder in folders:
        assert Path(folder).name == folder
        assert len(folder.encode()) <= 255
        assert folder.isprintable()


def test_paths_are_absolute_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default is `runs` in the folder where the backend is made, whatever the process does later."""
    monkeypatch.chdir(tmp_path)
    made = TensorBoardBackend()
    monkeypatch.chdir("/")
    assert made.destination() == str(tmp_path / "runs")


def test_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`~` in `log_dir` is the user's home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert TensorBoardBackend("~/logs").destination() == str(tmp_path / "logs")


@pytest.mark.parametrize("log_dir", ["", 5, None])
def test_no_folder(log_dir: object) -> None:
    """A `log_dir` that is no path is refused with the option's name."""
    with pytest.raises(ConfigurationError, match="log_dir"):
        TensorBoardBackend(log_dir)  # type: ignore[arg-type]
