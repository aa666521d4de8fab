"""Properties: any sequence of calls reads back exactly, from the journal and after compaction, by every verb."""

from __future__ import annotations

import contextlib
import json
import math
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from journal_support import bits, contents, listed, problems, statuses

from neural_core import ExperimentTracker
from neural_core._storage.experiment.documents import write_document
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.journal import frames
from neural_core._storage.journal.compaction import compact_part
from neural_core._storage.journal.facts_file import read_facts_file
from neural_core._storage.journal.journal_part import JournalPart
from neural_core.errors import DamagedError

doubles = st.integers(0, 2**64 - 1).map(lambda n: struct.unpack("<d", n.to_bytes(8, "little"))[0])
values = st.one_of(doubles, st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e308]), st.floats())
awkward = ["step", "timestamp", "__seq", "__step", "__time", "Loss", "loss", "loss~2", "\0", "\ud800", "a/b", "$x", "ß"]
names = st.one_of(st.sampled_from(awkward), st.text(st.characters(exclude_categories=()), min_size=1, max_size=12))
steps = st.one_of(st.none(), st.integers(-(2**63) + 1, 2**63 - 1), st.integers(-3, 30))
calls = st.lists(st.tuples(st.dictionaries(names, values, min_size=1, max_size=5), steps), max_size=30)


def expected_rows(logged: list[tuple[dict[str, float], int | None]]) -> list[Any]:
    """Give the rows as `rows_of` gives them."""
    return [(step, {name: bits(value) for name, value in metrics.items()}) for metrics, step in logged]


def rows_of(reader: RunReader) -> list[Any]:
    """Give step and values of every row, bit for bit."""
    return [(row.step, {name: bits(value) for name, value in row.values.items()}) for row in reader.history()]


def check_reader(reader: RunReader, logged: list[tuple[dict[str, float], int | None]]) -> None:
    """Every verb of a reader gives what was logged."""
    assert rows_of(reader) == expected_rows(logged)
    assert reader.damage == []
    known = list(dict.fromkeys(name for metrics, _ in logged for name in metrics))
    assert sorted(reader.names()) == sorted(known)
    columns = reader.columns()
    assert columns["step"].tolist() == [-(2**63) if step is None else step for _, step in logged]
    for name in known:
        points = [(step, metrics[name]) for metrics, step in logged if name in metrics]
        series = reader.series(name)
        assert [bits(value) for value in series.value.tolist()] == [bits(value) for _, value in points]
        assert series.step.tolist() == [-(2**63) if step is None else step for step, _ in points]
        some = reader.series(name, start=-1, stop=9)
        assert some.step.tolist() == [step for step, _ in points if step is not None and -1 <= step < 9]
        assert columns["present"][name].tolist() == [name in metrics for metrics, _ in logged]
        kept = columns["values"][name][columns["present"][name]].tolist()
        assert [bits(value) for value in kept] == [bits(value) for _, value in points]
    check_infos(reader, logged)


def check_infos(reader: RunReader, logged: list[tuple[dict[str, float], int | None]]) -> None:
    """Count, last, min and max are those of the values."""
    for info in reader.metrics():
        points = [(step, metrics[info.name]) for metrics, step in logged if info.name in metrics]
        finite = [value for _, value in points if math.isfinite(value)]
        assert info.count == len(points)
        assert (info.last_step, bits(info.last)) == (points[-1][0], bits(points[-1][1]))
        assert info.min == (min(finite) if finite else None)
        assert info.max == (max(finite) if finite else None)


@given(calls)
@example([({"step": 1.0, "timestamp": 2.0, "loss": math.nan, "Loss": -0.0}, None), ({"loss": 5e-324}, -1)])
@example([({f"m{n}": float(n) for n in range(k, k + 2)}, k) for k in range(30)] * 3)
def test_any_sequence_of_calls(logged: list[tuple[dict[str, float], int | None]]) -> None:
    """Any names, any bits, any steps in any mixture read back exactly: live, compacted, and by a resumed part too."""
    with tempfile.TemporaryDirectory() as folder:
        tracker = ExperimentTracker("any", folder, auto_visualize=False)
        live = RunReader(tracker.experiment_dir)
        for metrics, step in logged:
            tracker.log_metrics(metrics, step)
        check_reader(live, logged)
        ordinals = [part.ordinals().tolist() for part in live.parts]
        tracker.finish()
        finished = RunReader(tracker.experiment_dir)
        check_reader(finished, logged)
        assert [part.ordinals().tolist() for part in finished.parts] == ordinals
        live.refresh()
        check_reader(live, logged)
        resumed = ExperimentTracker.resume(str(tracker.experiment_dir))
        resumed.auto_visualize = False
        for metrics, step in logged:
            resumed.log_metrics(metrics, step)
        resumed.finish()
        check_reader(RunReader(tracker.experiment_dir), logged * 2)


@given(st.lists(st.tuples(st.lists(names, min_size=1, max_size=4, unique=True), st.integers(1, 700)), max_size=8))
def test_long_runs_of_rows_incrementally(blocks: list[tuple[list[str], int]]) -> None:
    """A reader that looks again after each stretch of rows, long or short, sees what one that looks once sees."""
    with tempfile.TemporaryDirectory() as folder:
        tracker = ExperimentTracker("long", folder, auto_visualize=False)
        live, count = RunReader(tracker.experiment_dir), 0
        logged: list[tuple[dict[str, float], int | None]] = []
        for keys, length in blocks:
            for _ in range(length):
                logged.append((dict.fromkeys(keys, count / 7), count))
                tracker.log_metrics(*logged[-1])
                count += 1
            live.refresh()
            assert live.rows == count
        assert rows_of(live) == rows_of(RunReader(tracker.experiment_dir)) == expected_rows(logged)
        tracker.finish()
        assert rows_of(RunReader(tracker.experiment_dir)) == expected_rows(logged)


plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(exclude_categories=()))),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)


@given(
    st.lists(st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=8), plain, max_size=3), max_size=5)
)
def test_any_hyperparameters(logged: list[dict[str, Any]]) -> None:
    """Hyperparameters of any nesting read back as they were, from the documents and from the facts alone."""
    whole: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        tracker = ExperimentTracker("any", folder, auto_visualize=False)
        for pairs in logged:
            tracker.log_hyperparameters(pairs)
            whole |= pairs
        for when in ("live", "facts", "finished"):
            if when == "facts":
                (tracker.experiment_dir / "hyperparameters.json").unlink(missing_ok=True)
            elif when == "finished":
                tracker.finish()
            assert repr(tracker.hyperparameters) == repr(whole)


FIELDS = [
    "uid",
    "name",
    "kind",
    "status",
    "start_time",
    "end_time",
    "tags",
    "notes",
    "color",
    "final",
    "writer",
    "environment",
]
FIELDS += ["hyperparameters", "artifacts", "journal", "metrics", "rows"]
bodies = st.binary(max_size=64).map(lambda data: data + bytes(-len(data) % 8 or (0 if data else 8)))


class TestFuzz:
    """Bytes from a stranger: only errors of ours, and no end."""

    @pytest.mark.fault("I10")
    @given(st.binary(max_size=400))
    def test_a_header_of_any_bytes(self, data: bytes) -> None:
        """Any bytes in place of a header give None or DamagedError."""
        for candidate in (data, b"NEURALJ1" + data, b"NEURALJ" + data):
            try:
                frames.decode_header(candidate)
            except DamagedError:
                continue

    @pytest.mark.fault("I10")
    @given(st.dictionaries(st.sampled_from(["epoch", "rank", "part", "session", "pid", "host", "boot_id"]), plain))
    def test_a_sound_header_with_any_fields(self, fields: dict[str, Any]) -> None:
        """Fields of a type that no neural writes neither break the list nor hide the rows."""
        safe = json.loads(json.dumps(fields, default=str).replace("NaN", "0").replace("Infinity", "0"))
        with tempfile.TemporaryDirectory() as folder:
            metrics = Path(folder) / "x_1" / "metrics"
            metrics.mkdir(parents=True)
            data = frames.encode_header(safe) + frames.encode_schema(1, ["loss"]) + one_row(1, 5, 0.25)
            (metrics / "r0-h-1-a-0001.nj").write_bytes(data)
            found = contents(metrics.parent)
            assert found["series"] == {"loss": [bits(0.25)]}

    @pytest.mark.fault("I10")
    @given(st.lists(st.tuples(st.sampled_from([0, 1, 2, 7, 0xFFFE, 0xFFFF]), bodies), max_size=12))
    def test_sound_frames_with_any_bodies(self, some: list[tuple[int, bytes]]) -> None:
        """Frames whose CRC fits and whose bodies are anything are skipped or read, and what follows is read."""
        with tempfile.TemporaryDirectory() as folder:
            metrics = Path(folder) / "x_1" / "metrics"
            metrics.mkdir(parents=True)
            end = frames.encode_schema(9, ["last"]) + one_row(9, 1, 0.5)
            data = b"".join(frames.frame(sid, body) for sid, body in some)
            (metrics / "r0-h-1-a-0001.nj").write_bytes(frames.encode_header({}) + data + end)
            reader = RunReader(metrics.parent)
            assert reader.series("last").value.tolist()[-1:] == [0.5]
            reader.state(), reader.metrics(), list(reader.history()), reader.damage

    @pytest.mark.parametrize("kind", ["status_changed", "experiment_started", "artifact_logged", "annotations_changed"])
    @given(
        content=st.dictionaries(
            st.sampled_from(
                ["status", "artifact", "tags", "notes", "name", "uid", "writer", "start_time", "environment"]
            ),
            plain,
            max_size=4,
        )
    )
    def test_facts_of_any_shape(self, kind: str, content: dict[str, Any]) -> None:
        """Facts of a known kind and an unknown shape break neither reading nor the list."""
        safe = json.loads(json.dumps(content, default=str).replace("NaN", "0").replace("Infinity", "0"))
        with tempfile.TemporaryDirectory() as folder:
            metrics = Path(folder) / "x_1" / "metrics"
            metrics.mkdir(parents=True)
            data = frames.encode_header({}) + frames.encode_fact({"kind": kind, **safe})
            (metrics / "r0-h-1-a-0001.nj").write_bytes(data + frames.encode_schema(1, ["loss"]) + one_row(1, 5, 0.25))
            read_everything(metrics.parent)

    @pytest.mark.parametrize("name", ["metadata", "hyperparameters", "artifacts", "summary"])
    @given(content=st.dictionaries(st.sampled_from(FIELDS), plain, max_size=5))
    @example(content=dict.fromkeys(FIELDS))
    @example(content={key: {"a": [1]} for key in FIELDS} | {"final": True})
    @example(content={key: [{"a": [1]}, None, 1] for key in FIELDS} | {"final": True})
    def test_documents_of_any_shape(self, name: str, content: dict[str, Any]) -> None:
        """A document whose CRC fits and whose fields are anything breaks neither reading nor the list."""
        safe = json.loads(json.dumps(content, default=str).replace("NaN", "0").replace("Infinity", "0"))
        with tempfile.TemporaryDirectory() as folder:
            metrics = Path(folder) / "x_1" / "metrics"
            metrics.mkdir(parents=True)
            write_document(metrics.with_name("metadata.json"), {"final": True, "uid": "1" * 32})
            write_document(metrics.with_name("summary.json"), {"metrics": []})
            write_document(metrics.with_name(f"{name}.json"), safe, sync=False)
            data = frames.encode_header({}) + frames.encode_schema(1, ["loss"]) + one_row(1, 5, 0.25)
            (metrics / "r0-h-1-a-0001.nj").write_bytes(data)
            problems(metrics.parent)
            assert len(statuses(Path(folder))) == 1
            with contextlib.suppress(DamagedError):
                contents(metrics.parent)


def one_row(sid: int, step: int, *numbers: float) -> bytes:
    """Give the frame of a row."""
    body = frames.row_packer(len(numbers)).pack(frames.row_head(sid, len(numbers)), step, 1.7e9, *numbers)
    return frames.frame(sid, body[4:])


def read_everything(directory: Path) -> None:
    """Ask all that lists and verify ask; errors other than ours fail the test."""
    assert listed(directory).metrics["loss"].count == 1
    problems(directory)
    statuses(directory.parent)
    assert RunReader(directory).series("loss").value.tolist() == [0.25]


def test_a_facts_file_with_odd_fields_is_damage(tmp_path: Path) -> None:
    """A facts file whose header or index is of another shape is named, never a crash."""
    for fields in ({"index": "x"}, {"index": 8, "rows": "many"}, {"length": []}, {"rows": None, "index": 2**70}):
        path = tmp_path / "r0-h-1-a-0001.facts.nj"
        path.write_bytes(frames.encode_header({"facts_of": True, **fields}) + frames.encode_fact({"kind": "ordinals"}))
        with pytest.raises(DamagedError):
            read_facts_file(path)


def test_compacting_twice_and_an_empty_part(tmp_path: Path) -> None:
    """A part without rows becomes a facts file alone; a part that was compacted already is not there to compact."""
    tracker = ExperimentTracker("empty", tmp_path, auto_visualize=False)
    tracker.log_hyperparameters({"lr": 1})
    tracker.finish()
    assert [path.suffixes for path in (tracker.experiment_dir / "metrics").iterdir()] == [[".facts", ".nj"]]
    assert tracker.hyperparameters == {"lr": 1}
    with pytest.raises(FileNotFoundError):
        compact_part(tracker.experiment_dir / "metrics" / "nothing-0001.nj")


def test_incremental_slices_of_a_file(tmp_path: Path) -> None:
    """A part that grows by any number of bytes at a time is read as if it had been there as a whole."""
    names_of = [["a"], ["a", "b"], ["c"] * 1, ["b", "a"]]
    data = frames.encode_header({"uid": "x"})
    for sid, keys in enumerate(names_of, 1):
        data += frames.encode_schema(sid, keys)
    generator = np.random.default_rng(1)
    for step in range(400):
        sid = int(generator.integers(1, 5)) if step > 100 else 1
        data += one_row(sid, step, *[step / 3.0] * len(names_of[sid - 1]))
        data += frames.encode_fact({"kind": "x", "n": step}) if step % 37 == 0 else b""
    path = tmp_path / "p-0001.nj"
    path.write_bytes(data)
    whole = JournalPart(path)
    whole.refresh()
    for _ in range(5):
        grown, at = JournalPart(path), 0
        while at < len(data):
            at = min(len(data), at + int(generator.integers(1, 2000)))
            path.write_bytes(data[:at])
            grown.refresh()
            grown.check()
        assert grown.ordinals().tolist() == whole.ordinals().tolist()
        assert grown.facts == whole.facts
        assert (grown.damage, grown.tail) == ([], 0)
