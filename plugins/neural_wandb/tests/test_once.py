"""What a hook has told is on the disk when it returns, and is there once, whoever is killed when."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from neural_wandb import WandbBackend
from neural_wandb.importing import read_runs
from wandb_files import Written

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.importing import import_run
from neural_core.testing import deliver, following, wait_for


def track(tmp_path: Path) -> ExperimentTracker:
    """Make an experiment."""
    return ExperimentTracker("once", tmp_path / "experiments", auto_visualize=False)


def backend(tmp_path: Path) -> WandbBackend:
    """Make an object of the backend, as another process would."""
    return WandbBackend(mode="offline", dir=tmp_path)


def steps(tmp_path: Path) -> list[int | None]:
    """Give the steps that W&B's files hold, in their order."""
    return [step for _, step, _ in Written(tmp_path).points("loss")]


KILLED = """
import os, signal, sys
from neural_core import hookimpl
from neural_core.testing import deliver, following
from neural_wandb import WandbBackend

class Killed(WandbBackend):
    @hookimpl
    def neural_metrics_logged(self, experiment, rows):
        super().neural_metrics_logged(experiment, rows)
        print(len(rows), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

deliver(sys.argv[1], Killed(mode="offline", dir=sys.argv[2]))
"""


def test_killed_after_a_hook(tmp_path: Path) -> None:
    """Rows of a hook that has returned are in the file, whole, when the process is killed in the next moment."""
    with track(tmp_path) as tracker:
        for step in range(2_500):
            tracker.log_metrics({"loss": step / 4}, step=step)
    command = [sys.executable, "-c", KILLED, str(tracker.experiment_dir), str(tmp_path)]
    for told in range(1, 4):
        killed = subprocess.run(command, capture_output=True, text=True, check=False)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        count = sum(map(int, killed.stdout.split()))
        assert count == 1_000
        assert steps(tmp_path) == list(range(count)), f"after process {told}"
    assert deliver(tracker.experiment_dir, backend(tmp_path)).complete
    written = Written(tmp_path)
    assert [step for _, step, _ in written.points("loss")] == list(range(2_500))
    assert [row["_step"] for row in written.history] == list(range(2_500))
    assert len(written.files) == 4


def test_an_object_goes_on_from_its_bookmark(tmp_path: Path) -> None:
    """Another object opens a further folder of the run, goes on counting, and says the whole summary again."""
    tracker = track(tmp_path)
    tracker.log_hyperparameters({"lr": 0.5})
    for step in range(5):
        tracker.log_metrics({"loss": float(step), "first": 1.0, "odd": math.nan}, step=step)
    before = deliver(tracker.experiment_dir, backend(tmp_path))
    assert before.bookmark
    json.dumps(before.bookmark, allow_nan=False)
    for step in range(5, 9):
        tracker.log_metrics({"loss": float(step)}, step=step)
    tracker.finish()
    after = deliver(tracker.experiment_dir, backend(tmp_path), before.position, before.bookmark)
    assert after.bookmark
    assert [*after.bookmark["segments"]][:1] == [*before.bookmark["segments"]]
    written = Written(tmp_path)
    assert steps(tmp_path) == list(range(9))
    assert [row["_step"] for row in written.history] == list(range(9))
    assert written.exit_codes == [255, 0]
    (last,) = [file for file in written.files if file.parent.name not in before.bookmark["segments"]]
    alone = Written(last.parent.parent.parent, tracker.experiment_id)
    assert alone.summary["first"] == 1.0
    assert alone.summary["neural/min/loss"] == 0.0
    assert alone.summary["odd"] is None  # as W&B keeps NaN in a summary
    assert alone.config["lr"] == 0.5


def test_told_again(tmp_path: Path) -> None:
    """Rows, artifacts and figures that are told again, with a bookmark or without, are there once."""
    (tmp_path / "a.txt").write_text("a")
    with track(tmp_path) as tracker:
        tracker.log_metrics({"loss": float("nan"), "other": -0.0}, step=1)
        tracker.log_metrics({"loss": 0.5})
        tracker.log_artifact(str(tmp_path / "a.txt"))
        tracker.log_figure(Figure(), "curve")
        tracker.log_metrics({"loss": 0.5}, step=1)
    for _ in range(3):
        assert deliver(tracker.experiment_dir, backend(tmp_path)).complete
    written = Written(tmp_path)
    assert (len(written.files), len(written.history), len(written.artifacts)) == (3, 4, 1)
    (found,) = list(read_runs(tmp_path))
    imported = import_run(found, tmp_path / "imported")
    assert (imported.rows, imported.artifacts) == (3, 2)


SERVICE_KILLED = """
import os, signal, sys
from pathlib import Path
from neural_core import ExperimentTracker
from neural_core.testing import following
from neural_wandb import WandbBackend

def service():
    children = " ".join(task.read_text() for task in Path("/proc/self/task").glob("*/children")).split()
    (pid,) = [pid for pid in children if "wandb-core" in Path(f"/proc/{pid}/cmdline").read_text()]
    return int(pid)

tracker = ExperimentTracker("once", sys.argv[1], auto_visualize=False)
with following(tracker.experiment_dir, WandbBackend(mode="offline", dir=sys.argv[1])) as catch_up:
    tracker.log_metrics({"loss": 0.0}, step=0)
    assert catch_up().complete
    os.kill(service(), signal.SIGKILL)
    for step in range(1, 10):
        tracker.log_metrics({"loss": float(step)}, step=step)
    tracker.finish()
    assert catch_up().complete
"""


def test_the_service_is_killed(tmp_path: Path) -> None:
    """When W&B's service is killed, the delivery goes on with another, and every row is there once."""
    subprocess.run([sys.executable, "-c", SERVICE_KILLED, str(tmp_path)], check=True, capture_output=True)
    written = Written(tmp_path)
    assert steps(tmp_path) == list(range(10))
    assert (len(written.files), written.exit_codes) == (2, [0])


def test_a_torn_file(tmp_path: Path) -> None:
    """What a killed service left unfinished at the end of a file is told again, to the next folder."""
    tracker = track(tmp_path)
    for step in range(50):
        tracker.log_metrics({"loss": float(step)}, step=step)
    deliver(tracker.experiment_dir, backend(tmp_path))
    (file,) = Written(tmp_path).files
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 2 // 3])
    held = steps(tmp_path)
    assert 0 < len(held) < 50
    tracker.finish()
    assert deliver(tracker.experiment_dir, backend(tmp_path)).complete
    assert steps(tmp_path) == list(range(50))
    (found,) = list(read_runs(tmp_path))
    imported = import_run(found, tmp_path / "imported")
    again = ExperimentManager(str(tmp_path / "imported")).get_experiment(imported.experiment_id)
    assert again.get_metrics("loss") == [float(step) for step in range(50)]


@pytest.mark.privileged("mount")
def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a full disk did not take is told again; with room again every row is there once, and in order."""
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1M", "tmpfs", str(small)], check=True)
    try:
        tracker = track(tmp_path)
        with following(tracker.experiment_dir, backend(small)) as catch_up:
            tracker.log_metrics({"loss": 0.0}, step=0)
            assert catch_up().complete
            (small / "fill").write_bytes(b"x" * 800_000)
            for step in range(1, 4_000):
                tracker.log_metrics({f"loss/{at}": float(step) for at in range(4)}, step=step)
            with monkeypatch.context() as hasty:  # only here: elsewhere a busy machine may take its time
                hasty.setattr("neural_wandb.mirror.STALL_SECONDS", 2.0)
                assert not catch_up().complete
            subprocess.run(["mount", "-o", "remount,size=100M", str(small)], check=True)
            tracker.finish()
            wait_for(lambda: catch_up().complete)
        assert [step for _, step, _ in Written(small).points("loss/3")] == list(range(1, 4_000))
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
