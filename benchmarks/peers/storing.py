"""The parts that concern what is stored: what a kill takes, the size, the way back, artifacts."""

from __future__ import annotations

import mmap
import os
import random
import shutil
import struct
import time
from pathlib import Path

from benchmarks.peers.bench import Bench, Figures, Row, rows_of
from benchmarks.peers.environments import NotPossibleError
from benchmarks.peers.processes import Place, Runner

__all__ = ["artifacts", "kills", "reading", "sizes"]

_COUNTER = struct.Struct("=Q")
_FIRST_CALL = 120.0
"""Seconds within which a script logs for the first time."""
_FILLING, _MAKING = 40.0, 300.0
"""Seconds within which a store is made that is then read."""


def kills(bench: Bench) -> list[Row]:
    """Kill scripts that log as fast as they can; count what they were told is stored and what is found."""
    dice = random.Random(20)

    def turn(runner: Runner) -> Figures:
        with bench.place() as place:
            acknowledged, elapsed = _kill(runner, place, dice.uniform(0, bench.sizes.window))
            found, _ = runner.run(place, "found")
        lost = max(0, acknowledged - found)
        return {"acknowledged": acknowledged, "lost": lost, "seconds": elapsed * lost / acknowledged}

    found = bench.rounds("kills", bench.taking_part("kills"), turn, bench.sizes.kills)
    sums = {key: {n: [sum(one[key] for one in r)] for n, r in found.items() if r} for key in ("lost", "acknowledged")}
    share = {name: [100 * lost / sums["acknowledged"][name][0]] for name, (lost,) in sums["lost"].items()}
    kills = f"{bench.sizes.kills} SIGKILLs within {bench.sizes.window:g} s of the first call"
    worst = {name: [max(one["seconds"] for one in rounds)] for name, rounds in found.items() if rounds}
    return [
        Row("acknowledged", f"{kills}: calls that had returned", "", sums["acknowledged"], ranked=False),
        Row("lost", "of them not found", "", sums["lost"], ranked=False),
        Row("share", "share of them not found", "%", share),
        Row("seconds", "seconds of logging that were lost, at worst", "s", worst),
    ]


def _kill(runner: Runner, place: Place, delay: float) -> tuple[int, float]:
    """Kill a script `delay` seconds after its first call; give how many calls had returned, and after how long."""
    shared = place.root / "counter"
    shared.write_bytes(bytes(mmap.PAGESIZE))
    with (
        runner.started(place, "endless", str(shared)) as process,
        shared.open("r+b") as file,
        mmap.mmap(file.fileno(), mmap.PAGESIZE) as counter,
    ):
        deadline = time.monotonic() + _FIRST_CALL
        while not _COUNTER.unpack_from(counter)[0]:
            if process.poll() is not None or time.monotonic() > deadline:
                raise NotPossibleError("it logged nothing")
            time.sleep(0.001)
        began = time.monotonic()
        time.sleep(delay)
        process.kill()
        process.wait()
        return int(_COUNTER.unpack_from(counter)[0]), time.monotonic() - began


def sizes(bench: Bench) -> list[Row]:
    """Weigh the store of one run of 4 metrics; what it weighs with an empty run is taken off."""
    count, stored = bench.sizes.stored, {}

    def turn(runner: Runner) -> Figures:
        with bench.place() as place:
            answer, _ = runner.run(place, "sizes", count, bench.sizes.patience)
        stored[runner.one.name] = answer["calls"]
        each = {key: (answer[key] - answer["empty"]) / (4 * answer["calls"]) for key in ("during", "after")}
        return {**each, "empty": answer["empty"] / 1000}

    found = bench.rounds("size", bench.taking_part("sizes"), turn, 1)
    rows = rows_of(
        found,
        {
            "after": (f"bytes for each value, {count:,} calls of 4, run ended", "B"),
            "during": ("the same, run still open", "B"),
            "empty": ("a store with one run of one row, taken off above", "kB"),
        },
    )
    rows[1].ranked = False  # fewer bytes may only mean that the rest is not stored yet
    for row in rows[:2]:
        row.notes |= {name: f"{stored[name]:,} calls" for name in row.values if stored[name] < count}
    return rows


def reading(bench: Bench) -> list[Row]:
    """Read one metric of one run, then list runs, each in fresh processes."""
    with bench.place() as places:
        return [*_points(bench, places.root / "points"), *_runs(bench, places.root / "runs")]


def _points(bench: Bench, folder: Path) -> list[Row]:
    wanted, stored = bench.sizes.points, {}
    for runner in bench.taking_part("reading"):
        with bench.excused("read back", runner.one.name):
            stored[runner.one.name], _ = runner.run(Place(folder / runner.one.name), "filled", wanted, _FILLING)

    def turn(runner: Runner) -> Figures:
        return {"read": runner.run(Place(folder / runner.one.name), "read", stored[runner.one.name])[0]}

    runners = [runner for runner in bench.taking_part("reading") if runner.one.name in stored]
    rows = rows_of(
        bench.rounds("read back", runners, turn), {"read": (f"{wanted:,} points of one metric, read back", "ms")}
    )
    short = {name: points for name, points in stored.items() if points < wanted}
    rows[0].notes = {
        name: f"{points:,} points: more were not stored in {_FILLING:.0f} s" for name, points in short.items()
    }
    return rows


def _runs(bench: Bench, folder: Path) -> list[Row]:
    count, ready = bench.sizes.runs, []
    for runner in bench.taking_part("reading"):
        with bench.excused("list", runner.one.name):
            runner.run(Place(folder / runner.one.name), "many", count, _MAKING)
            ready.append(runner)

    def turn(runner: Runner) -> Figures:
        place = Place(folder / runner.one.name)
        shutil.rmtree(place.index, ignore_errors=True)
        return {look: runner.run(place, "listed", count)[0] for look in ("first", "again")}

    return rows_of(
        bench.rounds("list", ready, turn),
        {
            "first": (f"{count} runs with their last values, listed", "ms"),
            "again": ("the same again in the next process", "ms"),
        },
    )


def artifacts(bench: Bench) -> list[Row]:
    """Store a file of random bytes, and the same file again in the same run."""
    source, mega = bench.folder / "checkpoint.pt", bench.sizes.artifact_bytes // 2**20
    with source.open("wb") as file:
        for _ in range(mega):
            file.write(os.urandom(2**20))

    def turn(runner: Runner) -> Figures:
        os.sync()  # nobody waits for what another has written
        with bench.place() as place:
            answer, _ = runner.run(place, "artifact", str(source))
        return {**answer, "again_bytes": round(answer["again_bytes"], -6)}  # what is noted of it is no matter

    found = bench.rounds("artifacts", bench.taking_part("artifacts"), turn)
    source.unlink()
    return rows_of(
        found,
        {
            "first_seconds": (f"an artifact of {mega:,} MiB stored", "s"),
            "again_seconds": ("the same file again", "s"),
            "again_bytes": ("what that adds to the disk", "MB"),
        },
    )
