"""Names on disk for artifacts, figures and checkpoints."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_core._storage.artifacts.names import figure_file, file_name, folder_name, is_figure_file, model_name
from neural_core.errors import ArgumentValueError

HOSTILE = [
    *("../x", "../../metadata.json", "/etc/passwd", "a/b", "a\\b", "C:\\x", "..", ".", "", "\0", "a\nb", "%2e%2e%2f"),
    *("x" * 300, "😀" * 80, "\ud800", "\udcff", "é", "e\u0301", "CON", "con", "nul.txt", "NUL .txt", "com1", "COM¹"),
    *("a.", "a ", "   ", "\u202egnp.exe", "A", "a", ".tmp-1", ".hidden", "v1", "~", "x~d6b96a97d147daaae49eb87a"),
]
DEVICES = {"con", "prn", "aux", "nul"} | {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
names = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=()), max_size=120),  # lone surrogates too
    st.text("aAbB.~-_/ \\", max_size=6),
    st.sampled_from(HOSTILE),
)


def assert_harmless(name: str) -> None:
    """Assert that every file system takes the name, and where it is meant."""
    assert name.isascii()
    assert 0 < len(name) <= 100
    assert Path(name).name == name == PureWindowsPath(name).name
    assert name[0] != "."
    assert name[-1] not in ". "
    assert name.split(".")[0].strip().lower() not in DEVICES
    assert not set(name) & set('\0\n\r\t<>:"/\\|?*')


@pytest.mark.fault("N02")
@given(names)
def test_every_name_is_harmless(name: str) -> None:
    """Any text gives one short ASCII component that no system takes for a device, a hidden file or another folder."""
    assert_harmless(folder_name(name))
    assert_harmless(file_name(name))


@pytest.mark.fault("N02")
@given(names, names)
def test_folders_are_never_shared(one: str, other: str) -> None:
    """Two names have two folders, on a disk that ignores case as well."""
    assert (one == other) == (folder_name(one).casefold() == folder_name(other).casefold())


@pytest.mark.fault("N02")
def test_hostile_names_have_a_folder_each() -> None:
    """The names that broke other trackers are kept apart."""
    assert len({folder_name(name).casefold() for name in HOSTILE}) == len(HOSTILE)


@pytest.mark.parametrize("name", ["model.pt", "confusion_matrix", "resnet-18.v2", "0", "metadata.json"])
def test_plain_names_keep_themselves(name: str) -> None:
    """A plain lower-case name is its own folder."""
    assert folder_name(name) == name


@pytest.mark.parametrize("name", ["Model_10.pt", "epoch=9-step=100.ckpt", "my model (2).pt", "_x.bin"])
def test_file_names_keep_case_and_spaces(name: str) -> None:
    """A stored file is called as the file it was logged from, where that is safe."""
    assert file_name(name) == name


def test_an_encoded_file_keeps_its_suffix() -> None:
    """A file with a name that cannot be kept still opens with the program of its suffix."""
    assert file_name("модель\n.PT").endswith(".pt")
    assert file_name("nul.txt").endswith(".txt")


@pytest.mark.parametrize(
    ("file", "artifact"),
    [
        ("model_10.pt", "model.pt"),
        ("model-epoch10.pt", "model.pt"),
        ("model_epoch_3_step_500.pt", "model.pt"),
        ("checkpoint_10.pt", "checkpoint.pt"),
        ("checkpoint-500", "checkpoint"),
        ("ckpt.100.index", "ckpt.index"),
        ("model10.h5", "model.h5"),
        ("my_model_10.pt", "my_model.pt"),
        ("Model_10.PT", "Model.PT"),
        ("weights_007.npz", "weights.npz"),
        ("snapshot 3.bin", "snapshot.bin"),
        ("resnet18-iter_300.pt", "resnet18.pt"),
        ("epoch_5.pt", "epoch.pt"),
        ("epoch=9-step=1000.ckpt", "epoch.ckpt"),
        ("model_10.pth.tar", "model.pth.tar"),
        ("model_10.tar.gz", "model.tar.gz"),
        ("resnet_18.pt", "resnet_18.pt"),
        ("resnet18.pt", "resnet18.pt"),
        ("supermodel_10.pt", "supermodel_10.pt"),
        ("model_v2.pt", "model_v2.pt"),
        ("model_0.95", "model_0.95"),
        ("model_10_best.pt", "model_10_best.pt"),
        ("10.pt", "10.pt"),
        ("model.pt", "model.pt"),
        ("", ""),
    ],
)
def test_step_markers(file: str, artifact: str) -> None:
    """A trailing number is a step marker only behind one of the eight words; the word of a step goes with it."""
    assert model_name(file) == artifact


@given(names)
def test_a_model_name_is_its_own_model_name(name: str) -> None:
    """What the rule gives is a fixed point, and a name is never emptied."""
    assert model_name(model_name(name)) == model_name(name)
    assert bool(model_name(name)) == bool(name)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("custom_training_curve.png", "custom_training_curve.png"),
        ("loss", "loss.png"),
        ("loss.v2", "loss.v2.png"),
        ("loss.svg", "loss.svg"),
        ("metadata.json", "metadata.json.png"),
    ],
)
def test_figures_get_an_image_suffix(name: str, file: str) -> None:
    """A figure's name is its file; ``.png`` comes behind a name without an image suffix."""
    assert figure_file(name) == file


@given(names)
def test_figure_files_are_harmless(name: str) -> None:
    """Any figure name gives one harmless image file, or is refused for ``auto_``."""
    try:
        file = figure_file(name)
    except ArgumentValueError:
        return
    assert_harmless(file)
    assert is_figure_file(file)
    assert file.endswith((".png", ".pdf", ".svg", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".eps"))


@pytest.mark.parametrize("name", ["auto_loss.png", "AUTO_loss", "auto_", "../auto_loss.png"])
def test_names_of_automatic_plots_are_refused(name: str) -> None:
    """No figure takes a name that the automatic plots use, in whatever case."""
    with pytest.raises(ArgumentValueError, match="auto_"):
        figure_file(name)


def test_figures_that_differ_in_case_are_two_files() -> None:
    """``Loss.png`` and ``loss.png`` do not overwrite each other on a disk that ignores case."""
    assert figure_file("Loss.png").casefold() != figure_file("loss.png").casefold()
