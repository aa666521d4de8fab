"""What of an experiment stands where in TensorBoard, value by value."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import math
import struct
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from event_files import Loaded, run_folder
from matplotlib.figure import Figure
from neural_tensorboard import TensorBoardBackend, _telling
from PIL import Image
from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.records import Experiment
from neural_core.testing import deliver

HYPERPARAMETERS: dict[str, Any] = {
    "lr": 0.1,
    "epochs": 10,
    "flag": True,
    "name": "größe",
    "model": {"depth": 3, "block": {"kind": "res"}},
    "none": None,
    "layers": [64, 32],
    "huge": 2**60,
    "infinite": math.inf,
    "empty": {},
}


def float32(value: float) -> float:
    """Give the nearest number of single precision."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def track(tmp_path: Path, name: str = "mirror", **more: Any) -> ExperimentTracker:
    """Begin an experiment."""
    return ExperimentTracker(name, tmp_path / "experiments", auto_visualize=False, **more)


def mirrored(tmp_path: Path, tracker: ExperimentTracker) -> Loaded:
    """Deliver an experiment and read it back."""
    delivered = deliver(tracker.experiment_dir, TensorBoardBackend(tmp_path / "runs"))
    assert delivered.complete, delivered.last_error
    return Loaded.of(run_folder(tmp_path / "runs", tracker.experiment_id))


class TestScalars:
    """Metrics in the SCALARS dashboard."""

    def test_steps_times_and_values(self, tmp_path: Path) -> None:
        """Every value has its step, its wall time to the last bit, and the nearest float32 of what was logged."""
        with track(tmp_path) as tracker:
            for step in (3, 1, 1, -7, 2**40):
                tracker.log_metrics({"loss": 0.1 * step, "val/größe": 1 / 3}, step=step)
        run = mirrored(tmp_path, tracker)
        assert run.scalars("loss") == [(step, float32(0.1 * step)) for step in (3, 1, 1, -7, 2**40)]
        assert run.scalars("val/größe") == [(step, float32(1 / 3)) for step in (3, 1, 1, -7, 2**40)]
        assert run.times("loss") == [row.timestamp for row in tracker.metrics_history]

    def test_values_that_are_no_numbers(self, tmp_path: Path) -> None:
        """NaN, infinities, minus zero and numbers beyond float32 are kept as near as float32 can."""
        values = [math.nan, math.inf, -math.inf, -0.0, 1e300, 1e-300]
        with track(tmp_path) as tracker:
            for step, value in enumerate(values):
                tracker.log_metrics({"loss": value}, step=step)
        stored = [value for _, value in mirrored(tmp_path, tracker).scalars("loss")]
        assert repr(stored) == repr([math.nan, math.inf, -math.inf, -0.0, math.inf, 0.0])

    def test_rounding_is_said_once(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """That numbers are rounded is told once, and only when one is."""
        monkeypatch.setattr(_telling, "_told", set())
        for name, value in (("exact", 0.5), ("rounded", 0.1), ("again", 0.1)):
            with caplog.at_level(logging.WARNING, "neural"), track(tmp_path, name) as tracker:
                tracker.log_metrics({"loss": value}, step=0)
            mirrored(tmp_path, tracker)
            said = [record.message for record in caplog.records if "rounded to 7 digits" in record.message]
            assert len(said) == (name != "exact")

    def test_rows_without_steps_are_counted(self, tmp_path: Path) -> None:
        """A row without a step gets for each metric the count of its earlier ones, also after a restart."""
        tracker = track(tmp_path)
        tracker.log_metrics({"a": 1.0, "b": 1.0})
        tracker.log_metrics({"a": 2.0}, step=100)
        tracker.log_metrics({"a": 3.0})
        first = deliver(tracker.experiment_dir, TensorBoardBackend(tmp_path / "runs"))
        tracker.log_metrics({"a": 4.0, "b": 4.0})
        tracker.finish()
        deliver(tracker.experiment_dir, TensorBoardBackend(tmp_path / "runs"), first.position, first.bookmark)
        run = Loaded.of(run_folder(tmp_path / "runs", tracker.experiment_id))
        assert run.scalars("a") == [(0, 1.0), (100, 2.0), (1, 3.0), (2, 4.0)]
        assert run.scalars("b") == [(0, 1.0), (1, 4.0)]

    def test_names_that_change_are_told(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A metric name that UTF-8 cannot hold is written out; this, and a folder of another name, are told once."""
        monkeypatch.setattr(_telling, "_told", set())
        for _ in range(2):
            with track(tmp_path, "a/b") as tracker:
                tracker.log_metrics({"bad\udc80name": 1.0}, step=0)
            assert mirrored(tmp_path, tracker).tags == [r"bad\udc80name"]
            said = " ".join(record.message for record in caplog.records)
            assert (said.count("cannot be written in UTF-8"), said.count("'a/b' are in the folder 'a-b~")) == (1, 1)


class TestHyperparameters:
    """Hyperparameters in the HPARAMS and the TEXT dashboard."""

    def test_dashboard(self, tmp_path: Path) -> None:
        """The HPARAMS dashboard gets truth values, numbers and texts; nested names are joined by dots."""
        with track(tmp_path) as tracker:
            tracker.log_hyperparameters(HYPERPARAMETERS)
        assert mirrored(tmp_path, tracker).hparams() == {
            "lr": 0.1,
            "epochs": 10.0,
            "flag": True,
            "name": "größe",
            "model.depth": 3.0,
            "model.block.kind": "res",
            "none": "null",
            "layers": "[64, 32]",
            "huge": str(2**60),
            "infinite": "Infinity",
            "empty": "{}",
        }

    def test_text(self, tmp_path: Path) -> None:
        """The TEXT dashboard has them exactly, as JSON."""
        with track(tmp_path) as tracker:
            tracker.log_hyperparameters(HYPERPARAMETERS)
        table = mirrored(tmp_path, tracker).table("neural/hyperparameters")
        assert {name: json.loads(value) for name, value in table.items()} == HYPERPARAMETERS

    def test_late_ones(self, tmp_path: Path) -> None:
        """Hyperparameters that come late, or come again with another value, are there in their last form."""
        with track(tmp_path) as tracker:
            tracker.log_hyperparameters({"lr": 0.5})
            tracker.log_metrics({"loss": 1.0}, step=0)
            tracker.log_hyperparameters({"lr": 0.25, "late": "yes"})
        assert mirrored(tmp_path, tracker).hparams() == {"lr": 0.25, "late": "yes"}


class TestAnnotations:
    """Tags, notes, names and ends."""

    def test_tags_and_notes(self, tmp_path: Path) -> None:
        """Tags and notes stand in the TEXT dashboard as they are at last, whenever they were edited."""
        tracker = track(tmp_path, tags={"team": "vision", "old": ""}, notes="first *try*")
        tracker.log_metrics({"loss": 1.0}, step=0)
        tracker.finish()
        stored = ExperimentManager(str(tmp_path / "experiments")).get_experiment(tracker.experiment_id)
        stored.set_tags({"new|er": "a\nb", "old": None})
        stored.set_notes("second")
        run = mirrored(tmp_path, tracker)
        assert run.table("neural/tags") == {"team": "vision", "new|er": "a\nb"}
        assert run.text("neural/notes") == ["second"]
        assert run.table("neural/experiment")["name"] == "mirror"

    def test_a_renamed_experiment_stays_where_it_is(self, tmp_path: Path) -> None:
        """A renamed experiment goes on in the folder where it began, with its new name in the TEXT dashboard."""
        record = Experiment("0123456789ab", "0123456789ab" * 2, "before", tmp_path, start_time="2026-01-01T00:00:00Z")
        first, second = TensorBoardBackend(tmp_path / "runs"), TensorBoardBackend(tmp_path / "runs")
        first.return_to({})
        first.neural_experiment_started(experiment=record)
        second.return_to(first.bookmark())
        second.neural_experiment_started(experiment=evolve(record, name="after"))
        folder = run_folder(tmp_path / "runs", record.experiment_id)
        assert folder.parent.name == "before"
        assert Loaded.of(folder).table("neural/experiment")["name"] == "after"

    @pytest.mark.parametrize(
        ("status", "shown"),
        [("completed", STATUS_SUCCESS), ("failed", STATUS_FAILURE), ("interrupted", STATUS_FAILURE)],
    )
    def test_status(self, tmp_path: Path, status: Any, shown: int) -> None:
        """Completed is TensorBoard's success, failed and interrupted its failure; the text has our word and the end."""
        tracker = track(tmp_path, hyperparameters={"lr": 1.0})
        tracker.finish(status)
        run = mirrored(tmp_path, tracker)
        assert run.status() == shown
        assert run.table("neural/status")["status"] == status

    def test_running(self, tmp_path: Path) -> None:
        """An experiment that runs has no end in TensorBoard, not even when it had one and was resumed."""
        tracker = track(tmp_path, hyperparameters={"lr": 1.0})
        tracker.finish()
        assert mirrored(tmp_path, tracker).status() == STATUS_SUCCESS
        again = ExperimentTracker.resume(str(tracker.experiment_dir))
        again.log_metrics({"loss": 1.0}, step=0)
        run = mirrored(tmp_path, again)
        assert run.status() is None
        assert "neural/status" not in run.text_tags()
        again.finish()


class TestArtifacts:
    """Files in the TEXT and the IMAGES dashboard."""

    def test_table_of_each_version(self, tmp_path: Path) -> None:
        """Each version of a file or model is a table at the step of its version, with size and SHA-256."""
        tracker = track(tmp_path)
        for epoch, content in ((10, b"ten"), (20, b"twenty")):
            (tmp_path / f"model_{epoch}.pt").write_bytes(content)
            tracker.log_model(str(tmp_path / f"model_{epoch}.pt"), framework="pytorch", version=True)
        tracker.finish()
        run = mirrored(tmp_path, tracker)
        assert [event.step for event in run.accumulator.Tensors("artifacts/model.pt")] == [1, 2]
        table = run.table("artifacts/model.pt")
        assert table["SHA-256"] == hashlib.sha256(b"twenty").hexdigest()
        assert (table["name"], table["version"], table["kind"], table["size"]) == ("model.pt", "2", "model", "6")
        assert (tracker.experiment_dir / table["path"]).read_bytes() == b"twenty"
        assert json.loads(table["metadata"])["framework"] == "pytorch"

    def test_folder(self, tmp_path: Path) -> None:
        """A folder is listed as one, with the SHA-256 of its manifest."""
        (tmp_path / "tree").mkdir()
        (tmp_path / "tree" / "inner.txt").write_text("inner")
        with track(tmp_path) as tracker:
            tracker.log_artifact(str(tmp_path / "tree"))
        table = mirrored(tmp_path, tracker).table("artifacts/tree")
        (stored,) = tracker.list_artifact_versions("tree")
        assert (table["kind"], table["size"], table["SHA-256"]) == ("file, a folder", "5", stored.checksum)

    def test_figures(self, tmp_path: Path) -> None:
        """A figure is an image with the stored bytes; logged again before delivery, the replaced one is only listed."""
        figure = Figure(figsize=(2, 1))
        with track(tmp_path) as tracker:
            tracker.log_figure(figure, "curve")
            figure.add_subplot().plot([1, 2])
            tracker.log_figure(figure, "curve")
        run = mirrored(tmp_path, tracker)
        stored = (tracker.experiment_dir / "plots" / "curve.png").read_bytes()
        (shown,) = run.accumulator.Images("figures/curve")
        assert (shown.step, shown.encoded_image_string) == (1, stored)
        assert (shown.width, shown.height) == Image.open(io.BytesIO(stored)).size
        assert [event.step for event in run.accumulator.Tensors("artifacts/curve")] == [0, 1]

    @pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp"])
    def test_images(self, tmp_path: Path, suffix: str) -> None:
        """An image that is logged as a file is an image in TensorBoard, too."""
        Image.new("RGB", (5, 3), "red").save(tmp_path / f"sample.{suffix}")
        with track(tmp_path) as tracker:
            tracker.log_artifact(str(tmp_path / f"sample.{suffix}"))
        (shown,) = mirrored(tmp_path, tracker).accumulator.Images(f"images/sample.{suffix}")
        assert shown.encoded_image_string == (tmp_path / f"sample.{suffix}").read_bytes()
        assert (shown.width, shown.height) == (5, 3)

    def test_what_is_no_image(self, tmp_path: Path) -> None:
        """A file that is only named like an image is listed, and takes nothing else along."""
        (tmp_path / "fake.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
        with track(tmp_path) as tracker:
            tracker.log_artifact(str(tmp_path / "fake.png"))
            tracker.log_metrics({"loss": 1.0}, step=0)
        run = mirrored(tmp_path, tracker)
        assert run.accumulator.Tags()["images"] == []
        assert run.table("artifacts/fake.png")["size"] == "20"
        assert run.scalars("loss") == [(0, 1.0)]

    def test_a_stored_file_that_is_gone(self, tmp_path: Path) -> None:
        """An image whose stored copy somebody removed is listed, and holds nothing up."""
        Image.new("L", (1, 1)).save(tmp_path / "sample.png")
        with track(tmp_path) as tracker:
            tracker.log_artifact(str(tmp_path / "sample.png"))
            tracker.log_metrics({"loss": 1.0}, step=0)
        tracker.list_artifact_versions("sample.png")[0].path.unlink()
        run = mirrored(tmp_path, tracker)
        assert "artifacts/sample.png" in run.text_tags()
        assert run.scalars("loss") == [(0, 1.0)]
