"""A notebook: a real IPython kernel, its cells, its interrupt, its restart, and its death."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from delivery_support import environment, heard, install_probe, is_gone, steps_once
from journal_support import TIMEOUT, experiments, listed, steps
from jupyter_client.manager import KernelManager

from neural_core.testing import wait_for

MAKE = """
import os
from neural_core import ExperimentTracker
from neural_core._delivery.launcher import launcher
from neural_core.testing import RecordingPlugin
tracker = ExperimentTracker(
    "cells", "runs", auto_visualize={plots}, plugins=[RecordingPlugin(f"script-{{os.getpid()}}")],
    backend={{"record": {{"path": f"backend-{{os.getpid()}}"}}}},
)
for step in range(20):
    tracker.log_metrics({{"loss": 1 / (step + 1)}}, step)
"""
LOOK = """
tracker.flush()
print(os.getpid(), launcher.pid, *sorted(path.name for path in tracker.experiment_dir.glob("plots/*")))
"""
LOOP = """
while True:
    step += 1
    tracker.log_metrics({"loss": 1 / (step + 1)}, step)
    if step == 30:
        print("busy", flush=True)
"""
GO_ON = """
for step in range(1_000_000, 1_000_020):
    tracker.log_metrics({"loss": 0.5}, step)
print("logged")
"""


class Notebook:
    """Runs cells in a kernel, one after the other."""

    def __init__(self, folder: Path) -> None:
        """Start a kernel in `folder`."""
        self.manager = KernelManager(connection_file=str(folder / "kernel.json"))
        env = environment(install_probe(folder / "packages"), IPYTHONDIR=str(folder / "ipython"))
        self.manager.start_kernel(env=env, cwd=str(folder))
        self.client = self.manager.client()
        self.client.start_channels()

    def run(self, cell: str, *, interrupted: bool = False) -> str:
        """Give what a cell prints. One that is to be interrupted is so when it has printed a line."""
        said: list[str] = []

        def hear(message: dict[str, dict[str, str]]) -> None:
            if text := message["content"].get("text"):
                said.append(text)
                if interrupted and text.endswith("\n"):
                    self.manager.interrupt_kernel()

        reply = self.client.execute_interactive(cell, timeout=TIMEOUT, output_hook=hear)["content"]
        assert reply.get("ename") == ("KeyboardInterrupt" if interrupted else None), reply
        return "".join(said)

    def restart(self) -> None:
        """Restart the kernel as the menu of a notebook does."""
        self.manager.restart_kernel()
        self.wait()

    def wait(self) -> None:
        """Wait until the kernel takes cells."""
        self.client.wait_for_ready(timeout=TIMEOUT)

    def kill(self) -> None:
        """Kill the kernel, and with it every process of its group."""
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture
def notebook(tmp_path: Path) -> Iterator[Notebook]:
    """Give a notebook whose kernel runs."""
    opened = Notebook(tmp_path)
    try:
        opened.wait()
        yield opened
    finally:
        opened.kill()


def cells(notebook: Notebook, *, plots: bool) -> tuple[int, int]:
    """Run all cells, one of which is interrupted; give the processes of the kernel and of its companion."""
    notebook.run(MAKE.format(plots=plots))
    kernel, companion, *drawn = notebook.run(LOOK).split()
    assert ("auto_metric_loss.png" in drawn) == plots
    assert notebook.run(LOOP, interrupted=True) == "busy\n"
    assert notebook.run(GO_ON) == "logged\n"
    return int(kernel), int(companion)


def check(folder: Path, kernel: int, companion: int, directory: Path) -> None:
    """See that everything that was logged has arrived, the end too, and that no process is left."""
    wait_for(lambda: is_gone(kernel) and is_gone(companion))
    calls = heard(folder / f"backend-{kernel}")
    logged = steps(directory)
    assert logged[:31] == list(range(31))
    assert logged[-20:] == list(range(1_000_000, 1_000_020))
    assert logged[20:-20] == list(range(20, len(logged) - 20))
    assert steps_once(calls) == logged
    in_script = steps_once(heard(folder / f"script-{kernel}"))
    assert in_script == logged[: len(in_script)]
    assert len(in_script) >= 20
    assert calls[-1]["hook"] == "neural_experiment_finished"
    assert listed(directory).status == "interrupted"


@pytest.mark.fault("D16")
def test_kernel(tmp_path: Path, notebook: Notebook) -> None:
    """A kernel that is interrupted, restarted and at last killed without `finish()` loses nothing and leaves nothing.

    What was logged before, during and after the interrupted cell is delivered to a backend, plots are drawn, an object
    of the script hears all up to `flush()` at least, both experiments are `interrupted`, and no process goes on.
    """
    first = cells(notebook, plots=True)
    notebook.restart()
    [one] = experiments(tmp_path / "runs")
    check(tmp_path, *first, one)
    second = cells(notebook, plots=False)
    notebook.kill()
    [other] = {*experiments(tmp_path / "runs")} - {one}
    check(tmp_path, *second, other)
