"""The guide's install lines, where a tool is there and our plugin for it is not: the error says what is missing."""

from __future__ import annotations

import os
import re
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
PLUGINS = re.compile(r"_?(editable_impl_)?neural_(mlflow|tensorboard|ui|wandb)\b")
ASK = {
    "mlflow": ("MLflow not installed", "ExperimentTracker('x', backend='mlflow')"),
    "wandb": ("W&B not installed", "ExperimentTracker('x', backend='wandb')"),
    "tensorboard": ("TensorBoard not installed", "ExperimentTracker('x', backend='tensorboard')"),
    "dash": ("Dash not available", "launch_comparison_ui()"),
}


def install_lines() -> list[str]:
    """Give the lines with which the guide installs tools."""
    return sorted(set(re.findall(r"^pip install (?!-e)(.+)$", GUIDE, re.MULTILINE)))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the Python of an environment with all packages of this one but our plugins."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    packages = folder / "packages"
    packages.mkdir()
    for place in reversed(site.getsitepackages()):
        for path in Path(place).iterdir():
            if not PLUGINS.match(path.name) and not (packages / path.name).exists():
                (packages / path.name).symlink_to(path)
    [own] = (folder / "venv").glob("lib/python*/site-packages")
    (own / "of_the_tests.pth").write_text(f"import site; site.addsitedir({str(packages)!r})\n")
    return folder / "venv" / "bin" / "python"


def run(python: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run it, away from this checkout."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(python), *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def test_lines() -> None:
    """The guide has a line for each tool."""
    assert {line.split()[0] for line in install_lines()} == ASK.keys()


@pytest.mark.parametrize("line", install_lines())
def test_a_tool_alone(python: Path, tmp_path: Path, line: str) -> None:
    """After the guide's line has run, asking for the tool says in the guide's words which plugin is missing."""
    words, code = ASK[line.split()[0]]
    done = run(python, "-m", "pip", "install", "--no-index", "--disable-pip-version-check", *line.split(), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    asked = run(python, "-c", f"from neural.tracking import *; {code}", cwd=tmp_path)
    last = asked.stderr.splitlines()[-1]
    assert last.startswith(f"neural_core.errors.NotInstalledError: {words}: the plugin neural-")
    name = "ui" if line.split()[0] == "dash" else line.split()[0]
    assert f'pip install -e ".[{name}]"' in last
    assert f"pip install neural-{name}" in last
    assert list(tmp_path.iterdir()) == [], "nothing is made for an experiment that cannot be mirrored"


def test_with_the_plugins_all_is_there() -> None:
    """In this environment, which has the plugins, every one of them is found."""
    code = (
        "from importlib.metadata import entry_points as e; print(*sorted(p.name for p in e(group='neural.backends')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {"mlflow", "tensorboard", "wandb"} <= set(done.stdout.split())
