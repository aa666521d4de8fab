"""`neural plugins`, `neural sync` and `neural status`, run as users run them: in a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from distribution_support import make_distribution, run_python

from neural_core import ExperimentTracker
from neural_core._storage.writing.edits import edit

MAIN = "from neural_core._cli import main; main()"
KIT = {
    "record": "neural_core.testing:RecordingPlugin",
    "raise": "neural_core.testing:RaisingPlugin",
    "picky": "sources:Picky",
}
SOURCES = '''
import click
from neural_core.hookspecs import hookimpl
from neural_core.testing import RecordingPlugin

class Picky(RecordingPlugin):
    """Has a destination, and raises while a file is there."""
    def __init__(self, path, refuse):
        super().__init__(path)
        self.path, self.refuse = path, refuse
    def destination(self):
        return self.path
    def heard(self, hook, arguments):
        import os
        if hook == "neural_metrics_logged" and arguments["rows"][0].step >= 1000 and os.path.exists(self.refuse):
            raise RuntimeError("refused for now")
        super().heard(hook, arguments)

class Misspelt:
    @hookimpl
    def neural_metrics_loged(self, rows):
        pass

@click.command()
def greet():
    """Greet."""
    click.echo("good day")
'''


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Give a folder with a distribution of backends, a broken plugin and a verb."""
    points = {
        "neural.backends": KIT,
        "neural.plugins": {"misspelt": "sources:Misspelt", "gone": "no_such_module:Plugin"},
        "neural.commands": {"greet": "sources:greet", "ls": "sources:greet", "broken": "sources:Misspelt"},
    }
    return make_distribution(tmp_path / "site", "neural-kit", points, version="2.5", sources=SOURCES)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Give a base folder with two finished experiments of 1,500 rows and of 3."""
    for name, rows in (("long", 1_500), ("short", 3)):
        track(tmp_path / "runs", name, rows)
    return tmp_path / "runs"


def track(base: Path, name: str, rows: int) -> ExperimentTracker:
    """Make a finished experiment."""
    with ExperimentTracker(name, base, auto_visualize=False) as tracker:
        for step in range(rows):
            tracker.log_metrics({"loss": step / 2}, step=step)
    return tracker


def neural(
    installed: Path, *arguments: object, status: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    return run_python(MAIN, *map(str, arguments), path=installed, status=status, **environment)


def heard(path: Path) -> list[dict[str, Any]]:
    """Give the calls that a recording plugin wrote down."""
    return [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]


def steps(path: Path) -> dict[str, list[int]]:
    """Give the steps of the rows that a recording plugin wrote down, by experiment."""
    found: dict[str, list[int]] = {}
    for call in heard(path):
        found.setdefault(call["experiment_id"], []).extend(step for _, step, _ in call.get("rows", ()))
    return found


def test_plugins_table(installed: Path) -> None:
    """Each plugin has its package, version, group, hooks and state; a broken one has its reason below the table."""
    shown = neural(installed, "plugins").stdout.splitlines()
    [record] = [line for line in shown if line.startswith("record ")]
    assert record.split()[1:5] == ["backends", "neural-kit", "2.5", "ok"]
    assert "metrics_logged" in record
    [plots] = [line for line in shown if line.startswith("matplotlib ")]
    assert plots.split()[1:] == ["visualizers", "neural-core", "0.1.0", "ok", "make_comparison_plots,", "make_plots"]
    broken = [line for line in shown if line.startswith("broken: ")]
    assert any("'gone' (neural-kit 2.5) does not import: ModuleNotFoundError" in line for line in broken)
    assert any("neural_metrics_loged" in line for line in broken)


def test_plugins_json(installed: Path) -> None:
    """With --json everything is there; what the environment blocks is not imported."""
    listed = json.loads(neural(installed, "plugins", "--json", NEURAL_DISABLE_PLUGINS="gone").stdout)
    states = {(plugin["group"], plugin["name"]): plugin["state"] for plugin in listed}
    assert states["neural.plugins", "gone"] == "blocked"
    assert states["neural.plugins", "misspelt"] == "broken"
    assert states["neural.plugins", "auto-plots"] == "ok"
    assert states["neural.commands", "greet"] == "ok"


def test_plugins_that_end_their_process(tmp_path: Path) -> None:
    """A plugin whose import ends its process, or prints, is listed like any other, with what it does."""
    points = {
        "neural.plugins": {"ends": "ending:Plugin", "prints": "printing:Plugin"},
        "neural.ui": {"none": "ending:X"},
    }
    printing = "print('{}')\nclass Plugin:\n    pass\n"
    site = make_distribution(tmp_path, "neural-odd", points, ending="import os; os._exit(3)", printing=printing)
    listed = json.loads(neural(site, "plugins", "--json").stdout)
    states = {(one["group"], one["name"]): (one["state"], one["error"]) for one in listed}
    broken = "broken", "plugin 'ends' (neural-odd 1.0): its import ends its process"
    assert states["neural.plugins", "ends"] == broken
    assert states["neural.plugins", "prints"] == ("ok", None)
    assert states["neural.ui", "none"][0] == "broken"
    assert states["neural.plugins", "auto-plots"] == ("ok", None)


def test_plugins_that_failed(installed: Path, base: Path) -> None:
    """What a plugin said when it failed last is shown, whichever process it failed in; without failures nothing is."""
    shown = neural(installed, "plugins", "--base-dir", base).stdout
    assert "failed: " not in shown
    neural(installed, "sync", "--all", "--to", "raise", "--base-dir", base, status=1)
    shown = neural(installed, "plugins", "--base-dir", base).stdout.splitlines()
    [line] = [line for line in shown if line.startswith("failed: ")]
    reason = "plugin 'raise' (neural-kit 2.5) raised RuntimeError in neural_metrics_logged: raised on purpose"
    assert re.match(rf"failed: raise \(neural-kit 2\.5\), (long|short)_[0-9a-f]{{12}}: {re.escape(reason)}", line)
    listed = json.loads(neural(installed, "plugins", "--base-dir", base, "--json").stdout)
    [failed] = [plugin for plugin in listed if plugin["last_failure"]]
    assert (failed["name"], failed["state"], failed["error"]) == ("raise", "ok", None)
    assert failed["last_failure"]["error"].startswith(reason)


def test_verbs_of_plugins(installed: Path) -> None:
    """A plugin adds a verb, which the help names; it cannot replace one of ours, and a broken one is a sentence."""
    assert neural(installed, "greet").stdout == "good day\n"
    shown = neural(installed, "--help").stdout
    assert "greet" in shown
    assert "neural-kit 2.5" in shown
    assert "good day" not in neural(installed, "ls").stdout
    assert "is no click command" in neural(installed, "broken", status=2).stderr


def test_sync_all(installed: Path, base: Path, tmp_path: Path) -> None:
    """`sync --all` delivers every row of every experiment once and says so; a second time there is nothing to do."""
    arguments = ["sync", "--all", "--to", "record", "--option", f"path={tmp_path / 'calls'}", "--base-dir", base]
    said = neural(installed, *arguments).stdout
    assert "1,500 rows delivered to record" in said
    assert "3 rows delivered to record" in said
    assert sorted(steps(tmp_path / "calls").values()) == sorted([list(range(1_500)), [0, 1, 2]])
    before = (tmp_path / "calls").read_bytes()
    again = neural(installed, *arguments).stdout
    assert again.count("nothing to do, record has it all") == 2
    assert (tmp_path / "calls").read_bytes() == before


def test_sync_one(installed: Path, base: Path, tmp_path: Path) -> None:
    """`sync ID` delivers that experiment, found by the beginning of its id."""
    tracker = track(base, "one", 5)
    arguments = ["--to", "record", "--option", f"path={tmp_path / 'calls'}", "--base-dir", base]
    assert "5 rows delivered" in neural(installed, "sync", tracker.experiment_id[:8], *arguments).stdout
    assert steps(tmp_path / "calls") == {tracker.experiment_id: [0, 1, 2, 3, 4]}
    assert neural(installed, "sync", "ffff0000ffff", *arguments, status=1).stderr.startswith("Error: no experiment")


def test_sync_ends_what_was_killed(installed: Path, tmp_path: Path) -> None:
    """An experiment whose process was killed is brought to its end, which the backend hears, too."""
    code = (
        "import os, sys; from neural_core import ExperimentTracker; t = ExperimentTracker('k', sys.argv[1], False); "
        "t.log_metrics({'loss': 1.0}, step=0); os.kill(os.getpid(), 9)"
    )
    run_python(code, str(tmp_path / "runs"), path=installed, status=-9)
    arguments = ["--to", "record", "--option", f"path={tmp_path / 'calls'}", "--base-dir", tmp_path / "runs"]
    assert "1 row delivered" in neural(installed, "sync", "--all", *arguments).stdout
    last = heard(tmp_path / "calls")[-1]
    assert (last["hook"], last["status"], last["complete"]) == ("neural_experiment_finished", "interrupted", True)


def test_sync_leaves_the_living_alone(installed: Path, tmp_path: Path) -> None:
    """With --all an experiment that is being written is named and left; by its id it is delivered so far."""
    tracker = ExperimentTracker("live", tmp_path / "runs", auto_visualize=False)
    tracker.log_metrics({"loss": 1.0}, step=0)
    arguments = ["--to", "record", "--option", f"path={tmp_path / 'calls'}", "--base-dir", tmp_path / "runs"]
    assert "is being written" in neural(installed, "sync", "--all", *arguments).stdout
    assert not (tmp_path / "calls").exists()
    assert "1 row delivered" in neural(installed, "sync", tracker.experiment_id, *arguments).stdout
    tracker.log_metrics({"loss": 0.5}, step=1)
    tracker.finish()
    assert "1 row delivered" in neural(installed, "sync", "--all", *arguments).stdout
    assert steps(tmp_path / "calls") == {tracker.experiment_id: [0, 1]}


def test_sync_goes_on(installed: Path, base: Path, tmp_path: Path) -> None:
    """What a backend refused stays behind with status 1 and is told by `status`; the next sync goes on from there."""
    refuse = tmp_path / "refuse"
    refuse.touch()
    arguments = ["sync", "--all", "--to", "picky", "--base-dir", base, "--option", f"path={tmp_path / 'calls'}"]
    arguments += ["--option", f"refuse={refuse}"]
    first = neural(installed, *arguments, status=1)
    assert "1,000 rows delivered to picky, 500 rows behind" in first.stdout
    assert "refused for now" in first.stdout
    assert "3 rows delivered to picky" in first.stdout
    told = json.loads(neural(installed, "status", "--base-dir", base, "--json").stdout)
    assert sorted((one["state"], one["delivered"], one["behind"]) for one in told) == [
        ("complete", 3, 0),
        ("set aside", 1_000, 500),
    ]
    refuse.unlink()
    assert "500 rows delivered to picky" in neural(installed, *arguments).stdout
    assert sorted(steps(tmp_path / "calls").values()) == sorted([list(range(1_500)), [0, 1, 2]])


def test_sync_to_two_destinations(installed: Path, base: Path, tmp_path: Path) -> None:
    """Two destinations of one backend are two: each gets everything."""
    common = ["sync", "--all", "--to", "picky", "--base-dir", base, "--option", f"refuse={tmp_path / 'no'}"]
    for name in ("one", "two"):
        assert "1,500 rows" in neural(installed, *common, "--option", f"path={tmp_path / name}").stdout
    assert steps(tmp_path / "one") == steps(tmp_path / "two")
    shown = neural(installed, "status", "--base-dir", base).stdout
    assert shown.count(" complete ") == 4
    assert str(tmp_path / "two") in shown


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["sync", "--to", "record"], 2, "name experiments by ID, or take all with --all"),
        (["sync", "abcd", "--all", "--to", "record"], 2, "name experiments by ID"),
        (["sync", "--all"], 2, "Missing option '--to'"),
        (
            ["sync", "--all", "--to", "nowhere"],
            1,
            "backend 'nowhere' is not installed (installed: ",
        ),
        (["sync", "--all", "--to", "record", "--option", "path"], 2, "'path' is not KEY=VALUE"),
        (["sync", "--all", "--to", "record", "--option", "colour=3"], 2, "cannot be made (options: 'colour')"),
    ],
)
def test_sync_misused(installed: Path, base: Path, arguments: list[str], status: int, sentence: str) -> None:
    """What cannot work is one sentence that says what would."""
    result = neural(installed, *arguments, "--base-dir", base, status=status)
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_status(installed: Path, base: Path, tmp_path: Path) -> None:
    """Without deliveries `status` says what would deliver; with an id it shows that experiment alone."""
    assert "nothing was delivered" in neural(installed, "status", "--base-dir", base).stdout
    one = track(base, "one", 5)
    options = ["--to", "record", "--option", f"path={tmp_path / 'calls'}", "--base-dir", base]
    neural(installed, "sync", "--all", *options)
    shown = neural(installed, "status", one.experiment_id, "--base-dir", base).stdout.splitlines()
    assert len([line for line in shown if "record" in line]) == 1
    assert shown[-1].split() == [one.experiment_dir.name, "record", "complete", "5", "0"]


def test_status_names_what_is_behind(installed: Path, base: Path, tmp_path: Path) -> None:
    """Rows that were logged after a delivery are counted as behind."""
    options = ["--to", "record", "--option", f"path={tmp_path / 'calls'}", "--base-dir", base]
    one = track(base, "one", 5)
    neural(installed, "sync", one.experiment_id, *options)
    with ExperimentTracker.resume(one.experiment_id, base) as again:
        again.auto_visualize = False
        again.log_metrics({"loss": 0.0}, step=5)
    [told] = json.loads(neural(installed, "status", one.experiment_id, "--base-dir", base, "--json").stdout)
    assert (told["state"], told["behind"]) == ("behind", 1)


def test_what_nobody_is_told_of_is_not_behind(installed: Path, base: Path, tmp_path: Path) -> None:
    """A colour that was chosen after the end leaves a backend complete, and `sync` has nothing to do."""
    options = ["--to", "record", "--option", f"path={tmp_path / 'calls'}", "--base-dir", base]
    one = track(base, "one", 5)
    neural(installed, "sync", one.experiment_id, *options)
    edit(one.experiment_dir, {"kind": "appearance_changed", "color": "#123456"})
    [told] = json.loads(neural(installed, "status", one.experiment_id, "--base-dir", base, "--json").stdout)
    assert (told["state"], told["behind"]) == ("complete", 0)
    assert "nothing to do" in neural(installed, "sync", one.experiment_id, *options).stdout
