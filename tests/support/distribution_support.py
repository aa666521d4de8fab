"""Distributions that live for a test: a folder with modules, and the metadata that an installer would have written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["make_distribution", "run_python"]


def make_distribution(
    folder: Path, name: str, points: Mapping[str, Mapping[str, str]], *, version: str = "1.0", **modules: str
) -> Path:
    """Make a distribution in `folder`, to be put on the path of a process.

    Args:
        folder: a folder of its own, or one with other distributions.
        name: of the distribution.
        points: group → name → ``module:object``.
        version: of the distribution.
        modules: name → source.
    """
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [
        line for group, found in points.items() for line in (f"[{group}]", *(f"{n} = {v}" for n, v in found.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(source, encoding="utf-8")
    return folder


def run_python(
    code: str, *arguments: str, path: Path, status: int | None = 0, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python with `path` on its path, in `cwd`; its output is shown when it ends otherwise than with `status`."""
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(path), *sys.path]), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )
    assert status is None or result.returncode == status, result.stdout + result.stderr
    return result
