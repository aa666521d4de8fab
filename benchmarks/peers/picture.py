"""The picture of the README: three questions, a bar for each contestant, legible on light and on dark pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen

from benchmarks.measure import median
from benchmarks.peers.bench import Row
from benchmarks.peers.contestants import BARE, CONTESTANTS, NEURAL
from benchmarks.peers.record import Record

__all__ = ["draw"]

_INK, _FAINT, _PEER, _OURS, _LOST = "#76808c", "#76808c40", "#9aa4af", "#3b82f6", "#e5534b"
_NONE = "\N{EN DASH}"
_SHORT = {BARE: "bare write", NEURAL: "neural", "tensorboardx": "tensorboardX"}
_STYLE: Any = {  # Matplotlib names every key as a type of its own
    "svg.hashsalt": "neural",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],
    "font.size": 10,
}


@frozen
class Panel:
    """One question of the picture.

    Attributes:
        part: of the record.
        key: how the key of its row begins; the middle one counts.
        title: what it asks.
        note: what the figure is, in small letters.
        colour: of a peer's bars.
        logarithmic: whether its axis is.
    """

    part: str
    key: str
    title: str
    note: str
    colour: str = _PEER
    logarithmic: bool = False

    def row(self, record: Record) -> Row | None:
        """Find its row."""
        part = record.parts.get(self.part)
        rows = [row for row in part.rows if row.key.startswith(self.key)] if part else []
        return rows[len(rows) // 2] if rows else None


_PANELS = (
    Panel("calls", "p50", "One log call of 4 values", "median, on a logarithmic scale", logarithmic=True),
    Panel("startup", "whole", "Start to exit", "of a script that logs one value"),
    Panel("kills", "share", "Lost to SIGKILL", "of the calls that had returned", colour=_LOST),
)


def draw(record: Record, path: Path) -> None:
    """Draw what is known of the panels' questions; nothing where the first is not known."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    panels = [(panel, row) for panel in _PANELS if (row := panel.row(record))]
    if not panels or panels[0][0] is not _PANELS[0]:
        return
    first = panels[0][1].values
    names = [one.name for one in CONTESTANTS if one.name in first and (one.name == NEURAL or not one.is_ours)]
    names.sort(key=lambda name: median(first[name]))
    with rc_context(_STYLE):
        figure = Figure(figsize=(10, 0.34 * len(names) + 0.9), layout="constrained")
        widths = [1.5, 1.0, 1.0][: len(panels)]
        axes = figure.subplots(1, len(panels), width_ratios=widths, sharey=True, squeeze=False)[0]
        for axis, (panel, row) in zip(axes, panels, strict=True):
            _panel(axis, panel, row, names)
        _names(axes[0], names)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, transparent=True, metadata={"Date": None})


def _panel(axis: Any, panel: Panel, row: Row, names: list[str]) -> None:
    values = {name: median(row.values[name]) for name in names if row.values.get(name)}
    for place, name in enumerate(names):
        if name not in values:
            axis.text(0.0, place, _NONE, color=_INK, va="center", transform=axis.get_yaxis_transform())
            continue
        colour = _OURS if name == NEURAL else _FAINT if name == BARE else panel.colour
        axis.barh(place, values[name], height=0.62, color=colour)
        axis.annotate(
            _label(values[name], row.unit),
            (values[name], place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            color=_OURS if name == NEURAL else _INK,
            weight="bold" if name == NEURAL else "normal",
        )
    axis.set_title(panel.title, color=_INK, loc="left", fontsize=11, weight="bold", pad=19)
    axis.annotate(
        panel.note, (0, 1), xytext=(0, 5), xycoords="axes fraction", textcoords="offset points", color=_INK, fontsize=9
    )
    if panel.logarithmic:
        axis.set_xscale("log")
        axis.set_xlim(min(values.values()) / 3, max(values.values()) * 4)
    else:
        axis.set_xlim(0, max(*values.values(), 1e-9) * 1.3)
    axis.invert_yaxis()
    axis.tick_params(which="both", length=0, labelbottom=False, colors=_INK)
    for side, spine in axis.spines.items():
        spine.set_visible(side == "left")
        spine.set_color(_INK)


def _names(axis: Any, names: list[str]) -> None:
    titles = {one.name: _SHORT.get(one.name, one.title.partition(" ")[0]) for one in CONTESTANTS}
    axis.set_yticks(range(len(names)), [titles[name] for name in names])
    for label, name in zip(axis.get_yticklabels(), names, strict=True):
        label.set_color(_OURS if name == NEURAL else _INK)
        label.set_weight("bold" if name == NEURAL else "normal")


def _label(value: float, unit: str) -> str:
    if unit == "µs" and value >= 1000:
        value, unit = value / 1000, "ms"
    if unit == "ms" and value >= 1000:
        value, unit = value / 1000, "s"
    digits = f"{value:.0f}" if value >= 20 or value == 0 else f"{value:.1f}"
    return f"{digits} {unit}"
