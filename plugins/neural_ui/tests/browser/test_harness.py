"""The page object notices what it is there for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from page import UiPage
from playwright.sync_api import Browser

PAGES = {
    "/clean": "<body data-state='ready'>fine</body>",
    "/console": "<script nonce='n'>console.error('wrong')</script>",
    "/thrown": "<script nonce='n'>throw new Error('wrong')</script>",
    "/policy": "<script>window.__executed = 1</script>",
    "/foreign": "<img src='http://localhost:9/pixel.png'>",
    "/missing": "<img src='/nothing.png'>",
    "/dialog": "<script nonce='n'>alert(1)</script>",
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = PAGES.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Security-Policy", "script-src 'nonce-n'")
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server of these pages."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def problems(browser: Browser, url: str, path: str, *, csp: bool = True) -> list[str]:
    """Load a page and give what was wrong with it."""
    ui = UiPage(browser, url, csp=csp)
    ui.page.goto(url + path)
    ui.page.wait_for_load_state("networkidle")
    found = list(ui.problems)
    ui.context.close()
    return [problem for problem in found if "favicon" not in problem]


def test_clean_page(browser: Browser, url: str) -> None:
    """A page with nothing wrong has no problems."""
    assert problems(browser, url, "/clean") == []


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("/console", "console: wrong"),
        ("/thrown", "error in the page"),
        ("/policy", "CSP"),
        ("/foreign", "request to another host"),
        ("/missing", "404"),
        ("/dialog", "dialog: 1"),
    ],
)
def test_problem_is_noticed(browser: Browser, url: str, path: str, word: str) -> None:
    """Each kind of trouble is a problem that says what it is."""
    assert any(word in problem for problem in problems(browser, url, path))


def test_policy_can_be_switched_off(browser: Browser, url: str) -> None:
    """Without the policy the same script runs, so that a test can show that it is not the policy alone that helps."""
    ui = UiPage(browser, url, csp=False)
    ui.page.goto(url + "/policy")
    assert ui.was_executed()
    ui.context.close()
