"""The page's own files: what they may hold, whose they are, and how they are sent."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import neural_ui
import pytest
from neural_ui._layout import index_string, make_layout
from neural_ui._layout._bundle import bundle, bundles
from neural_ui._layout._toolbar import CONTROLS

ASSETS = Path(neural_ui.__file__).parent / "assets"
SCRIPTS = sorted((ASSETS / "js").glob("*.js"))
STYLES = sorted((ASSETS / "css").glob("*.css"))

# plotly.js-basic-dist-min 4.1.1, bootstrap 5.3.8 and markdown-it 15.0.3, as their makers published them.
VENDORED = {
    "bootstrap.LICENSE": "4620c84ad5ce8602ff65640ed6b7c8b78ebb9e036584f0ebc1ccc88206a4bb51",
    "bootstrap.min.css": "d85327d99c7a3ee1f9b5d0500d1370acea3ad2db39c163c2f51f232baedbdede",
    "markdown-it.LICENSE": "792c48c5a849a15fdf9e37e8bcf9e6d1dd13b32b46c642a748a0a46a9919d473",
    "markdown-it.min.js": "391f2aa638e75e6c7859d0a5c5650ef0956722a45998f17e05b83bc655778e1e",
    "plotly-basic.min.js": "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba",
    "plotly.LICENSE": "8c45d9eaf50c2f72dd9c7ab9ef440788ba58a3538484b5c51c1f17d5128752e7",
}


def test_vendored_files_are_the_published_ones() -> None:
    """Files of others are byte for byte those that were pinned, each with its licence."""
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (ASSETS / "vendor").iterdir()}
    assert found == VENDORED


@pytest.mark.fault("U08")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_small_strict_and_never_write_markup(script: Path) -> None:
    """A script is strict, has at most 250 lines, and brings text into the page as text only."""
    text = script.read_text(encoding="utf-8")
    assert text.startswith('"use strict";\n// ')
    assert len(text.splitlines()) <= 250
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://(?!www\.w3\.org/2000/svg)"
    assert re.findall(forbidden, text) == []


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_styles_are_small_and_fetch_nothing(style: Path) -> None:
    """A style sheet has at most 700 lines and names no other file: pictures are in it."""
    text = style.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 700
    assert re.findall(r"@import|url\((?![\"']?data:)", text) == []


def test_bundles_hold_every_file_once() -> None:
    """No script or style is forgotten: the bundles are exactly the files of the folders."""
    scripts = bundle("boot").content + b"\n" + bundle("neural").content
    assert sorted(scripts.split(b"\n")) == sorted(b"\n".join(path.read_bytes() for path in SCRIPTS).split(b"\n"))
    assert sorted(bundle("style").content.split(b"\n")) == sorted(
        b"\n".join(path.read_bytes() for path in STYLES).split(b"\n")
    )


def test_addresses_of_bundles_change_with_their_content() -> None:
    """The address of a bundle holds its digest, so that it may be kept for ever."""
    for one in bundles().values():
        assert hashlib.sha256(one.content).hexdigest()[:16] in one.address


@pytest.mark.fault("U12")
def test_document_has_no_inline_script_and_names_no_host() -> None:
    """The document around Dash's parts holds no script of its own and no address of another host."""
    text = index_string("token")
    assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>", text) == []
    assert "//" not in re.sub(r"http://www\.w3\.org/2000/svg", "", text).replace("<!DOCTYPE", "")


def test_document_loads_what_is_used(api: Any) -> None:
    """Of Dash's scripts the document leaves out those that the page has no use for: the first chart waits for none."""
    scripts = re.findall(r'<script [^>]*src="([^"]+)"', api.client.get("/").text)
    assert any("dash_renderer" in one for one in scripts)
    assert not [one for one in scripts if "polyfill" in one or "dash_table" in one]


def test_token_is_escaped_into_the_document() -> None:
    """The token of the server stands in the document as text, whatever it holds."""
    assert 'content="&quot;&gt;x"' in index_string('">x')


def test_layout_is_small() -> None:
    """The page starts with at most 250 components: Dash draws many components slowly."""
    assert sum(1 for _ in make_layout()._traverse()) <= 250


def test_controls_are_in_the_layout() -> None:
    """Every control that the page's one callback hears is a component of the layout."""
    ids = {getattr(one, "id", None) for one in make_layout()._traverse()}
    assert set(CONTROLS) <= ids
