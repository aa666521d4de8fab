"""What runs in a contestant's own Python: ``driver.main(client, options, verb, arguments, answer)``.

Only the standard library. Each verb is one process; its answer goes to a file as JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import mmap
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.clients.base import METRIC, Client, Log, Metrics, WithoutError, row_of
from benchmarks.work import compute

__all__ = ["main"]

clock = time.perf_counter
_SINGLE = 2**-22
"""How far a value may be off: TensorBoard's events hold single precision."""


def main(client: str, options: dict[str, Any], verb: str, arguments: Sequence[Any], answer: str) -> None:
    """Do one verb and write down what it found, or why the tool has nothing of the kind."""
    speaker: Client = importlib.import_module(f"benchmarks.peers.clients.{client}").Client(**options)
    try:
        if (method := _NEEDS.get(verb, "")) in speaker.without:
            raise WithoutError(speaker.without[method])
        answered = {"found": _VERBS[verb](speaker, *arguments)}
    except WithoutError as error:
        answered = {"without": str(error)}
    Path(answer).write_text(json.dumps(answered), "utf-8")


def about(client: Client, distribution: str) -> str:
    """Import the tool; give the version of its distribution, empty where it has none."""
    from importlib.metadata import version

    client.load()
    client.load_reader()
    return version(distribution) if distribution else ""


def short(client: Client) -> float:
    """Log one value in a run of its own; give the seconds without the import."""
    client.load()
    began = clock()
    client.start("short")(row_of(0), 0)
    client.finish()
    return clock() - began


def calls(client: Client, counts: Sequence[int], patience: float) -> dict[str, Any]:
    """Log as often as the largest of `counts` says, `patience` seconds at most; give figures of the first so many."""
    client.load()
    log, metrics = client.start("calls"), row_of(0)
    taken: list[float] = []
    began = clock()
    end = began + patience
    for step in range(max(counts)):
        start = clock()
        log(metrics, step)
        now = clock()
        taken.append(now - start)
        if now > end:
            break
    client.finish()
    whole = clock() - began
    return {"calls": len(taken), "whole": whole / len(taken), "figures": [_figures(taken[:count]) for count in counts]}


def _figures(taken: Sequence[float]) -> dict[str, float]:
    from statistics import median  # its import is not for the shortest of scripts

    tenth, ordered = max(1, len(taken) // 10), sorted(taken)
    growth = median(taken[-tenth:]) / median(taken[:tenth])
    p999 = ordered[min(len(ordered) - 1, int(0.999 * len(ordered)))]
    return {"p50": median(ordered), "p999": p999, "growth": growth}


def endless(client: Client, counter: str) -> None:
    """Log until killed; after each call that has returned, count it in memory that the parent sees too."""
    client.load()
    log = client.start("killed")
    with Path(counter).open("r+b") as file, mmap.mmap(file.fileno(), mmap.PAGESIZE) as memory:
        acknowledged, step = memoryview(memory).cast("Q"), 0
        while True:
            log(row_of(step), step)
            step += 1
            acknowledged[0] = step


def found(client: Client) -> int:
    """Give how many steps of the killed run are found."""
    client.load_reader()
    client.ready()
    return len(client.found())


def sizes(client: Client, count: int, patience: float) -> dict[str, int]:
    """Give the bytes of the store while a run of `count` calls is open, after its end, and with an empty run alone."""
    client.load()
    client.start("empty")(row_of(0), 0)
    client.finish()
    empty, log, end, step = _bytes(), client.start("sized"), clock() + patience, 0
    while step < count and clock() < end:
        log(row_of(step), step)
        step += 1
    time.sleep(1.0 if count > 1_000 else 0.0)  # what writes behind the call has a moment
    during = _bytes()
    client.finish()
    return {"calls": step, "empty": empty, "during": during, "after": _bytes()}


def filled(client: Client, points: int, patience: float) -> int:
    """Store a run of one metric; give how many points it has when `patience` seconds are over or all are there."""
    client.load()
    stored = 0

    def rows() -> Iterator[tuple[int, Metrics]]:
        nonlocal stored
        end = clock() + patience
        while stored < points and clock() < end:
            yield stored, row_of(stored, 1)
            stored += 1

    client.fill("filled", rows())
    client.ready()
    return stored


def read(client: Client, points: int) -> float:
    """Read that metric; give the seconds without the import. What was read is what was stored."""
    client.load_reader()
    began = clock()
    steps, values = client.read()
    taken = clock() - began
    last, wanted = float(values[-1]), row_of(points - 1, 1)[METRIC]
    if (len(steps), int(steps[-1])) != (points, points - 1) or abs(last - wanted) > _SINGLE * wanted:
        raise ValueError(f"{len(steps):,} points were read where {points:,} were stored, the last {last!r}")
    return taken


def many(client: Client, runs: int, patience: float) -> int:
    """Make runs of three rows each; give how many."""
    client.load()
    end = clock() + patience
    for number in range(runs):
        if clock() > end:
            raise WithoutError(f"{number} of {runs} runs were made in {patience:.0f} s")
        client.fill(f"run-{number}", iter([(step, row_of(step + number)) for step in range(3)]))
    client.ready()
    return runs


def listed(client: Client, runs: int) -> float:
    """List them with their last values; give the seconds without the import. The values are those stored."""
    client.load_reader()
    began = clock()
    last = client.listed()
    taken = clock() - began
    wrong = [n for n in range(runs) if abs(last[f"run-{n}"] - row_of(n + 2)[METRIC]) > _SINGLE * (n + 2)]
    if wrong or len(last) != runs:
        raise ValueError(f"{len(last)} of {runs} runs were listed, {len(wrong)} with a wrong value")
    return taken


def artifact(client: Client, path: str) -> dict[str, float]:
    """Store a file twice in one run; give the seconds and new bytes of each."""
    client.load()
    log, found, before = client.start("artifact"), {}, _bytes()
    log(row_of(0), 0)
    for which in ("first", "again"):
        began = clock()
        client.store(path)
        found[f"{which}_seconds"] = clock() - began
        found[f"{which}_bytes"], before = _bytes() - before, _bytes()
    client.finish()
    return found


def loop(client: Client, steps: int, work: int) -> dict[str, float]:
    """Train with and without logging; give the ratio of the two loops, and the seconds that the end takes."""
    client.load()
    bare = _train(steps, work, lambda metrics, step: None)
    logging = _train(steps, work, client.start("loop"))
    began = clock()
    client.finish()
    return {"ratio": logging / bare, "end": clock() - began}


def _train(steps: int, work: int, log: Log) -> float:
    metrics, began = row_of(0), clock()
    for step in range(steps):
        compute(work)
        log(metrics, step)
    return clock() - began


def _bytes() -> int:
    """Give the bytes of all files of the tool, its home among them; one with several names counts once."""
    found = {}
    for root, _, names in os.walk(".."):
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # it may vanish meanwhile
                status = os.lstat(f"{root}/{name}")
                found[status.st_ino] = status.st_size
    return sum(found.values())


_NEEDS = {"artifact": "store", "filled": "read", "listed": "listed", "many": "listed", "read": "read"}
_VERBS: dict[str, Callable[..., Any]] = {
    verb.__name__: verb
    for verb in (about, artifact, calls, endless, filled, found, listed, loop, many, read, short, sizes)
}
