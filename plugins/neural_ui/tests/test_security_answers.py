"""What every answer carries, and what no request can do."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from neural_core import ExperimentTracker

Track = Callable[..., ExperimentTracker]
PAGES = ["/", "/_dash-layout", "/_dash-dependencies", "/api/v1/runs"]
PATHS = [*PAGES, "/api/v1/nothing", "/nothing", "/console", "/assets/x"]


class TestAnswers:
    """Headers, errors, what the document says."""

    @pytest.mark.fault("U11")
    @pytest.mark.parametrize("path", [*PATHS, "/_dash-component-suites/dash/deps/x.js"])
    def test_headers(self, api: Any, path: str) -> None:
        """Every answer, errors too, carries the headers that keep a browser from doing more than the page needs."""
        for headers in ({}, {"Host": "evil.example"}):
            answer = api.client.get(path, headers=headers)
            policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
            assert policy["default-src"] == "'self'"
            assert policy["object-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
            assert "unsafe" not in policy["script-src"]
            assert "sha256-" in policy["script-src"]
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "Server" not in answer.headers
            assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]

    @pytest.mark.fault("U03")
    def test_no_sharing(self, api: Any) -> None:
        """No answer shares anything with other origins, to OPTIONS neither."""
        for path in ("/", "/api/v1/runs", "/_dash-update-component"):
            answer = api.client.options(path, headers={"Origin": "http://evil.example"})
            assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]

    @pytest.mark.fault("U12")
    def test_no_other_host(self, api: Any) -> None:
        """The document names no other host."""
        text = api.client.get("/").text.replace("http://www.w3.org/2000/svg", "")  # the name of SVG, which nobody opens
        assert not re.search(r"(https?|wss?)://", text)

    @pytest.mark.fault("U11")
    def test_every_inline_script_is_allowed(self, api: Any) -> None:
        """The document's inline scripts are those whose hashes the policy names."""
        answer = api.client.get("/")
        for kind, text in re.findall(r"<script(?![^>]*src=)([^>]*)>(.*?)</script>", answer.text, re.DOTALL):
            if "application/json" not in kind:
                digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
                assert f"'sha256-{digest}'" in answer.headers["Content-Security-Policy"]

    @pytest.mark.fault("U05")
    @pytest.mark.parametrize(
        "path",
        ["/console", "/_dash-component-suites/dash/x.js", "/static/x", "/artifact/../../etc/passwd", "/%2e%2e/etc"],
    )
    def test_nothing_there(self, api: Any, path: str) -> None:
        """What is not there is a 404, also the console of a debugger."""
        assert api.client.get(path).status_code == 404
        assert api.client.get(f"{path}?__debugger__=yes&cmd=resource&f=debugger.js").status_code == 404

    @pytest.mark.fault("U16")
    def test_an_error_says_nothing(
        self, api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An error of ours is one sentence for the visitor, and whole in the terminal."""

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError(f"secret of {Path.home()}")

        monkeypatch.setattr("neural_core.reading.ExperimentStore.listed", fail)
        with caplog.at_level(logging.ERROR):
            answer = api.get("runs")
        assert answer.status_code == 500
        assert not any(word in answer.text for word in ("Traceback", "secret", str(Path.home()), "RuntimeError"))
        assert "RuntimeError" in caplog.text

    @pytest.mark.fault("U20")
    def test_lines_of_the_log(
        self, api: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A path with line ends and escape sequences forges no line of the log."""
        monkeypatch.setattr("neural_core.reading.ExperimentStore.detail", lambda *_: 1 / 0)
        api.get("runs/a%0aERROR%20fake%1b[2J")
        assert "\nERROR fake" not in caplog.text.split("Traceback")[0]
        assert "\x1b" not in caplog.text


class TestRequests:
    """What forged requests get."""

    @pytest.mark.fault("U09")
    @pytest.mark.parametrize(
        "content",
        [
            [],
            {},
            "x",
            7,
            {"output": "x.children", "inputs": [], "changedPropIds": []},
            {"output": "runs-table-host.children", "inputs": "zz"},
            {"output": "..x.y..", "outputs": 7, "inputs": [{}], "state": [{}]},
            {
                "output": "runs-table-host.children",
                "outputs": {"id": "a", "property": "b"},
                "inputs": [{"id": {}, "x": 1}],
            },
        ],
        ids=str,
    )
    def test_malformed_callbacks(self, api: Any, content: Any) -> None:
        """A callback that is asked for in another form than the page's is a 400 without a trace."""
        answer = api.client.post("/_dash-update-component", json=content)
        assert answer.status_code == 400
        assert "Traceback" not in answer.text

    @pytest.mark.fault("U09")
    def test_too_much(self, api: Any) -> None:
        """A forged request of 200,000 points is refused unread."""
        body = json.dumps({"output": "x.y", "inputs": [{"value": list(range(200_000))}]})
        for path in ("/_dash-update-component", "/api/v1/directions"):
            answer = api.client.post(
                path, data=body, content_type="application/json", headers={"X-Neural-Token": "the token of the tests"}
            )
            assert answer.status_code == 413

    @pytest.mark.fault("U09")
    def test_deep_json(self, api: Any) -> None:
        """Brackets without end are a 400."""
        for body in ("[" * 100_000, '{"a":' * 50_000, "\xff", "NaN"):
            answer = api.client.post(
                "/api/v1/directions",
                data=body,
                content_type="application/json",
                headers={"X-Neural-Token": "the token of the tests"},
            )
            assert answer.status_code == 400

    @pytest.mark.fault("U13")
    def test_get_changes_nothing(self, api: Any, track: Track) -> None:
        """After a GET of every address the store has the same bytes, names and times."""
        tracker = track(api.base)
        api.json("runs")
        before = {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in [api.base, *api.base.rglob("*")]}
        ids = f"runs={tracker.experiment_id}"
        for path in (
            "runs",
            "changes",
            f"series?{ids}&metric=loss",
            f"csv?{ids}",
            "panels",
            f"export.html?{ids}",
            "directions",
        ):
            api.get(path)
        for verb in ("", "/trash", "/restore", "/artifacts/x", "/plots/x"):
            api.get(f"runs/{tracker.experiment_id}{verb}")
        for path in PATHS:
            api.client.get(path)
        assert before == {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in [api.base, *api.base.rglob("*")]}

    @pytest.mark.fault("U06")
    def test_names_are_text(self, api: Any) -> None:
        """Names, tags, parameters and start times that look like components or markup arrive as text in JSON."""
        evil = '{"type":"Iframe","namespace":"dash_html_components","props":{"srcDoc":"<script>alert(1)</script>"}}'
        with ExperimentTracker(
            evil, api.base, False, hyperparameters={evil: json.loads(evil)}, tags={evil: evil}
        ) as tracker:
            tracker.log_metrics({"</script><script>alert(1)</script>": 1.0}, step=0)
        runs = api.json("runs")["runs"]
        assert runs["name"] == [evil]
        assert all(isinstance(value, (str, int, float)) for value in runs["params"][0].values())
        assert api.get("runs").content_type == "application/json"
        assert api.json(f"runs/{tracker.experiment_id}")["tags"] == {evil: evil}

    @pytest.mark.fault("U06")
    def test_a_start_time_that_is_a_component(self, api: Any, track: Track) -> None:
        """A document that a stranger wrote, with a component for a start time, costs that run its place and no more."""
        tracker = track(api.base)
        path = tracker.experiment_dir / "metadata.json"
        document = json.loads(path.read_text())
        document["start_time"] = {
            "type": "Iframe",
            "namespace": "dash_html_components",
            "props": {"srcDoc": "<script>"},
        }
        path.write_text(json.dumps(document))
        runs = api.json("runs")["runs"]
        assert len(runs["id"]) == 1
        assert all(isinstance(value, (float, int, type(None))) for value in runs["started"])

    @pytest.mark.fault("U14")
    def test_many_runs(self, api: Any, track: Track) -> None:
        """No request reads more than a hundred runs."""
        ids = ",".join(str(i) for i in range(101))
        for path in (
            f"series?runs={ids}&metric=loss",
            f"csv?runs={ids}",
            f"export.html?runs={ids}",
            f"panels/x?runs={ids}",
        ):
            assert api.get(path).status_code == 400
