"""The documentation as a site: it builds without a warning, is complete, and asks no other host for anything."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import neural.tracking
import neural_core
from docs.site.__main__ import build
from docs.site.assemble import DOCS, OUTSIDE, BrokenLinkError, assemble
from neural_core import (
    ExperimentManager,
    ExperimentTracker,
    errors,
    hookspecs,
    importing,
    plugins,
    reading,
    records,
    testing,
)

LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}
NOT_LOADED = {"canonical", "next", "prev", "alternate"}  # relations of <link> that a browser does not follow by itself


class Seen(HTMLParser):
    """What one built page links to, loads and can be linked at."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links, what is loaded, and the anchors of a tag."""
        given = {name: text or "" for name, text in attrs}
        if tag in LOADED and LOADED[tag] in given and given.get("rel") not in NOT_LOADED:
            self.loads.append(given[LOADED[tag]])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        self.anchors.update(given[name] for name in ("id", "name") if name in given)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site once; a warning fails."""
    return build(tmp_path_factory.mktemp("docs"))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Seen]:
    """Give every built page with what is in it."""
    return {path: Seen(path) for path in sorted(site.rglob("*.html"))}


def nav(entries: list[Any]) -> Iterator[str]:
    """Give the pages of the navigation, in order."""
    for entry in entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            yield from nav(value) if isinstance(value, list) else [value]


def test_every_page_is_in_the_navigation_once(pages: dict[Path, Seen], site: Path) -> None:
    """Each page of docs/, and each page made of another file, is built and is in the navigation once."""
    listed = list(nav(tomllib.loads((DOCS / "site" / "zensical.toml").read_text())["project"]["nav"]))
    inside = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]
    assert sorted(listed) == sorted([*inside, *OUTSIDE.values()])
    built = {path.relative_to(site).with_suffix(".md").as_posix() for path in pages}
    assert built == {*listed, "404.md"}


def test_links_lead_to_pages_and_places(pages: dict[Path, Seen]) -> None:
    """Every link inside the site leads to a file of it, and its anchor to a place there."""
    broken = []
    for path, seen in pages.items():
        for link in seen.links:
            parts = urlsplit(link)
            if parts.scheme or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in pages[target].anchors):
                broken.append(f"{path.name}: {link}")
    assert not broken


def test_nothing_is_asked_of_another_host(pages: dict[Path, Seen], site: Path) -> None:
    """No page loads anything from another host, no style sheet does, and fonts are the system's."""
    foreign = [load for seen in pages.values() for load in seen.loads if urlsplit(load).netloc]
    for style in site.rglob("*.css"):
        foreign += re.findall(r"(?:@import\s+|url\()[\"']?((?:https?:)?//[^\"')]+)", style.read_text(encoding="utf-8"))
    assert not foreign
    [worker] = site.rglob("iframe-worker.js")
    assert (worker.parent / "LICENSE").is_file()


def test_search_needs_no_server(site: Path) -> None:
    """The index of the search is a script, which a page that was opened from the disk may load; it knows our verbs."""
    index = (site / "search.js").read_text(encoding="utf-8")
    assert all(word in index for word in ("log_metrics", "how-to/resume.html", "NotInstalledError"))


@pytest.mark.parametrize(
    "module",
    [neural.tracking, neural_core, errors, hookspecs, importing, plugins, reading, records, testing],
    ids=lambda module: module.__name__,
)
def test_every_public_name_is_in_the_reference(module: Any, pages: dict[Path, Seen]) -> None:
    """Each name that a public module lists has a place of its own in the API reference."""
    documented = {
        anchor.rpartition(".")[2] for path, seen in pages.items() if "api" in path.parts for anchor in seen.anchors
    }
    assert set(module.__all__) - documented == set()


@pytest.mark.parametrize(
    "kind", [ExperimentTracker, ExperimentManager, reading.ExperimentStore], ids=lambda k: k.__name__
)
def test_every_verb_is_in_the_reference(kind: type, pages: dict[Path, Seen]) -> None:
    """Each public method and property of what users hold has a place of its own in the API reference."""
    verbs = {name for name in dir(kind) if not name.startswith("_")} - OURS
    anchors = {anchor for path, seen in pages.items() if "api" in path.parts for anchor in seen.anchors}
    assert {
        verb for verb in verbs if not any(anchor.endswith(f"{kind.__name__}.{verb}") for anchor in anchors)
    } == set()


OURS = {"spool", "stored"}
"""Makers of trackers that the core itself calls."""


def test_a_link_out_of_the_site_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that links to a file which is no page of the site is not built, and the error names both."""
    monkeypatch.delitem(OUTSIDE, "examples/nan_alert.py")
    with pytest.raises(BrokenLinkError, match=r"docs/.*\.md links to examples/nan_alert\.py"):
        assemble(tmp_path / "pages")


def test_pages_that_are_the_same_are_not_touched(tmp_path: Path) -> None:
    """Putting the pages together again writes what changed, removes what is gone, and leaves the rest alone."""
    assemble(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    faq, gone = tmp_path / "faq.md", tmp_path / "gone.md"
    good = faq.read_text()
    faq.write_text("old")
    gone.write_text("a page that was")
    assemble(tmp_path)
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert {path for path in after if after[path] != before.get(path)} <= {faq}
    assert (faq.read_text(), gone.exists()) == (good, False)
