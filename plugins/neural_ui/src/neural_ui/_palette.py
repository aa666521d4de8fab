"""The colours of experiments, the same as those of the page's style sheet, and text that Plotly draws literally.

Ten colours with a contrast of at least 3:1 that stay apart for people who see red and green alike (OKLab ΔE ≥ 0.09).
"""

from __future__ import annotations

import re

from neural_core.reading import StoredRun

__all__ = ["RUN_COLOURS", "dash_of", "faded", "literal", "run_colour"]

RUN_COLOURS = (
    "#5588fb", "#344b0d", "#fd5b0b", "#4fa46a", "#2721af", "#6f1360", "#965b3b", "#1e6c8e", "#d071bb", "#8c2dd8",
)  # fmt: skip
"""Of the light theme; the page exchanges each for its twin in the dark one."""
_DASHES = ("solid", "dash", "dot")


def run_colour(run: StoredRun) -> str:
    """Give the colour of an experiment: its own, or by its place of creation; it goes round after ten."""
    own = run.row.color
    return own if re.fullmatch(r"#[0-9a-fA-F]{6}", own) else RUN_COLOURS[run.ordinal % len(RUN_COLOURS)]


def dash_of(run: StoredRun) -> str:
    """Give the dash that tells apart experiments of one colour: solid, dash, dot."""
    return _DASHES[run.ordinal // len(RUN_COLOURS) % len(_DASHES)]


def faded(colour: str, opacity: float) -> str:
    """Give a ``#rrggbb`` colour with an opacity from 0 to 1."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def literal(text: str) -> str:
    """Escape a name for Plotly, which reads some HTML, formulas and templates in the text that it draws."""
    for sign, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("$", "&#36;"), ("%{", "%&#123;")):
        text = text.replace(sign, written)
    return text
