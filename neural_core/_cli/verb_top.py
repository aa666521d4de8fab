"""``neural top``: the experiments that run, in the terminal, while they do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import click

from neural_core._cli.output import base_dir_option, legible, number, say, status_text
from neural_core._reading_api.listing import unix_time
from neural_core.reading import ExperimentStore, StoredRun

__all__ = ["command"]

_OPEN = ("running", "created", "stalled")
_METRICS = 4
_NUMBER = 9
_OTHER_COLUMNS = 12 + 2 + 10 + 2 + 9 + 2 + 7 + 2 + 6 + 2 + 6
"""Characters for id, name, status, time, step and speed; the name takes more where there is room."""
_LATELY_SECONDS = 60.0
"""So long an experiment stays in the table after its end: how it ended is seen."""


@click.command()
@base_dir_option
@click.option("--every", metavar="SECONDS", default=1.0, show_default=True, type=click.FloatRange(0.1, 3600.0),
              help="Look again so often.")  # fmt: skip
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Show this metric; may be given again.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="At most so many lines.")
@click.option("--once", is_flag=True, help="Show the table once, as it is now.")
def command(base_dir: str, every: float, metrics: Sequence[str], limit: int, once: bool) -> None:
    """Watch the experiments that run: step, speed and the last values. Ctrl-C ends it; the training does not notice.

    Without a terminal, as in a pipe, it shows the table once.
    """
    from rich.console import Console

    console = Console(markup=False, highlight=False, emoji=False)
    watch = _Watch(ExperimentStore(base_dir), metrics, limit)
    if once or not console.is_terminal:
        if not console.is_terminal:
            console.width = 10_000
        shown = watch.frame(console.width)
        if shown is None:
            say(watch.nothing)
        else:
            console.print(shown)
        return
    _live(console, watch, every)


def _live(console: Any, watch: _Watch, every: float) -> None:
    from rich.live import Live
    from rich.text import Text

    try:
        with Live(console=console, auto_refresh=False, transient=False) as live:
            while True:
                live.update(watch.frame(console.width) or Text(watch.nothing), refresh=True)
                time.sleep(every)
    except KeyboardInterrupt:
        return  # this is how it ends


class _Watch:
    """Makes a table of what runs; between two looks it tells how fast."""

    def __init__(self, store: ExperimentStore, metrics: Sequence[str], limit: int) -> None:
        self._store = store
        self._metrics = metrics
        self._limit = limit
        self._seen: dict[str, tuple[float, int]] = {}
        self._speeds: dict[str, float] = {}
        self.nothing = legible(f"nothing runs in {store.base_dir}")

    def frame(self, width: int) -> Any:
        """Look, and give the table for a terminal of this width; None when nothing runs."""
        now = time.time()
        shown = [run for run in self._store.listed().runs if _is_shown(run, now)]
        runs = sorted(shown, key=lambda run: run.row.status not in _OPEN)  # the newest first among each
        for run in runs:
            self._measure(run, time.monotonic())
        return self._table(runs[: self._limit], len(runs), now, width) if runs else None

    def _measure(self, run: StoredRun, now: float) -> None:
        """Tell rows a second by the metric that has most points: every row has at most one of each."""
        count = max((info.count for info in run.row.metrics.values()), default=0)
        then, before = self._seen.get(run.id, (now, count))
        if now > then:
            self._speeds[run.id] = (count - before) / (now - then)
        self._seen[run.id] = now, count

    def _table(self, runs: Sequence[StoredRun], total: int, now: float, width: int) -> Any:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        names = list(self._metrics) or _fitting(runs, width)
        more = f", {len(runs)} shown" if total > len(runs) else ""
        title = f"{total} experiment{'s' if total > 1 else ''} in {self._store.base_dir}{more}"
        table = Table(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            collapse_padding=True,
            show_edge=False,
            title=Text(legible(title)),
            title_justify="left",
        )
        for heading in ("id", "name", "status", "time", "step", "rows/s", *names):
            justify: Any = "right" if heading not in ("id", "name", "status") else "left"
            table.add_column(Text(legible(heading)), justify=justify, no_wrap=heading != "name", overflow="fold")
        for run in runs:
            cells = [self._cell(run, name) for name in names]
            own = [run.row.experiment_id, legible(run.row.name)]
            middle = [_elapsed(run, now), _step(run), self._speed(run)]
            table.add_row(*map(Text, own), status_text(run.row), *map(Text, [*middle, *cells]))
        return table

    def _speed(self, run: StoredRun) -> str:
        speed = self._speeds.get(run.id)
        return (
            "" if speed is None or run.row.status not in _OPEN else f"{speed:,.0f}" if speed >= 10 else f"{speed:.1f}"
        )

    def _cell(self, run: StoredRun, name: str) -> str:
        info = run.row.metrics.get(name)
        return "" if info is None else number(info.last)


def _fitting(runs: Sequence[StoredRun], width: int) -> list[str]:
    """Give the first metrics, as far as the line holds them."""
    room, chosen = width - _OTHER_COLUMNS, []
    for name in list(dict.fromkeys(name for run in runs for name in run.row.metrics))[:_METRICS]:
        room -= max(len(legible(name)), _NUMBER) + 2
        if room >= 0:
            chosen.append(name)
    return chosen


def _is_shown(run: StoredRun, now: float) -> bool:
    end = unix_time(run.row.end_time)
    return run.row.status in _OPEN or (end is not None and now - end < _LATELY_SECONDS)


def _elapsed(run: StoredRun, now: float) -> str:
    start = unix_time(run.row.start_time)
    if start is None:
        return ""
    seconds = max(0, int((unix_time(run.row.end_time) or now) - start))
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _step(run: StoredRun) -> str:
    steps = [info.last_step for info in run.row.metrics.values() if info.last_step is not None]
    return f"{max(steps):,}" if steps else ""
