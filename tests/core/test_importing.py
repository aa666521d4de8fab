"""What another tool recorded is brought in whole, with its own times, as often as one likes."""

from __future__ import annotations

import math
import subprocess
from pathlib import Path

import pytest
from attrs import evolve, frozen
from distribution_support import make_distribution, run_python

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.errors import ArgumentTypeError, ExperimentInUseError
from neural_core.importing import ForeignRun, ImportTarget, import_run

MAIN = "from neural_core._cli import main; main()"
SOURCES = """
import json
from attrs import frozen
from neural_core.errors import ConfigurationError
from neural_core.importing import ForeignRun, import_command
import click

@frozen
class Line(ForeignRun):
    text: str = ""
    def write_to(self, target):
        if self.text == "deep":
            json.loads("[" * 100_000)
        for step, word in enumerate(self.text.split()):
            target.log_metrics({"number": float(word)}, step, 100.0 + step)
        target.leave_out("audio clips", 2)
        target.end("completed", 200.0)

def read(source, limit):
    try:
        with open(source) as file:
            lines = file.read().splitlines()
    except OSError as error:
        raise ConfigurationError(f"{source}: {error.strerror}") from error
    for at, text in enumerate(lines[:limit]):
        yield Line(f"lines:{source}/{at}", f"line {at}", text, 100.0, text)

command = import_command("lines", read, help="Bring in lines of numbers.", params=[click.Option(["--limit"], type=int)])
"""


@frozen
class Run(ForeignRun):
    """A run with one of everything."""

    folder: Path = Path()
    rows: int = 3

    def write_to(self, target: ImportTarget) -> None:
        """Log it."""
        target.log_hyperparameters({"lr": 0.1, "model": {"depth": 3}})
        for at in range(self.rows):
            target.log_metrics({"loss": [1.5, math.nan, math.inf][at % 3], "größe": float(at)}, 7 - at, 1000.0 + at)
        target.set_tags({"team": "red"})
        target.set_notes("as it was")
        (self.folder / "weights.bin").write_bytes(b"weights")
        (self.folder / "curve.png").write_bytes(b"\x89PNG\r\n\x1a\n")
        target.log_artifact(self.folder / "weights.bin", metadata={"epoch": 3})
        target.log_artifact(self.folder / "weights.bin", "weights.bin", kind="model")
        target.log_artifact(self.folder / "curve.png", kind="figure")
        target.leave_out("histograms", 3)
        target.leave_out("histograms")
        target.end("failed", 2000.0)


@pytest.fixture
def foreign(tmp_path: Path) -> Run:
    """Give a foreign run."""
    return Run("tool:place/1", "a run", "state 1", 900.0, tmp_path)


def test_everything_arrives_with_its_times(foreign: Run, tmp_path: Path) -> None:
    """Rows, hyperparameters, tags, notes, artifacts, status and times are those of the original, to the last bit."""
    done = import_run(foreign, tmp_path / "runs")
    assert (done.outcome, done.rows, done.hyperparameters, done.artifacts) == ("new", 3, 2, 3)
    assert done.left_out == {"histograms": 4}
    manager = ExperimentManager(tmp_path / "runs")
    [row] = manager.runs()
    assert (row.name, row.status, row.notes, row.tags) == ("a run", "failed", "as it was", {"team": "red"})
    assert row.start_time.startswith("1970-01-01T00:15:00")
    assert row.end_time is not None
    assert row.end_time.startswith("1970-01-01T00:33:20")
    tracker = manager.get_experiment(done.experiment_id)
    assert tracker.hyperparameters == {"lr": 0.1, "model": {"depth": 3}}
    assert [(r["step"], r["timestamp"], repr(r["loss"])) for r in tracker.metrics_history] == [
        (7, 1000.0, "1.5"),
        (6, 1001.0, "nan"),
        (5, 1002.0, "inf"),
    ]
    assert [v.kind for v in tracker.list_artifact_versions("weights.bin")] == ["file", "model"]
    assert tracker.list_artifact_versions("weights.bin")[0].metadata == {"epoch": 3}
    assert (done.directory / "plots" / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert manager.verify() == {done.directory.name: []}
    assert list(done.directory.glob("metrics/*.parquet"))


def test_again_changes_nothing(foreign: Run, tmp_path: Path) -> None:
    """A run that has not changed is left alone the second time."""
    first = import_run(foreign, tmp_path / "runs")
    again = import_run(foreign, tmp_path / "runs")
    assert (again.outcome, again.directory, again.rows) == ("unchanged", first.directory, 0)
    assert len(ExperimentManager(tmp_path / "runs").runs()) == 1


def test_a_run_that_has_grown_takes_the_place_of_the_earlier_import(foreign: Run, tmp_path: Path) -> None:
    """A run in another state is brought in anew under the same id; the earlier experiment is in the trash."""
    first = import_run(foreign, tmp_path / "runs")
    again = import_run(evolve(foreign, state="state 2", rows=9, name="renamed"), tmp_path / "runs")
    assert (again.outcome, again.rows, again.experiment_id) == ("replaced", 9, first.experiment_id)
    manager = ExperimentManager(tmp_path / "runs")
    assert [row.name for row in manager.runs()] == ["renamed"]
    assert [one["experiment_name"] for one in manager.list_trash()] == ["a run"]


@pytest.mark.parametrize("odd", [math.nan, math.inf, 1.7e12, -1e12])
def test_times_that_no_calendar_has(foreign: Run, tmp_path: Path, odd: float) -> None:
    """A start, row or end at a time that is none (milliseconds, NaN) costs no run; the last good time is its end."""

    @frozen
    class Odd(Run):
        def write_to(self, target: ImportTarget) -> None:
            target.log_metrics({"loss": 1.0}, 0, 1000.0)
            target.log_metrics({"loss": 2.0}, 1, odd)
            target.end("completed", odd)

    done = import_run(Odd(foreign.source, foreign.name, foreign.state, odd, tmp_path), tmp_path / "runs")
    manager = ExperimentManager(tmp_path / "runs")
    [row] = manager.runs()
    assert (row.status, row.end_time) == ("completed", "1970-01-01T00:16:40.000000+00:00")
    assert manager.get_experiment(done.experiment_id).get_metrics("loss") == [1.0, 2.0]
    assert manager.verify() == {done.directory.name: []}


def test_an_import_that_fails_leaves_nothing(foreign: Run, tmp_path: Path) -> None:
    """A run that holds what cannot be kept raises, and no experiment of it is seen; the next attempt works."""

    @frozen
    class Odd(Run):
        def write_to(self, target: ImportTarget) -> None:
            super().write_to(target)
            target.log_metrics({"loss": "high"}, 1)  # type: ignore[dict-item]

    odd = Odd(foreign.source, foreign.name, foreign.state, None, tmp_path)
    with pytest.raises(ArgumentTypeError, match="loss"):
        import_run(odd, tmp_path / "runs")
    assert ExperimentManager(tmp_path / "runs").runs() == []
    assert import_run(foreign, tmp_path / "runs").outcome == "new"


def test_what_a_killed_import_left_goes(foreign: Run, tmp_path: Path) -> None:
    """An import that was killed in its middle is not seen, and the next one takes its place."""
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_importing import Run, import_run
class Killed(Run):
    def write_to(self, target):
        super().write_to(target)
        os.kill(os.getpid(), 9)
import_run(Killed("tool:place/1", "a run", "state 1", 900.0, Path(sys.argv[1])), sys.argv[1] + "/runs")
"""
    run_python(code, str(tmp_path), path=Path(__file__).parents[1] / "support", status=-9)
    assert list((tmp_path / "runs" / ".importing").iterdir())
    assert ExperimentManager(tmp_path / "runs").runs() == []
    assert import_run(foreign, tmp_path / "runs").outcome == "new"
    assert not (tmp_path / "runs" / ".importing").exists()


def test_an_import_that_was_resumed_is_not_replaced_while_it_runs(foreign: Run, tmp_path: Path) -> None:
    """An imported experiment that a tracker continues is not thrown away under it."""
    done = import_run(foreign, tmp_path / "runs")
    with ExperimentTracker.resume(done.experiment_id, tmp_path / "runs") as tracker:
        tracker.auto_visualize = False
        tracker.log_metrics({"loss": 0.5}, step=8)
        with pytest.raises(ExperimentInUseError):
            import_run(evolve(foreign, state="state 2"), tmp_path / "runs")
    assert len(tracker.metrics_history) == 4


class TestCommand:
    @pytest.fixture
    def site(self, tmp_path: Path) -> Path:
        """Give a folder with a distribution that imports lines."""
        points = {"neural.commands": {"import-lines": "lines_plugin:command"}}
        return make_distribution(tmp_path / "site", "neural-lines", points, lines_plugin=SOURCES)

    def neural(self, site: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the command `neural`."""
        return run_python(MAIN, "import", *arguments, path=site, status=status)

    def test_counts_what_it_took_and_what_it_could_not(self, site: Path, tmp_path: Path) -> None:
        """Each run is one line with what was taken and left out, then the sum; a second time all is there already."""
        (tmp_path / "source.txt").write_text("1 2 3\nnan\n")
        arguments = ("lines", str(tmp_path / "source.txt"), "--base-dir", str(tmp_path / "runs"))
        first, second, total = self.neural(site, *arguments).stdout.splitlines()
        assert first.startswith("line 0: brought in as ")
        assert first.endswith(": 3 rows, 0 hyperparameters, 0 artifacts; left out: audio clips (2)")
        assert "1 row, " in second
        assert total == f"2 runs: 2 brought in, 0 there already, 0 failed; in {tmp_path / 'runs'}"
        again = self.neural(site, *arguments).stdout.splitlines()
        assert again[0].endswith("has it already")
        assert again[-1].startswith("2 runs: 0 brought in, 2 there already, 0 failed")

    def test_one_run_that_cannot_be_brought_in_harms_no_other(self, site: Path, tmp_path: Path) -> None:
        """A run that fails is named on stderr, the others are brought in, and the status is 1."""
        (tmp_path / "source.txt").write_text("1\n1e400 x\n2\n".replace("1e400 x", "1 " * 3))
        (tmp_path / "runs").mkdir()
        (tmp_path / "runs" / ".importing").write_text("in the way")
        arguments = ("lines", str(tmp_path / "source.txt"), "--base-dir", str(tmp_path / "runs"))
        done = self.neural(site, *arguments, status=1)
        assert "line 0: not brought in: " in done.stderr
        assert done.stdout.splitlines()[-1].startswith("3 runs: 0 brought in, 0 there already, 3 failed")

    def test_a_run_that_nests_without_end_harms_no_other(self, site: Path, tmp_path: Path) -> None:
        """A run whose file nests more than Python reads is one that cannot be brought in; the others are."""
        (tmp_path / "source.txt").write_text("1\ndeep\n2\n")
        done = self.neural(site, "lines", str(tmp_path / "source.txt"), "--base-dir", str(tmp_path / "runs"), status=1)
        assert "line 1: not brought in: " in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout.splitlines()[-1].startswith("3 runs: 2 brought in, 0 there already, 1 failed")

    def test_options_and_mistakes(self, site: Path, tmp_path: Path) -> None:
        """Options of the plugin reach it; a source that is none is one sentence; help lists the tools."""
        (tmp_path / "source.txt").write_text("1\n2\n")
        base = ("--base-dir", str(tmp_path / "runs"))
        limited = self.neural(site, "lines", str(tmp_path / "source.txt"), *base, "--limit", "1")
        assert limited.stdout.splitlines()[-1].startswith("1 run: 1 brought in")
        wrong = self.neural(site, "lines", str(tmp_path / "nothing"), *base, status=2)
        assert wrong.stderr.strip().endswith("nothing: No such file or directory")
        assert "Traceback" not in wrong.stderr
        assert "lines From neural-lines 1.0." in " ".join(self.neural(site, "--help").stdout.split())
        assert "import-lines" not in run_python(MAIN, "--help", path=site).stdout
