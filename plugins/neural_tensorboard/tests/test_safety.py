"""What is never done: TensorFlow and PyTorch are not imported, nothing is unpickled."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neural_core.errors import NotInstalledError
from neural_core.testing import run_script

SOURCES = Path(__file__).parents[1] / "src"
FORBIDDEN = "tensorflow", "torch", "tensorboardX"
EVERYTHING = """
from neural_core import ExperimentTracker
from neural_core.testing import deliver
from neural_tensorboard import TensorBoardBackend
from neural_core.importing import import_run
from neural_tensorboard.importing import read
from matplotlib.figure import Figure
with ExperimentTracker("all", auto_visualize=False, hyperparameters={"lr": 0.5}, notes="n", tags=["t"]) as tracker:
    tracker.log_metrics({"loss": 0.5}, step=0)
    tracker.log_figure(Figure(figsize=(1, 1)), "curve")
assert deliver(tracker.experiment_dir, TensorBoardBackend("runs")).complete
(found,) = read("runs")
assert import_run(found, "base").rows == 1
"""


def test_tensorflow_that_happens_to_be_installed(tmp_path: Path) -> None:
    """A TensorFlow or PyTorch that is installed is imported neither for writing nor for reading."""
    for name in FORBIDDEN:
        (tmp_path / "packages" / name).mkdir(parents=True)
        (tmp_path / "packages" / name / "__init__.py").write_text("import os\nos._exit(3)\n")
    path = os.pathsep.join([str(tmp_path / "packages"), os.environ.get("PYTHONPATH", "")])
    run_script(EVERYTHING, cwd=tmp_path, PYTHONPATH=path)


def test_light_until_it_is_used() -> None:
    """Importing the plugin, making a backend and the import command load nothing of TensorBoard."""
    code = """
import sys
from neural_tensorboard import TensorBoardBackend
import neural_tensorboard.importing
TensorBoardBackend()
assert not [name for name in sys.modules if name.split(".")[0] in ("tensorboard", "google", "PIL", "numpy")]
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_tensorboard(tmp_path: Path) -> None:
    """Without TensorBoard the backend and the import say, in the guide's words, what to install."""
    code = """
import sys
from neural_core.errors import NotInstalledError
from neural_tensorboard import TensorBoardBackend
from neural_tensorboard.importing import read
sys.path[:] = [folder for folder in sys.path if "site-packages" not in folder]
for use in (TensorBoardBackend, lambda: read(".")):
    try:
        use()
    except NotInstalledError as error:
        print(error)
"""
    assert run_script(code, cwd=tmp_path).splitlines() == ["TensorBoard not installed: pip install tensorboard"] * 2
    assert issubclass(NotInstalledError, ImportError)


@pytest.mark.fault("U17")
def test_nothing_is_unpickled() -> None:
    """No source of the plugin names a module that can execute what it reads."""
    for path in SOURCES.rglob("*.py"):
        text = path.read_text()
        assert not [word for word in ("pickle", "torch", "marshal", "eval(", "exec(", "allow_pickle") if word in text]
