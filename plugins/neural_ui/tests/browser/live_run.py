"""A training that goes on: a process that logs by itself, or as it is told over stdin."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

__all__ = ["LiveRun"]

_SCRIPT = """
import json, sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker(sys.argv[2], sys.argv[1], auto_visualize=False, hyperparameters={"lr": 0.01})
step = 0
print(tracker.experiment_id, flush=True)
for line in sys.stdin:
    values = json.loads(line)
    if isinstance(values, str):
        tracker.finish(values)
        print("finished", flush=True)
        break
    for loss in values:
        tracker.log_metrics({"loss": loss, "accuracy": 1 - loss}, step=step)
        step += 1
    print(step, flush=True)
"""


class LiveRun:
    """A process that writes one experiment.

    Attributes:
        experiment_id: of the experiment.
        steps: rows logged so far.
    """

    def __init__(self, base: Path, name: str = "live run") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, str(base), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.experiment_id = self._answer()
        self.steps = 0

    def _answer(self) -> str:
        assert self._process.stdout is not None
        answer = self._process.stdout.readline().strip()
        assert answer, "the writer has ended"
        return answer

    def _say(self, what: object) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def log(self, *losses: float) -> None:
        """Log a row for each value of ``loss`` (and of ``accuracy``); they are stored when this returns."""
        self.steps = int(self._say(list(losses)))

    def finish(self, status: str = "completed") -> None:
        """End the experiment."""
        assert self._say(status) == "finished"

    def close(self) -> None:
        """End the process, as a script ends."""
        self._process.communicate()
        assert self._process.returncode == 0
