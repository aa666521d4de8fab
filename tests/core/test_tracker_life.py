"""The life of an experiment: begun, ended once, taken up again, told by evidence."""

from __future__ import annotations

import gc
import itertools
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from journal_support import stamps

from neural.tracking import ExperimentManager, ExperimentTracker
from neural_core.errors import (
    AmbiguousExperimentError,
    ArgumentTypeError,
    ArgumentValueError,
    ExperimentFinishedError,
    ExperimentInUseError,
    ExperimentNotFoundError,
)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base folder."""
    return tmp_path / "base"


@pytest.fixture
def manager(base: Path) -> ExperimentManager:
    """Its manager."""
    return ExperimentManager(base)


def make(base: Path, **options: Any) -> ExperimentTracker:
    """Make an experiment that draws nothing."""
    return ExperimentTracker("life", base, False, **options)


def status_of(manager: ExperimentManager) -> str:
    """Give the status of the only experiment, as a list shows it."""
    (row,) = manager.list_experiments()
    return str(row["status"])


class TestEnd:
    def test_created_running_completed(self, base: Path, manager: ExperimentManager) -> None:
        """An experiment is created, runs from its first row on, and is completed by ``finish()``."""
        tracker = make(base)
        seen = [status_of(manager), tracker.status]
        tracker.log_metrics({"m": 1.0})
        seen += [status_of(manager), tracker.status]
        tracker.finish()
        seen += [status_of(manager), tracker.status]
        assert seen == ["created", "created", "running", "running", "completed", "completed"]

    def test_any_log_call_sets_running(self, base: Path, manager: ExperimentManager) -> None:
        """Hyperparameters alone begin the run as well; tags and notes do not."""
        tracker = make(base, tags=["a"], notes="b")
        assert tracker.status == "created"
        tracker.log_hyperparameters({"lr": 0.1})
        assert tracker.status == status_of(manager) == "running"

    @pytest.mark.fault("L01")
    def test_a_second_finish_does_nothing(self, base: Path, manager: ExperimentManager) -> None:
        """Finishing twice changes no byte and no status, whatever status the second call names."""
        tracker = make(base)
        tracker.log_metrics({"m": 1.0})
        tracker.finish()
        before = stamps(base)
        tracker.finish()
        tracker.finish("failed")
        assert stamps(base) == before
        assert status_of(manager) == "completed"

    @pytest.mark.fault("L01")
    def test_the_guides_error_handling(self, base: Path, manager: ExperimentManager) -> None:
        """After ``set_status("failed")`` in ``except``, ``finish()`` in ``finally`` keeps ``failed``."""
        tracker = make(base)

        def train(epochs: int) -> None:
            try:
                tracker.log_metrics({"m": 1.0}, step=0)
                _ = 1 / epochs
                tracker.set_status("completed")
            except Exception:
                tracker.set_status("failed")
                raise
            finally:
                tracker.finish()

        with pytest.raises(ZeroDivisionError):
            train(0)
        assert status_of(manager) == "failed"
        assert manager.get_experiment(tracker.experiment_id).get_metrics("m") == [1.0]

    @pytest.mark.fault("L01")
    @pytest.mark.parametrize(
        ("error", "status"),
        [(None, "completed"), (ValueError, "failed"), (KeyboardInterrupt, "interrupted"), (SystemExit, "failed")],
    )
    def test_with_ends_by_what_happened(
        self, base: Path, manager: ExperimentManager, error: type[BaseException] | None, status: str
    ) -> None:
        """A ``with`` block that ends is completed, one that raises failed, Ctrl-C interrupted; errors pass through."""

        def train() -> None:
            with make(base) as tracker:
                tracker.log_metrics({"m": 1.0})
                if error is not None:
                    raise error

        if error is None:
            train()
        else:
            with pytest.raises(error):
                train()
        (row,) = manager.list_experiments()
        assert row["status"] == status
        assert row["end_time"] is not None

    @pytest.mark.fault("L01")
    def test_nothing_is_logged_after_the_end(self, base: Path, tmp_path: Path) -> None:
        """After ``finish()`` every logging verb raises and says how to go on; reading verbs work."""
        tracker = make(base)
        tracker.log_metrics({"m": 1.0})
        file = tmp_path / "model.pt"
        file.write_bytes(b"weights")
        tracker.finish()
        before = stamps(base)
        calls: list[Callable[[], object]] = [
            lambda: tracker.log_metrics({"m": 2.0}),
            lambda: tracker.log_metrics({"other": 2.0}),
            lambda: tracker.log_hyperparameters({"lr": 1}),
            lambda: tracker.log_artifact(file),
            lambda: tracker.log_model(file),
            lambda: tracker.set_status("failed"),
            lambda: tracker.set_tags(["late"]),
            lambda: tracker.set_notes("late"),
        ]
        for call in calls:
            with pytest.raises(ExperimentFinishedError, match="resume"):
                call()
        assert stamps(base) == before
        assert tracker.get_metrics("m") == [1.0]

    @pytest.mark.parametrize("status", ["done", "RUNNING", "", None, 3, ["failed"]])
    def test_other_words_are_no_status(self, base: Path, status: Any) -> None:
        """An unknown status raises, names the known ones, and changes nothing."""
        tracker = make(base)
        with pytest.raises(ArgumentValueError, match="created, running, completed, failed, interrupted"):
            tracker.set_status(status)
        assert tracker.status == "created"

    @pytest.mark.parametrize("status", ["running", "created", "done"])
    def test_an_end_is_an_end(self, base: Path, manager: ExperimentManager, status: Any) -> None:
        """``finish()`` refuses a status that is no end, and the experiment goes on."""
        tracker = make(base)
        with pytest.raises(ArgumentValueError, match="completed, failed"):
            tracker.finish(status)
        tracker.log_metrics({"m": 1.0})
        tracker.finish("failed")
        assert status_of(manager) == "failed"

    @pytest.mark.parametrize("status", ["created", "running", "completed", "failed", "interrupted"])
    def test_a_status_that_was_set_stays(self, base: Path, manager: ExperimentManager, status: Any) -> None:
        """``set_status`` shows at once; ``finish()`` makes ``completed`` of an open one and keeps the others."""
        tracker = make(base)
        tracker.set_status(status)
        assert status_of(manager) == status
        tracker.finish()
        assert status_of(manager) == ("completed" if status in ("created", "running") else status)

    @pytest.mark.fault("D16")
    def test_a_forgotten_tracker_is_interrupted(self, base: Path, manager: ExperimentManager) -> None:
        """A tracker that nobody holds any more, as after a notebook's cell is run again, ended as interrupted."""
        tracker = make(base)
        tracker.log_metrics({"m": 1.0})
        del tracker
        gc.collect()
        assert status_of(manager) == "interrupted"
        second = make(base)
        second.log_metrics({"m": 2.0})
        assert sorted(row["status"] for row in manager.list_experiments()) == ["interrupted", "running"]

    def test_flush_waits_and_changes_no_status(self, base: Path, manager: ExperimentManager) -> None:
        """``flush()`` may be called at any time, also after the end."""
        tracker = make(base)
        tracker.flush()
        tracker.log_metrics({"m": 1.0})
        tracker.flush()
        assert status_of(manager) == "running"
        tracker.finish()
        tracker.flush()
        assert tracker.health.ok


class TestResume:
    def test_a_finished_experiment_goes_on(self, base: Path, manager: ExperimentManager) -> None:
        """``resume`` adds behind what is there, in parts of its own, keeps the start, and ends anew."""
        tracker = make(base, hyperparameters={"lr": 0.1}, tags=["a"])
        tracker.log_metrics({"m": 1.0}, step=5)
        tracker.finish("failed")
        (before,) = manager.list_experiments()
        again = ExperimentTracker.resume(tracker.experiment_id, base)
        again.log_metrics({"m": 2.0}, step=0)
        assert status_of(manager) == "running"
        again.finish()
        (row,) = manager.list_experiments()
        assert (row["status"], row["start_time"], row["tags"]) == ("completed", before["start_time"], {"a": ""})
        reader = manager.get_experiment(tracker.experiment_id)
        assert reader.get_metrics("m") == [1.0, 2.0]
        assert [entry.step for entry in reader.metrics_history] == [5, 0]
        assert reader.hyperparameters == {"lr": 0.1}
        assert manager.verify() == {tracker.experiment_dir.name: []}

    def test_an_interrupted_experiment_goes_on(self, base: Path, manager: ExperimentManager) -> None:
        """What a forgotten tracker left can be resumed by a beginning of its id and finished."""
        tracker = make(base)
        tracker.log_metrics({"m": 1.0})
        experiment_id = tracker.experiment_id
        del tracker
        gc.collect()
        again = ExperimentTracker.resume(experiment_id[:6], base)
        again.log_metrics({"m": 2.0})
        again.finish()
        assert status_of(manager) == "completed"
        assert manager.get_experiment(experiment_id).get_metrics("m") == [1.0, 2.0]

    def test_resuming_many_times_keeps_the_order(self, base: Path, manager: ExperimentManager) -> None:
        """Rows stand in the order of the sessions, however many there were."""
        tracker = make(base)
        tracker.log_metrics({"m": 0.0})
        tracker.finish()
        for i in range(1, 6):
            with ExperimentTracker.resume(tracker.experiment_id, base) as again:
                again.log_metrics({"m": float(i)})
        assert manager.get_experiment(tracker.experiment_id).get_metrics("m") == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]

    def test_a_path_is_an_id_too(self, base: Path) -> None:
        """``resume`` takes the folder as well, wherever it lies."""
        tracker = make(base)
        tracker.finish()
        moved = tracker.experiment_dir.rename(base.parent / "moved")
        with ExperimentTracker.resume(str(moved)) as again:
            again.log_metrics({"m": 1.0})
        assert again.experiment_dir == moved
        assert again.experiment_id == tracker.experiment_id

    @pytest.mark.fault("C01")
    def test_a_living_experiment_is_not_resumed(self, base: Path) -> None:
        """An experiment whose tracker is open is refused, and the error names ``attach``."""
        tracker = make(base)
        tracker.log_metrics({"m": 1.0})
        with pytest.raises(ExperimentInUseError, match="attach"):
            ExperimentTracker.resume(tracker.experiment_id, base)
        tracker.log_metrics({"m": 2.0})
        assert tracker.get_metrics("m") == [1.0, 2.0]

    @pytest.mark.parametrize("wanted", ["", "zzzz", "0" * 12, "*", "..", ".", "../x", "/nowhere/at/all", "\0"])
    def test_what_is_not_there_is_not_resumed(self, base: Path, wanted: str) -> None:
        """An unknown id raises, is kept in the error, and makes nothing."""
        make(base).finish()
        before = sorted(base.rglob("*"))
        with pytest.raises(ExperimentNotFoundError) as raised:
            ExperimentTracker.resume(wanted, base)
        assert wanted in raised.value.experiment_id
        assert sorted(base.rglob("*")) == before

    def test_a_loaded_experiment_resumes_when_it_is_logged_to(self, base: Path, manager: ExperimentManager) -> None:
        """What ``get_experiment`` gives begins a part of its own with the first log call, and not before."""
        first = make(base)
        first.log_metrics({"m": 1.0})
        first.finish()
        loaded = manager.get_experiment(first.experiment_id)
        assert loaded.get_metrics("m") == [1.0]
        loaded.finish()
        assert status_of(manager) == "completed"
        loaded.log_metrics({"m": 2.0}, step=1)
        assert (loaded.get_metrics("m"), status_of(manager)) == ([1.0, 2.0], "running")
        loaded.finish()
        assert status_of(manager) == "completed"
        with pytest.raises(ExperimentFinishedError):
            loaded.log_metrics({"m": 3.0})

    @pytest.mark.parametrize("verb", ["set_tags", "set_notes"])
    def test_annotating_what_has_ended_keeps_its_end(self, base: Path, manager: ExperimentManager, verb: str) -> None:
        """A tag or a note on a loaded experiment leaves its status, its end and its start as they were."""
        first = make(base)
        first.log_metrics({"m": 1.0})
        first.finish()
        (before,) = manager.list_experiments()
        getattr(manager.get_experiment(first.experiment_id), verb)("seen")
        gc.collect()
        (row,) = manager.list_experiments()
        assert {**row, "tags": before["tags"]} == before
        loaded = manager.get_experiment(first.experiment_id)
        assert (loaded.tags, loaded.notes) == (({"seen": ""}, "") if verb == "set_tags" else ({}, "seen"))
        assert manager.verify() == {first.experiment_dir.name: []}

    def test_a_living_one_is_not_logged_to_by_a_loaded_one(self, base: Path, manager: ExperimentManager) -> None:
        """Logging to a loaded experiment that is being written is refused and says what to do."""
        tracker = make(base)
        tracker.log_metrics({"m": 1.0})
        loaded = manager.get_experiment(tracker.experiment_id)
        with pytest.raises(ExperimentInUseError, match="attach"):
            loaded.log_metrics({"m": 2.0})
        assert loaded.get_metrics("m") == [1.0]


class TestAttach:
    def test_both_sets_are_whole(self, base: Path, manager: ExperimentManager) -> None:
        """An attached tracker adds rows, hyperparameters and artifacts beside the owner; the owner ends it."""
        owner = make(base)
        owner.log_metrics({"m": 1.0})
        with ExperimentTracker.attach(owner.experiment_dir, rank=1) as other:
            other.log_metrics({"val": 0.5}, step=1)
            other.log_hyperparameters({"world": 2})
            assert (other.experiment_id, other.experiment_name) == (owner.experiment_id, "life")
        assert status_of(manager) == "running"
        owner.log_metrics({"m": 2.0})
        owner.finish()
        reader = manager.get_experiment(owner.experiment_id)
        assert (reader.get_metrics("m"), reader.get_metrics("val")) == ([1.0, 2.0], [0.5])
        assert reader.hyperparameters == {"world": 2}
        assert status_of(manager) == "completed"

    def test_an_error_in_one_of_several_does_not_end_all(self, base: Path, manager: ExperimentManager) -> None:
        """A ``with`` block of an attached tracker that raises ends its own part only."""
        owner = make(base)
        owner.log_metrics({"m": 1.0})

        def evaluate(samples: int) -> None:
            with ExperimentTracker.attach(owner.experiment_dir) as other:
                other.log_metrics({"m": 2.0})
                _ = 1 / samples

        with pytest.raises(ZeroDivisionError):
            evaluate(0)
        assert status_of(manager) == "running"
        owner.finish()
        assert status_of(manager) == "completed"

    def test_a_late_evaluation_keeps_the_end(self, base: Path, manager: ExperimentManager) -> None:
        """Rows that are attached to a finished experiment are read with it; it stays completed."""
        owner = make(base)
        owner.log_metrics({"m": 1.0})
        owner.finish()
        with ExperimentTracker.attach(owner.experiment_dir) as late:
            late.log_metrics({"test": 0.9})
            assert status_of(manager) == "completed"
            assert set(manager.runs()[0].metrics) == {"m", "test"}
        assert set(manager.runs()[0].metrics) == {"m", "test"}
        assert status_of(manager) == "completed"

    @pytest.mark.parametrize("folder", ["", "missing", "."])
    def test_a_folder_that_is_none_is_refused(self, base: Path, folder: str) -> None:
        """``attach`` wants the folder of an experiment, and makes none."""
        base.mkdir()
        with pytest.raises(ExperimentNotFoundError, match=r"metadata\.json"):
            ExperimentTracker.attach(base / folder)
        assert not list(base.iterdir())

    @pytest.mark.parametrize("rank", ["0", -1, 1.5])
    def test_a_rank_is_a_number(self, base: Path, rank: Any) -> None:
        """A rank is an integer from 0 on."""
        tracker = make(base)
        with pytest.raises((ArgumentTypeError, ArgumentValueError), match="rank"):
            ExperimentTracker.attach(tracker.experiment_dir, rank=rank)


class TestIds:
    def test_a_beginning_of_four_characters_finds(self, base: Path, manager: ExperimentManager) -> None:
        """Loading takes an id cut after four characters or more, never less."""
        tracker = make(base)
        for length in (4, 8, 12):
            assert manager.get_experiment(tracker.experiment_id[:length]).experiment_id == tracker.experiment_id
        with pytest.raises(ExperimentNotFoundError, match="4 characters"):
            manager.get_experiment(tracker.experiment_id[:3])

    def test_a_copy_makes_the_id_ambiguous(self, base: Path, manager: ExperimentManager) -> None:
        """An id that two folders claim is refused by every verb, and the error names both."""
        tracker = make(base)
        tracker.finish()
        shutil.copytree(tracker.experiment_dir, base / "copy")
        calls: list[Callable[[], object]] = [
            lambda: manager.get_experiment(tracker.experiment_id),
            lambda: manager.get_experiment(tracker.experiment_id[:4]),
            lambda: ExperimentTracker.resume(tracker.experiment_id, base),
            lambda: manager.delete_experiment(tracker.experiment_id),
            lambda: manager.compare_experiments([tracker.experiment_id]),
        ]
        for call in calls:
            with pytest.raises(AmbiguousExperimentError) as raised:
                call()
            assert sorted(raised.value.candidates) == sorted(["copy", tracker.experiment_dir.name])
        assert len(manager.list_experiments()) == 2

    @pytest.mark.parametrize("wanted", [None, 3, b"abcd", ["abcd"]])
    def test_an_id_is_text(self, base: Path, manager: ExperimentManager, wanted: Any) -> None:
        """Anything but text raises a TypeError that says so."""
        make(base)
        for call in (manager.get_experiment, manager.delete_experiment, lambda x: ExperimentTracker.resume(x, base)):
            with pytest.raises(ArgumentTypeError, match="experiment_id is text"):
                call(wanted)


class TestClock:
    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """The wall clock, in a list of one."""
        now = [time.time()]
        monkeypatch.setattr(time, "time", lambda: now[0])
        return now

    @pytest.mark.fault("T01")
    @pytest.mark.parametrize("jump", [-3600.0, -365 * 86400.0, None, 3600.0])
    def test_rows_stand_in_the_order_of_the_calls(
        self, base: Path, manager: ExperimentManager, clock: list[float], jump: float | None
    ) -> None:
        """When the clock jumps an hour or a year back, forward, or to 0, no row changes its place."""
        tracker = make(base)
        for i in range(6):
            if i == 3:
                clock[0] = 0.0 if jump is None else clock[0] + jump
            tracker.log_metrics({"m": float(i)}, step=i)
        assert tracker.get_metrics("m") == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        tracker.finish()
        with ExperimentTracker.resume(tracker.experiment_id, base) as again:
            again.log_metrics({"m": 6.0}, step=6)
        reader = manager.get_experiment(tracker.experiment_id)
        assert reader.get_metrics("m") == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        assert [row.step for row in reader.metrics_history] == list(range(7))
        assert status_of(manager) == "completed"

    @pytest.mark.fault("T01")
    def test_the_list_is_stable(self, base: Path, manager: ExperimentManager, clock: list[float]) -> None:
        """Experiments that the clock puts at one moment, or at 0, are listed in one order, time after time."""
        for at in (clock[0], clock[0], 0.0, clock[0] - 3600, 0.0):
            clock[0] = at
            make(base).finish()
        lists = [[row["experiment_id"] for row in manager.list_experiments()] for _ in range(3)]
        fresh = [row["experiment_id"] for row in ExperimentManager(base).list_experiments()]
        assert lists == [fresh] * 3
        starts = [row["start_time"] for row in manager.list_experiments()]
        assert starts == sorted(starts, reverse=True)
        assert starts[-1].startswith("1970-01-01T00:00:00")

    @pytest.mark.fault("T01")
    def test_times_are_utc(self, base: Path, manager: ExperimentManager, monkeypatch: pytest.MonkeyPatch) -> None:
        """Start and end are told in UTC, wherever the machine stands."""
        texts = []
        for zone in ("UTC", "Pacific/Kiritimati"):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            make(base).finish()
            texts.append(manager.list_experiments()[0]["start_time"])
        monkeypatch.undo()
        time.tzset()
        assert texts == sorted(texts)
        assert all(text.endswith(("Z", "+00:00")) for text in texts)
        assert all(a[:13] == b[:13] for a, b in itertools.pairwise(texts))
