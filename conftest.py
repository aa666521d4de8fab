"""What holds in every test session, for tests/ and plugins/*/tests.

- Tests see no setting of the user's: no ``NEURAL_*`` variable, no rank, an index cache of their own. What they start
  waits for plugins as long as a busy machine may take; it is no test of theirs that 30 seconds are enough.
- Ctrl-C ends what tests start, also when a shell runs the session in its background, where it would be ignored.
- A test marked ``privileged`` is skipped with the reason where it cannot run. ``privileged("strace")`` names the tools
  it needs; without names it needs mount and strace.
- With ``CI=true`` a skipped test fails the session.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable

import pytest
from hypothesis import settings

IN_CI = os.environ.get("CI", "").lower() == "true"
RANK_VARIABLES = ("RANK", "WORLD_SIZE", "SLURM_PROCID")

settings.register_profile("neural", deadline=None, max_examples=50, derandomize=IN_CI, print_blob=True)
settings.register_profile("thorough", deadline=None, max_examples=2_000)
settings.load_profile("neural")  # another one by --hypothesis-profile=thorough

_cache = pytest.StashKey[tempfile.TemporaryDirectory[str]]()
_skipped: dict[str, str] = {}


def pytest_configure(config: pytest.Config) -> None:
    """Isolate this process, and every process that tests start, from the user's settings."""
    for name in [name for name in os.environ if name.startswith("NEURAL_") or name in RANK_VARIABLES]:
        del os.environ[name]
    config.stash[_cache] = tempfile.TemporaryDirectory(prefix="neural-test-cache-")
    os.environ["NEURAL_CACHE_DIR"] = config.stash[_cache].name
    os.environ["NEURAL_FINISH_SECONDS"] = "120"
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the index cache of the session."""
    config.stash[_cache].cleanup()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a privileged test that cannot run here."""
    for marker in item.iter_markers("privileged"):
        if reason := _missing(marker.args or ("mount", "strace")):
            pytest.skip(f"privileged: {reason}")


def _missing(tools: Iterable[str]) -> str | None:
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "needs root"
    return next((problem for problem in map(_problem, tools) if problem), None)


@functools.cache
def _problem(tool: str) -> str | None:
    """Try the tool: root in a container may have it installed and not be allowed to use it."""
    if shutil.which(tool) is None:
        return f"{tool} is not installed"
    with tempfile.TemporaryDirectory() as folder:
        trials = {"mount": ["mount", "-t", "tmpfs", "tmpfs", folder], "strace": ["strace", "-o", "/dev/null", "true"]}
        result = subprocess.run(trials.get(tool, ["true"]), capture_output=True, text=True, check=False)
        if tool == "mount" and result.returncode == 0:
            subprocess.run(["umount", folder], check=True)
    return f"{tool} is not permitted here: {result.stderr.strip()}" if result.returncode else None


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note each skipped test; an expected failure (xfail) is none."""
    if report.skipped and not hasattr(report, "wasxfail"):
        _note(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note each test file that is skipped as a whole."""
    if report.skipped:
        _note(report)


def _note(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    _skipped[report.nodeid] = reason.removeprefix("Skipped: ")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a session in CI that skipped anything."""
    if IN_CI and _skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was skipped, and why; checks that only lack root come first."""
    if not _skipped:
        return
    privileged = sum(reason.startswith("privileged") for reason in _skipped.values())
    title = f"{len(_skipped)} skipped, {privileged} of them privileged checks"
    terminalreporter.section(f"{title}: a failure in CI" if IN_CI else title)
    for test, reason in sorted(_skipped.items(), key=lambda pair: (not pair[1].startswith("privileged"), pair[0])):
        terminalreporter.line(f"{test}: {reason}")
