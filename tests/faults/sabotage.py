"""Positive controls: neural is sabotaged in a copy of the checkout, and a test there must fail.

The copy is of the sources and the tests only; it uses the environment's libraries. Tests in it find the copy's
modules, in all of their processes, because ``PYTHONPATH`` comes before what is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen
from controls import Control
from marks import ROOT

__all__ = ["Outcome", "copied", "sabotage", "try_control", "try_tests"]

PARTS = ("neural_core", "neural", "plugins", "tests", "conftest.py", "pyproject.toml")
SECONDS = 150
"""After so many a sabotaged test counts as one that hangs."""
_LEFT_OUT = shutil.ignore_patterns(".*", "*.egg-info", "node_modules", "screenshots")


@frozen
class Outcome:
    """What became of tests in a copy.

    Attributes:
        failed: at least one failed, as a test fails: not for want of a module or by a mistake of ours.
        passed: all passed.
        said: what the first failure said, or the end of the output.
    """

    failed: bool
    passed: bool
    said: str


@contextmanager
def copied() -> Iterator[Path]:
    """Give a copy of the sources and tests that goes away afterwards."""
    with tempfile.TemporaryDirectory(prefix="neural-sabotage-") as folder:
        copy = Path(folder)
        copy.chmod(0o755)  # some tests go on as another user
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, copy / part, ignore=_LEFT_OUT)
            else:
                shutil.copy2(ROOT / part, copy / part)
        yield copy


def sabotage(copy: Path, control: Control) -> None:
    """Make the change of a control.

    Raises:
        ValueError: the code is no longer what the control was written for.
    """
    path = copy / control.file
    text = path.read_text(encoding="utf-8")
    if text.count(control.old) != 1:
        raise ValueError(f"{control.file} does not hold once what is to be changed: write the control anew")
    path.write_text(text.replace(control.old, control.new), encoding="utf-8")


def try_control(control: Control) -> Outcome:
    """Sabotage a copy and run the control's test in it."""
    with copied() as copy:
        try:
            sabotage(copy, control)
        except ValueError as error:
            return Outcome(failed=False, passed=False, said=str(error))
        return try_tests(copy, control.test)


def try_tests(copy: Path, *tests: str, more: Sequence[str] = ()) -> Outcome:
    """Run tests, ``file::name`` each, in a copy; `more` are arguments for pytest."""
    files = sorted({test.partition("::")[0] for test in tests})
    names = [test.partition("::")[2] for test in tests]
    options = ["-q", "-x", "--tb=short", "-p", "no:cacheprovider", f"--timeout={SECONDS}", "-p", "only"]
    command = [sys.executable, "-m", "pytest", *files, *options, *more]
    sources = [copy, *sorted(copy.glob("plugins/*/src")), Path(__file__).parent]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(map(str, sources)),
        "FAULTS_ONLY": "\n".join(names),
        "TMPDIR": str(copy),
    }
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    return Outcome(done.returncode == 1, done.returncode == 0, _said(done.stdout, done.stderr))


def _said(output: str, errors: str) -> str:
    found = re.findall(r"^E +(?!\s)(\S.*)$", output, re.MULTILINE) or re.findall(r"^.*Timeout.*$", output, re.MULTILINE)
    return str(found[0]) if found else (output.strip().splitlines() or errors.strip().splitlines() or ["nothing"])[-1]
