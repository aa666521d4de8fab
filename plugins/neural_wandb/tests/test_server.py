"""With a server: `wandb sync` of what was written offline, and online runs whose server comes and goes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from neural_wandb import WandbBackend
from wandb_files import Written
from wandb_scripts import SYNC, cursor, only, run, services, start
from wandb_server import HANGS, KEY, Server, serving

from neural_core import ExperimentTracker, hookimpl
from neural_core.records import Experiment
from neural_core.testing import deliver, wait_for

LOOP = """
tracker = ExperimentTracker("online", auto_visualize=False, backend="wandb", hyperparameters={"lr": 0.5})
for step in range(300):
    tracker.log_metrics({"loss": step / 4}, step=300 - step)
"""
LOGGED = [(300 - step, step / 4) for step in range(300)]


@pytest.fixture
def server() -> Iterator[Server]:
    """Give a server; afterwards no service of W&B's is left."""
    before = services()
    with serving() as made:
        yield made
        wait_for(lambda: services() <= before)


def login(server: Server) -> dict[str, str]:
    """Give the variables of somebody who has logged in."""
    return {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": KEY}


def points(server: Server, run_id: str) -> list[tuple[int, float]]:
    """Give step and loss of every row that has arrived."""
    lines = server.run(run_id).lines
    return [(line["neural/step"], line["loss"]) for line in lines if "loss" in line]


def test_sync_of_several_folders(tmp_path: Path, server: Server) -> None:
    """One `wandb sync` uploads all folders of a run in their order: every row once, decreasing steps too."""
    tracker = ExperimentTracker("s", tmp_path, auto_visualize=False)
    tracker.log_hyperparameters({"lr": 0.5})
    tracker.set_tags({"a": "b"})
    for step in range(5):
        tracker.log_metrics({"loss": float(step), "first": 7.0}, step=10 - step)
    (tmp_path / "f.txt").write_text("x")
    first = deliver(tracker.experiment_dir, WandbBackend(mode="offline", dir=tmp_path))
    tracker.log_artifact(str(tmp_path / "f.txt"))
    for step in range(5, 10):
        tracker.log_metrics({"loss": float(step)}, step=10 - step)
    tracker.finish()
    again = WandbBackend(mode="offline", dir=tmp_path)
    assert deliver(tracker.experiment_dir, again, first.position, first.bookmark).complete
    assert len(Written(tmp_path).files) == 2
    command = [sys.executable, "-m", "wandb", "sync", "wandb"]
    for _ in range(2):
        subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | login(server),
            stdin=subprocess.DEVNULL,
            check=True,
            capture_output=True,
        )
    uploaded = server.run(tracker.experiment_id)
    assert points(server, tracker.experiment_id) == [(10 - step, float(step)) for step in range(10)]
    assert [line["_step"] for line in uploaded.lines] == list(range(10))
    assert (uploaded.exit_codes, uploaded.fields["tags"]) == ([255, 0], ["a:b"])
    assert (uploaded.summary["first"], uploaded.summary["neural/max/loss"]) == (7.0, 9.0)
    assert json.loads(uploaded.fields["config"])["lr"] == {"value": 0.5}
    (artifact,) = uploaded.artifacts
    assert {alias["alias"] for alias in artifact["aliases"]} == {"latest", "version-1"}


def test_an_online_run(tmp_path: Path, server: Server) -> None:
    """After a login everything is on the server when `finish()` returns."""
    code = f"""{LOOP}
open("f.txt", "w").write("x")
tracker.log_artifact("f.txt")
from matplotlib.figure import Figure
tracker.log_figure(Figure(), "curve")
tracker.finish()
print(tracker.experiment_id)
"""
    run_id = run(code, cwd=tmp_path, **login(server)).strip()
    uploaded = server.run(run_id)
    assert points(server, run_id) == LOGGED
    assert [line["figures/curve"]["format"] for line in uploaded.lines if "figures/curve" in line] == ["png"]
    assert (len(uploaded.artifacts), uploaded.exit_codes) == (1, [0])
    (folder,) = (tmp_path / "wandb").glob("run-*")
    assert list(folder.glob("*.synced"))


@pytest.mark.fault("P07")
@pytest.mark.parametrize("how", [500, 401, HANGS])
def test_the_server_comes_later(tmp_path: Path, server: Server, how: int) -> None:
    """While the server refuses or hangs, the loop and `finish()` do not wait for it; `neural sync` completes it."""
    server.refuses = how
    code = f"""{LOOP}
begun = time.monotonic()
tracker.finish()
print(tracker.experiment_id, time.monotonic() - begun)
"""
    process = start(code, cwd=tmp_path, **login(server), NEURAL_FINISH_SECONDS="1", NEURAL_LINGER="1")
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "neural sync" in errors
    run_id, seconds = output.split()
    assert float(seconds) < 30
    directory = only(tmp_path / "neural_experiments")
    assert cursor(directory).get("state") != "complete"
    server.refuses = 0
    wait_for(lambda: _synced(tmp_path, server))
    assert cursor(directory)["state"] == "complete"
    assert points(server, run_id) == LOGGED
    assert server.run(run_id).exit_codes[-1] == 0


def _synced(cwd: Path, server: Server) -> bool:
    """Try `neural sync`: the companion may still be waiting for its last answer."""
    process = start(SYNC, cwd=cwd, **login(server))
    process.communicate()
    return process.returncode == 0


def test_killed_before_it_was_uploaded(tmp_path: Path, server: Server) -> None:
    """What a killed companion had not uploaded is uploaded from its file before another goes on; nothing is missing."""
    code = f"{LOOP}print(tracker.experiment_id, flush=True)\ntime.sleep(1_000)"
    settings = {"x_file_stream_transmit_interval": 600}
    code = code.replace('backend="wandb"', f'backend={{"wandb": {{"settings": {settings}}}}}')
    process = start(code, cwd=tmp_path, **login(server))
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    directory = only(tmp_path / "neural_experiments")
    wait_for(lambda: cursor(directory).get("delivered") == 300)
    companions = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in [process.pid, *map(int, companions)]:
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    assert points(server, run_id) == []
    run(SYNC, cwd=tmp_path, **login(server))
    assert points(server, run_id) == LOGGED
    assert server.run(run_id).exit_codes[-1] == 255


def test_a_removed_tag(tmp_path: Path, server: Server) -> None:
    """A tag that was removed goes also when another object goes on with the run; tags from elsewhere stay."""
    tracker = ExperimentTracker("t", tmp_path, auto_visualize=False)
    tracker.set_tags(["stays", "goes"])
    tracker.log_metrics({"loss": 1.0}, step=0)
    options = {"dir": tmp_path, "mode": "online", "settings": {"base_url": server.url, "api_key": KEY}}
    first = deliver(tracker.experiment_dir, WandbBackend(**options))
    assert first.last_error is None
    uploaded = server.run(tracker.experiment_id)
    assert uploaded.fields["tags"] == ["stays", "goes"]
    uploaded.fields["tags"] = ["stays", "goes", "by hand"]
    tracker.set_tags({"goes": None})
    tracker.finish()
    again = deliver(tracker.experiment_dir, WandbBackend(**options), first.position, first.bookmark)
    assert again.complete, again.last_error
    assert uploaded.fields["tags"] == ["by hand", "stays"]


def test_behind_a_proxy(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is reached through a proxy only gets what a killed process had not uploaded, too.

    What W&B writes while it uploads is beside the run, not in the current folder.
    """
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    tracker = ExperimentTracker("p", tmp_path, auto_visualize=False)
    tracker.log_metrics({"loss": 1.0}, step=0)
    way = {"base_url": "http://wandb.invalid", "api_key": KEY, "http_proxy": server.url}
    options = {"dir": tmp_path, "mode": "online", "settings": way}
    first = deliver(tracker.experiment_dir, WandbBackend(**options))
    assert first.last_error is None
    (mark,) = (tmp_path / "wandb").glob("run-*/*.synced")
    mark.unlink()
    tracker.finish()
    again = deliver(tracker.experiment_dir, WandbBackend(**options), first.position, first.bookmark)
    assert again.complete, again.last_error
    assert mark.exists()
    assert not list(here.iterdir())
    assert server.run(tracker.experiment_id).exit_codes[-1] == 0


@pytest.mark.fault("P07")
def test_nobody_is_there(tmp_path: Path) -> None:
    """A server that refuses connections is an error at once; no service of W&B's is begun, which would wait for it."""
    with ExperimentTracker("n", tmp_path, auto_visualize=False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    before = services()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # a port at which nobody listens
        way = {"base_url": f"http://127.0.0.1:{taken.getsockname()[1]}", "api_key": KEY}
        told = deliver(tracker.experiment_dir, WandbBackend(dir=tmp_path, mode="online", settings=way))
    assert "W&B's server 127.0.0.1 cannot be reached" in str(told.last_error)
    assert services() <= before
    assert not (tmp_path / "wandb").exists()


def test_another_environment(tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script may set W&B's variables anew before each tracker: one process serves them all, each as it was made."""
    variables = {"WANDB_RUN_GROUP": "g", "WANDB_JOB_TYPE": "j", "WANDB_TAGS": "a,b"}
    with serving() as other:
        for to, more, expected in ((server, variables, ("g", "j", ["a", "b"])), (other, {}, (None, None, None))):
            with monkeypatch.context() as script:
                for name, value in (login(to) | more).items():
                    script.setenv(name, value)
                with ExperimentTracker("e", tmp_path, auto_visualize=False) as tracker:
                    tracker.log_metrics({"loss": 1.0}, step=0)
                backend = WandbBackend(dir=tmp_path)
                told = deliver(tracker.experiment_dir, backend)
            assert told.complete, told.last_error
            assert backend.destination() == f"{to.url.removeprefix('http://')}/neural"
            fields = to.run(tracker.experiment_id).fields
            assert tuple(map(fields.get, ("groupName", "jobType", "tags"))) == expected


def test_the_server_goes_before_the_end(tmp_path: Path, server: Server) -> None:
    """What has not reached the server when the time for it is over is uploaded later, and does not count before."""
    marks: list[list[Path]] = []

    class Leaving(WandbBackend):
        @hookimpl
        def neural_experiment_finished(self, experiment: Experiment, status: str, complete: bool) -> None:
            server.refuses = 0 if marks else 500
            try:
                super().neural_experiment_finished(experiment, status, complete)
            finally:
                marks.append([*(tmp_path / "wandb").glob("run-*/*.synced")])
                server.refuses = 0

    with ExperimentTracker("l", tmp_path, auto_visualize=False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    settings = {"base_url": server.url, "api_key": KEY, "finish_timeout": 1.0}
    told = deliver(tracker.experiment_dir, Leaving(dir=tmp_path, mode="online", settings=settings))
    assert not marks[0]
    assert told.complete, told.last_error
    assert points(server, tracker.experiment_id) == [(0, 1.0)]
