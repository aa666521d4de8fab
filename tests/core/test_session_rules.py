"""conftest.py at the root: what holds in every test session. Each test runs a small session of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MARKERS = "[pytest]\nmarkers = privileged: needs root\n"
NOT_ROOT = "import os; os.geteuid = lambda: 1000"
FAILED, PASSED = 1, 0

SKIPS = "import pytest\ndef test_a(): pytest.skip('no such tool')\ndef test_b(): pass\n"
SKIPS_ALL = "import pytest\npytest.skip('no such system', allow_module_level=True)\n"
XFAILS = "import pytest\n@pytest.mark.xfail\ndef test_a(): assert False\n"
PRIVILEGED = "import pytest\n@pytest.mark.privileged\ndef test_a(): assert False\n"
NEEDS_TOOL = "import pytest\n@pytest.mark.privileged('no-such-tool')\ndef test_a(): assert False\n"
SEES = """
import os
def test_a():
    names = {n for n in os.environ if n.startswith('NEURAL_') or n in ('RANK', 'WORLD_SIZE', 'SLURM_PROCID')}
    assert names == {'NEURAL_CACHE_DIR', 'NEURAL_FINISH_SECONDS'}
    assert os.environ['NEURAL_CACHE_DIR'] != 'mine'
    assert os.listdir(os.environ['NEURAL_CACHE_DIR']) == []
"""

HEARS = """
import signal, subprocess, sys
def test_a():
    child = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    assert subprocess.run([sys.executable, "-c", child], stderr=subprocess.DEVNULL).returncode == -signal.SIGINT
"""
IN_THE_BACKGROUND = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"


def session(folder: Path, test: str, prelude: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one test file under a copy of conftest.py."""
    shutil.copy(ROOT / "conftest.py", folder)
    (folder / "pytest.ini").write_text(MARKERS)
    (folder / "test_it.py").write_text(test)
    code = f"{prelude}\nimport pytest, sys\nsys.exit(pytest.main(['-q', '-p', 'no:cacheprovider']))"
    clean = {name: value for name, value in os.environ.items() if name != "CI" and not name.startswith("PYTEST_")}
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=folder, env=clean | environment, capture_output=True, text=True, check=False, timeout=200
    )


@pytest.mark.parametrize(("ci", "status"), [("true", FAILED), ("", PASSED)])
@pytest.mark.parametrize(("test", "reason"), [(SKIPS, "no such tool"), (SKIPS_ALL, "no such system")])
def test_skip_fails_in_ci(tmp_path: Path, test: str, reason: str, ci: str, status: int) -> None:
    """With CI=true a skipped test, or file of tests, fails the session; elsewhere it is named."""
    extra = "def test_other(): pass\n"
    (tmp_path / "test_other.py").write_text(extra)
    result = session(tmp_path, test, CI=ci)
    assert result.returncode == status, result.stdout
    assert "1 skipped, 0 of them privileged checks" in result.stdout
    assert f": {reason}" in result.stdout


def test_expected_failure_is_no_skip(tmp_path: Path) -> None:
    """A test that is expected to fail, and does, is no skip."""
    assert session(tmp_path, XFAILS, CI="true").returncode == PASSED


def test_privileged_without_root(tmp_path: Path) -> None:
    """Without root a privileged test is skipped, counted, and named with the reason."""
    result = session(tmp_path, PRIVILEGED, prelude=NOT_ROOT)
    assert result.returncode == PASSED, result.stdout
    assert "1 skipped, 1 of them privileged checks" in result.stdout
    assert "test_it.py::test_a: privileged: needs root" in result.stdout


def test_privileged_without_its_tool(tmp_path: Path) -> None:
    """A privileged test whose tool is absent is skipped with the tool's name."""
    result = session(tmp_path, NEEDS_TOOL, prelude="import os; os.geteuid = lambda: 0")
    assert "privileged: no-such-tool is not installed" in result.stdout


def test_settings_of_the_user_are_not_seen(tmp_path: Path) -> None:
    """Tests see no NEURAL_ variable of the user's and no rank, but an empty index cache of their own."""
    mine = {"NEURAL_CACHE_DIR": "mine", "NEURAL_MODE": "disabled", "RANK": "3", "SLURM_PROCID": "3"}
    result = session(tmp_path, SEES, **mine)
    assert result.returncode == PASSED, result.stdout


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_counts(tmp_path: Path) -> None:
    """What tests start ends with Ctrl-C, also where the session itself ignores it as a shell's background job."""
    result = session(tmp_path, HEARS, IN_THE_BACKGROUND)
    assert result.returncode == PASSED, result.stdout
