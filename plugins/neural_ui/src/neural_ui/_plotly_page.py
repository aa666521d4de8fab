"""One figure as a page: its JSON, and a script beside it that all pages of the folder share."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from neural_core.records import PlotFile

__all__ = ["data_block", "plot_page", "plotly_script", "policy", "standalone", "vendor"]

_HERE = Path(__file__).parent


def standalone(name: str) -> str:
    """Give a file of the pages that stand alone."""
    return (_HERE / "_standalone" / name).read_text(encoding="utf-8")


@cache
def vendor(name: str) -> bytes:
    """Give a vendored file as it came."""
    return (_HERE / "assets" / "vendor" / name).read_bytes()


@cache
def plotly_script() -> tuple[str, bytes]:
    """Give the name, with its version, and the content of plotly's basic bundle."""
    content = vendor("plotly-basic.min.js")
    version = re.search(rb"v(\d+\.\d+\.\d+)", content[:200])
    return f"auto_plotly-basic-{version[1].decode() if version else 'unknown'}.min.js", content


def data_block(name: str, data: object) -> str:
    """Give data for a script, as an element that nothing runs and that no text in it can end."""
    text = json.dumps(data, allow_nan=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    return f'<script type="application/json" id="{name}">{text}</script>'


def policy(*scripts: str, more: str = "") -> str:
    """Give the content security policy of a page that runs these inline scripts and no other."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{value}'" for value in hashes)
    return (
        f"default-src 'none'; script-src {allowed}{more}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def plot_page(experiment: str, name: str, spec: Mapping[str, Any]) -> PlotFile:
    """Make the page of one figure.

    Args:
        experiment: display name, for the window's title.
        name: of the plot, shown where the figure has no title of its own.
        spec: data and layout.
    """
    file, library = plotly_script()
    script, style = standalone("plot.js"), standalone("plot.css")
    about = spec["layout"].get("meta", {})
    heading = html.escape(about.get("name", name.capitalize()))
    note = html.escape(" · ".join(text for text in (experiment, about.get("note", "")) if text))
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy(script, more=" 'self' file:")}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{heading} · {html.escape(experiment)}</title>
<style>{style}</style>
</head>
<body>
<h1>{heading} <small>{note}</small></h1>
<button id="log" type="button" aria-pressed="false" hidden>Log y</button>
<div id="plot" role="img" aria-label="{heading}"></div>
{data_block("figure", spec)}
<script src="{file}"></script>
<script>{script}</script>
</body>
</html>
"""
    return PlotFile(page.encode(), ".html", {file: library})
