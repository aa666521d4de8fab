"""A stranger's tab: examples/neural_panel, installed into an environment of its own and drawn by the page's server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from example_support import ROOT, install_example, neural, run

EXAMPLE = ROOT / "examples" / "neural_panel"

STORE = """
import sys
from neural_core import ExperimentTracker
for number in range(3):
    with ExperimentTracker(f"run {number}", sys.argv[1], auto_visualize=False) as tracker:
        for step in range(50):
            tracker.log_metrics({"train/loss": 1 / (step + 1), "val/loss": 1 / (step + 1) + number}, step=step)
"""
ASK = """
import json, sys
from neural_core.reading import ExperimentStore
from neural_ui._panels import list_panels, panel_figure
store = ExperimentStore(sys.argv[1])
ids = [run.id for run in store.listed().runs]
print(json.dumps([list_panels(store), panel_figure(store, "gap", ids)]))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the Python of an environment with the panel in it."""
    return install_example("neural_panel", tmp_path_factory.mktemp("environment"))


def test_listed(python: Path) -> None:
    """`neural plugins` tells of the installed panel: its package, its version, its group."""
    listed = neural(python, "plugins")
    [line] = [line for line in listed.splitlines() if "neural-panel" in line]
    for word in ("gap", "panels", "0.1.0", "ok"):
        assert word in line


def test_tab(python: Path, tmp_path: Path) -> None:
    """The page lists the tab behind its own ones, and draws a line for each experiment."""
    run(python, "-c", STORE, str(tmp_path))
    panels, figure = json.loads(run(python, "-c", ASK, str(tmp_path)))
    assert [panel["name"] for panel in panels] == ["timeline", "gap"]
    assert panels[1] == {"name": "gap", "title": "Gap", "distribution": "neural-panel 0.1.0"}
    assert [line["name"] for line in figure["data"]] == ["run 2", "run 1", "run 0"]
    assert figure["data"][0]["y"] == pytest.approx([2.0] * 50)


def test_own_tests(python: Path) -> None:
    """The example's own test passes as it is shipped, and the example is twenty lines."""
    module = [line for line in (EXAMPLE / "neural_panel.py").read_text().splitlines() if line.strip()]
    assert len(module) <= 25
    run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml"), str(EXAMPLE))


def test_not_here() -> None:
    """The environment of the tests has not got the example, so the tests above prove the installed one."""
    assert subprocess.run([sys.executable, "-c", "import neural_panel"], capture_output=True, check=False).returncode
