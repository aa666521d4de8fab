"""The `neural` command, run as users run it: in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._cli.group import cli

MAIN = "from neural_core._cli import main; main()"
EVIL = "a\nERROR \x1b[2J[red]bold[/red]\u202e"
KILLED = """
import os, signal, sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker("killed", base_dir=sys.argv[1], auto_visualize=False)
tracker.log_metrics({"loss": 1.0}, step=0)
os.kill(os.getpid(), signal.SIGKILL)
"""


def neural(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        stdin=subprocess.DEVNULL,
    )


def track(base_dir: Path, name: str, rate: float, **more: Any) -> ExperimentTracker:
    """Make a finished experiment with three points of two metrics."""
    with ExperimentTracker(name, base_dir, False, hyperparameters={"lr": rate, "seed": 1}, **more) as tracker:
        for step in range(3):
            tracker.log_metrics({"train_loss": rate / (step + 1), "val_accuracy": rate * step}, step=step)
    return tracker


@pytest.fixture
def two(tmp_path: Path) -> tuple[ExperimentTracker, ExperimentTracker]:
    """Give two finished experiments in `tmp_path`."""
    return track(tmp_path, "first", 0.5), track(tmp_path, "second", 0.25)


def files(directory: Path) -> dict[str, bytes]:
    """Give every file of a folder with its content."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def journals(directory: Path) -> dict[str, bytes]:
    """Give the journals of an experiment: what its writer does to other files by itself is no matter here."""
    return {name: content for name, content in files(directory).items() if name.endswith(".nj")}


def test_help_names_every_verb() -> None:
    """Without a verb the command names its verbs, and with one its options."""
    shown = neural("--help")
    assert shown.returncode == 0
    for verb in ("ls", "show", "compare", "verify", "compact", "rm", "restore", "ui"):
        assert f"\n  {verb} " in shown.stdout
        assert "--base-dir" in CliRunner().invoke(cli, [verb, "--help"]).output


def test_help_imports_no_arrays() -> None:
    """Asking for help loads neither NumPy nor matplotlib nor rich."""
    code = f"""
import sys
try:
    {MAIN}
except SystemExit:
    pass
print([name for name in ("numpy", "matplotlib", "rich", "sqlite3") if name in sys.modules])
"""
    command = [sys.executable, "-c", code, "--help"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_ls_lists(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """A list has a line for each experiment, the newest first, with status, start and last values."""
    result = neural("ls", "--base-dir", str(tmp_path))
    assert (result.returncode, result.stderr) == (0, "")
    head, _, second, first = result.stdout.splitlines()
    assert head.split() == ["id", "name", "status", "start", "(UTC)", "val_accuracy", "train_loss"]
    assert first.startswith(f"{two[0].experiment_id}  first   completed  20")
    assert second.split()[-2:] == ["0.5", "0.083333"]


def test_ls_filters_and_sorts(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """--where chooses, --sort orders, --limit cuts and says so."""
    base = ("--base-dir", str(tmp_path))
    assert "second" not in neural("ls", *base, "--where", "params.lr > 0.3").stdout
    lines = neural("ls", *base, "--sort", "metrics.train_loss.min").stdout.splitlines()
    assert [line.split()[1] for line in lines[2:]] == ["second", "first"]
    cut = neural("ls", *base, "--limit", "1").stdout
    assert "second" in cut
    assert "first" not in cut
    assert "and more: --limit 0 shows all" in cut
    assert "no experiment matches" in neural("ls", *base, "--where", "name = 'third'").stdout


def test_ls_json_is_strict(tmp_path: Path) -> None:
    """--json gives everything that is known as strict JSON, numbers that are not finite as text."""
    with ExperimentTracker(EVIL, tmp_path, False, tags={"a": "b"}, notes="n") as tracker:
        tracker.log_metrics({"loss": float("nan"), "x": float("-inf")}, step=3)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    [one] = json.loads(neural("ls", "--base-dir", str(tmp_path), "--json").stdout, parse_constant=refuse)
    assert (one["experiment_id"], one["experiment_name"]) == (tracker.experiment_id, EVIL)
    assert (one["tags"], one["notes"], one["status"], one["error"]) == ({"a": "b"}, "n", "completed", None)
    assert one["metrics"]["loss"]["last"] == "NaN"
    assert one["metrics"]["x"] == {
        "count": 1,
        "last": "-Infinity",
        "last_step": 3,
        **dict.fromkeys(["min", "min_step", "max", "max_step"]),
    }
    assert Path(one["experiment_dir"]) == tracker.experiment_dir


def test_neural_dir_stands_in_for_the_default(tmp_path: Path, two: object) -> None:
    """NEURAL_DIR is the folder when none is named; a folder that is named wins, whatever it is called."""
    assert "first" in neural("ls", NEURAL_DIR=str(tmp_path)).stdout
    named = neural("ls", "--base-dir", "neural_experiments", NEURAL_DIR=str(tmp_path)).stdout
    assert named.startswith("no experiments in ")
    assert str(tmp_path) not in named


@pytest.mark.fault("U20")
@pytest.mark.parametrize("verb", ["ls", "show", "compare"])
def test_names_forge_nothing(tmp_path: Path, verb: str) -> None:
    """Control characters in a name are shown as escapes, and markup is shown as it is written."""
    name = f"[bold]{EVIL}"
    with ExperimentTracker(name, tmp_path, False, tags={EVIL: EVIL}, hyperparameters={EVIL: EVIL}) as tracker:
        tracker.log_metrics({EVIL: 1.0}, step=1)
    arguments = [] if verb == "ls" else [tracker.experiment_id]
    result = neural(verb, *arguments, "--base-dir", str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert all(line.isprintable() for line in result.stdout.split("\n"))
    assert not any(line.startswith("ERROR") for line in result.stdout.splitlines())
    assert r"[bold]a\nERROR \x1b[2J[red]bold[/red]\u202e" in result.stdout


def test_show_tells_everything(tmp_path: Path) -> None:
    """Showing an experiment names its facts, hyperparameters, metrics and artifacts, found by a beginning of its id."""
    (tmp_path / "model_1.pt").write_bytes(b"weights")
    with ExperimentTracker("one", tmp_path, False, hyperparameters={"net": {"width": 3}}, notes="why") as tracker:
        tracker.log_metrics({"loss": 0.5}, step=7)
        tracker.log_model(tmp_path / "model_1.pt", framework="pytorch")
    shown = neural("show", tracker.experiment_id[:5], "--base-dir", str(tmp_path)).stdout
    for text in (
        "one  ",
        "completed",
        "why",
        "net.width  3",
        "model.pt v1  model, 7 bytes",
        str(tracker.experiment_dir),
    ):
        assert text in shown
    assert ["loss", "1", "0.5", "0.5", "7", "0.5", "7"] in [line.split() for line in shown.splitlines()]


def test_compare_marks_the_best(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """A comparison shows the hyperparameters that differ and marks the best value of each metric."""
    ids = [tracker.experiment_id for tracker in two]
    lines = [line.split() for line in neural("compare", *ids, "--base-dir", str(tmp_path)).stdout.splitlines()]
    assert ["~", "lr", "0.5", "0.25"] in lines
    assert ["lowest", "train_loss", "0.16667", "0.083333*"] in lines
    assert ["highest", "val_accuracy", "1*", "0.5"] in lines
    assert not [line for line in lines if line[:1] == ["seed"]]


def test_compare_writes_a_report(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """--output writes the report into the folder and says where."""
    ids = [tracker.experiment_id for tracker in two]
    result = neural("compare", *ids, "--base-dir", str(tmp_path), "--output", str(tmp_path / "out"))
    page = tmp_path / "out" / "report.html"
    assert result.stdout.endswith(f"report: {page}\n")
    assert all(name in page.read_text() for name in ("first", "second"))


def test_verify_names_damage(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """Sound experiments give status 0; a flipped byte gives status 1, the file's name, and harms no other line."""
    assert neural("verify", "--base-dir", str(tmp_path)).returncode == 0
    part = next(two[0].experiment_dir.glob("metrics/*.parquet"))
    data = bytearray(part.read_bytes())
    data[100] ^= 1
    part.chmod(0o644)
    part.write_bytes(data)
    result = neural("verify", "--base-dir", str(tmp_path))
    assert result.returncode == 1
    assert f"DAMAGED  {two[0].experiment_dir.name}" in result.stdout
    assert f"metrics/{part.name}" in result.stdout
    assert f"sound  {two[1].experiment_dir.name}" in result.stdout
    assert neural("verify", two[1].experiment_id, "--base-dir", str(tmp_path)).returncode == 0


def test_compact_finalises_the_dead(tmp_path: Path) -> None:
    """An experiment whose process was killed is finalised once; one that is being written is left alone."""
    live = ExperimentTracker("live", tmp_path, False)
    live.log_metrics({"a": 1.0})
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    live.flush()
    before = journals(live.experiment_dir)
    first, second = (neural("compact", "--base-dir", str(tmp_path)) for _ in range(2))
    assert "marked interrupted; 1 part compacted" in first.stdout
    assert f"{live.experiment_dir.name}: is being written" in first.stdout
    assert "nothing to do" in second.stdout
    assert journals(live.experiment_dir) == before
    named = neural("compact", live.experiment_id, "--force", "--base-dir", str(tmp_path))
    assert named.returncode == 1
    assert "is being written by a living process" in named.stderr
    live.finish()


def test_rm_and_restore(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """Removing takes the whole id only, and restore brings every byte back."""
    base, identity = ("--base-dir", str(tmp_path)), two[0].experiment_id
    before = files(two[0].experiment_dir)
    short = neural("rm", identity[:8], *base)
    assert (short.returncode, "takes the whole id" in short.stderr) == (1, True)
    assert neural("rm", identity, *base).returncode == 0
    assert [row["experiment_id"] for row in ExperimentManager(tmp_path).list_experiments()] == [two[1].experiment_id]
    assert identity in neural("restore", *base).stdout
    assert neural("restore", identity, *base).returncode == 0
    assert files(two[0].experiment_dir) == before
    again = neural("restore", identity, *base)
    assert (again.returncode, "no experiment in the trash" in again.stderr) == (1, True)


NO_UI = """
import importlib.metadata as metadata

everything = metadata.entry_points
metadata.entry_points = lambda **asked: [
    point for point in everything(**asked) if point.dist is None or point.dist.name != "neural-ui"
]
"""


@pytest.fixture
def without_ui(tmp_path: Path) -> Path:
    """Give a folder that hides the installed UI from a process that has it on its path."""
    (tmp_path / "sitecustomize.py").write_text(NO_UI)
    return tmp_path


def test_ui_says_how_to_install_it(without_ui: Path) -> None:
    """Without the UI plugin `neural ui` says in one sentence how to install it."""
    result = neural("ui", PYTHONPATH=os.pathsep.join([str(without_ui), *sys.path]))
    assert result.returncode == 1
    assert result.stderr.startswith("Error: Dash not available")
    assert 'pip install -e ".[ui]"' in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--port", "8099"], "8099 {'debug': False}"),
        ([], "8052 {'debug': False}"),
        (["--port", "8052"], "8052 {'debug': False, 'exact_port': True}"),
        (
            ["--host", "0.0.0.0", "--allow-remote", "--open", "--debug"],
            "8052 {'debug': True, 'host': '0.0.0.0', 'allow_remote': True, 'open_browser': True}",
        ),
    ],
)
def test_ui_launches_what_is_installed(without_ui: Path, options: list[str], said: str) -> None:
    """With a distribution that registers the entry point neural.ui, `neural ui` serves with it, as it was asked to."""
    (without_ui / "fake_page.py").write_text(
        "class Page:\n"
        "    def __init__(self, manager, port): self.text = f'{manager.base_dir} {port}'\n"
        "    def run(self, **options): print('serving', self.text, options)\n"
    )
    info = without_ui / "fake_page-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-page\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[neural.ui]\nui = fake_page:Page\n")
    path = os.pathsep.join([str(without_ui), *sys.path])
    result = neural("ui", "--base-dir", str(without_ui), *options, PYTHONPATH=path)
    assert (result.stdout, result.stderr) == (f"serving {without_ui} {said}\n", "")


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["show", "0000"], 1, "no experiment in"),
        (["compare", "0000", "1111"], 1, "no experiment in"),
        (["verify", "0000"], 1, "no experiment in"),
        (["compact", "0000"], 1, "no experiment in"),
        (["ls", "--where", "params.lr <"], 2, "expected a number"),
        (["ls", "--sort", "lr"], 2, "there is no field 'lr'"),
        (["ls", "--limit", "many"], 2, "not a valid integer"),
        (["fly"], 2, "No such command 'fly'"),
        (["show"], 2, "Missing argument"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path: Path, arguments: list[str], status: int, sentence: str) -> None:
    """A user's mistake gives a sentence on the error stream and status 1 or 2, never a traceback."""
    result = neural(*arguments, NEURAL_DIR=str(tmp_path))
    assert (result.returncode, result.stdout) == (status, "")
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_base_dir_that_is_a_file(tmp_path: Path) -> None:
    """A base folder that is a file is told, and nothing is made."""
    (tmp_path / "file").write_text("x")
    result = neural("ls", "--base-dir", str(tmp_path / "file"))
    assert (result.returncode, "is a file" in result.stderr) == (2, True)


def test_reader_that_leaves(tmp_path: Path, two: object) -> None:
    """A pipe that is closed early ends the command without a traceback."""
    code = f"import sys; sys.argv = ['neural', 'ls', '--base-dir', {str(tmp_path)!r}]; {MAIN}"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait()
