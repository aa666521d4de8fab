"""The backends of docs/hooks.md that say "exactly once" can be copied: they keep what they say."""

from __future__ import annotations

import ast
import json
import math
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from neural_core import ExperimentTracker, hookimpl
from neural_core.records import Experiment
from neural_core.testing import BackendContract, ReadBack, deliver

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "hooks.md").read_text(encoding="utf-8")
TRIED = [
    BackendContract.test_destination,
    BackendContract.test_delivery_is_declared,
    BackendContract.test_nan_and_infinities,
    BackendContract.test_replay,
    BackendContract.test_resume,
    BackendContract.test_two_experiments_at_once,
]


def class_of_the_page(name: str) -> Any:
    """Give a class as the page's blocks define it."""
    scope: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        for statement in ast.parse(block).body:
            is_wanted = isinstance(statement, ast.ClassDef) and statement.name == name
            if is_wanted or isinstance(statement, ast.Import | ast.ImportFrom):
                exec(compile(ast.Module([statement], []), "docs/hooks.md", "exec"), scope)
    return scope[name]


class Sqlite(BackendContract):
    """One file holds the points of all experiments."""

    exactly_once = True
    ordered = False

    def make_backend(self, tmp_path: Path) -> object:
        """Give the page's backend."""
        return class_of_the_page("SqliteBackend")(str(tmp_path / "metrics.db"))

    def read_back(self, tmp_path: Path, experiment: Experiment) -> ReadBack:
        """Read the file."""
        table = sqlite3.connect(tmp_path / "metrics.db")
        points = table.execute("SELECT name, step, value FROM points WHERE id = ?", (experiment.uid,)).fetchall()
        table.close()
        return ReadBack([(name, step, math.nan if value is None else value) for name, step, value in points])


class Lines(BackendContract):
    """Each experiment has a file of its own."""

    exactly_once = True

    def make_backend(self, tmp_path: Path) -> object:
        """Give the page's backend."""
        return class_of_the_page("LineBackend")(str(tmp_path / "lines"))

    def read_back(self, tmp_path: Path, experiment: Experiment) -> ReadBack:
        """Read the file."""
        lines = (tmp_path / "lines" / f"{experiment.experiment_id}.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        return ReadBack([(name, step, value) for step, values in rows for name, value in values.items()])


@pytest.mark.parametrize("backend", [Sqlite, Lines])
@pytest.mark.parametrize("tried", TRIED, ids=lambda tried: tried.__name__)
def test_contract(tmp_path: Path, backend: type[BackendContract], tried: Any) -> None:
    """What the page calls "exactly once" keeps each value once: of several experiments, again, and later on."""
    tried(backend(), tmp_path)


def test_lines_of_a_call_that_failed_halfway(tmp_path: Path) -> None:
    """What a failed call had written is cut off when it is made again; without a bookmark nothing is cut off."""
    line_backend: Any = class_of_the_page("LineBackend")

    class Halfway(line_backend):  # type: ignore[misc]  # the page's class is known when this runs
        failed = False

        @hookimpl
        def neural_metrics_logged(self, rows: Any) -> None:
            def some() -> Iterator[Any]:
                yield from rows[:2]
                self.failed = True
                raise OSError("no space left")

            super().neural_metrics_logged(rows if self.failed else some())

    with ExperimentTracker("halfway", tmp_path / "runs", auto_visualize=False) as tracker:
        for step in range(5):
            tracker.log_metrics({"loss": 0.5}, step=step)
    told = deliver(tracker.experiment_dir, Halfway(str(tmp_path / "lines")))
    assert (told.complete, told.errors) == (True, 1)
    with ExperimentTracker.resume(str(tracker.experiment_dir)) as again:
        again.auto_visualize = False
        again.log_metrics({"loss": 0.25}, step=5)
    deliver(tracker.experiment_dir, line_backend(str(tmp_path / "lines")), told.position, None)
    [path] = (tmp_path / "lines").iterdir()
    assert [json.loads(line)[0] for line in path.read_text(encoding="utf-8").splitlines()] == list(range(6))
