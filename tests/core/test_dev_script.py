"""dev.py, the two commands of a fresh checkout. Nothing is installed here: environments are made without pip."""

from __future__ import annotations

import ast
import importlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "dev.py"
SCRIPTS = [SCRIPT, *sorted((ROOT / "devtools").glob("*.py"))]


def load(script: Path, name: str = "dev") -> ModuleType:
    """Import a module of a copy of the checkout, which finds its own devtools."""
    ours = [one for one in sys.modules if one == "dev" or one.split(".")[0] == "devtools"]
    for one in ours:
        del sys.modules[one]
    sys.path.insert(0, str(script.parent))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(script.parent))


def run(script: Path, *arguments: str, prelude: str = "") -> subprocess.CompletedProcess[str]:
    """Run dev.py in a process of its own, after some lines that change that process."""
    start = "sys.argv = sys.argv[1:]; sys.path[0] = os.path.dirname(sys.argv[0])"  # as Python does for a script
    code = f"import os, runpy, sys\n{prelude}\n{start}\nrunpy.run_path(sys.argv[0], run_name='__main__')"
    command = [sys.executable, "-c", code, str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy what dev.py reads of a checkout."""
    for name in ("dev.py", "pyproject.toml", "hatch_build.py", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "devtools", tmp_path / "devtools")
    for project in ROOT.glob("plugins/*/pyproject.toml"):
        (tmp_path / "plugins" / project.parent.name).mkdir(parents=True)
        shutil.copy(project, tmp_path / "plugins" / project.parent.name)
    return tmp_path


@pytest.fixture
def ready(checkout: Path) -> Path:
    """Give the checkout an environment in which everything counts as installed."""
    venv.create(checkout / ".venv", symlinks=os.name != "nt")
    (checkout / ".venv" / "installed-for-test").write_text(
        load(checkout / "dev.py", "devtools.environment").fingerprint("test")
    )
    return checkout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_needs_the_standard_library_only(script: Path) -> None:
    """dev.py and its parts import nothing that has to be installed."""
    nodes = [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name for node in nodes}
    assert {name.split(".")[0] for name in names} <= {*sys.stdlib_module_names, "devtools"}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_old_python_reads_it(script: Path) -> None:
    """The syntax of dev.py is that of Python 3.7 or older, with no annotation that an old one would trip over."""
    tree = ast.parse(script.read_text(), feature_version=(3, 7))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    annotations = [a.annotation for f in functions for a in f.args.args] + [f.returns for f in functions]
    assert not [a for a in annotations if isinstance(a, ast.Subscript)]


def test_old_python_is_told() -> None:
    """An old Python gets one sentence and status 1."""
    result = run(SCRIPT, "test", prelude="sys.version_info = (3, 9, 2)")
    assert (result.returncode, result.stderr, result.stdout.count("\n")) == (1, "", 1)
    assert "needs Python 3.11 or newer, and this is 3.9" in result.stdout


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_missing_venv_is_told(checkout: Path, module: str) -> None:
    """A Python without venv or ensurepip gets one sentence that says what to install, and nothing is made."""
    result = run(checkout / "dev.py", "test", prelude=f"sys.modules[{module!r}] = None")
    assert (result.returncode, result.stderr) == (1, "")
    assert f"no {module} module: install it" in result.stdout
    assert not (checkout / ".venv").exists()


def test_folder_of_the_users_is_kept(checkout: Path) -> None:
    """A .venv that is no virtual environment is refused and left alone."""
    kept = checkout / ".venv" / "mine.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    result = run(checkout / "dev.py", "demo")
    assert result.returncode == 1
    assert "is not a virtual environment: move it away" in result.stdout
    assert kept.read_text() == "mine"


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["--help"], 0), (["deploy"], 2)])
def test_help(arguments: list[str], status: int) -> None:
    """Without a known verb dev.py names its verbs."""
    result = run(SCRIPT, *arguments)
    assert result.returncode == status
    assert all(f"dev.py {verb}" in result.stdout for verb in ("demo", "test", "faults", "bench", "docs"))


def test_a_tool_runs_in_the_environment(ready: Path) -> None:
    """Verbs that run one command run it in the checkout's environment, and pass its status on with their name."""
    (ready / "benchmarks").mkdir()
    (ready / "benchmarks" / "run.py").write_text("import sys; print(sys.prefix, sys.argv[1:]); sys.exit(4)")
    result = run(ready / "dev.py", "bench", "startup", "--quick")
    assert result.returncode == 4
    assert f"{ready / '.venv'} ['startup', '--quick']" in result.stdout
    assert "`python3 dev.py bench` failed with status 4" in result.stdout


def test_demo_runs_in_the_environment(ready: Path) -> None:
    """The demo runs in the checkout's environment, gets the further arguments, and ends with what to do next."""
    (ready / "examples").mkdir()
    (ready / "examples" / "demo.py").write_text("import sys; print(sys.prefix, sys.argv[1:])")
    result = run(ready / "dev.py", "demo", "--epochs", "3")
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{ready / '.venv'} ['--epochs', '3']" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("Next: ")


def test_demo_status_is_passed_on(ready: Path) -> None:
    """dev.py ends with the status of a demo that failed."""
    (ready / "examples").mkdir()
    (ready / "examples" / "demo.py").write_text("raise SystemExit(7)")
    result = run(ready / "dev.py", "demo")
    assert result.returncode == 7
    assert "The demo failed with status 7" in result.stdout


def test_first_failure_decides_and_the_rest_runs(ready: Path) -> None:
    """Every check runs, each failure shows its output, and the status is that of the first one."""
    result = run(ready / "dev.py", "test")
    assert result.returncode == 1
    assert "No module named ruff" in result.stdout
    assert "No module named pytest" in result.stderr
    last = result.stdout.splitlines()[-1]
    assert last.startswith("Failed: lint (ruff check), format")
    assert last.endswith("run this again.")


def test_changed_project_is_installed_again(ready: Path) -> None:
    """A changed pyproject.toml, the core's or a plugin's, asks for a new installation."""
    dev = load(ready / "dev.py", "devtools.environment")
    assert dev.installed("test")
    assert dev.installed("demo")
    project = next(ready.glob("plugins/*/pyproject.toml"))
    project.write_text(project.read_text() + "# changed\n")
    assert not dev.installed("test")
    assert not dev.installed("demo")


def test_named_tests_replace_the_folders(checkout: Path) -> None:
    """A test named in the arguments runs alone; options leave all folders in place, those with the long files first."""
    dev = load(checkout / "dev.py")
    rooms = ["plugins/neural_x/tests", "tests/e2e", "tests/tracking", "tests/core"]
    for room in rooms:
        (checkout / room).mkdir(parents=True)
        (checkout / room / "test_x.py").touch()
    assert dev.test_paths(["-x", "-k", "journal"]) == rooms
    assert dev.test_paths(["tests/core/test_x.py::test_y"]) == []


@pytest.mark.parametrize(("raw", "shown"), [(0, 0), (3, 3), (-9, 137)])
def test_status_of_a_killed_process(raw: int, shown: int) -> None:
    """A process that a signal ended has the status that a shell shows."""
    assert load(SCRIPT, "devtools.steps").shell_status(raw) == shown
