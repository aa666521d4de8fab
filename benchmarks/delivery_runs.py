"""Training scripts of the delivery benchmark, each run in a fresh interpreter."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.delivery_plugins import Counting, Peak, Stamping, anonymous
from benchmarks.measure import median, memory, metrics_of
from benchmarks.work import compute

__all__ = ["behind", "drawing", "lagging", "looping", "whole"]

_BACKENDS: dict[str, dict[str, Any]] = {"sleeping": {}, "raising": {}}
_PATIENCE = 120.0


def _tracker(folder: str, **options: Any) -> Any:
    from neural_core import ExperimentTracker

    logging.getLogger("neural").setLevel(logging.ERROR)  # that a backend raises is known here
    return ExperimentTracker("delivery", base_dir=Path(folder) / "delivery", **options)


def _options(kind: str) -> dict[str, Any]:
    match kind:
        case "none":
            return {"auto_visualize": False}
        case "companion":
            return {"backend": _BACKENDS}
        case "object":
            return {"auto_visualize": False, "plugins": [Counting()]}
        case "all":
            return {"backend": _BACKENDS, "plugins": [Counting()]}
    raise ValueError(kind)


def looping(folder: str, kind: str, steps: int, work: int, imports: Sequence[str]) -> dict[str, float]:
    """Train: compute, log, again and again; give the seconds of the loop, the p50 of the calls, and the memory."""
    for module in imports:  # as a training script has done long before
        importlib.import_module(module)
    tracker = _tracker(folder, **_options(kind))
    metrics, clock, log, taken = metrics_of(4), time.perf_counter, tracker.log_metrics, [0.0] * steps
    began = clock()
    for step in range(steps):
        compute(work)
        start = clock()
        log(metrics, step)
        taken[step] = clock() - start
    loop = clock() - began
    found = {"loop": loop, "memory": memory() / 1e6, "p50": median(taken)}
    _end(tracker)
    return found


def drawing(folder: str, steps: int, work: int) -> float | None:
    """Train with automatic plots alone; give the most memory in MB that the companion held, None where /proc is not."""
    tracker = _tracker(folder)
    metrics, step, deadline = metrics_of(4), 0, time.monotonic() + _PATIENCE
    while step < steps or (not list(tracker.experiment_dir.glob("plots/*.png")) and time.monotonic() < deadline):
        compute(work)
        tracker.log_metrics(metrics, step)
        step += 1
    time.sleep(0.5)
    peak = _peak()
    _end(tracker)
    return peak


def _peak() -> float | None:
    from neural_core._delivery.launcher import launcher

    status = Path(f"/proc/{launcher.pid}/status")
    if not status.exists():
        return None
    line = next(line for line in status.read_text("ascii").splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def lagging(folder: str, steps: int, work: int) -> dict[str, list[float]]:
    """Train with plots, a backend and an object; give how old the oldest row of each batch was on its arrival."""
    notes = Path(folder) / f"lags-{time.time_ns()}"
    own = Stamping()
    tracker = _tracker(folder, backend={"stamping": {"path": str(notes)}}, plugins=[own])
    metrics = metrics_of(4)
    deadline = time.monotonic() + _PATIENCE
    while not (own.lags and notes.exists()) and time.monotonic() < deadline:
        tracker.log_metrics(metrics, -1)  # while the companion starts
        time.sleep(0.01)
    time.sleep(1.0)  # the plots are drawn for the first time, which imports matplotlib
    for step in range(steps):
        compute(work)
        tracker.log_metrics(metrics, step)
    tracker.flush()
    lines = map(json.loads, notes.read_text("ascii").splitlines())
    found = {
        "object": [lag for step, lag in own.lags if step >= 0],
        "backend": [lag for step, lag in lines if step >= 0],
    }
    _end(tracker)
    return found


def behind(folder: str, rows: int) -> float | None:
    """Deliver a long backlog; give by how many MB of its own the process grew, None where /proc does not tell."""
    from neural_core.testing import deliver

    tracker, metrics = _tracker(folder, auto_visualize=False), metrics_of(4)
    tracker.log_metrics(metrics, 0)
    tracker.flush()
    deliver(tracker.experiment_dir, Peak())
    before = anonymous()
    for step in range(1, rows):
        tracker.log_metrics(metrics, step)
    plugin = Peak()
    assert deliver(tracker.experiment_dir, plugin, seconds=600).complete
    _end(tracker)
    return None if before is None else plugin.most - before


def whole(folder: str) -> float:
    """Give the seconds of an experiment of a hundred rows with everything at its default."""
    metrics = metrics_of(4)
    start = time.perf_counter()
    tracker = _tracker(folder)
    for step in range(100):
        tracker.log_metrics(metrics, step)
    tracker.finish()
    taken = time.perf_counter() - start
    assert list(tracker.experiment_dir.glob("plots/*.png"))
    _end(tracker)
    return taken


def _end(tracker: Any) -> None:
    """Finish, and see the companion go: its processor time is ours, and it is not beside the next run."""
    from neural_core._delivery.launcher import launcher

    tracker.finish()
    launcher._close_pipe()
    if launcher._process is not None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            launcher._process.wait(_PATIENCE)
