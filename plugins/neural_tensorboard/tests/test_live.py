"""Training scripts with `backend="tensorboard"`, and the ways in which they end."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from event_files import Loaded, run_folder
from neural_tensorboard import TensorBoardBackend
from tensorboard_scripts import cursor, only

from neural_core.testing import deliver, run_script, start_script, wait_for

HEAD = "import os, sys, time\nfrom neural.tracking import ExperimentTracker, create_integration\n"
SYNC = """
import sys
from importlib.metadata import entry_points
sys.argv = ["neural", "sync", "--all", "--to", "tensorboard"]
(command,) = entry_points(group="console_scripts", name="neural")
command.load()()
"""


def of(cwd: Path, name: str) -> Loaded:
    """Read the only run of an experiment name."""
    (folder,) = (cwd / "runs" / name).iterdir()
    return Loaded.of(folder)


def test_on_threads_of_the_script(tmp_path: Path) -> None:
    """Without a companion process the script's own threads deliver."""
    code = f"""{HEAD}
with ExperimentTracker("threads", auto_visualize=False, backend={{"tensorboard": {{"log_dir": "logs"}}}}) as tracker:
    tracker.log_metrics({{"loss": 0.5}}, step=0)
"""
    run_script(code, cwd=tmp_path, NEURAL_COMPANION="0")
    (folder,) = (tmp_path / "logs" / "threads").iterdir()
    assert Loaded.of(folder).scalars("loss") == [(0, 0.5)]


def test_a_changed_folder(tmp_path: Path) -> None:
    """A script that changes its folder later has its event files where it began."""
    code = f"""{HEAD}
os.mkdir("elsewhere")
tracker = ExperimentTracker("moving", auto_visualize=False, backend="tensorboard")
os.chdir("elsewhere")
tracker.log_metrics({{"loss": 0.5}}, step=0)
tracker.finish()
"""
    run_script(code, cwd=tmp_path)
    assert of(tmp_path, "moving").scalars("loss") == [(0, 0.5)]
    assert not (tmp_path / "elsewhere" / "runs").exists()


def test_create_integration(tmp_path: Path) -> None:
    """`create_integration("tensorboard", name)` writes a run of its own, without a tracker."""
    code = f"""{HEAD}
board = create_integration("tensorboard", "alone")
board.log_hyperparameters({{"lr": 0.5}})
for step in range(10):
    board.log_metrics({{"loss": step / 2}}, step=step)
board.finish()
"""
    run_script(code, cwd=tmp_path)
    loaded = of(tmp_path, "alone")
    assert loaded.scalars("loss") == [(step, step / 2) for step in range(10)]
    assert loaded.hparams() == {"lr": 0.5}


def test_several_experiments(tmp_path: Path) -> None:
    """Experiments of one name in one script are runs beside each other, each with its own values."""
    code = f"""{HEAD}
import logging
logging.getLogger("neural").setLevel(logging.ERROR)  # what their folder is called is said on the terminal
trackers = [ExperimentTracker("a/b", auto_visualize=False, backend="tensorboard") for _ in range(3)]
for step in range(100):
    for at, tracker in enumerate(trackers):
        tracker.log_metrics({{"loss": step + at / 4}}, step=step)
for tracker in trackers:
    tracker.finish()
    print(tracker.experiment_id)
"""
    ids = run_script(code, cwd=tmp_path).split()
    (folder,) = (tmp_path / "runs").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == sorted(ids)
    for at, experiment_id in enumerate(ids):
        scalars = Loaded.of(folder / experiment_id).scalars("loss")
        assert scalars == [(step, step + at / 4) for step in range(100)]


def test_a_killed_trainer(tmp_path: Path) -> None:
    """Of a trainer that is killed everything arrives, and the run is a failure that says `interrupted`."""
    code = f"""{HEAD}
tracker = ExperimentTracker("killed", auto_visualize=False, backend="tensorboard", hyperparameters={{"lr": 0.5}})
for step in range(3_000):
    tracker.log_metrics({{"loss": step / 4}}, step=step)
print("ready", flush=True)
time.sleep(1_000)
"""
    process = start_script(code, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.communicate()
    directory = only(tmp_path / "neural_experiments")
    wait_for(lambda: cursor(directory).get("state") == "complete")
    loaded = of(tmp_path, "killed")
    assert loaded.scalars("loss") == [(step, step / 4) for step in range(3_000)]
    assert loaded.table("neural/status")["status"] == "interrupted"


def test_a_companion_killed_twenty_times(tmp_path: Path) -> None:
    """With the companion killed at twenty random moments of a run nothing is missing, nothing twice, all in order."""
    code = f"""{HEAD}
tracker = ExperimentTracker("hunted", auto_visualize=False, backend="tensorboard")
step = 0
while not os.path.exists("enough"):
    for step in range(step, step + 10):
        tracker.log_metrics({{"loss": step % 4096 / 4096, "accuracy": step / 4}}, step=step)
    step += 1
    tracker.log_metrics({{"epoch": 1.0}})
    if step % 500 == 0:
        tracker.flush()  # looks after the companion at once
    time.sleep(0.002)
tracker.finish()
print(step)
"""
    process = start_script(code, cwd=tmp_path)
    directory = wait_for(lambda: list(tmp_path.glob("neural_experiments/*_*")))[0]
    killed, moments = {0, process.pid}, random.Random(20)
    while len(killed) < 22:
        killed.add(_kill_another(directory, killed, moments))
    (tmp_path / "enough").touch()
    output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (0, "")
    last = int(output)
    loaded = of(tmp_path, "hunted")
    assert loaded.scalars("loss") == [(step, step % 4096 / 4096) for step in range(last)]
    assert loaded.scalars("accuracy") == [(step, step / 4) for step in range(last)]
    assert [step for step, _ in loaded.scalars("epoch")] == list(range(last // 10))


def _kill_another(directory: Path, killed: set[int], moments: random.Random) -> int:
    """Kill the next process that delivers, some time after its first rows; give its number.

    Of two that die in their first call the relay would think that the backend kills them.
    """
    before = cursor(directory).get("delivered", 0)

    def delivering() -> int | None:
        known = cursor(directory)
        pid: int = known.get("holder", {}).get("pid", 0)
        return pid if pid not in killed and known["delivered"] > before else None

    pid: int = wait_for(delivering)
    time.sleep(moments.uniform(0.0, 0.3))
    os.kill(pid, signal.SIGKILL)
    return pid


def test_sync_afterwards(tmp_path: Path) -> None:
    """An experiment comes to TensorBoard later by `neural sync`; a second one changes nothing, nor does a replay."""
    code = f"""{HEAD}
from neural_core import ExperimentTracker
with ExperimentTracker("later", auto_visualize=False) as tracker:
    for step in range(50):
        tracker.log_metrics({{"loss": step / 4}}, step=step)
"""
    run_script(f"{code}{SYNC}", cwd=tmp_path)
    files = {path: path.read_bytes() for path in tmp_path.glob("runs/*/*/*")}
    sync = (
        "import sys\nsys.argv[1:] = ['sync', '--all', '--to', 'tensorboard']\nfrom neural_core._cli import main\nmain()"
    )
    run_script(sync, cwd=tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.glob("runs/*/*/*")} == files
    for forgotten in only(tmp_path / "neural_experiments").glob("delivery/tensorboard-*.json"):
        forgotten.unlink()
    run_script(SYNC, cwd=tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.glob("runs/*/*/*")} == files
    assert of(tmp_path, "later").scalars("loss") == [(step, step / 4) for step in range(50)]


def test_resume(tmp_path: Path) -> None:
    """A resumed experiment goes on in the same run."""
    code = f"""{HEAD}
tracker = ExperimentTracker("twice", auto_visualize=False, backend="tensorboard", hyperparameters={{"lr": 0.5}})
tracker.log_metrics({{"loss": 1.0}}, step=0)
tracker.finish("failed")
again = ExperimentTracker.resume(str(tracker.experiment_dir))
again.log_metrics({{"loss": 0.5}}, step=1)
again.finish()
{SYNC}"""
    run_script(code, cwd=tmp_path)
    loaded = of(tmp_path, "twice")
    assert loaded.scalars("loss") == [(0, 1.0), (1, 0.5)]
    assert loaded.table("neural/status")["status"] == "completed"


def test_delivered_by_hand(tmp_path: Path) -> None:
    """What one process delivered half is completed by another where it stopped."""
    code = f"""{HEAD}
tracker = ExperimentTracker("half", auto_visualize=False, backend="tensorboard")
for step in range(100):
    tracker.log_metrics({{"loss": step / 4}}, step=step)
tracker.flush()
os._exit(1)
"""
    process = start_script(code, cwd=tmp_path)
    process.communicate(timeout=60)
    directory = only(tmp_path / "neural_experiments")
    wait_for(lambda: cursor(directory).get("state") == "complete")
    known = cursor(directory)
    deliver(directory, TensorBoardBackend(tmp_path / "runs"), known["position"], known["bookmark"])
    folder = run_folder(tmp_path / "runs", known["uid"][:12])
    assert Loaded.of(folder).scalars("loss") == [(step, step / 4) for step in range(100)]
