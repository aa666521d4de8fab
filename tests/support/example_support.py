"""The examples that are distributions, each installed into an environment of its own as a stranger does it."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIP = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]


def install_example(name: str, folder: Path) -> Path:
    """Give the Python of a fresh environment with the example in it; the packages of this one are seen from there."""
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    [packages] = (folder / "venv").glob("lib/python*/site-packages")
    lines = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (packages / "of_the_tests.pth").write_text("\n".join(lines))
    shutil.copytree(ROOT / "examples" / name, folder / name)
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", *PIP, str(folder / name))
    return python


def run(python: Path, *arguments: str, status: int = 0, **environment: str) -> str:
    """Run Python; its output is shown when it ends otherwise than expected."""
    result = subprocess.run(
        [str(python), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd=python.parent,
    )
    assert result.returncode == status, result.stdout + result.stderr
    return result.stdout


def neural(python: Path, *arguments: str, status: int = 0) -> str:
    """Run the command `neural`."""
    return run(python, "-c", "from neural_core._cli import main; main()", *arguments, status=status)
