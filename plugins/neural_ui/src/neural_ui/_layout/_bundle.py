"""The page's own files, joined at start: one request for the scripts and one for the styles.

The sources stay small files with one job each; nothing is compiled. The address of a bundle holds its digest, so a
browser keeps it for ever and never shows an old one.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["Bundle", "bundle", "bundles"]

_ASSETS = Path(__file__).parents[1] / "assets"

# In order of need: a module uses others only after all are loaded, so the order matters for the first ones only.
_SCRIPTS = """
    core format state names colors api url runs filter smoothing grouping series stats traces ticks overlay
    hover chart cardhead cardtable sections cards zoom exporting menu toast actions toolbar tabs theme runlist
    swatches selection tablerows table markdown notes diff parallel scatter hyperparameters best bars summary
    sparkline drawer drawer_parts edits panels live legend keyboard main
"""
_STYLES = """
    tokens base controls labels icons early top_bar runs toolbar cards tables diff parallel sheet best summary drawer
    notes tooltip overlays empty narrow
"""


class Bundle(NamedTuple):
    """One answer: what it holds and how it is announced."""

    address: str
    content: bytes
    content_type: str


def _joined(folder: str, suffix: str, names: list[str]) -> bytes:
    return b"\n".join((_ASSETS / folder / f"{name}{suffix}").read_bytes() for name in names)


def _bundle(name: str, suffix: str, content: bytes, content_type: str) -> Bundle:
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Bundle(f"/page/{name}.{digest}{suffix}", content, content_type)


@cache
def bundles() -> dict[str, Bundle]:
    """Give every bundle by its name: boot, neural, plotly and markdown (scripts), bootstrap and style (styles)."""
    script, style = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
    vendor = _ASSETS / "vendor"
    return {
        "boot": _bundle("boot", ".js", _joined("js", ".js", ["boot"]), script),
        "neural": _bundle("neural", ".js", _joined("js", ".js", _SCRIPTS.split()), script),
        "markdown": _bundle("markdown", ".js", (vendor / "markdown-it.min.js").read_bytes(), script),
        "plotly": _bundle("plotly", ".js", (vendor / "plotly-basic.min.js").read_bytes(), script),
        "bootstrap": _bundle("bootstrap", ".css", (vendor / "bootstrap.min.css").read_bytes(), style),
        "style": _bundle("style", ".css", _joined("css", ".css", _STYLES.split()), style),
    }


def bundle(name: str) -> Bundle:
    """Give one bundle by its name.

    Raises:
        KeyError: there is none of this name.
    """
    return bundles()[name]
