"""Figures as text: a table for the terminal, and sections of results.md."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence

from benchmarks.machine import Company, describe
from benchmarks.measure import Figure

__all__ = ["document", "section", "table"]

_HEAD = ("what", "measured", "bound", "measured ÷ bound", "holds", "beside it, in the same run")
_COMMAND = re.compile(r"^`python -m benchmarks\.run (\w+)`", re.MULTILINE)


def _cells(figure: Figure) -> tuple[str, ...]:
    def amount(value: float | None) -> str:
        return "" if value is None else f"{_number(value)} {figure.unit}".strip()

    bound = "" if figure.bound is None else f"{'≥' if figure.floor else '≤'} {amount(figure.bound)}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    holds = "" if figure.bound is None else "yes" if figure.holds else "NO"
    return figure.question, amount(figure.value), bound, ratio, holds, figure.reference


def _number(value: float) -> str:
    if float(value).is_integer() or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(figures: Iterable[Figure]) -> str:
    """Give figures in columns."""
    rows = [_HEAD, *map(_cells, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def section(name: str, title: str, figures: Iterable[Figure], beside: Company) -> str:
    """Give the section of one benchmark."""
    when = f"`python -m benchmarks.run {name}`, {time.strftime('%Y-%m-%d', time.gmtime())}; {beside}."
    rows = (_HEAD, ["---"] * len(_HEAD), *map(_cells, figures))
    return "\n".join([f"## {title}", "", when, "", *("| " + " | ".join(row) + " |" for row in rows)])


def document(sections: Iterable[str], before: str, order: Sequence[str]) -> str:
    """Put new sections in the place of those of the same benchmarks; the others stay as they were.

    Args:
        sections: as `section` gives them.
        before: the document so far, possibly empty.
        order: the names of the benchmarks.
    """
    old = ["## " + text.strip() for text in before.split("\n## ")[1:]]
    found = {match[1]: text for text in [*old, *sections] if (match := _COMMAND.search(text))}
    kept = [found[name] for name in order if name in found]
    rows = [line for text in kept for line in text.splitlines() if re.search(r" \| (yes|NO) \| ", line)]
    held = sum(" | yes | " in line for line in rows)
    head = (
        f"{held} of {len(rows)} bounds hold. {describe()}. The machine was shared with other work: absolute times are "
        "upper limits. Rounds of what is compared alternate, and each figure is a median unless it says otherwise. "
        "[README.md](README.md) tells how each was measured; the command above a table measures it again."
    )
    return "\n\n".join(["# Measured figures", head, *kept]) + "\n"
