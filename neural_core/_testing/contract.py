"""What every backend keeps: a class of tests, run against real experiments and real relays."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from neural_core._testing.backend import BackendUnderTest, forbid_network
from neural_core._testing.delivering import following
from neural_core._tracker import ExperimentTracker

if TYPE_CHECKING:
    import pytest

__all__ = ["BackendContract"]

BACKLOG_ROWS = 2_500
"""More than two batches of rows."""


class BackendContract(BackendUnderTest):
    """Inherit it in a class whose name begins with ``Test``, and say how the backend is made and read back."""

    def test_order_is_kept(self, tmp_path: Path) -> None:
        """Points arrive in the order of the calls, whatever else is logged between them."""
        with self._track(tmp_path) as tracker:
            for step in range(120):
                tracker.log_metrics({"loss": 1.0 / (step + 1), "accuracy": step / 120}, step=step)
                if step % 40 == 0:
                    tracker.log_hyperparameters({f"at_{step}": step})
        self._deliver(tmp_path, tracker)
        self._same(tmp_path, tracker, "loss", [(step, 1.0 / (step + 1)) for step in range(120)])
        self._same(tmp_path, tracker, "accuracy", [(step, step / 120) for step in range(120)])

    def test_batches_equal_singles(self, tmp_path: Path) -> None:
        """Rows that come one by one are stored as those that come all at once."""
        wanted = [(step, step / 8) for step in range(30)]
        with self._track(tmp_path) as batch:
            for step, value in wanted:
                batch.log_metrics({"loss": value}, step=step)
        self._deliver(tmp_path, batch)
        single = self._track(tmp_path)
        with following(single.experiment_dir, self.make_backend(tmp_path)) as catch_up:
            for step, value in wanted:
                single.log_metrics({"loss": value}, step=step)
                self._check(catch_up())
            single.finish()
            self._check(catch_up())
        self._same(tmp_path, batch, "loss", wanted)
        self._same(tmp_path, single, "loss", wanted)

    def test_nan_and_infinities(self, tmp_path: Path) -> None:
        """NaN and both infinities are stored, and take no other point along."""
        wanted = list(enumerate([0.5, math.nan, math.inf, -math.inf, 0.25]))
        self._log_and_compare(tmp_path, "loss", wanted)

    def test_unicode_names(self, tmp_path: Path) -> None:
        """Metrics, tags and experiments may be called anything."""
        names = ["größe/π", "损失", "a b", "quote\"s and 'more'", "x" * 200]
        with self._track(tmp_path, "Größe: 损失 / \\ ?") as tracker:
            tracker.set_tags({"schlüssel": "wert\n☃"})
            for at, name in enumerate(names):
                tracker.log_metrics({name: float(at)}, step=at)
        self._deliver(tmp_path, tracker)
        for at, name in enumerate(names):
            self._same(tmp_path, tracker, name, [(at, float(at))])

    def test_steps_backwards(self, tmp_path: Path) -> None:
        """Steps may go back and come again."""
        self._log_and_compare(tmp_path, "loss", [(5, 0.5), (3, 0.25), (3, 0.125), (1_000_000, 1.0), (0, 2.0)])

    def test_without_steps(self, tmp_path: Path) -> None:
        """Rows without a step are stored, under whatever step the backend gives them."""
        with self._track(tmp_path) as tracker:
            for value in (0.5, 0.25, 0.125):
                tracker.log_metrics({"loss": value})
        self._deliver(tmp_path, tracker)
        stored = [value for _, value in self._points(tmp_path, tracker, "loss")]
        assert sorted(stored) == [0.125, 0.25, 0.5], f"of three rows without steps there are {stored}"

    def test_long_backlog(self, tmp_path: Path) -> None:
        """A backlog of several batches arrives whole."""
        self._log_and_compare(tmp_path, "loss", [(step, step / 1024) for step in range(BACKLOG_ROWS)])

    def test_hyperparameters(self, tmp_path: Path) -> None:
        """Hyperparameters arrive, nested ones and those that are logged late included."""
        with self._track(tmp_path) as tracker:
            tracker.log_hyperparameters({"lr": 0.1, "model": {"depth": 3, "name": "tiny"}, "none": None})
            tracker.log_metrics({"loss": 1.0}, step=0)
            tracker.log_hyperparameters({"late": [1, 2]})
        self._deliver(tmp_path, tracker)
        stored = self._read(tmp_path, tracker).hyperparameters
        missing = {"lr", "model.depth", "model.name", "late"} - set(stored or ())
        assert stored is None or not missing, f"not stored: {missing}"

    def test_artifacts_and_figures(self, tmp_path: Path) -> None:
        """Files, folders and figures arrive, and a further version of a file disturbs none of them."""
        from matplotlib.figure import Figure

        tree = tmp_path / "tree"
        tree.mkdir()
        (tree / "inner.txt").write_text("inner")
        (tmp_path / "weights.bin").write_bytes(b"1")
        with self._track(tmp_path) as tracker:
            tracker.log_artifact(str(tmp_path / "weights.bin"))
            (tmp_path / "weights.bin").write_bytes(b"22")
            tracker.log_artifact(str(tmp_path / "weights.bin"))
            tracker.log_artifact(str(tree))
            tracker.log_figure(Figure(), "curve")
            tracker.log_metrics({"loss": 1.0}, step=0)
        self._deliver(tmp_path, tracker)
        self._same(tmp_path, tracker, "loss", [(0, 1.0)])
        stored = self._read(tmp_path, tracker).artifacts
        for name in ("weights.bin", "tree", "curve"):
            assert stored is None or any(name in path for path in stored), f"{name} is not among {stored}"

    def test_resume(self, tmp_path: Path) -> None:
        """Another object goes on where the first stopped, in the same place; the experiment's second span follows."""
        tracker = self._track(tmp_path)
        tracker.log_metrics({"loss": 1.0}, step=0)
        first = self._deliver(tmp_path, tracker)
        tracker.log_metrics({"loss": 0.5}, step=1)
        tracker.finish()
        second = self._deliver(tmp_path, tracker, first)
        with ExperimentTracker.resume(str(tracker.experiment_dir)) as again:
            again.auto_visualize = False
            again.log_metrics({"loss": 0.25}, step=2)
        self._deliver(tmp_path, tracker, second)
        self._same(tmp_path, tracker, "loss", [(0, 1.0), (1, 0.5), (2, 0.25)])

    def test_failed_experiment(self, tmp_path: Path) -> None:
        """The end of an experiment that failed arrives, with its status and what was logged before."""
        tracker = self._track(tmp_path)
        tracker.log_metrics({"loss": 1.0}, step=0)
        tracker.finish("failed")
        self._deliver(tmp_path, tracker)
        self._same(tmp_path, tracker, "loss", [(0, 1.0)])
        status = self._read(tmp_path, tracker).status
        assert status in (None, "failed"), f"stored status {status!r}"

    def test_replay(self, tmp_path: Path) -> None:
        """Facts that come again, to another object, lose nothing; with `exactly_once` they change nothing."""
        wanted = [(step, step / 4) for step in range(10)]
        tracker = self._log_and_compare(tmp_path, "loss", wanted)
        self._deliver(tmp_path, tracker)
        if self.exactly_once:
            self._same(tmp_path, tracker, "loss", wanted)
        else:
            stored = self._points(tmp_path, tracker, "loss")
            assert set(stored) == set(wanted), f"stored after a replay: {stored}"

    def test_two_experiments_at_once(self, tmp_path: Path) -> None:
        """Two objects serve two experiments at the same time; each keeps its own."""
        trackers = [self._track(tmp_path, "twin") for _ in range(2)]
        for step in range(200):
            for at, tracker in enumerate(trackers):
                tracker.log_metrics({"loss": step + at / 2}, step=step)
        for tracker in trackers:
            tracker.finish()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda tracker: self._deliver(tmp_path, tracker), trackers))
        for at, tracker in enumerate(trackers):
            self._same(tmp_path, tracker, "loss", [(step, step + at / 2) for step in range(200)])

    def test_no_network(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The configuration of the tests needs no network but this host's own."""
        tried = forbid_network(monkeypatch)
        self._log_and_compare(tmp_path, "loss", [(0, 1.0)])
        assert not tried, f"the backend reached for {tried}"

    def test_delivery_is_declared(self, tmp_path: Path) -> None:
        """What the backend says of its delivery is what `exactly_once` lets the tests prove."""
        declared = getattr(self.make_backend(tmp_path), "delivery", "at least once")
        assert declared == ("exactly once" if self.exactly_once else "at least once"), f"declared {declared!r}"

    def test_destination(self, tmp_path: Path) -> None:
        """Two objects that are made alike say the same of where they deliver to."""
        told = [getattr(self.make_backend(tmp_path), "destination", None) for _ in range(2)]
        said = [str(one() if callable(one) else one or "") for one in told]
        assert said[0] == said[1], f"destinations {said}"
