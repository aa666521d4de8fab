"""The interface: artifacts, plots, CSV, edits, trash."""

from __future__ import annotations

import csv
import io
import math
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from neural_ui._api._csv import safe_cell

from neural_core import ExperimentManager, ExperimentTracker

Track = Callable[..., ExperimentTracker]
TRAVERSALS = [
    "../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
    "..%c0%af..%c0%afetc%c0%afpasswd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "..\\..\\etc\\passwd",
    "..%5c..%5cetc%5cpasswd",
    "C:%5cwindows%5cwin.ini",
    "metadata.json",
    "file%00.png",
    "....//....//etc/passwd",
    "file:///etc/passwd",
]


@pytest.fixture
def run(api: Any, tmp_path: Path) -> ExperimentTracker:
    """A finished experiment with two versions of a file, a folder and a figure."""
    (tmp_path / "w.bin").write_bytes(b"first")
    (tmp_path / "tree" / "in").mkdir(parents=True)
    (tmp_path / "tree" / "in" / "a.txt").write_text("a")
    (tmp_path / "page.html").write_text("<script>alert(1)</script>")
    with ExperimentTracker("run", api.base, False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
        tracker.log_artifact(tmp_path / "w.bin")
        (tmp_path / "w.bin").write_bytes(b"second")
        tracker.log_artifact(tmp_path / "w.bin")
        tracker.log_artifact(tmp_path / "tree")
        tracker.log_artifact(tmp_path / "page.html")
        tracker.log_figure(Figure(), "shape")
    return tracker


class TestArtifacts:
    """``GET runs/<id>/artifacts/<aid>`` and ``plots/<pid>``."""

    def test_download(self, api: Any, run: ExperimentTracker) -> None:
        """Each version is sent as it was stored, to be saved and never to be shown."""
        found = api.json(f"runs/{run.experiment_id}")["artifacts"]
        answers = [api.get(f"runs/{run.experiment_id}/artifacts/{one['aid']}") for one in found]
        assert [answer.data for answer in answers[:2]] == [b"first", b"second"]
        for answer in answers:
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.content_type in ("application/octet-stream", "application/zip")

    def test_a_folder_is_one_archive(self, api: Any, run: ExperimentTracker) -> None:
        """A folder comes as a zip archive with its files below its name."""
        (one,) = [one for one in api.json(f"runs/{run.experiment_id}")["artifacts"] if one["is_tree"]]
        answer = api.get(f"runs/{run.experiment_id}/artifacts/{one['aid']}")
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            assert archive.namelist() == ["tree/in/a.txt"]
            assert archive.read("tree/in/a.txt") == b"a"
            assert archive.testzip() is None

    @pytest.mark.fault("U10")
    @pytest.mark.parametrize("path", TRAVERSALS)
    @pytest.mark.parametrize("place", ["artifacts", "plots"])
    def test_traversal(self, api: Any, run: ExperimentTracker, path: str, place: str) -> None:
        """No way of writing a path leads to a file: 404 for each."""
        answer = api.get(f"runs/{run.experiment_id}/{place}/{path}")
        assert answer.status_code == 404
        assert set(answer.json) == {"error"}

    @pytest.mark.fault("U10")
    @pytest.mark.parametrize("run_id", ["..", "%2e%2e", "../..", "~..", "~%2e%2e%2f%2e%2e", "x/../y"])
    def test_traversal_by_run(self, api: Any, run: ExperimentTracker, run_id: str) -> None:
        """No id of a run leads out of the base folder."""
        assert api.get(f"runs/{run_id}").status_code == 404

    @pytest.mark.fault("U10")
    def test_a_link_that_leads_out(self, api: Any, run: ExperimentTracker, tmp_path: Path) -> None:
        """A stored file that became a link out of the experiment is a 404, as is one of another run's."""
        (tmp_path / "secret").write_text("secret")
        found = api.json(f"runs/{run.experiment_id}")
        stored = run.list_artifact_versions("w.bin")[0].path
        stored.unlink()
        stored.symlink_to(tmp_path / "secret")
        aid = found["artifacts"][0]["aid"]
        assert api.get(f"runs/{run.experiment_id}/artifacts/{aid}").status_code == 404
        assert api.get(f"runs/{run.experiment_id}/artifacts/{found['plots'][0]['pid']}").status_code == 404

    @pytest.mark.fault("U10")
    def test_what_only_calls_itself_a_picture(self, api: Any, run: ExperimentTracker) -> None:
        """HTML and SVG are never shown at our address, whatever their names say."""
        plots = run.experiment_dir / "plots"
        (plots / "evil.png").write_text("<html><script>alert(1)</script>")
        (plots / "evil.svg").write_text("<svg onload='alert(1)'/>")
        (plots / "auto_page.html").write_text("<script>alert(1)</script>")
        detail = api.json(f"runs/{run.experiment_id}")
        assert [plot["title"] for plot in detail["plots"]] == ["evil", "shape"]
        assert [one["file_name"] for one in detail["documents"]] == ["auto_page.html", "evil.svg"]
        for plot in [detail["plots"][0], *detail["documents"]]:
            answer = api.get(f"runs/{run.experiment_id}/plots/{plot['pid']}")
            assert answer.headers["Content-Disposition"].startswith("attachment")
            assert answer.content_type == "application/octet-stream"

    @pytest.mark.fault("U10")
    def test_names_in_headers(self, api: Any, tmp_path: Path) -> None:
        """A file name with quotes, line ends and letters of other scripts breaks no header."""
        name = 'a"b\r\nSet-Cookie: x=1;é.bin'
        try:
            (tmp_path / name).write_bytes(b"x")
        except OSError:
            pytest.skip("this file system takes no such name")
        with ExperimentTracker("run", api.base, False) as tracker:
            tracker.log_artifact(tmp_path / name)
        (one,) = api.json(f"runs/{tracker.experiment_id}")["artifacts"]
        answer = api.get(f"runs/{tracker.experiment_id}/artifacts/{one['aid']}")
        assert answer.data == b"x"
        assert "Set-Cookie" not in answer.headers
        form = r"attachment; filename=\"[\w .-]*\"; filename\*=UTF-8''[\w.%~-]*"
        assert re.fullmatch(form, answer.headers["Content-Disposition"], re.ASCII)

    @pytest.mark.fault("U17")
    def test_nothing_is_unpickled(self, api: Any, tmp_path: Path) -> None:
        """A pickle that would touch a file is listed, shown in detail and sent, and never loaded."""
        touched = tmp_path / "touched"
        code = f"cposix\nsystem\n(S'touch {touched}'\ntR.".encode()
        (tmp_path / "model.pkl").write_bytes(code)
        with ExperimentTracker("run", api.base, False) as tracker:
            tracker.log_model(tmp_path / "model.pkl", "sklearn")
        (one,) = api.json(f"runs/{tracker.experiment_id}")["artifacts"]
        assert api.get(f"runs/{tracker.experiment_id}/artifacts/{one['aid']}").data == code
        assert not touched.exists()


class TestCsv:
    """``GET csv``."""

    def test_full_data(self, api: Any, track: Track) -> None:
        """Every point of every metric is in the file, with its exact value."""
        tracker = track(api.base, 'a,b"c', 5_000)
        answer = api.get(f"csv?runs={tracker.experiment_id}")
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert len(rows) == 10_000
        assert [float(row["value"]) for row in rows[:5_000]] == tracker.get_metrics("loss")
        assert {row["run"] for row in rows} == {'a,b"c'}
        assert [int(row["step"]) for row in rows[5_000:]] == list(range(5_000))

    def test_chosen_metrics(self, api: Any, track: Track) -> None:
        """Only the metrics that were asked for are in the file; no step is an empty cell, NaN is nan."""
        with ExperimentTracker("run", api.base, False) as tracker:
            tracker.log_metrics({"loss": math.nan, "acc": 1.0})
        rows = list(csv.DictReader(io.StringIO(api.get(f"csv?runs={tracker.experiment_id}&metric=loss").text)))
        assert [(row["metric"], row["step"], row["value"]) for row in rows] == [("loss", "", "nan")]

    @pytest.mark.fault("U19")
    @pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@x", "\tx", "\r=x"])
    def test_formulas(self, name: str) -> None:
        """A name that a spreadsheet would take for a formula is quoted."""
        assert safe_cell(name) == f"'{name}"

    @pytest.mark.fault("U19")
    def test_formulas_in_the_file(self, api: Any) -> None:
        """Names of runs and metrics are quoted in the file."""
        with ExperimentTracker("=1+1", api.base, False) as tracker:
            tracker.log_metrics({"@metric": 1.0})
        (row,) = csv.DictReader(io.StringIO(api.get(f"csv?runs={tracker.experiment_id}").text))
        assert (row["run"], row["metric"]) == ("'=1+1", "'@metric")

    def test_damage_is_told(self, api: Any, track: Track) -> None:
        """A metric that cannot be read whole says so in the file instead of being left out in silence."""
        bad, good = track(api.base, "bad", 500), track(api.base, "good", 5)
        [part] = bad.experiment_dir.glob("metrics/*.parquet")
        data = bytearray(part.read_bytes())
        part.chmod(0o644)
        data[4:-2_500] = bytes(len(data) - 2_504)
        part.write_bytes(data)
        text = api.get(f"csv?runs={bad.experiment_id},{good.experiment_id}").text
        assert text.count("damaged") == 2
        assert len(text.splitlines()) == 1 + 2 + 10


class TestEdits:
    """``POST runs/<id>``, ``trash``, ``restore``, ``directions``."""

    def test_edit(self, api: Any, track: Track) -> None:
        """Name, notes, tags and colour are kept in the store, and the answer has the new revision."""
        tracker = track(api.base, tags={"old": "1"})
        path = f"runs/{tracker.experiment_id}"
        before = api.json(path)
        change = {"name": "new", "notes": "text", "tags": {"old": None, "x": "y"}, "color": "#A1B2C3"}
        answer = api.post(path, {"revision": before["revision"], **change})
        after = api.json(path)
        assert answer.json == {"id": tracker.experiment_id, "revision": after["revision"]}
        assert after["revision"] != before["revision"]
        known = {"name": "new", "notes": "text", "tags": {"x": "y"}, "color": "#a1b2c3", "status": "completed"}
        assert known.items() <= after.items()
        assert ExperimentManager(api.base).runs()[0].name == "new"
        assert api.post(path, {"revision": after["revision"], "color": None}).status_code == 200
        assert api.json(path)["color"] is None

    def test_conflict(self, api: Any, track: Track) -> None:
        """An edit of what somebody else edited meanwhile is a 409 and changes nothing."""
        path = f"runs/{track(api.base).experiment_id}"
        revision = api.json(path)["revision"]
        assert api.post(path, {"revision": revision, "notes": "theirs"}).status_code == 200
        assert api.post(path, {"revision": revision, "notes": "mine"}).status_code == 409
        assert api.json(path)["notes"] == "theirs"

    @pytest.mark.parametrize(
        "content",
        [
            [],
            "text",
            {},
            {"revision": 7},
            {"notes": "x"},
            {"revision": "{}", "color": "red"},
            {"revision": "{}", "name": ""},
            {"revision": "{}", "name": {"type": "Iframe", "props": {}}},
            {"revision": "{}", "tags": {"a": {"b": 1}}},
            {"revision": "{}", "status": "completed"},
            {"revision": "{}", "uid": "0" * 32},
        ],
        ids=str,
    )
    def test_refused(self, api: Any, track: Track, content: Any) -> None:
        """What cannot be kept is a 400 and changes nothing."""
        path = f"runs/{track(api.base).experiment_id}"
        before = api.json(path)
        if isinstance(content, dict) and content.get("revision") == "{}":
            content = {**content, "revision": before["revision"]}
        answer = api.post(path, content)
        assert (answer.status_code, list(answer.json)) == (400, ["error"])
        assert api.json(path) == before

    def test_trash_and_back(self, api: Any, track: Track) -> None:
        """A run goes to the trash and comes back with all its bytes and its ordinal."""
        first, second = track(api.base, "first"), track(api.base, "second")
        files = {path.name: path.read_bytes() for path in first.experiment_dir.rglob("*") if path.is_file()}
        assert api.post(f"runs/{first.experiment_id}/trash", {}).status_code == 200
        listed = api.json("runs")
        assert (listed["runs"]["id"], listed["runs"]["ordinal"], listed["trash"]) == ([second.experiment_id], [1], 1)
        assert api.post(f"runs/{first.experiment_id}/trash", {}).status_code == 404
        assert api.post(f"runs/{first.experiment_id}/restore", {}).status_code == 200
        assert api.json("runs")["runs"]["ordinal"] == [1, 0]
        assert files == {path.name: path.read_bytes() for path in first.experiment_dir.rglob("*") if path.is_file()}

    def test_the_living_stay(self, api: Any) -> None:
        """A run that is being written is not thrown away: 409."""
        tracker = ExperimentTracker("live", api.base, False)
        tracker.log_metrics({"loss": 1.0}, step=0)
        assert api.post(f"runs/{tracker.experiment_id}/trash", {}).status_code == 409
        tracker.finish()

    def test_a_disk_that_refuses(self, api: Any, track: Track, monkeypatch: pytest.MonkeyPatch) -> None:
        """A disk that refuses an edit is one sentence without a path."""
        tracker = track(api.base)

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied", str(api.base))

        monkeypatch.setattr(os, "rename", refuse)
        monkeypatch.setattr(Path, "rename", refuse)
        answer = api.post(f"runs/{tracker.experiment_id}/trash", {})
        assert (answer.status_code, answer.json) == (503, {"error": "the disk refuses: Permission denied"})

    def test_directions(self, api: Any, track: Track) -> None:
        """Which values of a metric are better is kept for the base folder."""
        track(api.base)
        before = api.get("runs").headers["ETag"]
        answer = api.post("directions", {"metric": "acc", "direction": "min"})
        assert api.get("runs", If_None_Match=before).status_code == 200
        assert answer.json == {"directions": {"loss": "min", "acc": "min"}}
        assert api.json("runs")["directions"]["acc"] == "min"
        assert api.post("directions", {"metric": "acc", "direction": "sideways"}).status_code == 400
        assert api.post("directions", {"metric": 7, "direction": "min"}).status_code == 400
