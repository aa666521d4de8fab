"""The document that Dash fills: own scripts first, so that data is on its way before Dash has started."""

from __future__ import annotations

import html

from neural_ui._layout._bundle import bundle

__all__ = ["index_string"]

_TEMPLATE = """<!DOCTYPE html>
<html lang="en">
  <head>
    {{%metas%}}
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta name="neural-token" content="{token}">
    <meta name="neural-markdown" content="{markdown}">
    <title>neural</title>
    <link rel="icon" href="data:image/svg+xml,{icon}">
    <link rel="preload" as="fetch" crossorigin href="/api/v1/runs?newest=500">
    <script src="{boot}"></script>
    <link rel="stylesheet" href="{bootstrap}">
    {{%css%}}
    <link rel="stylesheet" href="{style}">
    <script async fetchpriority="high" src="{neural}"></script>
    <link rel="preload" as="script" fetchpriority="low" href="{plotly}" id="plotly">
  </head>
  <body data-state="loading">
    {{%app_entry%}}
    <footer>
      {{%config%}}
      {{%scripts%}}
      {{%renderer%}}
    </footer>
  </body>
</html>"""

_ADDRESSES = ("boot", "bootstrap", "style", "neural", "plotly", "markdown")
_ICON = (
    "%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' "
    "fill='%235b5bd6'/%3E%3Cpath d='M3 4v6q0 2 2 2h8' fill='none' stroke='%23fff' stroke-opacity='.5'/%3E%3Cpath "
    "d='M4 4q1.5 6 4 6.5t5 .5' fill='none' stroke='%23fff' stroke-width='1.7' stroke-linecap='round'/%3E%3C/svg%3E"
)


def index_string(token: str) -> str:
    """Give the document in the form that `dash.Dash(index_string=...)` takes.

    Args:
        token: of this server process; the page sends it back with every change.
    """
    addresses = {name: bundle(name).address for name in _ADDRESSES}
    return _TEMPLATE.format(token=html.escape(token, quote=True), icon=_ICON, **addresses)
