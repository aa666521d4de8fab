"""Training scripts with `backend="wandb"`, as the guide has them, and the ways in which they end."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from wandb_files import Written
from wandb_scripts import HEAD, SYNC, cursor, only, run, services, start

from neural_core.testing import wait_for

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide.md"
LOOP = """
tracker = ExperimentTracker("loop", auto_visualize=False, backend="wandb", hyperparameters={"lr": 0.5})
for step in range(2_000):
    tracker.log_metrics({"loss": step / 4}, step=step)
"""
LOGGED = [("loss", step, step / 4) for step in range(2_000)]


@pytest.fixture(autouse=True)
def no_service_stays() -> Iterator[None]:
    """Let no test leave a service of W&B's behind."""
    before = services()
    yield
    wait_for(lambda: services() <= before)


def guide_block() -> str:
    """Give the guide's block."""
    found = re.search(r"### Weights & Biases Integration\n\n```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found
    return found[1]


def test_the_guide(tmp_path: Path) -> None:
    """The guide's block, run as written and without a login, is an offline run with every value."""
    run(f"loss, acc = 0.5, 0.25\n{guide_block()}", cwd=tmp_path)
    written = Written(tmp_path)
    assert written.points("loss") == [("loss", step, 0.5) for step in range(100)]
    assert written.points("accuracy") == [("accuracy", step, 0.25) for step in range(100)]
    assert (written.config["lr"], written.config["batch_size"]) == (0.01, 32)
    assert (written.run.display_name, written.exit_codes) == ("wandb_experiment", [0])


@pytest.mark.fault("P08")
def test_nobody_is_asked_on_a_terminal(tmp_path: Path) -> None:
    """On a terminal, without a login, W&B asks nothing and says nothing, and the script ends by itself."""
    main, terminal = pty.openpty()
    code = f"{HEAD}loss, acc = 0.5, 0.25\n{guide_block()}print('the end')"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdin=terminal, stdout=terminal, stderr=terminal, close_fds=True
    )
    os.close(terminal)
    said = b""
    deadline = time.monotonic() + 120
    while process.poll() is None or select.select([main], [], [], 0.1)[0]:
        assert time.monotonic() < deadline, said
        if select.select([main], [], [], 0.1)[0]:
            try:
                said += os.read(main, 4096)
            except OSError:
                break
    os.close(main)
    assert process.wait() == 0
    assert said.endswith(b"the end\r\n")
    assert b"wandb:" not in said
    assert b"(1) Create a W&B account" not in said
    assert len(Written(tmp_path).points("loss")) == 100


def test_a_killed_trainer(tmp_path: Path) -> None:
    """Of a trainer that is killed everything arrives, and the run is an interrupted one."""
    process = start(f"{LOOP}print('ready', flush=True)\ntime.sleep(1_000)", cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.communicate()
    directory = only(tmp_path / "neural_experiments")
    wait_for(lambda: cursor(directory).get("state") == "complete")
    written = Written(tmp_path)
    assert written.points() == LOGGED
    assert (written.exit_codes, written.about["status"]) == ([255], "interrupted")


def test_a_killed_companion(tmp_path: Path) -> None:
    """A companion that is killed in mid-run takes nothing along: another goes on, and every row is there once."""
    code = """
tracker = ExperimentTracker("loop", auto_visualize=False, backend="wandb")
for step in range(1_000):
    tracker.log_metrics({"loss": step / 4}, step=step)
tracker.flush()
print("half", flush=True)
sys.stdin.readline()
for step in range(1_000, 2_000):
    tracker.log_metrics({"loss": step / 4}, step=step)
tracker.finish()
"""
    env = os.environ | {"NEURAL_FINISH_SECONDS": "120"}
    process = subprocess.Popen(
        [sys.executable, "-c", HEAD + code],
        cwd=tmp_path,
        env=env,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in children:
        os.kill(int(pid), 9)
    process.communicate("on\n", timeout=120)
    written = Written(tmp_path)
    assert written.points() == LOGGED
    assert len(written.files) == 2
    assert written.exit_codes == [0]


def test_sync_completes_it(tmp_path: Path) -> None:
    """What no companion delivered, `neural sync` does."""
    code = LOOP.replace(', backend="wandb"', "")
    run(f"{code}tracker.finish()", cwd=tmp_path)
    assert not (tmp_path / "wandb").exists()
    run(SYNC, cwd=tmp_path)
    written = Written(tmp_path)
    assert (written.points(), written.config["lr"]) == (LOGGED, 0.5)
    again = run(SYNC, cwd=tmp_path)
    assert len(Written(tmp_path).files) == 1, again


def test_on_threads_of_the_script(tmp_path: Path) -> None:
    """Without a companion the script's own threads deliver, and W&B's global run stays the user's."""
    code = """
tracker = ExperimentTracker("threads", auto_visualize=False, backend={"wandb": {"dir": "logs", "group": "g"}})
tracker.log_metrics({"loss": 0.5}, step=0)
tracker.flush()
import wandb
assert wandb.run is None
tracker.finish()
"""
    run(code, cwd=tmp_path, NEURAL_COMPANION="0")
    written = Written(tmp_path / "logs")
    assert (written.points(), written.run.run_group) == ([("loss", 0, 0.5)], "g")


def test_beside_a_run_of_the_users(tmp_path: Path) -> None:
    """A script that uses W&B itself keeps its run, and its service is not ours: killed, it takes nothing along."""
    code = """
import wandb
own = wandb.init(mode="offline", settings=wandb.Settings(silent=True, console="off", x_disable_stats=True))
tracker = ExperimentTracker("beside", auto_visualize=False, backend={"wandb": {"dir": "logs"}})
for step in range(100):
    own.log({"own": step})
    tracker.log_metrics({"loss": step / 4}, step=step)
print("ready", flush=True)
time.sleep(1_000)
"""
    process = start(code, cwd=tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.communicate()
    wait_for(lambda: cursor(only(tmp_path / "neural_experiments")).get("state") == "complete")
    assert Written(tmp_path / "logs").points() == [("loss", step, step / 4) for step in range(100)]


def test_a_changed_folder(tmp_path: Path) -> None:
    """A script that changes its folder later has its runs where it began."""
    code = """
os.mkdir("elsewhere")
tracker = ExperimentTracker("moving", auto_visualize=False, backend="wandb")
os.chdir("elsewhere")
tracker.log_metrics({"loss": 0.5}, step=0)
tracker.finish()
"""
    run(code, cwd=tmp_path)
    assert Written(tmp_path).points() == [("loss", 0, 0.5)]
    assert not (tmp_path / "elsewhere" / "wandb").exists()


def test_create_integration_and_several_experiments(tmp_path: Path) -> None:
    """Integrations and trackers of one script are runs beside each other, each with its own values."""
    code = """
board = create_integration("wandb", "alone")
board.log_hyperparameters({"lr": 0.5})
trackers = [ExperimentTracker("a/b", auto_visualize=False, backend="wandb") for _ in range(2)]
for step in range(100):
    board.log_metrics({"loss": -1.0}, step=step)
    for at, tracker in enumerate(trackers):
        tracker.log_metrics({"loss": step + at / 4}, step=step)
for tracker in trackers:
    tracker.finish()
    print(tracker.experiment_id)
board.finish()
"""
    ids = run(code, cwd=tmp_path).split()
    for at, experiment_id in enumerate(ids):
        assert Written(tmp_path, experiment_id).points() == [("loss", step, step + at / 4) for step in range(100)]
    others = {file.stem.removeprefix("run-") for file in Written(tmp_path).files} - set(ids)
    alone = Written(tmp_path, others.pop())
    assert not others
    assert (alone.run.display_name, alone.config["lr"]) == ("alone", 0.5)
    assert len(alone.points()) == 100


def test_resume(tmp_path: Path) -> None:
    """A resumed experiment goes on in a further folder of the same run, and ends a second time."""
    output = run(f"{LOOP}tracker.finish()\nprint(tracker.experiment_dir)", cwd=tmp_path)
    more = """
tracker = ExperimentTracker.resume(sys.argv[1])
tracker.log_metrics({"loss": 500.0}, step=2_000)
tracker.finish()
"""
    run(more, output.strip(), cwd=tmp_path)
    run(SYNC, cwd=tmp_path)
    written = Written(tmp_path)
    assert written.points() == [*LOGGED, ("loss", 2_000, 500.0)]
    assert (len(written.files), written.exit_codes) == (2, [0, 0])
