"""The page with the oldest versions of its libraries that it allows; all other tests have the newest."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from asking import runs_of
from page import NewPage
from server import Server
from walking import look_at_everything

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
OF_THE_PAGE = ("dash", "flask", "plotly", "waitress", "werkzeug")
FIGURES = (
    "import sys, plotly; from neural_core import ExperimentManager; from neural_ui.figures import experiment_figures; "
    "[row, *_] = ExperimentManager(sys.argv[1]).runs(); "
    "figures = experiment_figures(ExperimentManager(sys.argv[1]).get_experiment(row.experiment_id)); "
    "print(plotly.__version__, figures['metric_lr'].data[0].type)"
)


def oldest() -> dict[str, str]:
    """Give the lowest release of each library of the page, as ``4.1``, that the plugin's pyproject.toml allows."""
    needs = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    return dict(need.split(",")[0].split(">=") for need in needs if need.startswith(OF_THE_PAGE))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Put these versions before those that are installed, for every process that is started."""
    folder = tmp_path_factory.mktemp("oldest")
    wanted = [f"{name}=={version}.*" for name, version in oldest().items()]
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-compile",
    ]
    subprocess.run([*command, "--target", str(folder), *wanted], check=True, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        yield


@pytest.mark.usefixtures("environment")
def test_page(new_page: NewPage, store_small: Path) -> None:
    """Tabs, drawer, table, help and export work with the oldest Dash that is allowed (check 20)."""
    assert oldest()["dash"] == "4.1"
    server = Server(store_small)
    try:
        ui = new_page(server.url)
        look_at_everything(ui)
        assert [one for one in ui.requests if "dash_renderer.v4_1_0" in one]
        page = ui.context.request.get(f"{server.url}/api/v1/export.html?runs={','.join(runs_of(server.url))}")
        assert page.ok
        assert "resnet-adamw-0" in page.text()
        ui.leave()
    finally:
        server.close()


@pytest.mark.usefixtures("environment")
def test_figures(store_small: Path) -> None:
    """Figures for notebooks are made with the oldest Plotly that is allowed (check 20)."""
    command = [sys.executable, "-c", FIGURES, str(store_small)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert told[0].startswith(f"{oldest()['plotly']}.")
    assert told[1:] == ["scatter"]
