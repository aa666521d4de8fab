"""Stores, servers and pages of the browser tests."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from live_run import LiveRun
from long_runs import make_long_runs
from page import ARGUMENTS, NewPage, Serve, UiPage
from playwright.sync_api import Browser, Page, sync_playwright
from server import Server
from stores import make_hostile_store, make_many_runs, make_metric_farm, make_small_store

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Give the system's Chromium; every page gets a profile of its own in it."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (on Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield running
        running.close()


@pytest.fixture(scope="session")
def serve() -> Iterator[Serve]:
    """Give a function from a base folder to the address of its server, which runs until the session ends."""
    servers: dict[Path, Server] = {}

    def start(base: Path) -> str:
        if base not in servers:
            servers[base] = Server(base)
        return servers[base].url

    yield start
    for server in servers.values():
        server.close()


def _store(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Iterator[Path]:
    folder = factory.mktemp(name)
    make(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def store_small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Six runs as a person has them; tests do not change it."""
    yield from _store(tmp_path_factory, "small", make_small_store)


@pytest.fixture(scope="module")
def page(browser: Browser, serve: Serve, store_small: Path) -> Iterator[Page]:
    """A page with its scripts, shared by the tests of a file, which leave it as it is."""
    ui = UiPage(browser, serve(store_small))
    yield ui.open()
    ui.leave()


@pytest.fixture(scope="session")
def store_20x1m(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Twenty runs with four metrics of a million points each."""
    yield from _store(tmp_path_factory, "long", make_long_runs)


@pytest.fixture(scope="session")
def store_1000_runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A thousand runs."""
    yield from _store(tmp_path_factory, "many", make_many_runs)


@pytest.fixture(scope="session")
def store_1000_metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two runs with a thousand metrics."""
    yield from _store(tmp_path_factory, "farm", make_metric_farm)


@pytest.fixture(scope="session")
def store_hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names, values and folders that mean harm."""
    yield from _store(tmp_path_factory, "hostile", make_hostile_store)


@pytest.fixture
def own_store(tmp_path: Path) -> Path:
    """A small store of the test's own, which it may change."""
    base = tmp_path / "own"
    base.mkdir()
    make_small_store(base, runs=3, steps=60)
    return base


@pytest.fixture
def own_server(own_store: Path, pages: list[UiPage]) -> Iterator[str]:
    """The address of a server of the test's own store, ended with the test, after the pages that look at it."""
    server = Server(own_store)
    yield server.url
    for page in pages:
        page.leave()
    server.close()


@pytest.fixture
def live_writer(own_store: Path) -> Iterator[LiveRun]:
    """A process that writes another run into the test's own store, row by row as the test says."""
    run = LiveRun(own_store)
    yield run
    run.close()


@pytest.fixture
def pages() -> Iterator[list[UiPage]]:
    """The pages of the test; at its end each is closed and says what was wrong with it."""
    opened: list[UiPage] = []
    yield opened
    for page in opened:
        page.leave()
    problems = [problem for page in opened for problem in page.problems]
    assert not problems, "\n".join(problems)


@pytest.fixture
def new_page(browser: Browser, pages: list[UiPage]) -> NewPage:
    """Give a function from a server's address to a page in a fresh profile; see `UiPage` for its options."""

    def make(url: str, **options: Any) -> UiPage:
        pages.append(UiPage(browser, url, **options))
        return pages[-1]

    return make


@pytest.fixture
def ui(new_page: NewPage, serve: Serve, store_small: Path) -> UiPage:
    """A page of the small store, not yet loaded."""
    return new_page(serve(store_small))


@pytest.fixture
def screenshots() -> Path | None:
    """Where screenshots go that a person wants to see: SCREENSHOTS; None when nobody does."""
    folder = os.environ.get("SCREENSHOTS")
    return Path(folder) if folder else None
