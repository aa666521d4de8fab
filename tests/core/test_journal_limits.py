"""Large numbers of everything: metrics, names, rows, bytes; and what a call costs when there are many."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from journal_support import problems, run

from neural_core import ExperimentTracker
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.journal import frames
from neural_core._storage.writing import upkeep
from neural_core.errors import ArgumentValueError


def start(base: Path) -> ExperimentTracker:
    """Begin an experiment."""
    return ExperimentTracker("large", base, auto_visualize=False)


def read_both(tracker: ExperimentTracker) -> list[RunReader]:
    """Give a reader of the live experiment, finish it, give a reader of the finished one."""
    live = RunReader(tracker.experiment_dir)
    live.refresh()
    tracker.finish()
    finished = RunReader(tracker.experiment_dir)
    finished.refresh()
    assert [damage for reader in (live, finished) for damage in reader.damage] == []
    return [live, finished]


def test_more_metrics_than_a_call_takes(tmp_path: Path) -> None:
    """65,533 metrics in one call are kept, one more is refused before anything of the call is stored."""
    tracker = start(tmp_path)
    most = {f"m{n}": n / 7 for n in range(frames.MAX_METRICS)}
    tracker.log_metrics(most, 1)
    with pytest.raises(ArgumentValueError, match="split the call"):
        tracker.log_metrics({**most, "one more": 1.0}, 2)
    tracker.log_metrics({"m0": -1.0}, 3)
    reader = RunReader(tracker.experiment_dir)
    assert [(row.step, len(row.values)) for row in reader.history()] == [(1, frames.MAX_METRICS), (3, 1)]
    assert dict(reader.history()[0].values) == most


def test_fifty_thousand_metrics_with_long_names(tmp_path: Path) -> None:
    """Names that do not fit into one schema frame go into several, and every value is found again."""
    tracker = start(tmp_path)
    metrics = {f"layer/{n:06d}/weight/gradient/norm/of/this/very/deep/network": n / 7 for n in range(50_000)}
    for step in range(2):
        tracker.log_metrics(metrics, step)
    live = RunReader(tracker.experiment_dir)
    assert [dict(row.values) == metrics for row in live.history()] == [True, True]
    (part,) = live.parts
    assert part.end * 8 == (tracker.experiment_dir / "metrics" / f"{part.stem}.nj").stat().st_size
    assert live.series("layer/049999/weight/gradient/norm/of/this/very/deep/network").value.tolist() == [49_999 / 7] * 2


def test_a_long_name(tmp_path: Path) -> None:
    """A name of 10,000 characters is kept, a longer one than a frame is refused and named."""
    tracker = start(tmp_path)
    tracker.log_metrics({"x" * 10_000: 1.0, "\U0001f600" * 10_000: 2.0}, 0)
    with pytest.raises(ArgumentValueError, match="characters"):
        tracker.log_metrics({"y" * 600_000: 1.0}, 1)
    for reader in read_both(tracker):
        assert reader.names() == ["x" * 10_000, "\U0001f600" * 10_000]


@pytest.mark.fault("V04")
@pytest.mark.parametrize("filler", ["x", '"\\', "\U0001f600", "\ud800", "\0"])
def test_a_parameter_of_a_megabyte(tmp_path: Path, filler: str) -> None:
    """A long text becomes fragments of a fact, and is whole again: from the document, the journal, the facts file."""
    tracker = start(tmp_path)
    text = filler * (2**20 // len(filler))
    tracker.log_hyperparameters({"text": text, "lr": 1})
    tracker.log_metrics({"loss": 1.0}, 0)
    assert tracker.hyperparameters == {"text": text, "lr": 1}
    for reader in read_both(tracker):
        facts = [fact for _, _, fact in reader.facts() if fact.get("kind") == "hyperparameters_logged"]
        assert facts[0]["hyperparameters"]["text"] == text
    (tracker.experiment_dir / "hyperparameters.json").unlink()
    assert tracker.hyperparameters == {"text": text, "lr": 1}


def test_more_kinds_of_rows_than_a_part_has_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a part has no number left for another set of names, the next begins, and every row of both is read."""
    assert frames.MAX_SCHEMAS == 65_534
    monkeypatch.setattr(frames, "MAX_SCHEMAS", 500)
    tracker = start(tmp_path)
    count = frames.MAX_SCHEMAS + 10
    for n in range(count):
        tracker.log_metrics({f"m{n}": 1.0}, n)
    tracker.log_metrics({"m0": 2.0}, count)
    tracker.log_metrics({f"m{count - 1}": 2.0}, count + 1)
    reader = RunReader(tracker.experiment_dir)
    assert len(reader.parts) == 2
    assert [row.step for row in reader.history()] == list(range(count + 2))
    assert reader.series("m0").value.tolist() == [1.0, 2.0]
    assert reader.series(f"m{count - 1}").value.tolist() == [1.0, 2.0]
    assert reader.damage == []


def test_parts_roll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that has grown too large is left at a tick; the rows go on in the next one, in their order."""
    monkeypatch.setattr(upkeep, "ROLL_BYTES", 10_000)
    tracker = start(tmp_path)
    assert tracker._session is not None
    for step in range(2000):
        tracker.log_metrics({"loss": step / 7} if step % 9 else {"loss": 0.0, "accuracy": 1.0}, step)
        if step % 400 == 0:
            tracker.log_hyperparameters({"at": step})
        if step % 100 == 99:
            tracker._session.writer._upkeep.tick()
    expected = [step / 7 if step % 9 else 0.0 for step in range(2000)]
    for reader in read_both(tracker):
        assert len(reader.parts) > 4
        assert [row.step for row in reader.history()] == list(range(2000))
        assert reader.series("loss").value.tolist() == expected
        assert len(reader.series("accuracy")) == 223
    assert tracker.hyperparameters == {"at": 1600}
    assert problems(tracker.experiment_dir) == []
    assert tracker.status == "completed"


@pytest.mark.fault("D17")
def test_a_million_rows(tmp_path: Path) -> None:
    """A million rows keep nothing in the writer's memory, are written as often as logged, and are all read back."""
    code = """
import resource, sys, time
from neural_core import ExperimentTracker
from neural_core._storage.writing.ticker import ticker
class Turns:
    count = 0
    def turn(self):
        self.count += 1
turns = Turns()
tracker = ExperimentTracker("million", sys.argv[1], auto_visualize=False)
def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
log, metrics = tracker.log_metrics, {"loss": 0.5, "accuracy": 0.25}
for step in range(100_000):
    log(metrics, step)
ticker.add(turns.turn)
while turns.count < 3:  # the tracker has had its first turns, too, which import what they need
    time.sleep(0.1)
ticker.remove(turns.turn)
before = rss()
for step in range(100_000, 1_000_000):
    log(metrics, step)
print(rss() - before)
tracker.finish()
"""
    result = run(code, tmp_path)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) < 4 * 2**20
    (directory,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    reader = RunReader(directory)
    series = reader.series("loss")
    assert np.array_equal(series.step, np.arange(1_000_000))
    history = reader.history()
    assert (len(history), history[-1].step, history[500_000].step) == (1_000_000, 999_999, 500_000)


@pytest.mark.fault("D17")
def test_ten_thousand_names_one_at_a_time(tmp_path: Path) -> None:
    """Ten thousand metrics, each in calls of its own, are listed, summed up and read."""
    tracker = start(tmp_path)
    for step in range(2):
        for n in range(10_000):
            tracker.log_metrics({f"m{n}": float(n)}, step)
    live = RunReader(tracker.experiment_dir)
    assert len(live.names()) == 10_000
    assert [info.count for info in live.metrics()] == [2] * 10_000
    assert live.series("m9999").value.tolist() == [9999.0, 9999.0]


@pytest.mark.fault("D17")
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
def test_the_work_of_a_call_does_not_grow(tmp_path: Path) -> None:
    """After a hundred thousand rows a call allocates what the first ones did, and keeps nothing."""
    tracker = start(tmp_path)

    def kept_and_peak() -> tuple[int, int]:
        tracemalloc.start()
        tracker.log_metrics({"loss": 0.5}, 1)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(100):
            tracker.log_metrics({"loss": 0.5}, 1)
        now, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return now - before, peak - before

    tracker.log_metrics({"loss": 0.5}, 0)
    first = kept_and_peak()
    for step in range(100_000):
        tracker.log_metrics({"loss": 0.5}, step)
    later = kept_and_peak()
    assert later[0] < 2_000
    assert later[1] <= first[1] + 1_000
    tracker.finish()
    assert len(tracker.metrics_history) == 100_000 + 203
