"""Runs of other writers as experiments: `neural import tensorboard`."""

from __future__ import annotations

import io
import math
import os
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.figure import Figure
from neural_tensorboard import TensorBoardBackend
from neural_tensorboard._events import table
from neural_tensorboard._records import framed
from neural_tensorboard.importing import command, read
from PIL import Image
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo
from tensorboard.plugins.image import metadata as images
from tensorboard.plugins.scalar.summary_v2 import scalar_pb
from tensorboard.plugins.text.summary_v2 import text_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util

from neural_core import ExperimentManager, ExperimentTracker
from neural_core.errors import ArgumentValueError
from neural_core.importing import Imported, import_run
from neural_core.testing import deliver

DATA = Path(__file__).parent / "data"


def bring_in(source: Path, base: Path) -> dict[str, Imported]:
    """Import all runs of a place; give what became of each by its name."""
    return {run.name: import_run(run, base) for run in read(str(source))}


def stored(base: Path, imported: Imported) -> ExperimentTracker:
    """Open an imported experiment."""
    return ExperimentManager(str(base)).get_experiment(imported.experiment_id)


def write(folder: Path, events: Iterable[Event], name: str = "events.out.tfevents.0000000001.host") -> Path:
    """Write events as any writer does."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(framed(event.SerializeToString() for event in events))
    return path


def scalar(step: int, **values: float) -> Event:
    """Give an event with plain scalars."""
    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
    return Event(wall_time=1_700_000_000.5 + step, step=step, summary=summary)


def rows(tracker: ExperimentTracker) -> list[tuple[int | None, float, dict[str, float]]]:
    """Give (step, time, values) of every row."""
    return [(row.step, row.timestamp, dict(row.values)) for row in tracker.metrics_history]


def float32(value: float) -> float:
    """Give the nearest number of single precision."""
    return float(np.float32(value))


class TestWriters:
    """Files as the usual writers make them."""

    def test_tensorboardx(self, tmp_path: Path) -> None:
        """Scalars, images and hyperparameters of tensorboardX arrive with steps and times; the rest is counted."""
        done = bring_in(DATA / "tensorboardx", tmp_path)
        run, trial = done["tensorboardx"], done["trial"]
        assert (run.rows, run.artifacts) == (43, 2)
        assert dict(run.left_out) == {"histograms": 1, "texts": 1}
        assert dict(trial.left_out) == {"descriptions of a hyperparameter search": 1}
        tracker = stored(tmp_path, run)
        begin = 1_700_000_000
        expected: list[tuple[int | None, float, dict[str, float]]] = []
        for step in range(20):
            expected.append((step, begin + step, {"train/loss": float32(1 / (step + 1))}))
            expected.append((step, begin + 0.25 + step, {"train/accuracy": float32(step / 20)}))
        assert rows(tracker)[:40] == expected
        assert repr(rows(tracker)[40:]) == repr(
            [
                (5, begin + 20.0, {"odd": math.nan}),
                (3, begin + 21.0, {"odd": -math.inf}),
                (0, begin + 22.0, {"new_style": 2.5}),
            ]
        )
        for name, step in (("samples.png", 0), ("samples_10.png", 10)):
            (version,) = tracker.list_artifact_versions(name)
            with Image.open(version.path) as picture:
                assert picture.size == (6, 4)
            assert (version.kind, version.metadata["step"]) == ("figure", step)
        assert stored(tmp_path, trial).hyperparameters == {"lr": 0.1, "layers": 3, "name": "tiny", "flag": True}
        assert stored(tmp_path, trial).status == "completed"

    def test_tensorflow_2(self, tmp_path: Path) -> None:
        """What TensorFlow 2 writes, scalars and images as tensors, arrives, through TensorBoard's own writer."""
        picture = io.BytesIO()
        Image.new("RGB", (3, 2)).save(picture, "png")
        tensor = tensor_util.make_tensor_proto([b"3", b"2", picture.getvalue(), picture.getvalue()])
        shown = images.create_summary_metadata("", "", converted_to_tensor=True)
        image_pb = Summary(value=[Summary.Value(tag="samples", tensor=tensor, metadata=shown)])
        writer = EventFileWriter(str(tmp_path / "log"))
        loss = Summary(value=[scalar_pb("loss", 0.25).value[0], scalar_pb("f64", np.float64(0.5)).value[0]])
        for summary in (loss, image_pb, text_pb("remark", "text"), histogram_pb("weights", [1.0, 2.0])):
            writer.add_event(Event(wall_time=1_700_000_000.125, step=7, summary=summary))
        writer.close()
        (run,) = bring_in(tmp_path / "log", tmp_path / "base").values()
        tracker = stored(tmp_path / "base", run)
        assert rows(tracker) == [(7, 1_700_000_000.125, {"loss": 0.25, "f64": 0.5})]
        names = [version.artifact_name for version in tracker.artifacts]
        assert names == ["samples_7.png", "samples_7-2.png"]
        assert all(version.path.read_bytes() == picture.getvalue() for version in tracker.artifacts)
        assert dict(run.left_out) == {"histograms": 1, "texts": 1}

    def test_kind_told_once(self, tmp_path: Path) -> None:
        """A writer that tells a tag's kind only the first time is understood."""
        first, second = scalar_pb("loss", 0.5), scalar_pb("loss", 0.25)
        second.value[0].ClearField("metadata")
        events = [Event(wall_time=1.0 + at, step=at, summary=summary) for at, summary in enumerate((first, second))]
        write(tmp_path / "log", events)
        (run,) = bring_in(tmp_path / "log", tmp_path / "base").values()
        assert [values for _, _, values in rows(stored(tmp_path / "base", run))] == [{"loss": 0.5}, {"loss": 0.25}]

    def test_other_events(self, tmp_path: Path) -> None:
        """Whatever an experiment has no place for is counted by its kind."""
        audio = Summary(value=[Summary.Value(tag="sound", audio=Summary.Audio(encoded_audio_string=b"x"))])
        odd = Summary(value=[Summary.Value(tag="odd", image=Summary.Image(encoded_image_string=b"no picture"))])
        own = scalar_pb("mine", 1.0)
        own.value[0].metadata.plugin_data.plugin_name = "my_plugin"
        events = [Event(summary=summary) for summary in (audio, odd, own)]
        write(tmp_path / "log", [Event(graph_def=b"graph"), *events, scalar(0, a=1)])
        (run,) = bring_in(tmp_path / "log", tmp_path / "base").values()
        assert dict(run.left_out) == {
            "graphs": 1,
            "audio clips": 1,
            "images of an unknown format": 1,
            "my_plugin values": 1,
        }
        assert run.rows == 1


class TestRuns:
    """Which files are a run, and what happens when they are brought in again."""

    def test_tree(self, tmp_path: Path) -> None:
        """Each folder with event files is a run, named by its way from SOURCE; several files of one are in order."""
        log = tmp_path / "log"
        write(log / "sweep" / "a", [scalar(0, loss=1)], "events.out.tfevents.0000000001.host")
        write(log / "sweep" / "a", [scalar(1, loss=2)], "events.out.tfevents.0000000002.host")
        write(log / "b", [scalar(0, loss=3)])
        (log / "b" / "notes.txt").write_text("no events")
        done = bring_in(log, tmp_path / "base")
        assert sorted(done) == ["b", "sweep/a"]
        assert stored(tmp_path / "base", done["sweep/a"]).get_metrics("loss") == [1.0, 2.0]

    def test_what_is_no_file(self, tmp_path: Path) -> None:
        """Pipes, folders and links to nowhere that are named like event files are passed by."""
        write(tmp_path / "log", [scalar(0, loss=1)])
        os.mkfifo(tmp_path / "log" / "tfevents.pipe")
        (tmp_path / "log" / "tfevents.folder").mkdir()
        (tmp_path / "log" / "tfevents.link").symlink_to("nowhere")
        (run,) = bring_in(tmp_path / "log", tmp_path / "base").values()
        assert run.rows == 1

    def test_links(self, tmp_path: Path) -> None:
        """Links to runs are followed, as TensorBoard does; one that leads round in a circle ends, and a run is one."""
        write(tmp_path / "old" / "run", [scalar(0, loss=1)])
        log, base = tmp_path / "log", tmp_path / "base"
        write(log / "own", [scalar(0, loss=2)])
        (log / "chosen").symlink_to(tmp_path / "old" / "run")
        (log / "circle").symlink_to(log)
        done = bring_in(log, base)
        assert sorted(done) == ["chosen", "own"]
        (again,) = bring_in(tmp_path / "old", base).values()
        assert (again.outcome, again.experiment_id) == ("unchanged", done["chosen"].experiment_id)

    def test_one_file(self, tmp_path: Path) -> None:
        """A single file is a run, whatever it is called."""
        path = write(tmp_path / "log", [scalar(0, loss=1)], "renamed.bin")
        (run,) = bring_in(path, tmp_path / "base").values()
        assert run.rows == 1

    def test_repeated(self, tmp_path: Path) -> None:
        """Brought in again a run is left alone; after it has grown it takes the place of what was there."""
        log, base = tmp_path / "log", tmp_path / "base"
        write(log, [scalar(0, loss=1)])
        (first,) = bring_in(log, base).values()
        (again,) = bring_in(log, base).values()
        write(log, [scalar(0, loss=1), scalar(1, loss=2)])
        (grown,) = bring_in(log, base).values()
        assert [one.outcome for one in (first, again, grown)] == ["new", "unchanged", "replaced"]
        assert stored(base, grown).get_metrics("loss") == [1.0, 2.0]
        assert len(ExperimentManager(str(base)).list_experiments()) == 1

    def test_times(self, tmp_path: Path) -> None:
        """A run begins with its first event and ends with its last."""
        log, base = tmp_path / "log", tmp_path / "base"
        write(log, [Event(wall_time=1_700_000_000.0, file_version="brain.Event:2"), scalar(60, loss=1)])
        (run,) = bring_in(log, base).values()
        tracker = stored(base, run)
        (listed,) = ExperimentManager(str(base)).list_experiments()
        assert listed["start_time"].startswith("2023-11-14T22:13:20")
        assert listed["end_time"].startswith("2023-11-14T22:14:20.5")
        assert tracker.status == "completed"

    @pytest.mark.parametrize("source", ["nothing", "empty", "notes.txt", "void"])
    def test_no_event_files(self, tmp_path: Path, source: str) -> None:
        """A place without event files, and a file that holds no event, is refused with one sentence."""
        (tmp_path / "empty").mkdir()
        (tmp_path / "notes.txt").write_text("no event in here")
        (tmp_path / "void").touch()
        with pytest.raises(ArgumentValueError, match=source):
            read(str(tmp_path / source))

    def test_command(self, tmp_path: Path) -> None:
        """The command tells what it took and what it could not."""
        arguments = [str(DATA / "tensorboardx"), "--base-dir", str(tmp_path)]
        result = CliRunner().invoke(command, arguments)
        assert result.exit_code == 0, result.output
        assert "43 rows" in result.output
        assert "histograms (1)" in result.output
        assert "2 brought in" in result.output


class TestOddities:
    """What writers put into files that an experiment cannot hold as it is."""

    @pytest.mark.parametrize(
        "tag", ["auto_x", "Auto_encoder/x", "-auto_x", "\u635fauto_x", "../../up", "a\0b\n", "x" * 5_000]
    )
    @pytest.mark.parametrize("kind", ["png", "gif"])
    def test_tags_of_images(self, tmp_path: Path, tag: str, kind: str) -> None:
        """An image is brought in whatever its tag is, also one that a figure may not be called."""
        data = io.BytesIO()
        Image.new("L", (3, 2)).save(data, kind)
        pictures = [Summary.Image(encoded_image_string=data.getvalue()) for _ in range(2)]
        events = [Event(wall_time=1.0, summary=Summary(value=[Summary.Value(tag=tag, image=one)])) for one in pictures]
        write(tmp_path / "log", [*events, scalar(0, loss=1)])
        (run,) = bring_in(tmp_path / "log", tmp_path / "base").values()
        assert (run.rows, run.artifacts, dict(run.left_out)) == (1, 2, {})
        stored_ones = stored(tmp_path / "base", run).artifacts
        assert {one.metadata["tag"] for one in stored_ones} == {tag}
        assert [one.path.read_bytes() for one in stored_ones] == [data.getvalue()] * 2
        assert all(one.path.resolve().is_relative_to(run.directory.resolve()) for one in stored_ones)

    @pytest.mark.parametrize("end", [1.7e12, math.nan, math.inf, -1e12])
    def test_an_end_that_is_no_time(self, tmp_path: Path, end: float) -> None:
        """An end in HPARAMS that no calendar has (milliseconds, NaN) costs itself; the last event is the end then."""
        content = HParamsPluginData(session_end_info=SessionEndInfo(status=STATUS_FAILURE, end_time_secs=end))
        plugin = SummaryMetadata.PluginData(plugin_name="hparams", content=content.SerializeToString())
        value = Summary.Value(tag="_hparams_/session_end_info", metadata=SummaryMetadata(plugin_data=plugin))
        write(tmp_path / "log", [scalar(60, loss=1), Event(wall_time=1.0, summary=Summary(value=[value]))])
        (run,) = bring_in(tmp_path / "log", tmp_path / "base").values()
        (listed,) = ExperimentManager(str(tmp_path / "base")).list_experiments()
        assert (run.rows, listed["status"]) == (1, "failed")
        assert listed["end_time"].startswith("2023-11-14T22:14:20.5")

    def test_a_foreign_file_before_ours(self, tmp_path: Path) -> None:
        """A run that neural wrote keeps its name and start when another's file lies before its own."""
        with ExperimentTracker("mine", tmp_path / "experiments", auto_visualize=False) as tracker:
            tracker.log_metrics({"loss": 0.5}, step=0)
        assert deliver(tracker.experiment_dir, TensorBoardBackend(tmp_path / "runs")).complete
        (folder,) = (tmp_path / "runs" / "mine").iterdir()
        write(folder, [Event(wall_time=4e9, file_version="brain.Event:2")], "events.out.tfevents.0.profile")
        (run,) = bring_in(tmp_path / "runs", tmp_path / "base").values()
        back = stored(tmp_path / "base", run)
        original, copy = (ExperimentManager(str(tmp_path / at)).list_experiments()[0] for at in ("experiments", "base"))
        assert back.experiment_name == "mine"
        assert copy["start_time"] == original["start_time"]

    def test_a_status_that_is_no_end(self, tmp_path: Path) -> None:
        """A file that says of itself that its run goes on is brought in as interrupted."""
        texts = [("neural/experiment", [("name", "odd")]), ("neural/status", [("status", "running"), ("ended", "no")])]
        events = [Event.FromString(table(tag, 1.0, pairs)) for tag, pairs in texts]
        write(tmp_path / "log", [*events, scalar(0, loss=1)])
        (run,) = bring_in(tmp_path / "log", tmp_path / "base").values()
        assert stored(tmp_path / "base", run).status == "interrupted"


class TestDamage:
    """Files that are not whole, or not what they say."""

    @pytest.mark.parametrize("cut", [1, 8, 20])
    def test_torn_end(self, tmp_path: Path, cut: int) -> None:
        """Of a file whose end is missing, what stands before is taken, and the damage counted."""
        path = write(tmp_path / "log", [scalar(step, loss=step) for step in range(3)])
        path.write_bytes(path.read_bytes()[:-cut])
        (run,) = bring_in(tmp_path / "log", tmp_path / "base").values()
        assert dict(run.left_out) == {"damaged records": 1}
        assert stored(tmp_path / "base", run).get_metrics("loss") == [0.0, 1.0]

    def test_flipped_bit(self, tmp_path: Path) -> None:
        """A flipped bit costs its record, those behind it are taken; one in a length costs the rest of the file."""
        path = write(tmp_path / "log", [scalar(step, loss=step) for step in range(3)])
        sound = path.read_bytes()
        record = len(sound) // 3
        for offset, left in ((record + 20, [0.0, 2.0]), (record + 2, [0.0])):
            data = bytearray(sound)
            data[offset] ^= 1
            path.write_bytes(data)
            (run,) = bring_in(tmp_path / "log", tmp_path / f"base{offset}").values()
            assert dict(run.left_out) == {"damaged records": 1}
            assert stored(tmp_path / f"base{offset}", run).get_metrics("loss") == left

    def test_no_events_at_all(self, tmp_path: Path) -> None:
        """A file of something else is a run without rows, whose damage is counted."""
        (tmp_path / "log").mkdir()
        (tmp_path / "log" / "tfevents.txt").write_text("this is no event file, whatever its name says")
        (run,) = bring_in(tmp_path / "log", tmp_path / "base").values()
        assert (run.rows, dict(run.left_out)) == (0, {"damaged records": 1})

    def test_records_that_are_no_events(self, tmp_path: Path) -> None:
        """Records that are whole and no events, and times that are none, are counted."""
        path = write(tmp_path / "log", [Event(wall_time=at) for at in (math.nan, 1e300, -1e11)] + [scalar(0, loss=1)])
        path.write_bytes(framed([b"\xff\xff\xff"]) + path.read_bytes())
        (run,) = bring_in(tmp_path / "log", tmp_path / "base").values()
        assert (run.rows, dict(run.left_out)) == (1, {"damaged records": 4})

    def test_sizes_that_lie(self, tmp_path: Path) -> None:
        """A tensor that says it has a million million numbers, and holds one, is counted and never unpacked."""
        shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=10**6), TensorShapeProto.Dim(size=10**6)])
        huge = scalar_pb("huge", 1.0)
        huge.value[0].tensor.CopyFrom(TensorProto(dtype=1, tensor_shape=shape, float_val=[1.0]))
        short = scalar_pb("short", 1.0)
        short.value[0].tensor.CopyFrom(TensorProto(dtype=1, tensor_content=struct.pack("<h", 1)))
        write(tmp_path / "log", [Event(wall_time=1.0, summary=huge), Event(wall_time=1.0, summary=short)])
        (run,) = bring_in(tmp_path / "log", tmp_path / "base").values()
        assert (run.rows, dict(run.left_out)) == (0, {"scalars that are no single number": 2})

    def test_values_that_cannot_be_kept(self, tmp_path: Path) -> None:
        """A value without a name, or at a step that is none, costs itself, and nothing beside it."""
        lost = Event(wall_time=2.0, step=-(2**63), summary=scalar(0, loss=1).summary)
        write(tmp_path / "log", [scalar(0, **{"": 1.0, "loss": 2.0}), lost, scalar(1, loss=3.0)])
        (run,) = bring_in(tmp_path / "log", tmp_path / "base").values()
        assert dict(run.left_out) == {"scalars that cannot be kept": 2}
        assert stored(tmp_path / "base", run).get_metrics("loss") == [2.0, 3.0]


def test_round_trip(tmp_path: Path) -> None:
    """Exported and brought in again, an experiment has equal numbers (of float32), hyperparameters and annotations."""
    hyperparameters = {"lr": 0.1, "epochs": 10, "ratio": 2.0, "model": {"depth": 3, "a.b": [1, None]}, "nan": math.inf}
    with ExperimentTracker("Größe/1", tmp_path / "experiments", auto_visualize=False) as tracker:
        tracker.log_hyperparameters(hyperparameters)
        tracker.set_tags({"team": "vision", "plain": ""})
        tracker.set_notes("some *notes*\n")
        for step in range(300):
            values = {"loss": 1 / (step + 1)} | ({"accuracy": step / 300} if step % 3 == 0 else {})
            tracker.log_metrics(values, step=step - 100)
        tracker.log_figure(Figure(figsize=(1, 1)), "curve")
        (tmp_path / "model.pt").write_bytes(b"weights")
        tracker.log_model(str(tmp_path / "model.pt"), framework="pytorch", version=True)
        tracker.finish("failed")
    assert deliver(tracker.experiment_dir, TensorBoardBackend(tmp_path / "runs")).complete
    (run,) = bring_in(tmp_path / "runs", tmp_path / "base").values()
    back = stored(tmp_path / "base", run)
    exact = [(step, time, {k: float32(v) for k, v in values.items()}) for step, time, values in rows(tracker)]
    assert rows(back) == exact
    assert back.hyperparameters == hyperparameters
    assert isinstance(back.hyperparameters["epochs"], int)
    assert isinstance(back.hyperparameters["ratio"], float)
    assert (back.tags, back.notes, back.status) == ({"team": "vision", "plain": ""}, "some *notes*\n", "failed")
    assert back.experiment_name == "Größe/1"
    assert [(one.artifact_name, one.kind) for one in back.artifacts] == [("curve.png", "figure")]
    assert back.artifacts[0].checksum == tracker.list_artifact_versions("curve")[0].checksum
    assert dict(run.left_out) == {"artifacts, whose bytes are not in event files": 1}
    original, copy = (ExperimentManager(str(tmp_path / base)).list_experiments()[0] for base in ("experiments", "base"))
    assert (copy["start_time"], copy["end_time"]) == (original["start_time"], original["end_time"])
