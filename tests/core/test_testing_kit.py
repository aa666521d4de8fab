"""The kit for authors of plugins proves itself: the contract passes what is right and fails what is not."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from neural_core import ExperimentTracker
from neural_core.errors import ConfigurationError, ExperimentNotFoundError
from neural_core.hookspecs import hookimpl
from neural_core.records import Experiment, MetricRows
from neural_core.testing import (
    BackendContract,
    HangingPlugin,
    RaisingPlugin,
    ReadBack,
    RecordingPlugin,
    SlowPlugin,
    deliver,
    following,
)

METRICS = "neural_metrics_logged"


class TestRecordingPlugin(BackendContract):
    """The recording plugin keeps the contract."""

    @pytest.fixture(autouse=True)
    def _no_plugin_yet(self) -> None:
        self.made: list[RecordingPlugin] = []

    def make_backend(self, tmp_path: Path) -> RecordingPlugin:
        """Give a new one, and remember it."""
        self.made.append(RecordingPlugin())
        return self.made[-1]

    def read_back(self, tmp_path: Path, experiment: Experiment) -> ReadBack:
        """Read what all of them kept of the experiment."""
        calls = [
            call
            for plugin in self.made
            for call in plugin.calls
            if call.arguments["experiment"].experiment_id == experiment.experiment_id
        ]
        rows = [row for call in calls if call.hook == METRICS for row in call.arguments["rows"]]
        return ReadBack(
            [(name, row.step, value) for row in rows for name, value in row.values.items()],
            set(_names(calls[-1].arguments["experiment"].hyperparameters)),
            {c.arguments["artifact"].artifact_name for c in calls if c.hook == "neural_artifact_logged"},
            calls[-1].arguments["experiment"].status,
        )


def _names(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, value in values.items():
        yield before + name
        if isinstance(value, Mapping):
            yield from _names(value, f"{before}{name}.")


class SqliteBackend:
    """Stores each point once: its place in the journal is its key."""

    delivery = "exactly once"

    def __init__(self, path: Path) -> None:
        self.path = path

    @hookimpl
    def neural_experiment_started(self) -> None:
        """Open the table."""
        self.table = sqlite3.connect(self.path, timeout=30, check_same_thread=False)
        self.table.execute("CREATE TABLE IF NOT EXISTS points(id, part, at, name, step, value, UNIQUE(part, at, name))")

    @hookimpl
    def neural_metrics_logged(self, experiment: Experiment, rows: MetricRows) -> None:
        """Insert what is not there."""
        with self.table:
            for at, row in zip(rows.positions.tolist(), rows, strict=True):
                values = [
                    (experiment.uid, rows.part, at, name, row.step, repr(value)) for name, value in row.values.items()
                ]
                self.table.executemany("INSERT OR IGNORE INTO points VALUES (?, ?, ?, ?, ?, ?)", values)

    @hookimpl
    def neural_experiment_finished(self) -> None:
        """Close the table."""
        self.table.close()


class TestExactlyOnce(BackendContract):
    """A backend that keys points by part and position keeps the stricter contract."""

    exactly_once = True

    def make_backend(self, tmp_path: Path) -> SqliteBackend:
        """Give a backend for one file."""
        return SqliteBackend(tmp_path / "points.db")

    def read_back(self, tmp_path: Path, experiment: Experiment) -> ReadBack:
        """Read the table."""
        table = sqlite3.connect(tmp_path / "points.db")
        found = table.execute("SELECT name, step, value FROM points WHERE id = ? ORDER BY rowid", [experiment.uid])
        points = [(name, step, float(value)) for name, step, value in found]
        table.close()
        return ReadBack(points)


class Forgetful(SqliteBackend):
    """Wrong in many ways at once: keeps a row of each batch, none that is not finite, under one experiment's name."""

    delivery = "whenever it likes"

    @hookimpl
    def neural_metrics_logged(self, experiment: Experiment, rows: MetricRows) -> None:
        """Lose most of it."""
        with self.table:
            values = [("all", rows.part, 0, name, rows[-1].step, value) for name, value in rows[-1].values.items()]
            self.table.executemany("INSERT INTO points VALUES (?, ?, ?, ?, ?, ?)", values)


@pytest.mark.parametrize(
    "test",
    [
        "test_order_is_kept",
        "test_batches_equal_singles",
        "test_nan_and_infinities",
        "test_steps_backwards",
        "test_without_steps",
        "test_long_backlog",
        "test_resume",
        "test_replay",
        "test_delivery_is_declared",
        "test_two_experiments_at_once",
    ],
)
def test_contract_fails_what_is_wrong(tmp_path: Path, test: str) -> None:
    """Every test about rows fails for a backend that loses them."""

    class Wrong(TestExactlyOnce):
        def make_backend(self, tmp_path: Path) -> SqliteBackend:
            return Forgetful(tmp_path / "points.db")

    with pytest.raises(AssertionError):
        getattr(Wrong(), test)(tmp_path)


@pytest.mark.parametrize(
    "test",
    [
        "test_unicode_names",
        "test_hyperparameters",
        "test_artifacts_and_figures",
        "test_failed_experiment",
        "test_destination",
    ],
)
def test_contract_fails_what_keeps_little(tmp_path: Path, test: str) -> None:
    """Every test about names, facts and destinations fails for a backend that keeps few, under changing names."""

    class Wrong(TestRecordingPlugin):
        def make_backend(self, tmp_path: Path) -> RecordingPlugin:
            plugin = super().make_backend(tmp_path)
            vars(plugin)["destination"] = f"object {len(self.made)}"
            return plugin

        def read_back(self, tmp_path: Path, experiment: Experiment) -> ReadBack:
            plain = [point for point in super().read_back(tmp_path, experiment).points if point[0].isascii()]
            return ReadBack(plain, {"lr"}, {"weights.bin"}, "completed")

    wrong = Wrong()
    wrong.made = []
    with pytest.raises(AssertionError):
        getattr(wrong, test)(tmp_path)


def test_contract_forbids_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backend that opens a connection to another host fails the contract, even when it hides the error."""

    class Caller(SqliteBackend):
        @hookimpl
        def neural_experiment_finished(self) -> None:
            with socket.socket() as one:
                one.connect_ex(("127.0.0.1", 9))
                try:
                    one.connect(("192.0.2.1", 80))
                except OSError:
                    self.table.close()

    class Calling(TestExactlyOnce):
        def make_backend(self, tmp_path: Path) -> SqliteBackend:
            return Caller(tmp_path / "points.db")

    with pytest.raises(AssertionError, match=r"192\.0\.2\.1"):
        Calling().test_no_network(tmp_path, monkeypatch)


@pytest.fixture
def finished(tmp_path: Path) -> ExperimentTracker:
    """Give a finished experiment with a hundred rows."""
    with ExperimentTracker("kit", tmp_path, auto_visualize=False) as tracker:
        for step in range(100):
            tracker.log_metrics({"loss": float(step)}, step=step)
    return tracker


def test_deliver_tells_everything(finished: ExperimentTracker) -> None:
    """`deliver` tells a plugin a whole experiment, on one thread that is not the caller's."""
    plugin = RecordingPlugin()
    delivered = deliver(finished.experiment_dir, plugin)
    assert delivered.complete
    assert [row.step for row in plugin.rows] == list(range(100))
    assert len(set(plugin.positions)) == 100
    assert {call.thread for call in plugin.calls} == {"neural-relay-RecordingPlugin"}


def test_deliver_goes_on(finished: ExperimentTracker) -> None:
    """From the position of an earlier delivery, a plugin hears of the start and then of nothing that was told."""
    first, again = RecordingPlugin(), RecordingPlugin()
    position = deliver(finished.experiment_dir, first).position
    assert deliver(finished.experiment_dir, again, position).position == position
    assert again.calls == []
    part, ordinal = first.positions[60]
    deliver(finished.experiment_dir, again, {part: ordinal})
    assert [row.step for row in again.rows] == list(range(60, 100))
    assert again.names == ["neural_experiment_started", METRICS, "neural_status_changed", "neural_experiment_finished"]


def test_following_a_live_experiment(tmp_path: Path) -> None:
    """`following` tells a plugin of rows while the experiment runs, and of the end once."""
    plugin = RecordingPlugin()
    tracker = ExperimentTracker("live", tmp_path, auto_visualize=False)
    with following(tracker.experiment_dir, plugin) as catch_up:
        for step in range(5):
            tracker.log_metrics({"loss": 0.0}, step=step)
            assert catch_up().complete
            assert len(plugin.rows) == step + 1
        tracker.finish()
        assert catch_up().complete
    assert [call.arguments["complete"] for call in plugin.of("neural_experiment_finished")] == [True]


def test_recording_copies(finished: ExperimentTracker) -> None:
    """What the recording plugin keeps needs no file any more."""
    import shutil

    plugin = RecordingPlugin()
    deliver(finished.experiment_dir, plugin)
    shutil.rmtree(finished.experiment_dir)
    [call] = plugin.of(METRICS)
    rows = call.arguments["rows"]
    assert rows.columns()["values"]["loss"].tolist() == [row.values["loss"] for row in rows]
    assert len(rows) == len(rows.positions) == 100


def test_recording_into_a_file(finished: ExperimentTracker, tmp_path: Path) -> None:
    """With a path, the recording plugin writes each call as a line of JSON, rows with their positions."""
    import json

    path = tmp_path / "calls.jsonl"
    deliver(finished.experiment_dir, RecordingPlugin(path))
    calls = [json.loads(line) for line in path.read_text().splitlines()]
    rows = [row for call in calls for row in call.get("rows", ())]
    assert [step for _, step, _ in rows] == list(range(100))
    assert calls[-1]["hook"] == "neural_experiment_finished"
    assert (calls[-1]["status"], calls[-1]["complete"]) == ("completed", True)


def test_raising_plugin_is_asked_again(finished: ExperimentTracker, caplog: pytest.LogCaptureFixture) -> None:
    """A plugin that raises twice hears the same facts again and misses none; the user reads one warning."""
    plugin = RaisingPlugin(times=2)
    delivered = deliver(finished.experiment_dir, plugin)
    assert (delivered.complete, delivered.errors, plugin.raised) == (True, 2, 2)
    assert [row.step for row in plugin.rows] == list(range(100))
    assert len(caplog.records) == 1
    assert "RaisingPlugin" in caplog.text


def test_raising_plugin_is_set_aside(finished: ExperimentTracker) -> None:
    """A plugin that always raises is asked three times, then offered the end as incomplete; its position stays."""
    plugin = RaisingPlugin()
    delivered = deliver(finished.experiment_dir, plugin)
    assert (delivered.complete, delivered.errors) == (False, 3)
    assert "raised on purpose" in str(delivered.last_error)
    assert plugin.names[-1] == "neural_experiment_finished"
    assert plugin.calls[-1].arguments["complete"] is False
    after = RecordingPlugin()
    deliver(finished.experiment_dir, after, delivered.position)
    assert [row.step for row in after.rows] == list(range(100))


@pytest.mark.parametrize("hook", ["neural_experiment_started", "neural_status_changed", "neural_experiment_finished"])
def test_raising_in_a_hook(finished: ExperimentTracker, hook: str) -> None:
    """A plugin may raise in any hook; once it does no longer, it has heard everything in order."""
    plugin, whole = RaisingPlugin(hooks=(hook,), times=2), RecordingPlugin()
    deliver(finished.experiment_dir, whole)
    assert deliver(finished.experiment_dir, plugin).complete
    assert plugin.raised == 2
    assert plugin.names == whole.names


def test_slow_plugin_hears_everything(finished: ExperimentTracker) -> None:
    """A slow plugin hears all rows."""
    plugin = SlowPlugin(0.01)
    assert deliver(finished.experiment_dir, plugin).complete
    assert len(plugin.rows) == 100


def test_hanging_plugin_ends_at_the_deadline(finished: ExperimentTracker) -> None:
    """A plugin that hangs is left at the deadline, and told as incomplete; released, it ends."""
    plugin = HangingPlugin()
    delivered = deliver(finished.experiment_dir, plugin, seconds=0.2)
    assert plugin.hanging.is_set()
    assert (delivered.complete, delivered.errors) == (False, 0)
    plugin.release.set()
    for thread in threading.enumerate():
        if thread.name == "neural-relay-HangingPlugin":
            thread.join()
    assert len(plugin.rows) == 100


CRASH = """
import sys
from neural_core.testing import CrashingPlugin, deliver
print(deliver(sys.argv[1], CrashingPlugin(sys.argv[2], once=sys.argv[3])).complete)
"""


@pytest.mark.parametrize(("how", "status"), [("_exit", 70), ("abort", -6), ("exit", 0)])
def test_crashing_plugin(finished: ExperimentTracker, tmp_path: Path, how: str, status: int) -> None:
    """A crashing plugin ends its process, but for sys.exit, which is caught; with `once` it does so once."""
    command = [sys.executable, "-c", CRASH, str(finished.experiment_dir), how, str(tmp_path / "crashed")]
    first = subprocess.run(command, capture_output=True, text=True, check=False)
    assert first.returncode == status, first.stderr
    assert (tmp_path / "crashed").exists()
    second = subprocess.run(command, capture_output=True, text=True, check=True)
    assert second.stdout == "True\n"


def test_no_plugin_is_refused(finished: ExperimentTracker) -> None:
    """A class instead of an object is a sentence, before anything is told."""
    with pytest.raises(ConfigurationError, match=r"RecordingPlugin\(\)"):
        deliver(finished.experiment_dir, RecordingPlugin)


def test_no_experiment_is_refused(tmp_path: Path) -> None:
    """A folder that is no experiment is a sentence: a test with a wrong path does not pass for want of facts."""
    with pytest.raises(ExperimentNotFoundError, match="is no experiment"):
        deliver(tmp_path, RecordingPlugin())
    with pytest.raises(ExperimentNotFoundError, match="is no experiment"), following("nowhere", RecordingPlugin()):
        pass


def test_kit_needs_no_pytest() -> None:
    """The kit is imported without pytest, NumPy's arrays aside it brings no plotting."""
    code = "import sys, neural_core.testing; print([m for m in ('pytest', 'matplotlib') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
