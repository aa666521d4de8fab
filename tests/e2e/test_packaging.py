"""What is built for publication, and what an editable install adds to it."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted(project.parent for project in ROOT.glob("plugins/*/pyproject.toml"))
EXTRAS = {
    "mlflow": {"neural-mlflow"},
    "wandb": {"neural-wandb"},
    "tensorboard": {"neural-tensorboard"},
    "ui": {"neural-ui"},
    "full": {"neural-mlflow", "neural-tensorboard", "neural-ui", "neural-wandb"},
}

BUILD_EDITABLE = "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])"
READ_INSTALLED = """
import importlib.util, json
from importlib.metadata import distributions
found = {d.name: [str(d.read_text("METADATA")), *map(str, d.files)] for d in distributions() if "neural" in d.name}
modules = [m for m in ("neural_core", "neural.tracking", "neural_ui") if importlib.util.find_spec(m)]
print(json.dumps([found, modules]))
"""


def run(*command: str, cwd: Path = ROOT) -> str:
    """Run a command; its output is shown when it fails."""
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist of the core, its wheel from that sdist, and the same of every plugin, without network."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT))
    for plugin in PLUGINS:
        run(sys.executable, "-m", "hatchling", "build", "-d", str(folder), cwd=plugin)
    return folder


@pytest.fixture(scope="module")
def core_sdist(dist: Path) -> dict[str, str]:
    """Give the core's sdist as {path below its top folder: text}; the text of what is not UTF-8 is kept legible."""
    with tarfile.open(next(dist.glob("neural_core-*.tar.gz"))) as archive:
        files = {member.name.partition("/")[2]: archive.extractfile(member) for member in archive if member.isfile()}
        return {name: file.read().decode(errors="replace") for name, file in files.items() if file}


def wheel_text(wheel: Path, name: str) -> str:
    """Give one file of a wheel, by the end of its path."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(next(path for path in archive.namelist() if path.endswith(name))).decode()


def wheel_names(wheel: Path) -> set[str]:
    """Give the paths in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_one_wheel_and_one_sdist_each(dist: Path) -> None:
    """The core and every plugin build as one wheel and one sdist each."""
    assert len(list(dist.glob("*.whl"))) == len(list(dist.glob("*.tar.gz"))) == 1 + len(PLUGINS) == 5


def test_wheels_name_no_folder(dist: Path) -> None:
    """No wheel's metadata has an address of a file."""
    metadata = {wheel.name: wheel_text(wheel, ".dist-info/METADATA") for wheel in dist.glob("*.whl")}
    assert not [name for name, text in metadata.items() if "file:" in text]


def test_sdists_name_no_folder(dist: Path) -> None:
    """No sdist's metadata has an address of a file."""
    for path in dist.glob("*.tar.gz"):
        with tarfile.open(path) as archive:
            member = archive.extractfile(f"{path.name.removesuffix('.tar.gz')}/PKG-INFO")
            assert member is not None
            assert b"file:" not in member.read()


def test_extras_have_plain_names(dist: Path) -> None:
    """Published extras name the plugins and their versions, nothing else."""
    metadata = wheel_text(next(dist.glob("neural_core-*.whl")), "METADATA")
    required = [line.partition(": ")[2] for line in metadata.splitlines() if line.startswith("Requires-Dist: neural")]
    published = {extra: {r.split("<")[0] for r in required if r.endswith(f"extra == '{extra}'")} for extra in EXTRAS}
    assert published == EXTRAS
    assert all("<0.2,>=0.1;" in line for line in required)


def test_core_sdist_has_the_hook_and_no_plugins(core_sdist: dict[str, str]) -> None:
    """The core's sdist has the build hook and none of the plugins, which publish their own."""
    assert "hatch_build.py" in core_sdist
    assert not [name for name in core_sdist if name.startswith("plugins/")]


def test_core_wheel_has_both_packages_typed(dist: Path) -> None:
    """The core's wheel has both packages with their type markers and keeps the namespace open."""
    names = wheel_names(next(dist.glob("neural_core-*.whl")))
    assert {"neural_core/py.typed", "neural/tracking/py.typed", "neural_core/records.py"} <= names
    assert "neural/__init__.py" not in names
    assert not [
        name for name in names if name.split("/")[0] not in {"neural", "neural_core", "neural_core-0.1.0.dist-info"}
    ]


def test_plugin_wheels_are_typed(dist: Path) -> None:
    """Every plugin's wheel has its type marker and its licence."""
    for plugin in PLUGINS:
        names = wheel_names(next(dist.glob(f"{plugin.name}-*.whl")))
        assert f"{plugin.name}/py.typed" in names
        assert any(name.endswith("licenses/LICENSE") for name in names)


def test_licence_is_the_same_everywhere() -> None:
    """Each plugin carries the licence text of the core."""
    licence = (ROOT / "LICENSE").read_bytes()
    assert all((plugin / "LICENSE").read_bytes() == licence for plugin in PLUGINS)


def test_installs_without_an_index(dist: Path, tmp_path: Path) -> None:
    """Installed by name from the built wheels, no file of any distribution names a folder, and modules are found."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(next((tmp_path / "venv").glob("[bS]*/python*")))
    names = [wheel.name.split("-")[0].replace("_", "-") + "==0.1.0" for wheel in dist.glob("*.whl")]
    run(
        python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--find-links", str(dist), *names, cwd=tmp_path
    )
    found, modules = json.loads(run(python, "-P", "-c", READ_INSTALLED, cwd=tmp_path))
    assert len(found) == 5
    assert not [name for name, (metadata, *_) in found.items() if "file:" in metadata]
    assert not [file for _, *files in found.values() for file in files if file.endswith("direct_url.json")]
    assert modules == ["neural_core", "neural.tracking", "neural_ui"]


def test_editable_takes_the_plugins_beside_it(tmp_path: Path) -> None:
    """An editable install gives each extra's requirement the address of its folder in this checkout."""
    run(sys.executable, "-c", BUILD_EDITABLE, str(tmp_path))
    metadata = wheel_text(next(tmp_path.glob("*.whl")), "METADATA")
    for plugin in PLUGINS:
        name = plugin.name.replace("_", "-")
        extras = [extra for extra, wanted in EXTRAS.items() if name in wanted]
        assert all(f"{name} @ {plugin.as_uri()} ; extra == '{extra}'" in metadata for extra in extras)


def test_development_file_names_every_plugin() -> None:
    """requirements-dev.txt installs the core and every plugin editable."""
    lines = (ROOT / "requirements-dev.txt").read_text().splitlines()
    editable = {line.removeprefix("-e ") for line in lines if line.startswith("-e ")}
    assert editable == {".[dev]", *(f"plugins/{plugin.name}" for plugin in PLUGINS)}


def test_uv_takes_the_plugins_beside_it() -> None:
    """With uv every member of the workspace comes from its folder."""
    uv = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"]
    members = {"neural-core", *(plugin.name.replace("_", "-") for plugin in PLUGINS)}
    assert uv == {"workspace": {"members": ["plugins/*"]}, "sources": {name: {"workspace": True} for name in members}}
