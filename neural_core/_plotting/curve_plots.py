"""One figure per metric, and all metrics in one figure of small panels."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from neural_core._plotting.curves import Curve, draw, fit
from neural_core._plotting.layout import axis_word, grid, panel_title, tick_room
from neural_core._plotting.style import INK, MUTED, PALETTE, add_axes, colour_of, font, heading, new_figure
from neural_core._plotting.text import number
from neural_core._series import lower_is_better

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Family", "combined_figure", "families", "metric_figure", "remarks"]

_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "eval", "dev", "test", "testing"})


def metric_figure(name: str, curve: Curve, size: tuple[float, float]) -> Figure:
    """Draw one metric over its steps, smallest and largest value marked."""
    figure = new_figure(size)
    height = max(0.5, size[1] - 1.75)
    axes = add_axes(figure, 0.85, 0.7, max(0.5, size[0] - 1.2), height)
    draw(axes, curve, PALETTE[0])
    log = fit(axes, [curve], pad=min(0.3, 0.42 / height))
    heading(figure, name, remarks([curve], log=log, last=True))
    axis_word(axes, "step" if curve.stepped else "position (not every point has a step)")
    _mark_extremes(axes, name, curve)
    return figure


def remarks(curves: Sequence[Curve], *, log: bool, last: bool = False, band: bool = True) -> str:
    """Say in one line how much was drawn and how."""
    missing, infinite = sum(curve.missing for curve in curves), sum(curve.infinite for curve in curves)
    count = sum(curve.count for curve in curves)
    parts = [f"{count:,} point{'s' if count != 1 else ''}"]
    if last and count > 1:
        parts.append(f"last {number(curves[0].last[1])}")
    if missing:
        parts.append(f"{missing:,} NaN left open")
    if infinite:
        parts.append(f"{infinite:,} infinite, marked at the edge")
    if any(curve.mean_x is not None for curve in curves):
        parts.append("strong line: mean, pale: every extreme" if band else "lines are means")
    if log:
        parts.append("logarithmic")
    return "  ·  ".join(parts)


def _mark_extremes(axes: Axes, name: str, curve: Curve) -> None:
    """Mark minimum and maximum, the better one filled. The labels lie outside the range of the values."""
    if curve.low[1] == curve.high[1]:
        text = number(curve.high[1], 6)
        _mark(axes, curve.high, text if curve.count == 1 else f"constant {text}", above=True, best=True)
        return
    best_is_low = lower_is_better(name)
    place = "step" if curve.stepped else "position"
    for word, point, above in (("min", curve.low, False), ("max", curve.high, True)):
        text = f"{word} {number(point[1])} at {place} {number(point[0], 7)}"
        _mark(axes, point, text, above=above, best=above != best_is_low)


def _mark(axes: Axes, point: tuple[float, float], text: str, *, above: bool, best: bool) -> None:
    axes.plot(
        [point[0]],
        [point[1]],
        linestyle="None",
        marker="o",
        markersize=7,
        markeredgewidth=1.6,
        zorder=5,
        markerfacecolor=PALETTE[0] if best else "white",
        markeredgecolor="white" if best else PALETTE[0],
        clip_on=False,
    )
    left, right = axes.get_xlim()
    part = (point[0] - left) / (right - left)
    side = "left" if part < 0.14 else "right" if part > 0.86 else "center"
    axes.annotate(
        text,
        point,
        xytext=({"left": -4, "right": 4}.get(side, 0), 9 if above else -9),
        textcoords="offset points",
        ha=side,
        va="bottom" if above else "top",
        color=INK if best else MUTED,
        zorder=6,
        fontproperties=font(9, "bold" if best else "normal"),
        parse_math=False,
        usetex=False,
        bbox={"facecolor": "white", "edgecolor": "none", "linewidth": 0, "pad": 1, "alpha": 0.85},
    )


@frozen
class Family:
    """Metrics that share a panel: its title, and (split, metric name) of each line."""

    title: str
    members: tuple[tuple[str, str], ...]


def families(names: Sequence[str]) -> list[Family]:
    """Put ``train_loss`` and ``val_loss`` into one family ``loss``; a metric that is alone keeps its full name."""
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for name in names:
        split, rest = _split(name)
        taken = split in groups.get((rest, ""), {})
        groups.setdefault((rest, name if taken else ""), {})[split] = name
    return [_family(rest, group) for (rest, _), group in groups.items()]


def _family(title: str, group: dict[str, str]) -> Family:
    members = tuple(group.items())
    return Family(title, members) if len(members) > 1 else Family(members[0][1], (("", members[0][1]),))


def _split(name: str) -> tuple[str, str]:
    """Give (``train``, ``loss``) of ``train_loss``, ``train/loss`` or ``loss_train``; ("", name) of other names."""
    parts = re.split(r"([_/. -])", name[:500])
    if len(name) <= 500 and len(parts) >= 3:
        if parts[0].lower() in _SPLITS:
            return parts[0], "".join(parts[2:])
        if parts[-1].lower() in _SPLITS:
            return parts[-1], "".join(parts[:-2])
    return "", name


def combined_figure(
    title: str, shown: Sequence[Family], curves: Mapping[str, Curve], size: tuple[float, float]
) -> Figure:
    """Draw one small panel per family of metrics, all over the same steps."""
    drawn = [curves[name] for family in shown for _, name in family.members]
    same = len({curve.stepped for curve in drawn}) == 1
    subtitle = f"{len(drawn)} metric{'s' if len(drawn) != 1 else ''}, last values  ·  {remarks(drawn, log=False)}"
    figure, panels = grid(title, subtitle, len(shown), size)
    columns = _columns(panels)
    for place, (axes, family) in enumerate(zip(panels, shown, strict=True)):
        _panel(axes, family, curves, drawn if same else [])
        if place + columns < len(panels):
            axes.tick_params(labelbottom=not same)
        else:
            axis_word(axes, ("step" if drawn[0].stepped else "position") if same else "step, or position without one")
    return figure


def _columns(panels: Sequence[Axes]) -> int:
    """How many panels the first row holds."""
    return sum(1 for axes in panels if abs(axes.get_position().y0 - panels[0].get_position().y0) < 1e-9)


def _panel(axes: Axes, family: Family, curves: Mapping[str, Curve], across: Sequence[Curve]) -> None:
    own = [curves[name] for _, name in family.members]
    values = []
    for ordinal, ((split, _), curve) in enumerate(zip(family.members, own, strict=True)):
        draw(axes, curve, colour_of(ordinal), width=1.4)
        last = number(curve.last[1], 3)
        alone = len(own) == 1
        values.append(
            (last if alone else f"{split or family.title[:12]} {last}", MUTED if alone else colour_of(ordinal))
        )
    fit(axes, own, across=across, ticks=tick_room(axes))
    panel_title(axes, family.title, values)
