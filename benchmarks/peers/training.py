"""The parts that concern the training script: import, start and end, the call, the whole loop."""

from __future__ import annotations

import time
from collections.abc import Mapping

from benchmarks.peers.bench import Bench, Figures, Row, rows_of
from benchmarks.peers.environments import NotPossibleError
from benchmarks.peers.processes import Place, Runner
from benchmarks.work import work_of_a_step

__all__ = ["calls", "imports", "loop", "startup"]


def imports(bench: Bench) -> list[Row]:
    """Import each in fresh processes, beside the start of the same Python alone."""
    runners = [runner for runner in bench.taking_part("imports") if runner.one.module]
    with bench.place() as place:

        def turn(runner: Runner) -> Figures:
            bare, ours = (_script(runner, place, code) for code in ("pass", f"import {runner.one.module}"))
            return {"above": ours - bare}

        bench.warm("import", runners, turn)  # files come into the page cache
        found = bench.rounds("import", runners, turn)
    return rows_of(found, {"above": ("import, above bare Python", "ms")})


def _script(runner: Runner, place: Place, code: str) -> float:
    began = time.perf_counter()
    with runner.launched(place, [str(runner.python), "-P", "-c", code]) as process:
        if process.wait():
            raise NotPossibleError(f"`{code}` fails")
        return time.perf_counter() - began


def startup(bench: Bench) -> list[Row]:
    """Log one value in a run of its own, in fresh processes; the store has runs already."""
    runners = bench.taking_part("startup")
    with bench.place() as places:

        def turn(runner: Runner) -> Figures:
            inside, whole = runner.run(Place(places.root / runner.one.name), "short")
            return {"inside": inside, "whole": whole}

        bench.warm("a run of one value", runners, turn)  # the store is made
        found = bench.rounds("a run of one value", runners, turn)
    return rows_of(
        found,
        {
            "inside": ("start, log one value, finish, without the import", "ms"),
            "whole": ("the whole script, from the start of Python to its end", "ms"),
        },
    )


def calls(bench: Bench) -> list[Row]:
    """Log 4 values a call, as often as the largest size says, in fresh stores."""
    counts, cut = bench.sizes.calls, {}

    def turn(runner: Runner) -> Figures:
        with bench.place() as place:
            answer, _ = runner.run(place, "calls", counts, bench.sizes.patience)
        cut[runner.one.name] = answer["calls"]
        figures = {
            f"{key}-{count}": one[key] for count, one in zip(counts, answer["figures"], strict=True) for key in one
        }
        return {**figures, "whole": answer["whole"]}

    found = bench.rounds("log calls", bench.taking_part("calls"), turn)
    rows = []
    for count in counts:
        keys = {
            f"p50-{count}": (f"log 4 values, {count:,} calls: p50", "µs"),
            f"p999-{count}": (f"{count:,} calls: p99.9", "µs"),
            f"growth-{count}": (f"{count:,} calls: p50 of the last tenth ÷ p50 of the first", "x"),
        }
        sized = _noted(rows_of(found, keys), cut, count, bench.sizes.patience)
        sized[-1].ranked = False  # a first tenth that is slow makes it small
        rows += sized
    whole = {"whole": (f"{counts[-1]:,} calls and the end of the run, ÷ calls", "µs")}
    return [*rows, *_noted(rows_of(found, whole), cut, counts[-1], bench.sizes.patience)]


def _noted(rows: list[Row], cut: Mapping[str, int], count: int, patience: float) -> list[Row]:
    """Say beside each figure how many calls it is of, where they are fewer."""
    for row in rows:
        for name in row.values:
            if cut[name] < count:
                row.notes[name] = f"{cut[name]:,} calls in {patience:.0f} s, then cut short"
    return rows


def loop(bench: Bench) -> list[Row]:
    """Train with and without logging in the same process."""
    steps, work = bench.sizes.steps, work_of_a_step()

    def turn(runner: Runner) -> Figures:
        with bench.place() as place:
            figures: Figures = runner.run(place, "loop", steps, work)[0]
            return figures

    found = bench.rounds("training loop", bench.taking_part("loop"), turn)
    return rows_of(
        found,
        {
            "ratio": (f"{steps:,} steps of 0.2 ms, 4 values logged in each ÷ none logged", "x"),
            "end": ("the end of the run after them", "s"),
        },
    )
