"""Relays: everything that was logged reaches a plugin, in order, whatever the plugin does."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from journal_support import TIMEOUT

from neural_core import ExperimentTracker
from neural_core._delivery import taking
from neural_core._delivery.cursor import CursorFile, cursors_of
from neural_core._delivery.forking import PausableThread
from neural_core._delivery.guard import GuardedPlugin
from neural_core._delivery.questions import ask
from neural_core._delivery.relay import Relay
from neural_core._storage.experiment.tail import Tail
from neural_core.hookspecs import hookimpl
from neural_core.records import Experiment, MetricRows
from neural_core.testing import HangingPlugin, RaisingPlugin, RecordingPlugin, SlowPlugin, deliver, wait_for

ROOT = Path(__file__).resolve().parents[2]
METRICS = "neural_metrics_logged"
FACTS = (
    "neural_experiment_started",
    "neural_hyperparameters_logged",
    METRICS,
    "neural_artifact_logged",
    "neural_annotations_changed",
    "neural_status_changed",
    "neural_experiment_finished",
)
SOON = 120.0
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture
def make_tracker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ExperimentTracker]]:
    """Give a function that makes trackers; what waits for plugins has the patience of a busy machine."""
    monkeypatch.setenv("NEURAL_FINISH_SECONDS", str(SOON))
    made = []

    def make(**options: Any) -> ExperimentTracker:
        made.append(ExperimentTracker("relayed", tmp_path / "runs", auto_visualize=False, **options))
        return made[-1]

    yield make
    for tracker in made:
        tracker.finish()


def log(tracker: ExperimentTracker, first: int, last: int) -> None:
    """Log rows with these steps."""
    for step in range(first, last):
        tracker.log_metrics({"loss": step / 8}, step)


def steps(plugin: RecordingPlugin) -> list[int | None]:
    """Give the steps of all rows that a plugin heard."""
    return [row.step for row in plugin.rows]


def run(code: str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, in which every warning is an error."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path, "NEURAL_FINISH_SECONDS": str(SOON), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )


class TestOrder:
    def test_rows_and_facts_come_as_they_were_logged(
        self, make_tracker: Callable[..., ExperimentTracker], tmp_path: Path
    ) -> None:
        """A plugin hears rows and facts in the order of the calls, from started to finished."""
        plugin = RecordingPlugin()
        tracker = make_tracker(plugins=[plugin])
        log(tracker, 0, 3)
        tracker.log_hyperparameters({"lr": 0.1})
        log(tracker, 3, 5)
        tracker.set_tags({"team": "a"})
        (tmp_path / "weights").write_bytes(b"w")
        tracker.log_artifact(tmp_path / "weights")
        log(tracker, 5, 9)
        tracker.finish("failed")
        assert plugin.names == [
            "neural_experiment_started",
            "neural_status_changed",
            METRICS,
            "neural_hyperparameters_logged",
            METRICS,
            "neural_annotations_changed",
            "neural_artifact_logged",
            METRICS,
            "neural_status_changed",
            "neural_experiment_finished",
        ]
        assert steps(plugin) == list(range(9))
        assert plugin.calls[-1].arguments["status"] == "failed"
        assert len({call.thread for call in plugin.calls}) == 1

    def test_batches_hold_a_thousand_rows_at_most(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """A backlog comes in batches of at most 1,000 rows, without a gap."""
        tracker = make_tracker()
        log(tracker, 0, 3_500)
        plugin = RecordingPlugin()
        assert deliver(tracker.experiment_dir, plugin).complete
        assert [len(call.arguments["rows"]) for call in plugin.of(METRICS)] == [1_000, 1_000, 1_000, 500]
        assert steps(plugin) == list(range(3_500))

    def test_a_live_row_comes_without_a_flush(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """Rows reach a plugin while training goes on, without flush or finish."""
        plugin = RecordingPlugin()
        log(make_tracker(plugins=[plugin]), 0, 1)
        wait_for(lambda: steps(plugin) == [0])

    @needs_fork
    def test_every_writer_is_followed(self, tmp_path: Path) -> None:
        """Rows of the owner, of a forked child and of an attached rank all come, each in its order; the end is last."""
        code = """
import os, sys
from neural_core import ExperimentTracker
from neural_core.testing import RecordingPlugin
plugin = RecordingPlugin()
tracker = ExperimentTracker("many", sys.argv[1], auto_visualize=False, plugins=[plugin])
tracker.log_metrics({"owner": 0.0}, 0)
if not (child := os.fork()):
    for step in range(1, 500):
        tracker.log_metrics({"child": 1.0}, step)
    os._exit(0)
if not (rank := os.fork()):
    attached = ExperimentTracker.attach(tracker.experiment_dir, rank=1)
    for step in range(1, 500):
        attached.log_metrics({"rank": 2.0}, step)
    attached.finish()
    os._exit(0)
for step in range(1, 500):
    tracker.log_metrics({"owner": 0.0}, step)
assert [os.waitpid(pid, 0)[1] for pid in (child, rank)] == [0, 0]
tracker.finish()
for name in ("owner", "child", "rank"):
    assert [row.step for row in plugin.rows if name in row.values] == list(range(name != "owner", 500)), name
assert len({part for part, _ in plugin.positions}) == 3
assert plugin.names[-1] == "neural_experiment_finished"
"""
        result = run(code, tmp_path)
        assert (result.returncode, result.stderr) == (0, "")


class TestCursor:
    def test_goes_on_where_the_last_one_stopped(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """A relay with a cursor goes on behind what an earlier one delivered: no row twice, none left out."""
        tracker = make_tracker()
        heard = []
        for until in (1_500, 1_501, 4_000):
            log(tracker, sum(len(one.rows) for one in heard), until)
            heard.append(RecordingPlugin())
            cursor = CursorFile(tracker.experiment_dir, _uid(tracker), "probe")
            assert cursor.acquire()
            relay = Relay(tracker.experiment_dir, GuardedPlugin.wrap(heard[-1]), cursor)
            relay.start()
            assert relay.wait(Tail(tracker.experiment_dir).end(), time.monotonic() + SOON)
            relay.stop(time.monotonic() + SOON)
            cursor.release()
            assert (cursor.cursor.delivered, cursor.cursor.behind) == (until, 0)
        assert [steps(one) for one in heard] == [
            list(range(1_500)),
            [1_500],
            list(range(1_501, 4_000)),
        ]

    def test_two_processes_at_the_same_moment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of two processes that take a cursor at the same moment one gets it."""
        code = """
import sys, time
from pathlib import Path
from neural_core._delivery.cursor import CursorFile
write = CursorFile.write
def slowly(cursor):
    print("taking", flush=True)
    time.sleep(0.2)
    return write(cursor)
CursorFile.write = slowly
assert CursorFile(Path(sys.argv[1]), "uid", "probe").acquire()
sys.stdin.read()
"""
        monkeypatch.setattr(taking, "PATIENCE_SECONDS", SOON)
        command = [sys.executable, "-c", code, str(tmp_path)]
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "taking\n"
            assert not CursorFile(tmp_path, "uid", "probe").acquire()
        assert CursorFile(tmp_path, "uid", "probe").acquire()

    def test_compaction_changes_no_position(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """A relay that is half-way when the journal becomes Parquet goes on with the same positions."""
        tracker = make_tracker()
        log(tracker, 0, 5_000)
        before = RecordingPlugin()
        deliver(tracker.experiment_dir, before)
        plugin = HangingPlugin()
        relay = Relay(tracker.experiment_dir, GuardedPlugin.wrap(plugin))
        relay.start()
        assert plugin.hanging.wait(SOON)
        tracker.finish()
        assert list(tracker.experiment_dir.glob("metrics/*.parquet"))
        fresh = RecordingPlugin()
        middle = relay.position
        plugin.release.set()
        assert relay.wait(Tail(tracker.experiment_dir).end(), time.monotonic() + SOON)
        relay.stop(time.monotonic() + SOON)
        assert deliver(tracker.experiment_dir, fresh, middle).complete
        assert plugin.positions == before.positions
        assert fresh.positions == before.positions
        assert steps(plugin) == list(range(5_000))
        assert plugin.names[-1] == "neural_experiment_finished"

    def test_half_a_compacted_experiment(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """What was delivered from the journal is not delivered again from Parquet."""
        tracker = make_tracker()
        log(tracker, 0, 2_000)
        first, second = RecordingPlugin(), RecordingPlugin()
        middle = deliver(tracker.experiment_dir, first).position
        log(tracker, 2_000, 2_700)
        tracker.finish()
        assert deliver(tracker.experiment_dir, second, middle).complete
        assert steps(first) + steps(second) == list(range(2_700))

    @pytest.mark.fault("P04")
    def test_memory_stays_bounded(self, tmp_path: Path) -> None:
        """A backlog of 400,000 rows is delivered in a few megabytes."""
        code = """
import sys, threading, time
from pathlib import Path
from neural_core import ExperimentTracker
from neural_core.hookspecs import hookimpl
from neural_core.testing import deliver

def anonymous():
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon")]
    return int(line.split()[1]) / 1024

class Counting:
    def __init__(self):
        self.rows, self.most = 0, 0.0
    @hookimpl
    def neural_metrics_logged(self, rows):
        if self.rows % 50_000 == 0:
            self.last = rows[-1].step
            self.most = max(self.most, anonymous())
        self.rows += len(rows)

tracker = ExperimentTracker("backlog", sys.argv[1], auto_visualize=False)
log = tracker.log_metrics
log({"loss": 1.0, "accuracy": 0.5}, 0)
small = Counting()
deliver(tracker.experiment_dir, small)
before = anonymous()
for step in range(1, 400_000):
    log({"loss": 1.0, "accuracy": 0.5}, step)
plugin = Counting()
told = deliver(tracker.experiment_dir, plugin, seconds=180.0)
print(plugin.rows, told.complete, round(plugin.most - before))
"""
        result = run(code, tmp_path)
        assert (result.returncode, result.stderr) == (0, "")
        rows, complete, grown = result.stdout.split()
        assert (rows, complete) == ("400000", "True")
        assert int(grown) <= 40  # one check of all rows, then a thousand rows at a time


class TestMisbehaviour:
    @pytest.mark.fault("P01", "P04")
    def test_one_that_raises_hears_it_again(
        self, make_tracker: Callable[..., ExperimentTracker], caplog: pytest.LogCaptureFixture
    ) -> None:
        """A plugin that raises is one warning with its name; it hears the same rows again, and nothing is lost."""
        plugin = RaisingPlugin(times=2)
        tracker = make_tracker(plugins=[plugin])
        log(tracker, 0, 10)
        tracker.finish()
        assert (plugin.raised, steps(plugin)) == (2, list(range(10)))
        [record] = caplog.records
        assert "plugin 'RaisingPlugin' raised RuntimeError" in record.getMessage()
        assert record.exc_info is not None

    def test_three_failures_in_a_row_set_aside(
        self, make_tracker: Callable[..., ExperimentTracker], caplog: pytest.LogCaptureFixture
    ) -> None:
        """After three failures in a row a plugin is left alone for a while, then hears everything."""
        tracker = make_tracker()
        log(tracker, 0, 10)
        plugin = RaisingPlugin(times=4)
        relay = Relay(tracker.experiment_dir, GuardedPlugin.wrap(plugin))
        relay.start()
        wait_for(lambda: relay.set_aside)
        assert plugin.raised == 3
        assert not relay.wait({"no part": 1}, time.monotonic() + SOON)  # nobody waits for it
        wait_for(lambda: steps(plugin) == list(range(10)))
        relay.stop(time.monotonic() + SOON)
        assert (relay.errors, relay.set_aside, len(caplog.records)) == (4, False, 1)

    @pytest.mark.fault("P01")
    def test_one_that_always_raises_is_said_at_the_end(
        self, make_tracker: Callable[..., ExperimentTracker], caplog: pytest.LogCaptureFixture
    ) -> None:
        """finish() names a plugin that never heard its rows, offers it the end, and another hears everything."""
        bad, good = RaisingPlugin(), RecordingPlugin()
        tracker = make_tracker(plugins=[bad, good])
        log(tracker, 0, 10)
        tracker.finish()
        assert steps(good) == list(range(10))
        assert [row.step for row in tracker.metrics_history] == list(range(10))
        assert bad.calls[-1].arguments["complete"] is False
        assert [record.getMessage().split("(")[0] for record in caplog.records] == [
            "plugin 'RaisingPlugin' raised RuntimeError in neural_metrics_logged: raised on purpose, 1. "
            "It is tried again; nothing is lost",
            "plugin 'RaisingPlugin' has not heard everything ",
        ]

    @pytest.mark.fault("P01")
    @pytest.mark.parametrize("hook", FACTS)
    def test_one_that_raises_in_each_hook(
        self,
        make_tracker: Callable[..., ExperimentTracker],
        tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
        hook: str,
    ) -> None:
        """Whichever fact a plugin fails at: records are whole, its neighbour hears all, finish() names it."""
        bad, good, whole = RaisingPlugin(hooks=(hook,)), RecordingPlugin(), RecordingPlugin()
        tracker = make_tracker(plugins=[bad, good], hyperparameters={"lr": 0.1}, tags=["first"])
        log(tracker, 0, 10)
        (tmp_path / "weights").write_bytes(b"w")
        tracker.log_artifact(tmp_path / "weights")
        tracker.finish()
        assert bad.raised >= 3
        assert not tracker.delivered
        assert "plugin 'RaisingPlugin' has not heard everything" in caplog.records[-1].getMessage()
        assert tracker.get_metrics("loss") == [step / 8 for step in range(10)]
        assert deliver(tracker.experiment_dir, whole).complete
        assert good.names == whole.names
        assert set(FACTS) <= set(good.names)

    def test_one_whose_exceptions_cannot_say_what(
        self, make_tracker: Callable[..., ExperimentTracker], caplog: pytest.LogCaptureFixture
    ) -> None:
        """An exception that itself raises when it is asked what it says is a failure like any other."""

        class MuteError(Exception):
            def __str__(self) -> str:
                raise RuntimeError("no")

        class Failing(RecordingPlugin):
            def heard(self, hook: str, arguments: dict[str, Any]) -> None:
                if hook == METRICS and not self.of("raised"):
                    super().heard("raised", {})
                    raise MuteError
                super().heard(hook, arguments)

        plugin = Failing()
        tracker = make_tracker(plugins=[plugin])
        log(tracker, 0, 10)
        tracker.finish()
        assert steps(plugin) == list(range(10))
        assert "raised MuteError in neural_metrics_logged: (it cannot say what)" in caplog.records[0].getMessage()

    def test_one_that_is_given_twice(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """An object that is given twice hears everything once, on one thread."""
        plugin = RecordingPlugin()
        tracker = make_tracker(plugins=[plugin, plugin])
        log(tracker, 0, 10)
        tracker.finish()
        assert steps(plugin) == list(range(10))
        assert plugin.names.count("neural_experiment_finished") == 1

    @pytest.mark.fault("P02")
    @pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException, MemoryError])
    def test_whatever_it_raises(
        self, make_tracker: Callable[..., ExperimentTracker], error: type[BaseException]
    ) -> None:
        """Also what ends other programs is one failure of the plugin: it hears the rows again."""

        class Odd(RecordingPlugin):
            def heard(self, hook: str, arguments: dict[str, Any]) -> None:
                if hook == METRICS and not self.of("raised"):
                    super().heard("raised", {})
                    raise error("on purpose")
                super().heard(hook, arguments)

        plugin = Odd()
        tracker = make_tracker(plugins=[plugin])
        log(tracker, 0, 10)
        tracker.finish()
        assert (len(plugin.of("raised")), steps(plugin)) == (1, list(range(10)))

    @pytest.mark.fault("P05")
    def test_what_it_changes_changes_nothing_else(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """A plugin that writes into what it was given changes neither its own next call nor another's nor the store."""

        class Vandal(RecordingPlugin):
            def heard(self, hook: str, arguments: dict[str, Any]) -> None:
                super().heard(hook, arguments)
                experiment: Experiment = arguments["experiment"]
                experiment.hyperparameters.get("nested", {})["lr"] = "broken"
                experiment.tags.clear()  # type: ignore[attr-defined]
                if "rows" in arguments:
                    self.break_rows(arguments["rows"])

            def break_rows(self, rows: MetricRows) -> None:
                columns = rows.columns()
                for array in (rows.positions, columns["step"], columns["timestamp"], columns["values"]["loss"]):
                    array[:] = 7
                for row in rows:
                    row.values["loss"] = 7.0

        vandal, good = Vandal(), RecordingPlugin()
        tracker = make_tracker(plugins=[vandal, good], hyperparameters={"nested": {"lr": 0.1}}, tags={"team": "a"})
        log(tracker, 0, 10)
        tracker.flush()
        log(tracker, 10, 20)
        tracker.finish()
        for plugin in (vandal, good):
            assert steps(plugin)[:10] == list(range(10))
            last = plugin.calls[-1].arguments["experiment"]
            assert (last.hyperparameters, last.tags) == ({"nested": {"lr": 0.1}}, {"team": "a"})
        assert steps(good) == list(range(20))
        assert [row.values["loss"] for row in good.rows] == [step / 8 for step in range(20)]
        assert tracker.get_metrics("loss") == [step / 8 for step in range(20)]

    def test_what_it_changes_is_not_there_when_it_is_called_again(
        self, make_tracker: Callable[..., ExperimentTracker], tmp_path: Path
    ) -> None:
        """A plugin that writes into an artifact's metadata and raises hears of it again as it was stored."""
        seen = []

        class Vandal(RecordingPlugin):
            def heard(self, hook: str, arguments: dict[str, Any]) -> None:
                if hook == "neural_artifact_logged":
                    metadata = arguments["artifact"].metadata
                    seen.append(dict(metadata))
                    metadata["epoch"] = "broken"
                    if len(seen) == 1:
                        raise RuntimeError("again, please")

        tracker = make_tracker(plugins=[Vandal()])
        (tmp_path / "weights").write_bytes(b"weights")
        tracker.log_artifact(tmp_path / "weights", metadata={"epoch": 1})
        tracker.flush()
        assert [one["epoch"] for one in seen] == [1, 1]

    @pytest.mark.fault("P04")
    def test_a_slow_one_is_waited_for(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """flush() and finish() return when a slow plugin has heard everything."""
        plugin = SlowPlugin(0.1)
        tracker = make_tracker(plugins=[plugin])
        for first in (0, 2_000):
            log(tracker, first, first + 2_000)
            tracker.flush()
            assert steps(plugin) == list(range(first + 2_000))
        log(tracker, 4_000, 5_000)
        tracker.finish()
        assert steps(plugin) == list(range(5_000))
        assert plugin.calls[-1].arguments["complete"] is True

    @pytest.mark.fault("P03")
    def test_one_that_is_too_slow_hears_the_end(
        self, make_tracker: Callable[..., ExperimentTracker], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At the deadline a plugin that is behind hears of the end, and that it has not heard everything."""
        monkeypatch.setenv("NEURAL_FINISH_SECONDS", "0.3")
        plugin = HangingPlugin()
        tracker = make_tracker(plugins=[plugin])
        log(tracker, 0, 20_000)
        assert plugin.hanging.wait(SOON)
        tracker.finish()
        plugin.release.set()
        wait_for(lambda: plugin.names[-1] == "neural_experiment_finished")
        assert plugin.calls[-1].arguments["complete"] is False
        assert steps(plugin) == list(range(len(steps(plugin))))

    @pytest.mark.fault("P03")
    def test_one_that_hangs_is_left_at_the_deadline(
        self,
        make_tracker: Callable[..., ExperimentTracker],
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A plugin that never returns is named when finish() ends at its deadline; a second call does nothing."""
        monkeypatch.setenv("NEURAL_FINISH_SECONDS", "3")
        hanging, good = HangingPlugin(), RecordingPlugin()
        tracker = make_tracker(plugins=[hanging, good])
        log(tracker, 0, 10)
        wait_for(lambda: steps(good) == list(range(10)))
        tracker.finish()
        tracker.finish()
        assert (steps(good), good.calls[-1].arguments["complete"]) == (list(range(10)), True)
        assert tracker.get_metrics("loss") == [step / 8 for step in range(10)]
        [record] = caplog.records
        assert "plugin 'HangingPlugin' has not heard everything" in record.getMessage()
        hanging.release.set()

    @pytest.mark.fault("P03")
    def test_one_that_never_answers(self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
        """A plugin that never answers a question is waited for once, and not for ever; the others answer."""
        monkeypatch.setenv("NEURAL_DISABLE_PLUGINS", "*")
        monkeypatch.setenv("NEURAL_FINISH_SECONDS", "1")
        monkeypatch.setattr("neural_core._delivery.questions.DEADLINE_SECONDS", 0)
        asked, released = [], threading.Event()

        class Silent:
            @hookimpl
            def neural_make_plots(self) -> None:
                asked.append(threading.current_thread())
                released.wait()

        class Good:
            @hookimpl
            def neural_make_plots(self) -> dict[str, str]:
                return {"good": "drawn"}

        plugins = [GuardedPlugin.wrap(plugin) for plugin in (Silent(), Good())]
        question = partial(ask, "neural_make_plots", plugins, experiment=None, history={})
        assert [question(), question()] == [{"good": "drawn"}] * 2
        [record] = caplog.records
        assert "plugin 'Silent' does not answer neural_make_plots" in record.getMessage()
        released.set()
        asked[0].join()
        assert (question(), len(asked), len(caplog.records)) == ({"good": "drawn"}, 2, 1)

    @pytest.mark.fault("P03")
    def test_several_that_hang_are_left_together(
        self, make_tracker: Callable[..., ExperimentTracker], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At the deadline all that are behind are told to end before one is waited for: ten cost no more than one."""
        monkeypatch.setenv("NEURAL_FINISH_SECONDS", "0.3")
        monkeypatch.setattr("neural_core._delivery.relay.GRACE_SECONDS", 20.0)
        told: list[bool] = []
        ended = threading.Event()

        class First:
            @hookimpl
            def neural_metrics_logged(self) -> None:
                told.append(ended.wait(10.0))

        class Second:
            @hookimpl
            def neural_metrics_logged(self) -> None:
                raise RuntimeError("on purpose")

            @hookimpl
            def neural_experiment_finished(self) -> None:
                ended.set()

        tracker = make_tracker(plugins=[First(), Second()])
        log(tracker, 0, 10)
        tracker.finish()
        assert told == [True]


@needs_fork
class TestForks:
    def test_no_relay_thread_during_a_fork(self, tmp_path: Path) -> None:
        """While a process forks, none of our threads is there; afterwards the plugin hears the rest."""
        code = """
import os, sys, threading
seen = []
# Callables to run before a fork run in the reverse order: this one comes behind ours.
os.register_at_fork(before=lambda: seen.append([thread.name for thread in threading.enumerate()]))
from neural_core import ExperimentTracker
from neural_core.testing import RecordingPlugin
plugins = [RecordingPlugin(), RecordingPlugin()]
tracker = ExperimentTracker("forking", sys.argv[1], auto_visualize=False, plugins=plugins)
for step in range(40):
    tracker.log_metrics({"loss": 1.0}, step)
    if not os.fork():
        os._exit(len(threading.enumerate()) - 1)
    assert os.wait()[1] == 0
tracker.finish()
assert seen == [["MainThread"]] * 40, seen
for plugin in plugins:
    assert [row.step for row in plugin.rows] == list(range(40))
    assert plugin.names[-1] == "neural_experiment_finished"
"""
        result = run(code, tmp_path)
        assert (result.returncode, result.stderr) == (0, "")

    def test_a_hanging_plugin_does_not_hold_a_fork(self, tmp_path: Path) -> None:
        """A fork does not wait for a plugin that hangs, and the plugin goes on when it can."""
        code = """
import os, sys
from neural_core import ExperimentTracker
from neural_core.testing import HangingPlugin
plugin = HangingPlugin()
tracker = ExperimentTracker("forking", sys.argv[1], auto_visualize=False, plugins=[plugin])
tracker.log_metrics({"loss": 1.0}, 0)
assert plugin.hanging.wait(120)
if not os.fork():
    tracker.log_metrics({"loss": 2.0}, 1)
    tracker.finish()
    os._exit(0)
assert os.wait()[1] == 0
plugin.release.set()
tracker.log_metrics({"loss": 3.0}, 2)
tracker.finish()
assert sorted(row.step for row in plugin.rows) == [0, 1, 2]
"""
        result = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "NEURAL_FINISH_SECONDS": str(SOON)},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        assert (result.returncode, result.stderr) == (0, "")

    def test_a_relay_that_starts_during_a_fork(self, tmp_path: Path) -> None:
        """A fork that waits for a thread which is about to start a relay goes on, and the relay begins after it."""
        code = """
import os, sys, threading
threads, waited = [], []
def before():
    # Behind our own callable; the housekeeping thread is waited for here.
    threads.append(threading.Thread(target=relay.start))
    threads[0].start()
    threads[0].join(60)
    waited.append((threads[0].is_alive(), worked.is_set()))
os.register_at_fork(before=before)
from neural_core._delivery.forking import PausableThread
worked = threading.Event()
relay = PausableThread("late", worked.set, lambda: None)
if not os.fork():
    os._exit(0)
assert os.wait()[1] == 0
assert waited == [(False, False)], waited
assert worked.wait(60)
"""
        result = run(code, tmp_path)
        assert (result.returncode, result.stderr) == (0, "")

    def test_between_two_threads_the_work_goes_on(self) -> None:
        """Whoever waits for a relay while its next thread is started after a fork does not take it for ended."""
        seen: list[bool] = []

        class Watched(PausableThread):
            def _begin(self) -> None:
                watcher = threading.Thread(target=lambda: seen.append(self.ended))
                watchers.append(watcher)
                watcher.start()
                watcher.join(0.5)
                super()._begin()

        def work() -> None:
            while not thread.leaves():
                wake.wait(0.01)
                if done.is_set():
                    return

        watchers: list[threading.Thread] = []
        wake, done = threading.Event(), threading.Event()
        thread = Watched("watched", work, wake.set)
        thread.start()
        thread.pause(1)
        thread.join(SOON)
        thread.resume(1)
        for watcher in watchers:
            watcher.join()
        assert seen == [False, False]
        done.set()
        wait_for(lambda: thread.ended)

    def test_ctrl_c_during_a_fork(self, tmp_path: Path) -> None:
        """Ctrl-C while a fork waits for a plugin that is slow costs no delivery."""
        code = """
import os, signal, sys, threading
from neural_core import ExperimentTracker
from neural_core._delivery import forking
from neural_core.testing import RecordingPlugin, wait_for
forking.PAUSE_SECONDS = 100
told = []
sys.unraisablehook = lambda what: told.append(what.exc_type)
inside = threading.Event()
class Slow(RecordingPlugin):
    def heard(self, hook, arguments):
        super().heard(hook, arguments)
        if not inside.is_set():
            inside.set()
            wait_for(lambda: forking._pauses._away)
            os.kill(os.getpid(), signal.SIGINT)
            wait_for(lambda: told)
plugin = Slow()
tracker = ExperimentTracker("forking", sys.argv[1], auto_visualize=False, plugins=[plugin])
assert inside.wait(60)
if not os.fork():
    os._exit(0)
assert os.wait()[1] == 0
assert told == [KeyboardInterrupt], told
for step in range(5):
    tracker.log_metrics({"loss": 1.0}, step)
tracker.finish()
assert [row.step for row in plugin.rows] == list(range(5))
"""
        result = run(code, tmp_path)
        assert (result.returncode, result.stderr) == (0, "")

    def test_forks_from_two_threads(self, tmp_path: Path) -> None:
        """Forks at the same time from several threads, one of them the plugin's own, lose nothing."""
        code = """
import os, sys, threading
from neural_core import ExperimentTracker
from neural_core.testing import RecordingPlugin

def fork():
    if not (child := os.fork()):
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0

class Forking(RecordingPlugin):
    def heard(self, hook, arguments):
        fork()
        super().heard(hook, arguments)

plugin = Forking()
tracker = ExperimentTracker("forking", sys.argv[1], auto_visualize=False, plugins=[plugin])
threads = [threading.Thread(target=lambda: [fork() for _ in range(15)]) for _ in range(2)]
for thread in threads:
    thread.start()
for step in range(200):
    tracker.log_metrics({"loss": 1.0}, step)
for thread in threads:
    thread.join()
tracker.finish()
assert [row.step for row in plugin.rows] == list(range(200))
"""
        result = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "NEURAL_FINISH_SECONDS": str(SOON)},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
        )
        assert (result.returncode, result.stderr) == (0, "")


class TestThreads:
    def test_a_call_that_returns_late_holds_nothing(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """A call that comes back when nobody waits for it any more leaves the cursor to whoever delivers next."""
        tracker = make_tracker()
        log(tracker, 0, 3)
        plugin = HangingPlugin()
        file = CursorFile(tracker.experiment_dir, "u" * 32, "hanging")
        assert file.acquire()
        relay = Relay(tracker.experiment_dir, GuardedPlugin.wrap(plugin), file)
        relay.start()
        assert plugin.hanging.wait(SOON)
        relay.stop(time.monotonic())
        file.release()
        plugin.release.set()
        wait_for(lambda: relay.idle)
        assert [cursor.holder for cursor in cursors_of(tracker.experiment_dir)] == [{}]

    def test_relays_end_with_the_experiment(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """After finish() no relay thread is left."""
        tracker = make_tracker(plugins=[RecordingPlugin(), RecordingPlugin()])
        log(tracker, 0, 10)
        tracker.finish()
        assert [thread.name for thread in threading.enumerate() if thread.name.startswith("neural-relay")] == []

    def test_a_plugin_may_name_few_arguments(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """A plugin with one hook and one argument hears just that."""

        class Few:
            def __init__(self) -> None:
                self.count = 0

            @hookimpl
            def neural_metrics_logged(self, rows: MetricRows) -> None:
                self.count += len(rows)

        plugin = Few()
        tracker = make_tracker(plugins=[plugin])
        log(tracker, 0, 10)
        tracker.finish()
        assert plugin.count == 10

    def test_an_unreadable_journal_is_told(
        self, make_tracker: Callable[..., ExperimentTracker], caplog: pytest.LogCaptureFixture
    ) -> None:
        """A journal of a newer format is one warning; the relay tries again instead of dying."""
        tracker = make_tracker()
        log(tracker, 0, 10)
        [part] = tracker.experiment_dir.glob("metrics/*.nj")
        newer = part.with_name("0099-newer.nj")
        newer.write_bytes(part.read_bytes())
        with newer.open("r+b") as file:
            file.seek(_VERSION_AT)
            file.write(b"\xff")
        plugin = RecordingPlugin()
        relay = Relay(tracker.experiment_dir, GuardedPlugin.wrap(plugin))
        relay.start()
        wait_for(lambda: relay.errors)
        assert not relay.idle
        newer.unlink()
        wait_for(lambda: steps(plugin) == list(range(10)))
        relay.stop(time.monotonic() + SOON)
        assert [record.levelno for record in caplog.records] == [logging.WARNING]


_VERSION_AT = 7


def _uid(tracker: ExperimentTracker) -> str:
    return Tail(tracker.experiment_dir).state.uid or tracker._session.state.uid  # type: ignore[union-attr]


class Marked(RecordingPlugin):
    """Keeps a bookmark: how many rows it was told."""

    def __init__(self, fail_at: int = -1) -> None:
        super().__init__()
        self.returned: list[dict[str, Any] | None] = []
        self.told = 0
        self._fail_at = fail_at

    def return_to(self, bookmark: dict[str, Any] | None) -> None:
        """Go on there."""
        self.returned.append(bookmark)
        self.told = (bookmark or {}).get("told", 0)

    def bookmark(self) -> dict[str, Any]:
        """Give how many rows were told."""
        return {"told": self.told}

    def heard(self, hook: str, arguments: dict[str, Any]) -> None:
        """Count the rows."""
        super().heard(hook, arguments)
        if hook == METRICS:
            if self._fail_at in [row.step for row in arguments["rows"]]:
                raise RuntimeError("failed on purpose")
            self.told += len(arguments["rows"])


class TestBookmarks:
    def relay(self, tracker: ExperimentTracker, plugin: Marked) -> Relay:
        """Deliver all there is to a plugin, with a cursor file."""
        guarded = GuardedPlugin.wrap(plugin)
        file = CursorFile(tracker.experiment_dir, "uid", "marked")
        file.cursor.uid = "uid"
        assert file.acquire()
        relay = Relay(tracker.experiment_dir, guarded, file)
        relay.start()
        relay.wait(Tail(tracker.experiment_dir).end(), time.monotonic() + SOON)
        relay.stop(time.monotonic() + SOON)
        file.release()
        return relay

    def test_it_is_kept_with_the_position(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """A new object is told the bookmark of the position where it goes on, {} at the very beginning."""
        tracker = make_tracker()
        log(tracker, 0, 2_500)
        first, second = Marked(), Marked()
        self.relay(tracker, first)
        log(tracker, 2_500, 2_600)
        self.relay(tracker, second)
        assert first.returned == [{}]
        assert second.returned == [{"told": 2_500}]
        assert second.told == 2_600

    def test_a_failed_batch_does_not_move_it(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """After a batch that failed the next object is told the bookmark before that batch, and hears it whole."""
        tracker = make_tracker()
        log(tracker, 0, 2_500)
        self.relay(tracker, Marked(fail_at=1_500))
        second = Marked()
        self.relay(tracker, second)
        assert second.returned == [{"told": 1_000}]
        assert steps(second) == list(range(1_000, 2_500))

    def test_none_is_known(self, make_tracker: Callable[..., ExperimentTracker]) -> None:
        """An object that goes on where one without bookmarks stopped is told None, not that it begins."""
        tracker = make_tracker()
        log(tracker, 0, 10)
        plugin = Marked()
        delivered = deliver(tracker.experiment_dir, RecordingPlugin())
        log(tracker, 10, 20)
        again = deliver(tracker.experiment_dir, plugin, delivered.position, delivered.bookmark)
        assert plugin.returned == [None]
        assert again.bookmark == {"told": 10}

    @pytest.mark.parametrize("method", ["bookmark", "return_to"])
    def test_one_that_raises(self, make_tracker: Callable[..., ExperimentTracker], method: str) -> None:
        """A plugin that raises there is asked again and named, as in a hook."""
        tracker = make_tracker()
        log(tracker, 0, 3)
        plugin = Marked()
        setattr(plugin, method, lambda *_: 1 / 0)
        delivered = deliver(tracker.experiment_dir, plugin, seconds=60)
        assert not delivered.complete
        assert delivered.errors == 3
        assert delivered.last_error is not None
        assert f"raised ZeroDivisionError in {method}" in delivered.last_error

    @pytest.mark.parametrize("method", ["bookmark", "return_to"])
    def test_one_that_exits(self, make_tracker: Callable[..., ExperimentTracker], method: str) -> None:
        """A plugin that calls sys.exit there has raised, like any other: its relay goes on."""
        tracker = make_tracker()
        log(tracker, 0, 3)
        plugin = Marked()
        setattr(plugin, method, lambda *_: sys.exit("bye"))
        delivered = deliver(tracker.experiment_dir, plugin, seconds=60)
        assert delivered.errors == 3
        assert delivered.last_error is not None
        assert f"raised SystemExit in {method}: bye" in delivered.last_error
