"""The interface: list, changes, series, details."""

from __future__ import annotations

import gzip
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neural_core import ExperimentTracker
from neural_core._storage.experiment.documents import write_document

Track = Callable[..., ExperimentTracker]


class TestRuns:
    """``GET runs``."""

    def test_columns(self, api: Any, track: Track) -> None:
        """The list has a column for each thing known, all of the same length, the newest experiment first."""
        first = track(api.base, "first", hyperparameters={"opt": {"lr": 0.1}}, tags={"a": "b"}, notes="n")
        track(api.base, "second")
        answer = api.json("runs")
        runs = answer["runs"]
        assert (answer["total"], answer["trash"], answer["base_dir"]) == (2, 0, str(api.base))
        assert answer["directions"] == {"loss": "min", "acc": "max"}
        assert {len(column) for column in runs.values()} == {2}
        row = {name: column[1] for name, column in runs.items()}
        assert (row["id"], row["ordinal"], row["name"], row["status"]) == (first.experiment_id, 0, "first", "completed")
        assert (row["params"], row["tags"], row["notes"]) == ({"opt.lr": 0.1}, {"a": "b"}, True)
        assert (row["color"], row["error"], row["artifacts"]) == (None, None, 0)
        assert row["metrics"]["loss"] == [3, 1 / 3, 2, 1 / 3, 2, 1.0, 0]
        assert row["started"] <= row["ended"] == row["last_sign"]

    def test_empty(self, api: Any) -> None:
        """A base folder that is not there is an empty list with every column."""
        answer = api.json("runs")
        assert (answer["total"], answer["runs"]["id"], answer["runs"]["metrics"]) == (0, [], [])

    def test_numbers_that_json_lacks(self, api: Any) -> None:
        """NaN and infinities are text in strict JSON."""
        with ExperimentTracker("odd", api.base, False, hyperparameters={"x": math.inf}) as tracker:
            tracker.log_metrics({"loss": math.nan, "low": -math.inf}, step=0)
        runs = api.json("runs")["runs"]
        assert runs["metrics"] == [
            {"loss": [1, "NaN", 0, None, None, None, None], "low": [1, "-Infinity", 0, *4 * [None]]}
        ]
        assert runs["params"] == [{"x": "Infinity"}]

    def test_etag(self, api: Any, track: Track) -> None:
        """Who has the list gets 304 until something changes."""
        track(api.base)
        first = api.get("runs")
        assert api.get("runs", If_None_Match=first.headers["ETag"]).status_code == 304
        track(api.base, "more")
        again = api.get("runs", If_None_Match=first.headers["ETag"])
        assert (again.status_code, json.loads(again.text)["total"]) == (200, 2)

    def test_newest(self, api: Any, track: Track) -> None:
        """A page that begins asks for the newest only, and learns how many there are."""
        for name in "abc":
            track(api.base, name)
        answer = api.get("runs?newest=2")
        listed = json.loads(answer.text)
        assert (listed["runs"]["name"], listed["total"], listed["pending"]) == (["c", "b"], 3, 0)
        assert api.get("runs?newest=2", If_None_Match=answer.headers["ETag"]).status_code == 304
        assert api.json("runs?newest=5") == api.json("runs")

    def test_packed(self, api: Any, track: Track) -> None:
        """A long list is packed for who takes it, and the same."""
        track(api.base, notes="x", hyperparameters={f"p{i}": i for i in range(2_000)})
        packed = api.get("runs", Accept_Encoding="gzip, br")
        assert packed.headers["Content-Encoding"] == "gzip"
        assert json.loads(gzip.decompress(packed.data)) == json.loads(api.get("runs").text)

    @pytest.mark.fault("U15")
    def test_a_damaged_experiment_is_a_row(self, api: Any, track: Track) -> None:
        """An experiment that cannot be read is listed with what is wrong, and the others are as ever."""
        track(api.base, "good")
        bad = track(api.base, "bad")
        for path in (bad.experiment_dir / "metrics").iterdir():
            path.chmod(0o644)
            path.write_bytes(b"nonsense")
        (bad.experiment_dir / "metadata.json").write_text("{")
        runs = api.json("runs")["runs"]
        rows = dict(zip(runs["status"], runs["error"], strict=True))
        assert rows["completed"] is None
        assert rows["damaged"]
        assert api.json(f"runs/{runs['id'][runs['status'].index('damaged')]}")["error"] == rows["damaged"]


class TestChanges:
    """``GET changes``."""

    def test_live(self, api: Any) -> None:
        """A cursor gives the rows that changed and the metrics that grew, then nothing until the next change."""
        tracker = ExperimentTracker("live", api.base, False)
        tracker.log_metrics({"loss": 1.0}, step=0)
        cursor = api.json("runs")["cursor"]
        assert api.json(f"changes?cursor={cursor}")["runs"]["id"] == []
        tracker.log_metrics({"loss": 2.0}, step=1)
        changes = api.json(f"changes?cursor={cursor}")
        assert changes["grown"] == [[tracker.experiment_id, "loss", 2]]
        assert changes["runs"]["status"] == ["running"]
        assert changes["removed"] == []
        assert changes["directions"] == {"loss": "min"}
        tracker.finish()
        assert api.json(f"changes?cursor={changes['cursor']}")["runs"]["status"] == ["completed"]

    def test_without_cursor(self, api: Any, track: Track) -> None:
        """Without a cursor everything is new."""
        tracker = track(api.base)
        assert api.json("changes")["runs"]["id"] == [tracker.experiment_id]


class TestSeries:
    """``GET series``."""

    def test_points(self, api: Any, track: Track) -> None:
        """Few points come as they were logged, with what is known of the curve."""
        tracker = track(api.base)
        header, (arrays,) = api.series(f"runs={tracker.experiment_id}&metric=loss")
        (run,) = header["runs"]
        assert (header["metric"], header["x"], header["width"], header["from"], header["to"]) == (
            "loss",
            "step",
            None,
            0,
            2,
        )
        assert (run["kind"], run["n"], run["n_total"], run["n_nan"]) == ("raw", 3, 3, 0)
        assert (run["first"], run["last"], run["min_x"], run["max_x"]) == (0, 2, 2, 0)
        assert arrays == {"x": [0, 1, 2], "mean": [1, 1 / 2, 1 / 3]}

    def test_buckets(self, api: Any, track: Track) -> None:
        """Many points come in buckets of one width for all runs, with exact extremes."""
        long, short = track(api.base, "long", 5_000), track(api.base, "short", 10)
        header, (many, few) = api.series(f"runs={long.experiment_id},{short.experiment_id}&metric=acc&points=100")
        assert header["width"] == 64
        assert [run["kind"] for run in header["runs"]] == ["agg", "raw"]
        assert (many["min"][0], many["max"][-1], many["at_max"][-1]) == (0, 4_999, 4_999)
        assert len(many["x"]) <= 102
        assert few["mean"] == [float(i) for i in range(10)]

    @pytest.mark.fault("U14")
    def test_payload(self, api: Any, track: Track) -> None:
        """Curves that share x take 32 bytes for each bucket of each run; beyond the loopback they come packed."""
        ids = [track(api.base, str(i), 4_000).experiment_id for i in range(5)]
        query = f"series?runs={','.join(ids)}&metric=loss&points=700"
        answer = api.get(query, Accept_Encoding="gzip")
        runs = api.unpack(answer.data)[0]["runs"]
        count = runs[0]["n"]
        assert [run["n"] for run in runs] == [count] * 5
        assert len(answer.data) < 5 * 32 * count + 8 * count + 2_500
        assert "read;dur=" in answer.headers["Server-Timing"]
        elsewhere = {"REMOTE_ADDR": "10.1.2.3"}
        far = api.client.get(f"/api/v1/{query}", headers={"Accept-Encoding": "gzip"}, environ_base=elsewhere)
        assert gzip.decompress(far.data) == answer.data

    def test_exact_places_of_extremes(self, api: Any) -> None:
        """Where a bucket's extremes lie is exact, however uneven its points and large its steps."""
        with ExperimentTracker("odd", api.base, False) as tracker:
            for i in range(3_000):
                tracker.log_metrics({"loss": float(i * 7919 % 3001)}, step=2**40 + i**2 * 1_000)
        _, (arrays,) = api.series(f"runs={tracker.experiment_id}&metric=loss&points=50")
        series = tracker.get_series("loss")
        logged = dict(zip(series.step.tolist(), series.value.tolist(), strict=True))
        for end in ("min", "max"):
            assert [logged[x] for x in arrays[f"at_{end}"]] == arrays[end]

    def test_gone(self, api: Any, track: Track) -> None:
        """A run that is gone says so in its place, and the others are there."""
        tracker = track(api.base)
        header, (first, second) = api.series(f"runs=000000000000,{tracker.experiment_id}&metric=loss")
        assert "deleted or moved" in header["runs"][0]["error"]
        assert (header["runs"][0]["kind"], first["x"], len(second["x"])) == ("none", [], 3)

    @pytest.mark.fault("U09")
    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("metric=loss", "runs= is empty"),
            ("runs=,,&metric=loss", "runs= is empty"),
            ("runs=a", "metric= is empty"),
            (f"runs=a&metric={'x' * 10_001}", "metric= is empty or too long"),
            (f"runs={','.join(map(str, range(101)))}&metric=loss", "at most 100"),
            ("runs=a&metric=loss&x=sideways", "x= is unknown"),
            ("runs=a&metric=loss&from=nan", "from= is no finite number"),
            ("runs=a&metric=loss&to=1e999", "to= is no finite number"),
            ("runs=a&metric=loss&points=many", "points= is no finite number"),
            ("runs=a&metric=loss&from=2&to=1", "to= lies before from="),
        ],
    )
    def test_refused(self, api: Any, query: str, sentence: str) -> None:
        """A question that cannot be answered is refused in one sentence."""
        answer = api.get(f"series?{query}")
        assert answer.status_code == 400
        assert sentence in answer.json["error"]

    @pytest.mark.fault("U14")
    def test_points_are_bounded(self, api: Any, track: Track) -> None:
        """However many points are asked for, at most 4,000 buckets or points come."""
        tracker = track(api.base, count=9_000)
        header, _ = api.series(f"runs={tracker.experiment_id}&metric=loss&points=1000000")
        assert header["runs"][0]["n"] <= 4_002


class TestDetail:
    """``GET runs/<id>``."""

    def test_everything(self, api: Any, tmp_path: Path) -> None:
        """The detail of a run has nested parameters, notes, environment, artifacts and plots."""
        (tmp_path / "w.bin").write_bytes(b"weights")
        with ExperimentTracker("one", api.base, True, hyperparameters={"opt": {"lr": [1, 2]}}, notes="hi") as tracker:
            tracker.log_metrics({"loss": 1.0}, step=0)
            tracker.log_artifact(tmp_path / "w.bin", metadata={"x": 1})
        detail = api.json(f"runs/{tracker.experiment_id}")
        assert (detail["params_nested"], detail["notes"]) == ({"opt": {"lr": [1, 2]}}, "hi")
        assert "python" in detail["environment"]
        (artifact,) = detail["artifacts"]
        known = {"name": "w.bin", "version": 1, "kind": "file", "size": 7, "file_name": "w.bin", "is_tree": False}
        assert known.items() <= artifact.items()
        assert artifact["metadata"] == {"x": 1}
        assert any(plot["auto"] for plot in detail["plots"])
        for plot in detail["plots"]:
            picture = api.get(f"runs/{tracker.experiment_id}/plots/{plot['pid']}")
            assert (picture.content_type, picture.data[:4]) == ("image/png", b"\x89PNG")

    def test_unknown(self, api: Any) -> None:
        """A run that is not there is a 404 of one sentence."""
        answer = api.get("runs/000000000000")
        assert (answer.status_code, list(answer.json)) == (404, ["error"])


@pytest.mark.fault("U14")
def test_a_thousand_runs(api: Any, track: Track) -> None:
    """Of a thousand runs the newest are listed at once, and soon each of them; a hundred give their curves together."""
    first = track(api.base, "run 0", 20)
    document = json.loads((first.experiment_dir / "metadata.json").read_text())
    content = {key: value for key, value in document.items() if key not in ("crc", "format")}
    for number in range(1, 1_000):
        copy = api.base / f"copy-{number:04d}"
        (copy / "metrics").mkdir(parents=True)
        for path in [*first.experiment_dir.glob("*.json"), *first.experiment_dir.glob("metrics/*")]:
            os.link(path, copy / path.relative_to(first.experiment_dir))
        (copy / "metadata.json").unlink()
        own = {**content, "uid": f"{number:032x}"[::-1], "name": f"run {number}"}
        write_document(copy / "metadata.json", own, sync=False)
    listed = api.json("runs")
    assert (listed["total"], listed["pending"], len(listed["runs"]["id"])) == (1_000, 500, 500)
    assert min(listed["runs"]["ordinal"]) == 500
    while listed["pending"]:
        listed = api.json("runs")
    assert listed["total"] == len(set(listed["runs"]["id"])) == 1_000
    assert sorted(listed["runs"]["ordinal"]) == list(range(1_000))
    assert set(listed["runs"]["status"]) == {"completed"}
    header, runs = api.series(f"runs={','.join(listed['runs']['id'][:100])}&metric=loss")
    assert [run["kind"] for run in header["runs"]] == ["raw"] * 100
    assert {len(run["x"]) for run in runs} == {20}
    assert api.json(f"changes?cursor={listed['cursor']}")["runs"]["id"] == []
