"""Series of stored experiments for charts: live, finished, resumed, of several processes, damaged."""

from __future__ import annotations

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neural_core import ExperimentTracker
from neural_core._reading_api.open_run import OpenRun
from neural_core._reading_api.shelf import Shelf
from neural_core._reading_api.view import Look, view_of
from neural_core._storage.journal.journal_part import JournalPart
from neural_core.reading import CurveView, ExperimentStore, Window

RANK = """
import sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker.attach(sys.argv[1])
for step in range(100):
    tracker.log_metrics({"loss": 1000.0 + step}, step=step)
tracker.finish()
"""


def started(base: Path, name: str = "run") -> ExperimentTracker:
    """Make a live experiment."""
    return ExperimentTracker(name, base, False)


def logged(base: Path, count: int, name: str = "run", **more: Any) -> ExperimentTracker:
    """Make a live experiment with a row for each step."""
    tracker = started(base, name)
    for step in range(count):
        tracker.log_metrics({"loss": 1.0 / (step + 1)}, step=step, **more)
    return tracker


def look(
    store: ExperimentStore, tracker: ExperimentTracker, metric: str = "loss", x: str = "step", **w: Any
) -> CurveView:
    """Give the curve of one experiment."""
    (curve,) = store.read_series([tracker.experiment_id], metric, x, Window(**w)).curves
    return curve


def same(first: CurveView, second: CurveView) -> bool:
    """Tell whether two views hold the same bits."""
    columns = [[one.x, one.mean, one.low, one.high, one.low_x, one.high_x] for one in (first, second)]
    bits = [[None if column is None else column.tobytes() for column in some] for some in columns]
    return bits[0] == bits[1]


def test_live_and_finished_are_the_same(tmp_path: Path) -> None:
    """A curve is bit for bit the same before and after its experiment is finished, in an open store and a new one."""
    tracker, store = logged(tmp_path, 20_000), ExperimentStore(tmp_path)
    before = look(store, tracker)
    assert (before.kind, before.total) == ("agg", 20_000)
    tracker.finish()
    assert same(look(store, tracker), before)
    assert same(look(ExperimentStore(tmp_path), tracker), before)


def test_growing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second look at a live experiment shows what was logged since, and reads only that."""
    tracker, store = logged(tmp_path, 5000), ExperimentStore(tmp_path)
    assert look(store, tracker).total == 5000
    tracker.log_metrics({"loss": 77.0}, step=5000)
    read: list[tuple[int, int | None]] = []
    column = JournalPart.column

    def counted(self: JournalPart, name: str, first: int = 0, last: int | None = None) -> Any:
        read.append((first, last))
        return column(self, name, first, last)

    monkeypatch.setattr(JournalPart, "column", counted)
    view = look(store, tracker, points=50)
    assert (view.total, view.last, view.mean[-1], view.max_x) == (5001, 5000.0, 77.0, 5000.0)
    assert read == [(5000, 5001)]
    tracker.finish()


def test_zoom_reaches_the_points(tmp_path: Path) -> None:
    """A window that holds few points gives them as they were logged, with one neighbour on both sides."""
    tracker, store = logged(tmp_path, 20_000), ExperimentStore(tmp_path)
    for _ in ("live", "finished"):
        view = look(store, tracker, start=1000.0, stop=1010.0)
        assert view.kind == "raw"
        assert {999.0, 1000.0, 1010.0, 1011.0} <= set(view.x.tolist())
        assert view.mean.tolist() == [1.0 / (x + 1) for x in view.x.tolist()]
        tracker.finish()


def test_metrics_of_their_own_rows(tmp_path: Path) -> None:
    """A metric that only some rows have is read as it was logged, live and finished."""
    tracker, store = started(tmp_path), ExperimentStore(tmp_path)
    for step in range(12_000):
        tracker.log_metrics({"loss": float(step)} | ({"rare": -float(step)} if step % 10 == 0 else {}), step=step)
    for _ in ("live", "finished"):
        view = look(store, tracker, "rare", start=5000.0, stop=5100.0)
        assert view.mean.tolist() == [-x for x in view.x.tolist()]
        assert set(range(5000, 5101, 10)) <= set(view.x.tolist())
        assert look(store, tracker, "rare").total == 1200
        assert look(store, tracker, "unknown").kind == "none"
        tracker.finish()


def test_without_steps(tmp_path: Path) -> None:
    """Where a call gave no step, x is the position of each point."""
    tracker, store = started(tmp_path), ExperimentStore(tmp_path)
    for value in range(3000):
        tracker.log_metrics({"loss": float(value)}, step=None if value == 1500 else value * 7)
    for _ in ("live", "finished"):
        view = look(store, tracker, start=1490.0, stop=1510.0)
        assert view.x.tolist() == view.mean.tolist()
        assert (view.first, view.last) == (0.0, 2999.0)
        tracker.finish()


def test_steps_that_go_back(tmp_path: Path) -> None:
    """A training that went on from a checkpoint has all of its points, in the order of their steps."""
    tracker, store = started(tmp_path), ExperimentStore(tmp_path)
    for step in [*range(3000), *range(1000, 4000)]:
        tracker.log_metrics({"loss": float(step)}, step=step)
    view = look(store, tracker)
    assert (view.total, view.first, view.last) == (6000, 0.0, 3999.0)
    assert bool((np.diff(view.x) > 0).all())
    assert bool((np.diff(view.mean) > 0).all())
    tracker.log_metrics({"loss": 0.0}, step=4000)
    assert look(store, tracker).total == 6001
    tracker.finish()


def test_resumed(tmp_path: Path) -> None:
    """An experiment that was resumed is one curve over all of its parts."""
    tracker, store = logged(tmp_path, 2000), ExperimentStore(tmp_path)
    assert look(store, tracker).total == 2000
    tracker.finish()
    resumed = ExperimentTracker.stored(tracker.experiment_dir, tracker.experiment_id, "run")
    for step in range(2000, 4000):
        resumed.log_metrics({"loss": float(step)}, step=step)
    assert (look(store, tracker).total, look(store, tracker).last) == (4000, 3999.0)
    resumed.finish()
    assert look(store, tracker).total == 4000


def test_ranks(tmp_path: Path) -> None:
    """What another process logged to the same experiment is in the curve too."""
    tracker, store = logged(tmp_path, 2000), ExperimentStore(tmp_path)
    subprocess.run([sys.executable, "-c", RANK, str(tracker.experiment_dir)], check=True)
    view = look(store, tracker)
    assert (view.total, view.max_x) == (2100, 99.0)
    tracker.finish()
    assert look(store, tracker).total == 2100


def test_axes(tmp_path: Path) -> None:
    """Over time x are Unix seconds or seconds since the first row, and over a metric its values."""
    tracker, store = started(tmp_path), ExperimentStore(tmp_path)
    for step in range(10):
        tracker.log_metrics({"loss": float(step), "epoch": 10.0 - step}, step=step)
    tracker.log_metrics({"loss": 99.0}, step=10)
    times = tracker.get_series("loss").time
    assert look(store, tracker, x="wall").x.tolist() == times.tolist()
    assert look(store, tracker, x="relative").x.tolist() == (times - times[0]).tolist()
    over = look(store, tracker, x="metric:epoch")
    assert over.x.tolist() == [float(x) for x in range(1, 11)]
    assert over.mean.tolist() == [10.0 - x for x in over.x.tolist()]
    assert look(store, tracker, x="metric:unknown").kind == "none"
    tracker.finish()
    assert same(look(ExperimentStore(tmp_path), tracker, x="metric:epoch"), over)


def test_a_damaged_experiment_costs_the_others_nothing(tmp_path: Path) -> None:
    """A curve that cannot be read says why in its place; the others are there."""
    good, bad, gone = (logged(tmp_path, 3000, name) for name in ("good", "bad", "gone"))
    for tracker in (good, bad, gone):
        tracker.finish()
    store = ExperimentStore(tmp_path)
    ids = [tracker.experiment_id for tracker in (good, bad, gone)]
    [part] = bad.experiment_dir.glob("metrics/*.parquet")
    data = bytearray(part.read_bytes())
    part.chmod(0o644)
    data[4:-3000] = bytes(len(data) - 3004)
    part.write_bytes(data)
    shutil.rmtree(gone.experiment_dir)
    curves = store.read_series(ids, "loss").curves
    assert [curve.kind for curve in curves] == ["agg", "none", "none"]
    assert curves[0].error is None
    assert "restore it from a copy" in (curves[1].error or "")
    assert "no experiment here" in (curves[2].error or "")


def test_what_was_shown_is_checked(tmp_path: Path) -> None:
    """A flipped bit is shown at first; once the pages were checked beside the readers, the curve says so."""
    tracker, store = logged(tmp_path, 3000), ExperimentStore(tmp_path)
    assert not store.check_next()
    tracker.finish()
    assert look(store, tracker).error is None
    assert store.check_next()
    assert look(store, tracker).error is None
    [part] = tracker.experiment_dir.glob("metrics/*.parquet")
    data = bytearray(part.read_bytes())
    data[len(data) - 9_000] ^= 1
    part.chmod(0o644)
    part.write_bytes(data)
    later = ExperimentStore(tmp_path)
    assert look(later, tracker).error is None
    assert later.check_next()
    view = look(later, tracker)
    assert (view.kind, len(view.x) > 100) == ("agg", True)
    assert f"{part.name} is damaged" in (view.error or "")
    assert not later.check_next()


def test_full_data_are_checked(tmp_path: Path) -> None:
    """The full data come in pieces with every point, and a flipped bit is not given out as data."""
    tracker, store = logged(tmp_path, 70_000), ExperimentStore(tmp_path)
    tracker.finish()
    pieces = list(store.full_data(tracker.experiment_id).pieces("loss"))
    assert [len(piece) for piece in pieces] == [65_536, 4_464]
    assert np.concatenate([piece.step for piece in pieces]).tolist() == list(range(70_000))
    [part] = tracker.experiment_dir.glob("metrics/*.parquet")
    data = bytearray(part.read_bytes())
    part.chmod(0o644)
    data[-1_000_000] ^= 1
    part.write_bytes(data)
    with pytest.raises(ValueError, match=r"damaged|CRC"):
        list(ExperimentStore(tmp_path).full_data(tracker.experiment_id).pieces("loss"))


def test_readers_beside_a_writer(tmp_path: Path) -> None:
    """Threads that look at an experiment while it grows see whole curves, each at least as long as the one before."""
    tracker, store = logged(tmp_path, 1_000), ExperimentStore(tmp_path)

    def watch(points: int) -> list[CurveView]:
        return [look(store, tracker, points=points) for _ in range(60)]

    with ThreadPoolExecutor(4) as pool:
        watching = [pool.submit(watch, points) for points in (20, 20, 700, 4_000)]
        for step in range(1_000, 12_000):
            tracker.log_metrics({"loss": 1.0 / (step + 1)}, step=step)
        for views in (future.result() for future in watching):
            assert [view.error for view in views] == [None] * 60
            assert [view.total for view in views] == sorted(view.total for view in views)
            assert all(bool((np.diff(view.x) > 0).all()) for view in views)
            assert all(view.mean[0] == 1.0 for view in views)
    assert look(store, tracker).total == 12_000
    tracker.finish()


def test_shelf(tmp_path: Path) -> None:
    """Of the experiments that were looked at, those of longest ago are closed when there are too many."""
    runs = [logged(tmp_path, 10, f"run {i}") for i in range(3)]
    shelf = Shelf(most_runs=2)
    for tracker in runs:
        run: OpenRun = shelf.take(tracker.experiment_dir)
        assert run.curve("loss", "step").total == 10
        shelf.tidy()
        tracker.finish()
    assert len(shelf) == 2
    assert shelf.take(runs[2].experiment_dir) is run


def test_points_are_made_again(tmp_path: Path) -> None:
    """Points that were held in memory and dropped are there again when a window is deep enough to show them."""
    tracker = started(tmp_path)
    for step in range(6_000):
        tracker.log_metrics({"loss": float(step), "epoch": float(step * 7 % 6_000)}, step=step)
    shelf = Shelf(most_bytes=0)
    for _ in range(2):
        curve = shelf.take(tracker.experiment_dir).curve("loss", "metric:epoch")
        (deep,) = view_of("loss", "", [Look("a", curve)], Window(10.0, 20.0)).curves
        assert deep.x.tolist() == [float(x) for x in range(9, 22)]
        assert all(y * 7 % 6_000 == x for x, y in zip(deep.x.tolist(), deep.mean.tolist(), strict=True))
        held = curve.nbytes
        shelf.tidy()
        assert 0 < curve.nbytes < held - 90_000
    tracker.finish()


def test_curves_of_one_experiment_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the curves of one experiment only as many are kept as memory is given to them; all can be read again."""
    monkeypatch.setattr("neural_core._reading_api.open_run.MOST_BYTES", 40_000)
    tracker = started(tmp_path)
    for step in range(10_000):
        tracker.log_metrics({f"m{i}": float(step + i) for i in range(5)}, step=step)
    run = OpenRun(tracker.experiment_dir)
    for _ in range(2):
        for i in range(5):
            assert run.curve(f"m{i}", "step").ends == ((0.0, float(i)), (9999.0, 9999.0 + i))
            assert 0 < run.nbytes <= 40_000
    tracker.finish()
