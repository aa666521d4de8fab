"""A page that fails its test on what a user would never see: console errors, CSP reports, requests to other hosts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, Request, expect

__all__ = ["ARGUMENTS", "NewPage", "Serve", "UiPage"]

Serve = Callable[..., str]
"""From a base folder to the address of its server."""
NewPage = Callable[..., "UiPage"]
"""From a server's address, and options of `UiPage`, to a page in a fresh profile."""

ARGUMENTS = (
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)
READY_MS = 120_000
expect.set_options(timeout=READY_MS)  # of every expectation of these tests: a busy machine is no failure


class UiPage:
    """One page in a profile of its own.

    Attributes:
        page: Playwright's page.
        problems: what was wrong so far; a test fails at its end when anything is in it.
        requests: method and path with query of every request to the server.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        *,
        theme: str = "light",
        width: int = 1440,
        height: int = 900,
        csp: bool = True,
        **options: Any,
    ) -> None:
        """Make the profile; nothing is loaded.

        Args:
            browser: that runs.
            url: of the server.
            theme: what the system prefers, ``light`` or ``dark``.
            width: of the window.
            height: likewise.
            csp: False lets the browser ignore the page's content security policy.
            options: more for Playwright's context.
        """
        self.url = url
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        self._left = False
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            bypass_csp=not csp,
            reduced_motion="reduce",
            **options,
        )
        self.context.set_default_timeout(READY_MS)
        self.page: Page = self.context.new_page()
        self.context.on("request", self._note_request)
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self._note(f"error in the page: {error.stack or error}"))
        self.page.on("dialog", self._note_dialog)
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.violatedDirective + ' ' +"
            " e.blockedURI + ' ' + (e.sourceFile || '') + ':' + e.lineNumber));"
        )

    def _note(self, problem: str) -> None:
        if not self._left and not any(pattern.search(problem) for pattern in self._expected):
            self.problems.append(problem)

    def _note_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("data", "blob", "about"):
            return
        if f"{parts.scheme}://{parts.netloc}" != self.url and parts.scheme != "file":
            self._note(f"request to another host: {request.url}")
        self.requests.append(f"{request.method} {parts.path}" + (f"?{parts.query}" if parts.query else ""))

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "assert"):
            self._note(f"console: {message.text} ({message.location.get('url', '')})")

    def _note_dialog(self, dialog: Dialog) -> None:
        self._note(f"dialog: {dialog.message}")
        dialog.dismiss()

    @contextmanager
    def expecting(self, pattern: str) -> Iterator[None]:
        """Allow problems that match `pattern` inside the block, because the test causes them."""
        self._expected.append(re.compile(pattern))
        try:
            yield
        finally:
            self._expected.pop()

    def open(self, query: str = "", *, ready: bool = True) -> Page:
        """Load the page with a query, as ``?tab=best``, and wait until its charts are painted and it has every run."""
        self.page.goto(f"{self.url}/{query}")
        if ready:
            self.wait_ready()
            self.until("!neural.runs.info().pending")
        return self.page

    def wait_ready(self) -> None:
        """Wait until the page says so itself."""
        expect(self.page.locator("body")).to_have_attribute("data-state", "ready", timeout=READY_MS)

    def until(self, expression: str) -> None:
        """Wait until a script is true. Playwright's own way is stopped by the page's policy, as it should be."""
        deadline = time.monotonic() + READY_MS / 1_000
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"never true: {expression}"
            self.page.wait_for_timeout(50)

    def get(self, testid: str, **attributes: str) -> Any:
        """Give the locator of the elements with a test id, and with these ``data-`` attributes."""
        more = "".join(f"[data-{name}={_quoted(value)}]" for name, value in attributes.items())
        return self.page.locator(f'[data-testid="{testid}"]{more}')

    def tab(self, name: str) -> None:
        """Open a tab: metrics, hyperparameters, best, summary."""
        self.get(f"tab-{name}").click()

    def keep_toasts(self) -> None:
        """Let messages stay until the page is left: how long a person has for them is no matter of a busy machine."""
        self.page.evaluate(
            "(toast => { neural.toast = (text, more) => toast(text, {...more, seconds: 1e6}); })(neural.toast)"
        )

    def api(self, path: str) -> list[str]:
        """Give the requests made so far to a route below ``/api/v1``."""
        return [request for request in self.requests if f"/api/v1/{path}" in request]

    def was_executed(self) -> bool:
        """Tell whether text of the store was run as a script."""
        return bool(self.page.evaluate("'__executed' in window"))

    def leave(self) -> None:
        """End the profile; what was wrong is in `problems`."""
        if not self._left:
            self._left = True
            self.context.close()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\a ")
    return f'"{escaped}"'
