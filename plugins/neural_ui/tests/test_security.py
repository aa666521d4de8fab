"""The gate: whom the page answers, what every answer carries, what no request can do."""

from __future__ import annotations

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
