"""The gate: whom the page answers, what every answer carries, what no request can do."""

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
from neural_ui import ExperimentComparisonUI
from neural_ui._security import Policy, is_loopback

from neural_core import ExperimentManager, ExperimentTracker

Track = Callable[..., ExperimentTracker]
PAGES = ["/", "/_dash-layout", "/_dash-dependencies", "/api/v1/runs"]
PATHS = [*PAGES, "/api/v1/nothing", "/nothing", "/console", "/assets/x"]
OTHERS = ["evil.example", "evil.example:8052", "127.0.0.1.evil.example", "localhost.", "", "[::1", "10.0.0.1"]


class TestWhom:
    """Hosts, origins, content types, tokens."""

    @pytest.mark.fault("U01")
    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("host", OTHERS)
    def test_another_host(self, api: Any, path: str, host: str) -> None:
        """A request that calls us by another name, as a page behind a rebound name does, is refused everywhere."""
        assert api.client.get(path, headers={"Host": host}).status_code == 403

    @pytest.mark.fault("U01")
    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8052", "LOCALHOST:9000", "[::1]:8052"])
    def test_our_names(self, api: Any, host: str) -> None:
        """This machine's own names are ours, at any port: a tunnel has another one than we."""
        assert api.client.get("/", headers={"Host": host}).status_code == 200

    @pytest.mark.fault("U02")
    @pytest.mark.parametrize("path", ["/_dash-update-component", "/api/v1/directions"])
    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Origin": "http://localhost:1"},
            {"Origin": "file://localhost"},
            {"Sec-Fetch-Site": "cross-site"},
        ],
        ids=str,
    )
    def test_another_origin(self, api: Any, path: str, headers: dict[str, str]) -> None:
        """A change that another site's page sends is refused, even with the token."""
        headers = {"X-Neural-Token": "the token of the tests", **headers}
        assert api.client.post(path, json={}, headers=headers).status_code == 403

    @pytest.mark.fault("U02")
    def test_our_origin(self, api: Any, track: Track) -> None:
        """A change that our own page sends is done."""
        track(api.base)
        answer = api.post(
            "directions", {"metric": "acc", "direction": "min"}, Origin="http://localhost", Sec_Fetch_Site="same-origin"
        )
        assert answer.status_code == 200

    @pytest.mark.fault("U02")
    def test_another_site_reads_nothing(self, api: Any) -> None:
        """Another site may lead to the page, but embeds nothing of it."""
        arrive = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
        assert api.client.get("/", headers=arrive).status_code == 200
        assert api.client.get("/api/v1/runs", headers=arrive).status_code == 403
        assert api.client.get("/api/v1/runs", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403

    @pytest.mark.fault("U03")
    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
    @pytest.mark.parametrize("path", ["/_dash-update-component", "/api/v1/directions"])
    def test_only_json(self, api: Any, path: str, kind: str) -> None:
        """What a form of another site can send is no change: 415."""
        assert api.client.post(path, data="{}", content_type=kind).status_code == 415

    @pytest.mark.fault("U13")
    @pytest.mark.parametrize("token", [None, "", "wrong", "é", "x" * 10_000])
    def test_a_change_wants_the_token(self, api: Any, track: Track, token: str | None) -> None:
        """Without the token of the page nothing changes."""
        tracker = track(api.base)
        headers = {} if token is None else {"X-Neural-Token": token}
        for path in (f"runs/{tracker.experiment_id}/trash", "directions", f"runs/{tracker.experiment_id}"):
            assert api.client.post(f"/api/v1/{path}", json={}, headers=headers).status_code == 403
        assert tracker.experiment_dir.exists()

    def test_the_page_has_the_token(self, api: Any) -> None:
        """The page's document gives its scripts the token."""
        assert '<meta name="neural-token" content="the token of the tests">' in api.client.get("/").text

    @pytest.mark.fault("U13")
    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
    def test_other_methods(self, api: Any, method: str) -> None:
        """Methods that are not used are refused."""
        assert api.client.open("/api/v1/runs", method=method).status_code == 405

    @pytest.mark.fault("U04")
    def test_visitors_from_elsewhere(self, serve: Any, tmp_path: Path) -> None:
        """For other machines everything wants the access token: in the address once, then in a cookie."""
        api = serve(tmp_path, hosts=frozenset({"box.lan"}), access="secret")
        here = {"Host": "box.lan:8052"}
        for path in PATHS:
            assert api.client.get(path, headers=here).status_code == 401
            assert api.client.get(f"{path}?token=wrong", headers=here).status_code == 401
            assert api.client.get(f"{path}?token=secret", headers={"Host": "evil.example"}).status_code == 403
        assert api.client.get("/api/v1/runs", headers={**here, "Cookie": "neural_access=wrong"}).status_code == 401
        first = api.client.get("/?token=secret", headers=here)
        assert first.status_code == 200
        cookie = first.headers["Set-Cookie"]
        assert cookie == "neural_access=secret; Path=/; HttpOnly; SameSite=Strict"
        again = {**here, "Cookie": cookie.partition(";")[0]}
        assert api.client.get("/api/v1/runs", headers=again).status_code == 200

    @pytest.mark.fault("U04")
    def test_addresses(self, serve: Any, tmp_path: Path) -> None:
        """A server of every address answers to numbers, which no rebound name is, and to no other name."""
        api = serve(tmp_path, any_address=True, access="secret")
        for host, status in (("10.0.0.7:80", 200), ("[fe80::1]:8052", 200), ("evil.example", 403), ("1.2.3", 403)):
            assert api.client.get("/?token=secret", headers={"Host": host}).status_code == status


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

        def fail(*_: object) -> None:
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


class TestPolicy:
    """How the server may be started."""

    @pytest.mark.parametrize(
        ("host", "local"),
        [("localhost", True), ("127.0.0.1", True), ("[::1]", True), ("0.0.0.0", False), ("box", False)],
    )
    def test_loopback(self, host: str, local: bool) -> None:
        """Only this machine's own names to itself are the loopback."""
        assert is_loopback(host) is local

    @pytest.mark.fault("U04", "U05")
    def test_remote_wants_to_be_meant(self, tmp_path: Path) -> None:
        """Another host than the loopback raises until it is allowed, and never goes with debug."""
        page = ExperimentComparisonUI(ExperimentManager(tmp_path), 0)
        with pytest.raises(ValueError, match="allow_remote"):
            page.run(host="0.0.0.0")
        with pytest.raises(ValueError, match="debug"):
            page.run(host="0.0.0.0", allow_remote=True, debug=True)

    @pytest.mark.parametrize("port", [-1, 65_536, "8052", None, 1.5])
    def test_ports(self, tmp_path: Path, port: Any) -> None:
        """What is no port raises at construction."""
        with pytest.raises(ValueError, match="port"):
            ExperimentComparisonUI(ExperimentManager(tmp_path), port)

    @pytest.mark.fault("U04")
    def test_tokens_differ(self) -> None:
        """Each server has a token of its own, too long to be guessed."""
        tokens = {Policy().token for _ in range(100)}
        assert len(tokens) == 100
        assert min(map(len, tokens)) >= 32
