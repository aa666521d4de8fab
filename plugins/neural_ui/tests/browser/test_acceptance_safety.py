"""Acceptance checks of safety: no foreign request, hostile stores, forged requests, damage while the page is open."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from asking import ask, runs_of
from live_run import LiveRun
from page import NewPage, Serve, UiPage
from playwright.sync_api import expect
from server import Server
from stores import HOSTILE
from walking import TABS, look_at_everything

from neural_core import ExperimentManager

NO_ELEMENTS = (
    "iframe, object, embed, img[src=x], a[href^='javascript'], a[href*='evil'], svg[onload], script:not([src])"
)


@pytest.mark.fault("U12")
def test_nothing_leaves_the_host(ui: UiPage) -> None:
    """A walk through everything asks no other host, breaks no policy and leaves nothing on the console (check 15)."""
    look_at_everything(ui)
    assert ui.problems == []
    assert len(ui.requests) > 10


def test_no_other_host_is_named(serve: Serve, store_small: Path) -> None:
    """Neither the page nor Dash's layout names another host (check 15, U12)."""
    url = serve(store_small)
    for path in ("/", "/_dash-layout", "/_dash-dependencies"):
        text = ask(url, path).body.decode()
        named = set(re.findall(r"(?:https?:)?(?://|\\u002f\\u002f)([a-z0-9.-]+\.[a-z]{2,})", text))
        assert named <= {"www.w3.org"}  # the name space of SVG, which nobody asks


@pytest.mark.fault("U06", "U08")
@pytest.mark.parametrize("csp", [True, False])
def test_hostile_store(new_page: NewPage, serve: Serve, store_hostile: Path, csp: bool) -> None:
    """Hostile names, values, notes and folders are text everywhere, also without the policy (check 16, U06 to U08)."""
    ui = new_page(serve(store_hostile), csp=csp)
    if not csp:
        with ui.expecting("CSP|Content Security Policy"):
            look_at_everything(ui, runs=8)
    else:
        look_at_everything(ui, runs=8)
    assert not ui.was_executed()
    assert ui.page.locator("#main").locator(NO_ELEMENTS).count() == 0


def test_hostile_names_are_shown(new_page: NewPage, serve: Serve, store_hostile: Path) -> None:
    """Each hostile name stands in the list as it was given (check 16)."""
    ui = new_page(serve(store_hostile), height=1_200)
    ui.open()
    for name in HOSTILE:
        shown = " ".join(name.split())
        label = ui.page.evaluate(
            "name => [...document.querySelectorAll('[data-testid=run-row]')].some("
            "row => row.textContent.replace(/\\s+/g, ' ').includes(name))",
            shown,
        )
        assert label, name


@pytest.mark.fault("U07")
@pytest.mark.parametrize("tab", TABS)
def test_hostile_names_in_charts(new_page: NewPage, serve: Serve, store_hostile: Path, tab: str) -> None:
    """Names are drawn literally: no link, no bold, no formula and no number comes of them (check 16, U07)."""
    url = serve(store_hostile)
    ids = [run for run, name in runs_of(url).items() if name in HOSTILE]
    ui = new_page(url, csp=False)
    with ui.expecting("CSP|Content Security Policy"):
        ui.open(f"?tab={tab}&runs={','.join(ids)}")
        ui.page.wait_for_timeout(400)
    assert ui.page.locator("#main svg a, #main svg tspan[style*=bold], #main .MathJax").count() == 0
    assert not ui.was_executed()


@pytest.mark.fault("U15")
def test_damaged_runs_do_not_spread(new_page: NewPage, serve: Serve, store_hostile: Path) -> None:
    """A folder of garbage is a row with its error; a run whose data is cut says so; the others are drawn (check 22)."""
    url = serve(store_hostile)
    names = runs_of(url)
    [garbage] = [run for run, name in names.items() if name.startswith("garbage")]
    [cut] = [run for run, name in names.items() if name == "sweep-0900"]
    [sound] = [run for run, name in names.items() if name == "constructor"]
    ui = new_page(url)
    ui.open(f"?runs={garbage},{cut},{sound}&charts=loss")
    expect(ui.get("run-row", id=garbage)).to_be_visible()
    expect(ui.get("card", metric="loss").locator(".trace").first).to_be_attached()
    ui.page.evaluate("id => neural.state.set({run: id})", garbage)
    expect(ui.get("drawer")).to_contain_text("damaged")
    for path in (f"runs/{garbage}", f"runs/{cut}", f"series?runs={cut},{sound}&metric=loss"):
        answer = ask(url, f"/api/v1/{path}")
        assert b"Traceback" not in answer.body
        assert str(store_hostile).encode() not in answer.body.replace(json.dumps(str(store_hostile)).encode(), b"")


def test_damaged_bytes_are_told_beside_the_curve(new_page: NewPage, own_store: Path, tmp_path: Path) -> None:
    """A run whose stored bytes have changed is drawn with the others, and its charts say that it may be wrong (22)."""
    [data] = own_store.glob("resnet-sgd-1_*/metrics/*.parquet")
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 0x01
    data.write_bytes(content)
    server = Server(own_store)
    try:
        ui = new_page(server.url)
        ui.open()
        badge = "document.querySelector('.badge-note:not([hidden])')"
        again = (
            "document.querySelector('.card.loading') || neural.cards.reload()"  # the server checks beside its answers
        )
        ui.until(f"({again}, /damaged, may be wrong/.test({badge} && {badge}.textContent))")
        assert ui.page.evaluate(f"{badge}.title.includes('is damaged, this may be wrong')")
        assert str(tmp_path) not in ui.page.evaluate(f"{badge}.title")
        ui.until("neural.cards.visible().every(card => card.built && card.built.lines.length === 3)")
        ui.leave()
    finally:
        server.close()


def test_run_deleted_while_viewed(new_page: NewPage, own_store: Path, own_server: str, live_writer: LiveRun) -> None:
    """A run that somebody else deletes leaves the page with a word about it; the others stay (check 22)."""
    live_writer.log(0.5)  # while something runs, the page looks every second
    names = runs_of(own_server)
    [gone] = [run for run, name in names.items() if name.endswith("-1")]
    ui = new_page(own_server)
    ui.open(f"?runs={','.join(names)}&run={gone}")
    expect(ui.get("drawer")).to_be_visible()
    ui.keep_toasts()
    with ui.expecting("404"):
        ExperimentManager(own_store).delete_experiment(gone)
        expect(ui.get("toast")).to_contain_text("no longer in the folder")
        expect(ui.get("run-row", id=gone)).to_have_count(0)
        expect(ui.get("drawer")).to_be_hidden()
    expect(ui.get("run-row")).to_have_count(3)
    expect(ui.get("card", metric="train/loss").locator(".trace").first).to_be_attached()


def test_server_ends_while_viewed(ui: UiPage) -> None:
    """Without its server the page says that it tries again, and throws nothing (check 22)."""
    ui.open()
    with ui.expecting("ERR_INTERNET_DISCONNECTED|Failed to load"):
        ui.context.set_offline(True)
        ui.page.evaluate("neural.live.ask()")
        expect(ui.get("live")).to_contain_text("Reconnecting")
        ui.context.set_offline(False)
        ui.page.evaluate("neural.live.ask()")
        expect(ui.get("live")).not_to_contain_text("Reconnecting")


TRAVERSALS = (
    "../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252fetc%252fpasswd",
    "..%5c..%5c..%5cetc%5cpasswd",
    "..\\..\\..\\etc\\passwd",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "....//....//etc/passwd",
    "%c0%ae%c0%ae%c0%afetc%c0%afpasswd",
    "passwd%00.png",
    "metadata.json",
)


@pytest.mark.parametrize("path", TRAVERSALS)
@pytest.mark.parametrize("route", ["artifacts", "plots"])
def test_traversal(serve: Serve, store_small: Path, route: str, path: str) -> None:
    """Files are given by id only: every way to write a path is answered by 404 (check 16, U10)."""
    url = serve(store_small)
    run = next(iter(runs_of(url)))
    answer = ask(url, f"/api/v1/runs/{run}/{route}/{path}")
    assert answer.status == 404
    assert b"root:" not in answer.body


@pytest.mark.parametrize("path", ["/", "/_dash-layout", "/api/v1/runs", "/page/boot.js"])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example", ""]
)
def test_wrong_host(serve: Serve, store_small: Path, path: str, host: str) -> None:
    """A request under another name is refused before anything answers it (check 16, U01)."""
    assert ask(serve(store_small), path, Host=host).status == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1"])
def test_wrong_origin(serve: Serve, store_small: Path, origin: str) -> None:
    """A change from another page is refused, whatever else it carries (check 16, U02)."""
    url = serve(store_small)
    run = next(iter(runs_of(url)))
    token = re.search(rb'name="neural-token" content="([^"]+)"', ask(url, "/").body)
    assert token is not None
    answer = ask(
        url, f"/api/v1/runs/{run}/trash", "POST", b"{}",
        Origin=origin, Content_Type="application/json", X_Neural_Token=token[1].decode(),
    )  # fmt: skip
    assert answer.status == 403
    assert run in runs_of(url)


@pytest.mark.fault("U10")
def test_artifact_page_is_not_shown(serve: Serve, store_small: Path) -> None:
    """An HTML file that was logged is a download, never a page of this host (U10)."""
    url = serve(store_small)
    [run] = [run for run, name in runs_of(url).items() if name.endswith("-0")]
    artifacts = json.loads(ask(url, f"/api/v1/runs/{run}").body)["artifacts"]
    [page] = [one for one in artifacts if one["name"] == "report.html"]
    answer = ask(url, f"/api/v1/runs/{run}/artifacts/{page['aid']}")
    assert answer.status == 200
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "html" not in answer.headers["content-type"]
