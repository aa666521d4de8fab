"""What surroundings and strangers bring: huge files, locks that fail, prompts, clocks, archives, secrets."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from attrs import evolve
from journal_support import ROOT, environment, listed, only, problems, run, statuses, steps, stored, tree

from neural_core import ExperimentTracker
from neural_core._cli.columns import parse_columns
from neural_core._storage import folder
from neural_core.errors import ConfigurationError

GIBIBYTE = 2**30

SCAN = """
import resource, sys
from neural_core import ExperimentManager
limit = 400 * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))  # a file that is mapped to be read is none of it
manager = ExperimentManager(sys.argv[1])
print(sorted((one["experiment_name"], one["status"]) for one in manager.list_experiments()))
for one in manager.list_experiments():
    tracker = manager.get_experiment(one["experiment_id"])
    print(one["experiment_name"], len(tracker.metrics_history), bool(tracker.damage))
print(sorted((name.partition("_")[0], bool(damage)) for name, damage in manager.verify().items()))
"""

CELLS = """tracker = ExperimentTracker("cell", {base!r}, auto_visualize=False)
step = 0
while True:
    tracker.log_metrics({{"loss": 1.0}}, step); step += 1
    if step == 500: print("busy", flush=True)

"""

AFTER_CTRL_C = """for late in range(3): tracker.log_metrics({"loss": 2.0}, -1 - late)

print(step)
tracker.finish()
"""


def experiment(base: Path, name: str) -> Path:
    """Make a finished experiment with a row; give its folder."""
    with ExperimentTracker(name, base, auto_visualize=False, hyperparameters={"lr": 0.5}) as tracker:
        tracker.log_metrics({"loss": 1.0}, 0)
    return tracker.experiment_dir


@pytest.mark.fault("I07")
@pytest.mark.parametrize("victim", ["journal", "facts", "parquet", "metadata.json", "hyperparameters.json"])
def test_a_file_of_a_gibibyte(tmp_path: Path, victim: str) -> None:
    """A file of a gibibyte of nothing in the place of any of ours is named, in 400 MiB, and hides no other."""
    experiment(tmp_path, "sound")
    directory = experiment(tmp_path, "huge")
    metrics = directory / "metrics"
    places = {"journal": metrics / "r00000-x-1-abcdef-0001.nj", "parquet": next(metrics.glob("*.parquet"))}
    places["facts"] = next(metrics.glob("*.facts.nj"))
    path = places.get(victim, directory / victim)
    with path.open("r+b" if path.exists() else "xb") as file:
        file.truncate(GIBIBYTE)
    result = run(SCAN, tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    said = result.stdout.splitlines()
    assert "('sound', 'completed')" in said[0]
    assert "sound 1 False" in said
    assert "('huge', True), ('sound', False)" in said[-1]


@pytest.mark.fault("C08")
@pytest.mark.privileged("strace")
def test_locks_that_do_not_work(tmp_path: Path) -> None:
    """Where no file can be locked (ENOLCK) all is tracked and listed; an experiment is never locked at all."""
    code = """
import sys
from neural_core import ExperimentManager, ExperimentTracker
with ExperimentTracker("lockless", sys.argv[1], auto_visualize=False) as tracker:
    for step in range(20):
        tracker.log_metrics({"loss": 1.0}, step)
manager = ExperimentManager(sys.argv[1])
print([one["status"] for one in manager.list_experiments()], len(manager.runs("metrics.loss.count = 20")))
"""
    base, log, cache = tmp_path / "base", tmp_path / "log", tmp_path / "cache"
    looking = ("strace", "-f", "-y", "-o", str(log), "-e", "trace=fcntl,flock")
    result = run(code, base, prefix=looking, NEURAL_CACHE_DIR=str(cache))
    assert (result.stdout, result.stderr) == ("['completed'] 1\n", "")
    locked = [line for line in log.read_text().splitlines() if "SETLK" in line or "flock(" in line]
    assert not [line for line in locked if str(base) in line]
    [index] = cache.glob("index-*.sqlite")
    assert any(index.name in line for line in locked), "the index is not locked: nothing is tried below"
    failing = ("strace", "-f", "-qq", "-o", "/dev/null", "-P", str(index), "-e", "inject=fcntl,flock:error=ENOLCK")
    result = run(code, base, prefix=failing, NEURAL_CACHE_DIR=str(cache))
    assert (result.stdout, result.stderr) == ("['completed', 'completed'] 2\n", "")


@pytest.mark.fault("D16")
def test_ctrl_c_at_a_prompt(tmp_path: Path) -> None:
    """Ctrl-C stops a cell and not the tracker: it goes on in the next cell, and no row is missing or there twice."""
    command = [sys.executable, "-i", "-q", "-c", "from neural_core import ExperimentTracker"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, text=True, env=environment()) as prompt:
        assert prompt.stdin is not None
        assert prompt.stdout is not None
        assert prompt.stderr is not None
        prompt.stdin.write(CELLS.format(base=str(tmp_path / "base")))
        prompt.stdin.flush()
        assert prompt.stdout.readline() == "busy\n"
        prompt.send_signal(signal.SIGINT)
        prompt.stdin.write(AFTER_CTRL_C)
        prompt.stdin.close()
        acknowledged = int(prompt.stdout.readline())
        assert "KeyboardInterrupt" in prompt.stderr.read()
    assert prompt.returncode == 0
    found = steps(only(tmp_path / "base"))
    before = found[: found.index(-1)]
    assert before == list(range(len(before)))
    assert acknowledged <= len(before) <= acknowledged + 1
    assert found[len(before) :] == [-1, -2, -3]
    assert list(statuses(tmp_path / "base").values()) == ["completed"]


@pytest.mark.fault("C05")
def test_an_id_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When chance gives an id twice, the second experiment gets another one, and the first is untouched."""
    directory = experiment(tmp_path, "twin")
    before = tree(directory)
    ids = iter([listed(directory).uid] * 2 + ["f" * 32])
    monkeypatch.setattr(folder, "new_uid", lambda: next(ids))
    assert experiment(tmp_path, "twin").name == f"twin_{'f' * 12}"
    assert tree(directory) == before
    monkeypatch.setattr(folder, "new_uid", lambda: "f" * 32)
    with pytest.raises(ConfigurationError, match="every name that was tried is taken"):
        experiment(tmp_path, "twin")


@pytest.mark.fault("T01")
def test_no_duration_is_negative(tmp_path: Path) -> None:
    """An experiment whose clock was set back while it ran lasted no time, in lists too."""
    row = evolve(listed(experiment(tmp_path, "back")), start_time="2026-01-01T12:00:00+00:00")
    for end, shown in (("2026-01-01T11:00:00+00:00", "0:00:00"), ("2026-01-01T12:00:07.5+00:00", "0:00:07")):
        ended = evolve(row, end_time=end)
        [column] = parse_columns("duration", [ended])
        assert column.value(ended) == shown


@pytest.mark.fault("T01")
def test_two_clocks_that_disagree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two writers, one with a clock that jumps back, each keeps the order of its calls among those of the other."""
    clock = [1_000.0]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    owner = ExperimentTracker("clocks", tmp_path, auto_visualize=False)
    other = ExperimentTracker.attach(owner.experiment_dir)
    for step, jump in enumerate((1.0, 1.0, -500.0, 1.0, 900.0)):
        clock[0] += jump
        other.log_metrics({"other": float(step)}, step)
        clock[0] += 0.25
        owner.log_metrics({"owner": float(step)}, step)
    other.finish()
    owner.finish()
    rows = [name for row in stored(owner.experiment_dir).metrics_history for name in row.values]
    assert sorted(rows) == ["other"] * 5 + ["owner"] * 5
    assert stored(owner.experiment_dir).get_metrics("owner") == [0.0, 1.0, 2.0, 3.0, 4.0]
    history = stored(owner.experiment_dir).metrics_history
    assert [row.step for row in history if "other" in row.values] == [0, 1, 2, 3, 4]
    assert [row.step for row in history if "owner" in row.values] == [0, 1, 2, 3, 4]


@pytest.mark.fault("U18")
def test_nothing_unpacks_an_archive() -> None:
    """No code of ours has a way to unpack an archive: files go in and out as they are."""
    unpackers = {"extract", "extractall", "unpack_archive"}
    sources = [*ROOT.glob("neural_core/**/*.py"), *ROOT.glob("neural/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
    assert len(sources) > 100
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                assert "tarfile" not in ast.unparse(node), source
            if isinstance(node, ast.Attribute):
                assert node.attr not in unpackers, source


@pytest.mark.fault("U20")
def test_secrets_of_the_surroundings_are_not_recorded(tmp_path: Path) -> None:
    """What stands in the environment and on the command line of a training is in no file of its experiment."""
    code = """
import sys
from neural_core import ExperimentTracker
with ExperimentTracker("open", sys.argv[1], hyperparameters={"lr": 0.1}) as tracker:
    tracker.log_metrics({"loss": 1.0}, 0)
"""
    base = tmp_path / "base"
    result = run(code, base, "--password=from-the-command-line", API_TOKEN="from-the-environment")
    assert (result.returncode, result.stderr) == (0, "")
    assert problems(only(base)) == []
    for name, data in tree(base).items():
        assert b"from-the-" not in data, name
        assert b"password" not in data, name
    assert os.environ.get("API_TOKEN") is None
