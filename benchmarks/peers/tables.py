"""The comparison as text: a table for each part, and where a peer is better than neural."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from benchmarks.measure import median
from benchmarks.peers.bench import Row
from benchmarks.peers.contestants import BARE, CONTESTANTS, NEURAL
from benchmarks.peers.record import Part, Record

__all__ = ["Comparison", "compared", "number", "section"]

_PEERS = [one.name for one in CONTESTANTS if one.is_peer]
_OURS = [one.name for one in CONTESTANTS if one.is_ours]
_EQUAL = 1.02
"""A ratio up to which two figures are the same: no measurement is better."""


@frozen
class Comparison:
    """A row's figure of one manner of neural beside the best peer's.

    Attributes:
        own: of neural.
        best: of the peer that has the least.
        peer: its name.
    """

    own: float
    best: float
    peer: str

    @property
    def ratio(self) -> float | None:
        """Own ÷ best; None where both are nothing, and infinite where only the best is."""
        if self.best <= 0:
            return None if self.own <= 0 else float("inf")
        return self.own / self.best

    @property
    def is_worse(self) -> bool:
        """Tell whether the peer is better, by more than a measurement can be off."""
        return self.ratio is not None and self.ratio > _EQUAL


def compared(row: Row, ours: str = NEURAL) -> Comparison | None:
    """Compare a row; None where it has no order, or one side no figure."""
    peers = {name: median(row.values[name]) for name in _PEERS if row.values.get(name)}
    if not row.ranked or not peers or not row.values.get(ours):
        return None
    peer = min(peers, key=lambda name: peers[name])
    return Comparison(median(row.values[ours]), peers[peer], peer)


def number(value: float) -> str:
    """Give a value in three digits."""
    if 0 < value < 0.001:
        return "< 0.001"
    return f"{value:,.0f}" if abs(value) >= 100 or float(value).is_integer() else f"{value:.3g}"


def section(record: Record) -> str:
    """Give the section of results.md."""
    parts = list(record.parts.values())
    rounds = max((len(values) for part in parts for row in part.rows for values in row.values.values()), default=0)
    days = sorted({part.when for part in parts})
    lines = [
        "## Beside its peers",
        "",
        f"`python -m benchmarks.run peers`, {', '.join(days)}. Each tool runs in an environment of its own, as its",
        "documentation shows, on the same work; every round runs each tool once, in rotating order. Less is better in",
        f"every row. A figure is the median of {rounds} rounds, or of as many as stand in brackets: a tool that takes",
        "long has fewer. Sizes are weighed once, kills are added up.",
        "",
        f"Versions: {', '.join(record.titles[name] for name in _PEERS if name in record.titles)}.",
        *(f"Not taking part: {name}, {reason}." for name, reason in record.skipped.items()),
        "",
    ]
    for part in parts:
        lines += [*_part(part, record), ""]
    return "\n".join([*lines, *_worse(parts, record)])


def _part(part: Part, record: Record) -> Iterator[str]:
    names = [one.name for one in CONTESTANTS if any(row.values.get(one.name) for row in part.rows)]
    titles = [record.titles[name] for name in names]
    yield f"### {part.title}"
    yield ""
    yield f"{part.when}; {part.beside}."
    yield ""
    yield f"| | {' | '.join(titles)} | neural ÷ best peer | neural ÷ bare write |"
    yield "|" + "---|" * (len(names) + 3)
    for row in part.rows:
        unit = f", {row.unit}" if row.unit else ""
        cells = [_cell(row, name) for name in names]
        yield f"| {row.question}{unit} | {' | '.join(cells)} | {_to_best(row, record)} | {_to_bare(row)} |"
    notes = [f"- {record.titles[name]}: {note}." for name, note in _notes(part)]
    yield from ["", *notes] if notes else []


def _cell(row: Row, name: str) -> str:
    values = row.values.get(name)
    if not values:
        return "\N{EN DASH}"
    few = f" ({len(values)})" if len(values) < max(map(len, row.values.values())) else ""
    return f"{number(median(values))}{few}{' *' if name in row.notes else ''}"


def _to_best(row: Row, record: Record) -> str:
    found = compared(row)
    if found is None:
        return ""
    if found.ratio is None:
        return "equal"
    ratio = number(found.ratio) if found.best > 0 else "the best is 0"
    return f"{ratio} ({record.titles[found.peer].partition(' ')[0]})"


def _to_bare(row: Row) -> str:
    bare, own = row.values.get(BARE), row.values.get(NEURAL)
    if not row.ranked or not bare or not own or median(bare) <= 0:
        return ""
    return number(median(own) / median(bare))


def _notes(part: Part) -> list[tuple[str, str]]:
    """Give what stands beside figures and in the place of figures, each once."""
    beside = [(name, f"* {note}") for row in part.rows for name, note in row.notes.items()]
    other = [(name, remark) for name, remarks in part.remarks.items() for remark in remarks]
    return list(dict.fromkeys([*beside, *other]))


def _worse(parts: list[Part], record: Record) -> Iterator[str]:
    yield "### Where a peer is better"
    yield ""
    found = [
        (row, name, comparison)
        for part in parts
        for row in part.rows
        for name in _OURS
        if (comparison := compared(row, name)) and comparison.is_worse
    ]
    if not found:
        yield "In none of these rows."
    for row, name, comparison in found:
        best = f"{record.titles[comparison.peer].partition(' ')[0]}'s {number(comparison.best)} {row.unit}".rstrip()
        times = f"{number(comparison.ratio or 0)} times " if comparison.best > 0 else "beside "
        yield f"- {row.question}: {record.titles[name]} {number(comparison.own)} {row.unit}, {times}{best}."
