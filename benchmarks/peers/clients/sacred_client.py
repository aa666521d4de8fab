"""Sacred with its FileStorageObserver. Its main function runs in a thread and waits, so that it can be driven."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.peers.clients import base


class Client(base.Client):
    """A folder for each run, below ./runs."""

    def load(self) -> None:
        """Import it."""
        base.tool("sacred.observers")
        logging.disable(logging.WARNING)

    def start(self, name: str) -> base.Log:
        """Run an experiment up to its first log."""
        experiment = base.tool("sacred").Experiment(name, save_git_info=False)
        experiment.observers.append(base.tool("sacred.observers").FileStorageObserver("runs"))
        started, self._ended = threading.Event(), threading.Event()

        def main(_run: Any) -> None:
            self._run = _run
            started.set()
            self._ended.wait()

        experiment.main(main)
        self._thread = threading.Thread(target=experiment.run, daemon=True)
        self._thread.start()
        started.wait(60)
        log_scalar = self._run.log_scalar

        def log(metrics: base.Metrics, step: int) -> None:
            for metric, value in metrics.items():
                log_scalar(metric, value, step)

        return log

    def finish(self) -> None:
        """Let the main function return."""
        self._ended.set()
        self._thread.join()

    def fill(self, name: str, rows: Iterator[tuple[int, base.Metrics]]) -> None:
        """Give the last heartbeat the time that Sacred does not: it waits for 2 s, and a longer write is cut off."""
        super().fill(name, rows)
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join(60)

    def read(self) -> base.Points:
        """Load the metrics' file, whose format is documented: Sacred has no reader of its own."""
        (path,) = Path("runs").glob("[0-9]*/metrics.json")
        metric = json.loads(path.read_text("utf-8"))[base.METRIC]
        return metric["steps"], metric["values"]

    def found(self) -> list[int]:
        """Take the steps; nothing is there before the first heartbeat."""
        return list(self.read()[0]) if list(Path("runs").glob("[0-9]*/metrics.json")) else []

    def listed(self) -> dict[str, float]:
        """Load the documented files of each run."""
        last = {}
        for path in Path("runs").glob("[0-9]*/metrics.json"):
            name = json.loads((path.parent / "run.json").read_text("utf-8"))["experiment"]["name"]
            last[name] = json.loads(path.read_text("utf-8"))[base.METRIC]["values"][-1]
        return last

    def store(self, path: str) -> None:
        """Add the file; a second one of the same name takes its place."""
        self._run.add_artifact(path)
