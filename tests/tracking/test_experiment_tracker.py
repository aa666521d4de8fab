"""How neural.tracking is used, one example for each thing that it does. Read it as a tour; every line is run."""

from __future__ import annotations

import argparse
import dataclasses
import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from neural.tracking import ExperimentManager, ExperimentTracker
from neural_core.errors import (
    ArtifactNotFoundError,
    ExperimentFinishedError,
    ExperimentInUseError,
    ExperimentNotFoundError,
    QueryError,
)


@pytest.fixture
def tracker(tmp_path: Path) -> ExperimentTracker:
    """Give a new experiment that draws nothing by itself."""
    return ExperimentTracker("example", base_dir=tmp_path, auto_visualize=False)


class TestLogging:
    def test_metrics_come_back_as_logged(self, tracker: ExperimentTracker) -> None:
        """Values come back in the order of the calls, whatever their steps, NaN and infinities as they are."""
        tracker.log_metrics({"loss": 0.5, "accuracy": 0.8}, step=10)
        tracker.log_metrics({"loss": math.inf}, step=5)
        tracker.log_metrics({"loss": math.nan})
        first, second, third = tracker.get_metrics("loss")
        assert (first, second) == (0.5, math.inf)
        assert math.isnan(third)
        assert [row.step for row in tracker.metrics_history] == [10, 5, None]
        assert tracker.metrics_history[0]["accuracy"] == 0.8

    def test_one_metric(self, tracker: ExperimentTracker) -> None:
        """A single metric has a verb of its own."""
        tracker.log_metric("loss", 0.5, step=1)
        assert tracker.get_metrics("loss") == [0.5]

    def test_numbers_of_every_kind(self, tracker: ExperimentTracker) -> None:
        """NumPy scalars, Decimals, booleans and arrays of one element are numbers; None skips the metric."""
        tracker.log_metrics({"a": np.float32(0.5), "b": Decimal("0.25"), "c": True, "d": np.array([7]), "e": None})
        assert dict(tracker.metrics_history[0].values) == {"a": 0.5, "b": 0.25, "c": 1.0, "d": 7.0}

    def test_wrong_values_name_the_metric(self, tracker: ExperimentTracker) -> None:
        """Text is no number: the error names the metric, and nothing of the call is stored."""
        with pytest.raises(TypeError, match="'loss'"):
            tracker.log_metrics({"accuracy": 0.9, "loss": "low"}, step=1)  # type: ignore[dict-item]  # the point
        assert len(tracker.metrics_history) == 0

    def test_hyperparameters_of_every_shape(self, tracker: ExperimentTracker) -> None:
        """Mappings, dataclasses and parsed arguments are hyperparameters, nested as they are; calls add up."""

        @dataclasses.dataclass
        class Net:
            width: int = 64
            layers: tuple[int, ...] = (1, 2)

        tracker.log_hyperparameters({"lr": 0.01, "optimizer": {"name": "adam", "betas": [0.9, 0.999]}})
        tracker.log_hyperparameters(Net())
        tracker.log_hyperparameters(argparse.Namespace(seed=42))
        assert tracker.hyperparameters == {
            "lr": 0.01,
            "optimizer": {"name": "adam", "betas": [0.9, 0.999]},
            "width": 64,
            "layers": [1, 2],
            "seed": 42,
        }

    def test_tags_and_notes(self, tracker: ExperimentTracker) -> None:
        """Tags are names, or names with a text; None removes one; notes are free text."""
        tracker.set_tags(["baseline", "paper"])
        tracker.set_tags({"dataset": "digits", "paper": None})  # type: ignore[dict-item]  # None is no text to keep
        tracker.set_notes("first try")
        assert tracker.tags == {"baseline": "", "dataset": "digits"}
        assert tracker.notes == "first try"

    def test_verbs_of_other_trackers(self, tracker: ExperimentTracker) -> None:
        """There is one verb for each fact; those of other trackers name it."""
        with pytest.raises(AttributeError, match=r"log_metrics\(metrics, step\)"):
            tracker.log({"loss": 1})  # type: ignore[attr-defined]  # the point

    def test_best_value(self, tracker: ExperimentTracker) -> None:
        """The best value goes by the metric's name unless a mode is given; NaN is never best."""
        for step, loss in enumerate([3.0, 1.0, math.nan, 2.0]):
            tracker.log_metrics({"loss": loss, "accuracy": loss}, step=step)
        assert tracker.get_best_metric("loss") == (1.0, 1)
        assert tracker.get_best_metric("accuracy") == (3.0, 0)
        assert tracker.get_best_metric("loss", mode="max") == (3.0, 0)
        assert tracker.get_best_metric("unknown") == (None, None)


class TestArtifacts:
    def test_versions(self, tracker: ExperimentTracker, tmp_path: Path) -> None:
        """Logging a file again adds a version; older versions stay what they were."""
        file = tmp_path / "vocabulary.txt"
        for text in ("a", "b", "c"):
            file.write_text(text)
            tracker.log_artifact(file)
        versions = tracker.list_artifact_versions("vocabulary.txt")
        assert [(v.version, v.path.read_text()) for v in versions] == [(1, "a"), (2, "b"), (3, "c")]
        newest = tracker.get_artifact_version("vocabulary.txt")
        assert newest is not None
        with newest.open() as stored:
            assert stored.read() == b"c"
        assert tracker.get_artifact_version("vocabulary.txt", version=9) is None

    def test_without_versions(self, tracker: ExperimentTracker, tmp_path: Path) -> None:
        """With version=False the one unversioned entry is replaced."""
        file = tmp_path / "last.txt"
        for text in ("a", "b"):
            file.write_text(text)
            tracker.log_artifact(file, version=False)
        [only] = tracker.list_artifact_versions("last.txt")
        assert (only.version, only.path.read_text()) == (None, "b")

    def test_checkpoints_are_versions_of_one_model(self, tracker: ExperimentTracker, tmp_path: Path) -> None:
        """The number of an epoch is no part of a model's name; the number of its layers is."""
        for name in ("model_10.pt", "model_20.pt", "resnet_18.pt"):
            (tmp_path / name).write_bytes(name.encode())
            tracker.log_model(tmp_path / name, framework="pytorch")
        assert [v.source_name for v in tracker.list_artifact_versions("model.pt")] == ["model_10.pt", "model_20.pt"]
        assert len(tracker.list_artifact_versions("resnet_18.pt")) == 1

    def test_folders(self, tracker: ExperimentTracker, tmp_path: Path) -> None:
        """A folder is stored whole."""
        (tmp_path / "data" / "train").mkdir(parents=True)
        (tmp_path / "data" / "train" / "x.csv").write_text("1,2\n")
        stored = tracker.log_artifact(tmp_path / "data", metadata={"rows": 1})
        assert stored is not None
        assert (stored.path / "train" / "x.csv").read_text() == "1,2\n"
        assert stored.metadata == {"rows": 1}

    def test_missing_file(self, tracker: ExperimentTracker, tmp_path: Path) -> None:
        """A file that is not there is an error that also is a FileNotFoundError."""
        with pytest.raises(ArtifactNotFoundError):
            tracker.log_artifact(tmp_path / "nothing.txt")


class TestLife:
    def test_with(self, tmp_path: Path) -> None:
        """The end of a with block is the end of the experiment; an exception makes it failed."""
        with ExperimentTracker("good", tmp_path) as good:
            good.log_metrics({"loss": 1.0})
        with pytest.raises(ZeroDivisionError), ExperimentTracker("bad", tmp_path) as bad:
            raise ZeroDivisionError
        assert (good.status, bad.status) == ("completed", "failed")

    def test_status(self, tracker: ExperimentTracker) -> None:
        """An experiment is created, runs from its first row, and ends as completed."""
        assert tracker.status == "created"
        tracker.log_metrics({"loss": 1.0})
        assert tracker.status == "running"
        tracker.finish()
        tracker.finish()  # a second call does nothing
        assert tracker.status == "completed"

    def test_after_the_end(self, tracker: ExperimentTracker) -> None:
        """Nothing is logged to a finished tracker in silence."""
        tracker.finish()
        with pytest.raises(ExperimentFinishedError, match="resume"):
            tracker.log_metrics({"loss": 1.0})

    def test_resume(self, tracker: ExperimentTracker, tmp_path: Path) -> None:
        """A finished experiment can be continued; what is logged follows what is there."""
        tracker.log_metrics({"loss": 2.0}, step=1)
        tracker.finish()
        again = ExperimentTracker.resume(tracker.experiment_id, base_dir=tmp_path)
        again.log_metrics({"loss": 1.0}, step=2)
        again.finish()
        assert again.get_metrics("loss") == [2.0, 1.0]
        assert len(ExperimentManager(tmp_path).list_experiments()) == 1

    def test_attach(self, tracker: ExperimentTracker) -> None:
        """Another process adds to a living experiment; it can then be read as one."""
        tracker.log_metrics({"loss": 1.0}, step=1)
        evaluation = ExperimentTracker.attach(tracker.experiment_dir, rank=1)
        evaluation.log_metrics({"score": 7.0}, step=1)
        evaluation.finish()
        assert tracker.status == "running"
        assert tracker.get_metrics("score") == [7.0]

    def test_reading_while_it_runs(self, tracker: ExperimentTracker, tmp_path: Path) -> None:
        """A call that has returned is there for every reader, without any flush."""
        tracker.log_metrics({"loss": 1.0}, step=1)
        other = ExperimentManager(tmp_path).get_experiment(tracker.experiment_id)
        assert other.get_metrics("loss") == [1.0]

    def test_disabled(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """NEURAL_MODE=disabled makes every call do nothing and write nothing."""
        monkeypatch.setenv("NEURAL_MODE", "disabled")
        with ExperimentTracker("off", tmp_path / "runs") as tracker:
            tracker.log_metrics({"loss": 1.0})
            tracker.log_hyperparameters({"lr": 1})
            assert tracker.log_artifact("nothing.txt") is None
        assert not (tmp_path / "runs").exists()

    def test_health(self, tracker: ExperimentTracker) -> None:
        """A tracker whose disk takes everything is well, and says where it is."""
        tracker.log_metrics({"loss": 1.0})
        assert tracker.health.ok
        assert str(tracker.experiment_dir) in repr(tracker)


class TestManager:
    @pytest.fixture
    def manager(self, tmp_path: Path) -> ExperimentManager:
        """Give the manager of three experiments with learning rates of 0.1, 0.01 and 0.001."""
        manager = ExperimentManager(tmp_path)
        for rate in (0.1, 0.01, 0.001):
            with manager.create_experiment(f"lr {rate}", False, hyperparameters={"lr": rate}) as tracker:
                for step in range(3):
                    tracker.log_metrics({"loss": rate + 1 / (step + 1)}, step=step)
        return manager

    def test_list(self, manager: ExperimentManager) -> None:
        """Experiments are listed as dicts, newest first."""
        assert [one["experiment_name"] for one in manager.list_experiments()] == ["lr 0.001", "lr 0.01", "lr 0.1"]

    def test_query(self, manager: ExperimentManager) -> None:
        """A filter and an order choose rows with parameters and the digest of each metric."""
        rows = manager.runs("params.lr < 0.05 and metrics.loss.count = 3", order_by="metrics.loss.min")
        assert [row.params["lr"] for row in rows] == [0.001, 0.01]
        assert rows[0].metrics["loss"].max == 1.001

    def test_query_that_is_none(self, manager: ExperimentManager) -> None:
        """A filter that does not parse says where."""
        with pytest.raises(QueryError) as raised:
            manager.runs("params.lr << 1")
        assert raised.value.position == 11

    def test_best(self, manager: ExperimentManager) -> None:
        """The best experiments of a metric come with the value and its step."""
        row, value, step = manager.best("loss", limit=1)[0]
        assert (row.name, step) == ("lr 0.001", 2)
        assert value == pytest.approx(0.001 + 1 / 3)

    def test_beginning_of_an_id(self, manager: ExperimentManager) -> None:
        """A unique beginning of an id finds an experiment; an id that nothing has is an error."""
        experiment_id = manager.list_experiments()[0]["experiment_id"]
        assert manager.get_experiment(experiment_id[:8]).experiment_id == experiment_id
        with pytest.raises(ExperimentNotFoundError):
            manager.get_experiment("0123456789")

    def test_delete_and_restore(self, manager: ExperimentManager) -> None:
        """Deleting moves to the trash, from which an experiment comes back."""
        experiment_id = manager.list_experiments()[0]["experiment_id"]
        assert manager.delete_experiment(experiment_id)
        assert not manager.delete_experiment(experiment_id)
        assert len(manager.list_experiments()) == 2
        assert manager.restore_experiment(experiment_id)
        assert len(manager.list_experiments()) == 3

    def test_delete_refuses_the_living(self, manager: ExperimentManager) -> None:
        """An experiment that is being written cannot be deleted."""
        tracker = manager.create_experiment("alive", False)
        tracker.log_metrics({"loss": 1.0})
        with pytest.raises(ExperimentInUseError):
            manager.delete_experiment(tracker.experiment_id)

    def test_compare(self, manager: ExperimentManager) -> None:
        """Experiments are compared in figures: one for each metric, parameters and best values."""
        ids = [one["experiment_id"] for one in manager.list_experiments()]
        assert set(manager.compare_experiments(ids)) == {"metric_loss", "hyperparameters", "best_metrics"}

    def test_verify(self, manager: ExperimentManager) -> None:
        """Sound experiments have no damage."""
        assert list(manager.verify().values()) == [[], [], []]

    def test_pandas(self, manager: ExperimentManager) -> None:
        """All experiments are a data frame, a row each."""
        frame = manager.to_pandas(order_by="params.lr")
        assert frame["params.lr"].tolist() == [0.001, 0.01, 0.1]
        assert {"experiment_id", "status", "metrics.loss.min"} <= set(frame.columns)
