"""`create_integration`: one backend by itself; what is logged passes through a spool and is never lost."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
from pathlib import Path

import pytest
from delivery_support import environment, finished, heard, install_probe, run, start, steps_once
from distribution_support import make_distribution, run_python
from journal_support import ROOT

from neural_core._storage.folder import SPOOLS
from neural_core.testing import wait_for

HEAD = """
import os, sys
from neural.tracking import BaseIntegration, ExperimentManager, ExperimentTracker, create_integration
def log(to, first, last):
    for step in range(first, last):
        to.log_metrics({"loss": step / 8}, step=step)
"""
MAIN = "from neural_core._cli import main; main()"


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the backends for these tests."""
    return install_probe(tmp_path_factory.mktemp("packages"))


def spools(folder: Path) -> list[Path]:
    """Give the spools of the default folder of a script that ran in `folder`."""
    return [path for path in (folder / "neural_experiments" / SPOOLS).glob("*") if path.is_dir()]


def left_behind(probe: Path, folder: Path) -> tuple[Path, str]:
    """Run a script there whose backend takes none of its five rows; give the spool that stays, and what was told."""
    env = environment(probe, NEURAL_FINISH_SECONDS="1", NEURAL_LINGER="0.1")
    code = f"""{HEAD}
backend = create_integration("raising", "alone")
log(backend, 0, 5)
backend.finish()
"""
    _, errors = run(code, env=env, cwd=folder)
    [spool] = spools(folder)
    return spool, errors


def test_every_verb_reaches_the_backend_and_nothing_stays(probe: Path, tmp_path: Path) -> None:
    """Hyperparameters, metrics, files, models, figures, tags and the end arrive in order; then the spool is gone."""
    code = f"""{HEAD}
from matplotlib.figure import Figure
backend = create_integration("record", "alone", path="heard")
assert isinstance(backend, BaseIntegration) and backend.experiment_name == "alone"
backend.log_hyperparameters({{"lr": 0.1}})
log(backend, 0, 5)
open("model_1.pt", "w").write("weights")
backend.log_artifact("model_1.pt", name="weights")
backend.log_model("model_1.pt", framework="pytorch", version=True)
backend.log_figure(Figure(), "curve")
backend.set_tags(["tried"])
backend.flush()
backend.finish("failed")
backend.finish()
assert ExperimentManager().list_experiments() == []
"""
    assert run(code, env=environment(probe), cwd=tmp_path) == ("", "")
    calls = heard(tmp_path / "heard")
    told = [call["hook"].removeprefix("neural_") for call in calls]
    assert told == [
        "experiment_started",
        "status_changed",
        "hyperparameters_logged",
        "metrics_logged",
        *["artifact_logged"] * 3,
        "annotations_changed",
        "status_changed",
        "experiment_finished",
    ]
    assert steps_once(calls) == [0, 1, 2, 3, 4]
    assert not spools(tmp_path)


def test_a_backend_that_cannot_loses_nothing(probe: Path, tmp_path: Path) -> None:
    """What a backend did not take is told once with the line that delivers it later; that line does, and tidies up."""
    spool, errors = left_behind(probe, tmp_path)
    line = f"neural sync {spool.name.rpartition('_')[2]} --to raising"
    assert line in errors
    arguments = ["sync", spool.name.rpartition("_")[2], "--to", "record", "--option", "path=heard"]
    done = run_python(MAIN, *arguments, path=probe, cwd=tmp_path)
    assert "5 rows delivered to record" in done.stdout
    assert steps_once(heard(tmp_path / "heard")) == [0, 1, 2, 3, 4]
    assert spools(tmp_path) == [spool], "raising has not got it yet"


def test_the_line_that_delivers_later_can_be_typed(probe: Path, tmp_path: Path) -> None:
    """It names an experiment in a folder of its own by its path, and which options there were, but not their values."""
    code = f"""{HEAD}
slow = {{"slow": {{"path": "heard", "seconds": 99}}}}
tracker = ExperimentTracker("alone", "my runs", auto_visualize=False, backend=slow)
log(tracker, 0, 5)
tracker.finish()
"""
    env = environment(probe, NEURAL_FINISH_SECONDS="0.1", NEURAL_LINGER="0.1")
    _, errors = run(code, env=env, cwd=tmp_path)
    [typed] = [shlex.split(line.partition("later: ")[2]) for line in errors.splitlines() if "later: " in line]
    assert typed[3:] == ["--to", "slow", "--option", "path=…", "--option", "seconds=…"]
    done = run_python(MAIN, "sync", typed[2], "--to", "record", "--option", "path=second", path=probe, cwd=tmp_path)
    assert "5 rows delivered to record" in done.stdout


def test_sync_all_takes_spools_and_removes_them(probe: Path, tmp_path: Path) -> None:
    """After a script was killed `neural sync --all` delivers its spool and removes it."""
    env = environment(probe, NEURAL_COMPANION="0")
    code = f"""{HEAD}
backend = create_integration("slow", "alone", path="heard", seconds=1000)
log(backend, 0, 5)
print("logged", flush=True)
input()
"""
    process = start(code, env=env, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "logged\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    status = run_python(MAIN, "status", "--json", path=probe, cwd=tmp_path)
    assert '"to": "slow"' in status.stdout
    arguments = ["sync", "--all", "--to", "slow", "--option", "path=heard", "--option", "seconds=0"]
    assert "5 rows delivered to slow" in run_python(MAIN, *arguments, path=probe, cwd=tmp_path).stdout
    assert steps_once(heard(tmp_path / "heard")) == [0, 1, 2, 3, 4]
    assert not spools(tmp_path)


def test_what_a_backend_writes_beside_it_stays(tmp_path: Path) -> None:
    """The CSV file that a third party's backend writes beside an experiment stays; what passed through goes."""
    source = (ROOT / "examples" / "neural_csv" / "neural_csv.py").read_text()
    site = make_distribution(
        tmp_path / "site", "neural-csv", {"neural.backends": {"csv": "neural_csv:CsvBackend"}}, neural_csv=source
    )
    code = f"""{HEAD}
backend = create_integration("csv", "alone")
log(backend, 0, 5)
backend.finish()
print(*(path.relative_to(backend.experiment_dir) for path in backend.experiment_dir.rglob("*")))
"""
    assert run(code, env=environment(site), cwd=tmp_path) == ("metrics.csv\n", "")
    (table,) = tmp_path.glob(f"neural_experiments/{SPOOLS}/alone_*/metrics.csv")
    assert [line.split(",")[2:] for line in table.read_text().splitlines()] == [
        [str(step), "loss", str(step / 8)] for step in range(5)
    ]


def test_a_script_without_finish_leaves_no_spool(probe: Path, tmp_path: Path) -> None:
    """Of a script that ends without `finish` everything arrives, and then nothing of it stays behind."""
    code = f"""{HEAD}
backend = create_integration("record", "alone", path="heard")
log(backend, 0, 5)
"""
    assert run(code, env=environment(probe), cwd=tmp_path) == ("", "")
    wait_for(lambda: not spools(tmp_path))
    assert steps_once(heard(tmp_path / "heard")) == [0, 1, 2, 3, 4]


def test_what_arrives_after_finish_leaves_no_spool(probe: Path, tmp_path: Path) -> None:
    """A spool that its backend got only after the time of `finish` was over goes as well."""
    env = environment(probe, NEURAL_FINISH_SECONDS="0.1")
    code = f"""{HEAD}
backend = create_integration("slow", "alone", path="heard", seconds=0.3)
log(backend, 0, 5)
backend.finish()
"""
    _, errors = run(code, env=env, cwd=tmp_path)
    assert "has not heard everything yet" in errors
    wait_for(lambda: not spools(tmp_path))
    assert steps_once(heard(tmp_path / "heard")) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("killed", [False, True])
def test_sync_all_leaves_the_spools_of_others(probe: Path, tmp_path: Path, killed: bool) -> None:
    """`neural sync --all` gives a backend only what was on its way to it, also before that one heard a word of it."""
    spool, _ = left_behind(probe, tmp_path)
    if killed:  # script and companion, before there was a cursor
        shutil.rmtree(spool / "delivery")
    run_python(MAIN, "sync", "--all", "--to", "record", "--option", "path=heard", path=probe, cwd=tmp_path)
    assert heard(tmp_path / "heard") == []
    assert spools(tmp_path) == [spool]
    [told] = json.loads(run_python(MAIN, "status", "--json", path=probe, cwd=tmp_path).stdout)
    assert (told["to"], told["behind"]) == ("raising", 5)


def test_an_option_that_cannot_cross_leaves_nothing(probe: Path, tmp_path: Path) -> None:
    """An option that cannot be handed to another process is refused before anything is made."""
    code = f"""{HEAD}
for make in (create_integration, lambda name, of, **more: ExperimentTracker(of, backend={{name: more}})):
    try:
        make("record", "alone", path=object())
    except TypeError as error:
        print(str(error)[:20])
"""
    assert run(code, env=environment(probe), cwd=tmp_path) == ("options of a backend\n" * 2, "")
    assert not list(tmp_path.iterdir())


def test_two_backends_beside_a_tracker(probe: Path, tmp_path: Path) -> None:
    """The guide's way of several backends works for any: a tracker and two integrations, each told by itself."""
    code = f"""{HEAD}
tracker = ExperimentTracker("multi", auto_visualize=False)
backends = [create_integration("record", "multi", path=name) for name in ("one", "two")]
for to in [tracker, *backends]:
    to.log_hyperparameters({{"lr": 0.01}})
    log(to, 0, 10)
for to in [tracker, *backends]:
    to.finish()
[only] = ExperimentManager().list_experiments()
assert only["experiment_name"] == "multi"
"""
    assert run(code, env=environment(probe), cwd=tmp_path) == ("", "")
    for name in ("one", "two"):
        assert steps_once(heard(tmp_path / name)) == list(range(10))
    assert not spools(tmp_path)


@pytest.mark.parametrize(
    ("ending", "status"), [("pass", "completed"), ("1 / 0", "failed"), ("raise KeyboardInterrupt", "interrupted")]
)
def test_a_with_block_ends_it(probe: Path, tmp_path: Path, ending: str, status: str) -> None:
    """A with block ends the run in the backend as it ends itself, and the spool is gone."""
    code = f"""{HEAD}
try:
    with create_integration("record", "alone", path="heard") as backend:
        log(backend, 0, 3)
        {ending}
except (ZeroDivisionError, KeyboardInterrupt):
    pass
"""
    assert run(code, env=environment(probe), cwd=tmp_path) == ("", "")
    calls = heard(tmp_path / "heard")
    assert steps_once(calls) == [0, 1, 2]
    assert (calls[-1]["hook"], calls[-1]["status"]) == ("neural_experiment_finished", status)
    assert not spools(tmp_path)


def test_disabled(probe: Path, tmp_path: Path) -> None:
    """With NEURAL_MODE=disabled an integration is silent and makes no file."""
    code = f"{HEAD}b = create_integration('record', 'x', path='heard'); log(b, 0, 3); b.set_tags(['a']); b.finish()"
    env = environment(probe, NEURAL_MODE="disabled")
    assert finished(start(code, env=env, cwd=tmp_path)) == ("", "")
    assert not list(tmp_path.iterdir())


def test_another_attached_experiment_is_left_alone(probe: Path, tmp_path: Path) -> None:
    """In a process that is attached to an experiment an integration still is by itself."""
    code = f"""{HEAD}
owner = ExperimentTracker("owner", auto_visualize=False)
os.environ["NEURAL_EXPERIMENT_DIR"] = str(owner.experiment_dir)
backend = create_integration("record", "alone", path="heard")
log(backend, 0, 3)
backend.finish()
owner.finish()
assert len(owner.metrics_history) == 0
"""
    assert run(code, env=environment(probe), cwd=tmp_path) == ("", "")
    assert steps_once(heard(tmp_path / "heard")) == [0, 1, 2]
