"""A state machine: logging, finishing, resuming, dying and verifying in any order agree with a plain model."""

from __future__ import annotations

import math
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from journal_support import bits, problems, statuses, stored

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage.journal import frames
from neural_core._storage.writing.closing import compact_dead_parts

pytestmark = pytest.mark.fault("I09")

names = st.sampled_from(["loss", "accuracy", "step", "timestamp", "ß\0", "Loss", "__seq"])
values = st.one_of(st.floats(), st.sampled_from([math.nan, -0.0, math.inf]), st.integers(-5, 5))


class Experiments(RuleBasedStateMachine):
    """One experiment, its tracker (or none), and the model of what it holds."""

    @initialize()
    def begin(self) -> None:
        """Make an experiment."""
        self.folder = Path(tempfile.mkdtemp())
        self.base = self.folder / "base"
        self.tracker: ExperimentTracker | None = ExperimentTracker("machine", self.base, auto_visualize=False)
        self.directory = self.tracker.experiment_dir
        self.rows: list[tuple[int | None, dict[str, str]]] = []
        self.parameters: dict[str, Any] = {}
        self.tags: dict[str, str] = {}
        self.files: dict[str, list[bytes]] = {}
        self.status = "created"
        self.cut = False

    @precondition(lambda self: self.tracker is not None)
    @rule(metrics=st.dictionaries(names, values, min_size=1, max_size=3), step=st.none() | st.integers(-3, 2**62))
    def log_metrics(self, metrics: dict[str, float], step: int | None) -> None:
        """Log a row."""
        assert self.tracker is not None
        self.tracker.log_metrics(metrics, step)
        self.rows.append((step, {name: bits(float(value)) for name, value in metrics.items()}))
        self.status = "running"

    @precondition(lambda self: self.tracker is not None)
    @rule(pairs=st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3) | st.none(), max_size=3))
    def log_hyperparameters(self, pairs: dict[str, Any]) -> None:
        """Log hyperparameters."""
        assert self.tracker is not None
        self.tracker.log_hyperparameters(pairs)
        self.parameters |= pairs
        self.status = "running"

    @precondition(lambda self: self.tracker is not None)
    @rule(name=st.sampled_from(["a.bin", "b"]), data=st.binary(max_size=40))
    def log_artifact(self, name: str, data: bytes) -> None:
        """Store a version of an artifact."""
        assert self.tracker is not None
        (self.folder / "source").write_bytes(data)
        version = self.tracker.log_artifact(self.folder / "source", name=name)
        self.files.setdefault(name, []).append(data)
        self.status = "running"
        assert version is not None
        assert version.version == len(self.files[name])

    @precondition(lambda self: self.tracker is not None)
    @rule(name=st.sampled_from(["x", "y"]), text=st.none() | st.text(max_size=3))
    def set_tags(self, name: str, text: str | None) -> None:
        """Set or remove a tag."""
        assert self.tracker is not None
        self.tracker.set_tags({name: text})  # type: ignore[dict-item]
        self.tags.pop(name, None)
        if text is not None:
            self.tags[name] = text

    @precondition(lambda self: self.tracker is not None)
    @rule()
    def finish(self) -> None:
        """End the experiment."""
        assert self.tracker is not None
        self.tracker.finish()
        self.tracker, self.status = None, "completed"

    @precondition(lambda self: self.tracker is not None)
    @rule(torn=st.integers(0, 60), flush=st.booleans())
    def die(self, torn: int, flush: bool) -> None:
        """Lose the process: its parts stay as they are, the last one with half a frame at its end."""
        assert self.tracker is not None
        assert self.tracker._session is not None
        writer = self.tracker._session.writer
        if flush:
            self.tracker.flush()
        self.tracker._end.detach()
        parts = writer.parts.paths
        writer._sink.entries.clear()
        writer.parts.fence(sync=False)
        if parts and torn:
            body = frames.row_packer(5).pack(frames.row_head(1, 5), 1, 1.0, *[2.0] * 5)
            with parts[-1].open("ab") as file:
                file.write(frames.frame(1, body[4:])[: min(torn, 60)])
            self.cut = self.cut or bool(torn)
        self.tracker = None

    @precondition(lambda self: self.tracker is None)
    @rule()
    def resume(self) -> None:
        """Continue it."""
        # The evidence of this very process would say that the one that died is alive.
        document = self.directory
        from neural_core._storage.writing.session import Session

        self.tracker = ExperimentTracker._of(Session.open(document, kind="owner"))
        self.tracker.auto_visualize = False
        self.status = "created"

    @precondition(lambda self: self.tracker is None)
    @rule()
    def compact(self) -> None:
        """Let somebody compact what a dead process left."""
        compact_dead_parts(self.directory)

    @precondition(lambda self: self.tracker is None)
    @rule()
    def move(self) -> None:
        """Copy the store elsewhere and go on there."""
        target = Path(tempfile.mkdtemp(dir=self.folder))
        shutil.copytree(self.base, target / "base")
        shutil.rmtree(self.base)
        self.base = target / "base"
        self.directory = self.base / self.directory.name

    @rule()
    def verify(self) -> None:
        """Every byte is sound, but for what was torn."""
        found = problems(self.directory)
        assert [problem for problem in found if not (self.cut and "cut off" in problem)] == []

    @invariant()
    def agrees(self) -> None:
        """A fresh reader gives what the model holds."""
        if not hasattr(self, "directory"):
            return
        tracker = stored(self.directory)
        found = [
            (row.step, {name: bits(value) for name, value in row.values.items()}) for row in tracker.metrics_history
        ]
        assert found == self.rows
        for name in {name for _, metrics in self.rows for name in metrics}:
            expected = [metrics[name] for _, metrics in self.rows if name in metrics]
            assert [bits(value) for value in tracker.get_metrics(name)] == expected
        assert tracker.hyperparameters == self.parameters
        assert tracker.tags == self.tags
        assert {
            name: [one.path.read_bytes() for one in tracker.list_artifact_versions(name)] for name in self.files
        } == self.files
        if self.tracker is not None or self.status == "completed":
            assert statuses(self.base) == {self.directory.name: self.status}
        assert len(ExperimentManager(self.base).list_experiments()) == 1

    def teardown(self) -> None:
        """Remove everything."""
        if hasattr(self, "folder"):
            if self.tracker is not None:
                self.tracker.finish()
            shutil.rmtree(self.folder)


TestExperiments = Experiments.TestCase
TestExperiments.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
