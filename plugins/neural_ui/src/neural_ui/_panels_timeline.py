"""The tab Timeline: when each experiment ran, for how long, and how it ended. A panel like anybody's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from neural_core.reading import StoredRun
from neural_ui.panels import SeriesReader, colour_of, literal

__all__ = ["Timeline", "duration", "seconds_of"]

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


class Timeline:
    """Draws a bar from start to end for each experiment, the earliest at the top."""

    title = "Timeline"

    def figure(self, experiments: Sequence[StoredRun], series: SeriesReader) -> dict[str, Any]:
        """Draw; metrics are not read."""
        del series
        runs = sorted(experiments, key=lambda run: _start(run))
        least = 0.003 * (_end(runs) - _start(runs[0])) if runs else 0.0  # of seconds that can be seen as a bar
        bars = {
            "type": "bar",
            "orientation": "h",
            "y": list(range(len(runs))),
            "base": [_date(_start(run)) for run in runs],
            "x": [max(seconds_of(run), least) * 1_000 for run in runs],
            "width": 0.62,
            "marker": {
                "color": [colour_of(run) for run in runs],
                "opacity": [1 if run.row.status in ("completed", "running") else 0.45 for run in runs],
            },
            "text": [f"{duration(seconds_of(run))} · {run.row.status}" for run in runs],
            "textposition": "auto",
            "cliponaxis": False,
            "customdata": [literal(run.row.name) for run in runs],
            "hovertemplate": "%{customdata}<br>%{text}<br>from %{base}<extra></extra>",
        }
        names = {"tickvals": bars["y"], "ticktext": [literal(_short(run.row.name)) for run in runs]}
        layout = {
            "xaxis": {"type": "date", "title": {"text": "UTC"}, **_range(runs)},
            "yaxis": {
                **names,
                "range": [len(runs) - 0.4, -0.6],
                "automargin": True,
                "showgrid": False,
                "zeroline": False,
            },
            "height": 120 + 34 * len(runs),
            "showlegend": False,
        }
        return {"data": [bars], "layout": layout}


def _date(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S.%f}"[:23]


def _range(runs: Sequence[StoredRun]) -> dict[str, list[str]]:
    """Leave room at the right, where short bars have their text."""
    if not runs:
        return {}
    low, high = _start(runs[0]), _end(runs)
    return {"range": [_date(low - 0.02 * (high - low)), _date(high + 0.2 * (high - low) + 1)]}


def _end(runs: Sequence[StoredRun]) -> float:
    return max(_start(run) + seconds_of(run) for run in runs)


def _start(run: StoredRun) -> float:
    try:
        return datetime.fromisoformat(run.row.start_time).timestamp()
    except ValueError:  # a damaged experiment has no more than the time of its folder
        return run.last_sign


def seconds_of(run: StoredRun) -> float:
    """How long it ran; up to its last sign of life when it has not ended."""
    end = run.row.end_time
    stop = run.last_sign if end is None else datetime.fromisoformat(end).timestamp()
    return max(0.0, stop - _start(run))


def duration(seconds: float) -> str:
    """Write seconds in the two largest units that say something."""
    whole = round(seconds)
    for size, unit in _UNITS:
        if whole >= size:
            smaller = {"d": (3_600, "h"), "h": (60, "min"), "min": (1, "s")}[unit]
            return f"{whole // size} {unit} {whole % size // smaller[0]} {smaller[1]}"
    return f"{seconds:.3g} s"


def _short(name: str) -> str:
    return name if len(name) <= 32 else f"{name[:15]}…{name[-15:]}"
