"""The wheel: small, whole, with the licences of what it brings along; and the core without it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PLUGIN = Path(__file__).resolve().parents[1]
MOST_BYTES = 2_500_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as a release is."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(PLUGIN)]
    subprocess.run(command, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


def test_size(wheel: Path) -> None:
    """The wheel has at most 2.5 MB (acceptance check 21)."""
    assert wheel.stat().st_size <= MOST_BYTES


def test_content(wheel: Path) -> None:
    """Scripts, styles, vendored files with their licences, and what exports need are in it; no tests."""
    names = set(zipfile.ZipFile(wheel).namelist())
    source = PLUGIN / "src"
    shipped = {
        str(path.relative_to(source))
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert shipped <= names
    for name in ("plotly-basic.min.js", "bootstrap.min.css", "markdown-it.min.js"):
        assert f"neural_ui/assets/vendor/{name.split('-basic')[0].split('.min')[0]}.LICENSE" in names
        assert f"neural_ui/assets/vendor/{name}" in names
    assert not [name for name in names if "axe" in name or "test" in name.lower()]


def test_core_without_it() -> None:
    """Without the plugin `neural.tracking` is imported, and the page is an error that says what to install (21)."""
    code = (
        "import sys, importlib.metadata as m\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('neural_ui', 'dash', 'plotly'):\n"
        "            raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hidden())\n"
        "real = m.entry_points\n"
        "m.entry_points = lambda **what: [p for p in real(**what) if p.dist.name != 'neural-ui']\n"
        "from neural.tracking import launch_comparison_ui\n"
        "try:\n"
        "    launch_comparison_ui('nowhere')\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.startswith("Dash not available")
    assert 'pip install -e ".[ui]"' in told
