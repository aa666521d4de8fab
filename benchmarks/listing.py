"""Lists of ten thousand experiments, with 20 hyperparameters and 10 metrics each."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import Figure, Sizes, child, interleaved, median, seconds
from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage.experiment.documents import read_document, write_document
from neural_core._storage.index.base_index import Index

TITLE = "Lists of many experiments"
FILTER = "params.lr < 0.01"
_METRICS = ("val_acc", *(f"metric_{i}" for i in range(9)))


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Make a store, list it with and without an index, and compare every answer with what was put in."""
    base, cache = folder / "store", folder / "cache"
    best = make_store(base, sizes.experiments)
    before = _state(base)
    figures = [
        *_rebuild(base, folder, sizes),
        *_warm(base, cache, sizes, best),
        *_without_index(base, folder, best, sizes),
    ]
    assert _state(base) == before, "a list changed the store"
    return figures


def make_store(base: Path, count: int) -> list[tuple[str, float]]:
    """Write finished experiments; give the uid and value of the 20 best by val_acc among those with lr < 0.01.

    One is made by a tracker. The others are its documents with other values, and links to its data.
    """
    with ExperimentTracker("sweep", base_dir=base, auto_visualize=False) as tracker:
        tracker.log_hyperparameters({"lr": 0.5, **{f"param_{i}": i / 7 for i in range(19)}})
        for step in range(3):
            tracker.log_metrics(dict.fromkeys(_METRICS, 0.0), step)
    template = tracker.experiment_dir
    documents = {n: _content(template / f"{n}.json") for n in ("metadata", "hyperparameters", "summary")}
    assert documents["metadata"]["final"] is True
    dice = np.random.default_rng(2)
    chosen = []
    for number in range(1, count):
        uid, lr, acc = f"{number:032x}"[::-1], 10 ** dice.uniform(-4, 0), float(dice.random())
        _write_one(base / f"sweep-{number}_{uid[:12]}", template, documents, uid, number, lr, acc)
        if lr < 0.01:
            chosen.append((uid, acc))
    time.sleep(2.1)  # a metadata.json younger than a tick of the clock is read again
    return sorted(chosen, key=lambda pair: -pair[1])[:20]


def _content(path: Path) -> dict[str, Any]:
    document = read_document(path)
    return {key: value for key, value in document.items() if key not in ("format", "crc")}


def _write_one(
    directory: Path, template: Path, documents: dict[str, Any], uid: str, number: int, lr: float, acc: float
) -> None:
    for name in ("metrics", "artifacts", "plots", "versions"):
        (directory / name).mkdir(parents=True)
    for path in (template / "metrics").iterdir():
        os.link(path, directory / "metrics" / path.name)
    start = f"2026-01-{1 + number % 28:02d}T{number % 24:02d}:00:{number % 60:02d}.{number:06d}+00:00"
    metadata = documents["metadata"] | {"id": uid[:12], "uid": uid, "name": f"sweep {number}", "start_time": start}
    params = {**documents["hyperparameters"]["hyperparameters"], "lr": lr}
    infos = [{**info, "last": acc, "min": acc, "max": acc} for info in documents["summary"]["metrics"]]
    write_document(
        directory / "hyperparameters.json", documents["hyperparameters"] | {"hyperparameters": params}, sync=False
    )
    write_document(directory / "summary.json", documents["summary"] | {"metrics": infos}, sync=False)
    write_document(directory / "metadata.json", metadata, sync=False)


def _state(base: Path) -> dict[str, tuple[int, int]]:
    """Give size and mtime of every file and folder of the store."""
    found = {}
    for root, folders, files in os.walk(base):
        for name in (*folders, *files):
            status = (Path(root) / name).lstat()
            found[f"{root}/{name}"] = status.st_size, status.st_mtime_ns
    return found


def _rebuild(base: Path, folder: Path, sizes: Sizes) -> list[Figure]:
    naive = [seconds(lambda: _read_plainly(base)) for _ in range(2)]
    took = []
    for number in range(min(sizes.rounds, 5)):
        cache = folder / f"cache-{number}"
        with Index(base, cache_dir=cache) as index:
            took.append(seconds(index.refresh))
            assert index.count() == sizes.experiments
        shutil.rmtree(cache)
    said = f"json.load of the same documents alone: {min(naive):.2f} s"
    return [Figure(f"{sizes.experiments:,} experiments: full rebuild of the index", median(took), "s", 5, said)]


def _read_plainly(base: Path) -> int:
    return sum(len(json.loads(path.read_bytes())) for path in base.glob("*/*.json"))


def _warm(base: Path, cache: Path, sizes: Sizes, best: list[tuple[str, float]]) -> list[Figure]:
    index = Index(base, cache_dir=cache)
    index.refresh()

    def page() -> object:
        index.refresh()
        return index.runs(limit=100)

    def opened() -> object:
        with Index(base, cache_dir=cache) as fresh:
            fresh.refresh()
            return fresh.runs(limit=100)

    os.environ["NEURAL_CACHE_DIR"] = str(cache)
    manager = ExperimentManager(base)
    works: dict[str, Callable[[], object]] = {
        "page": page,
        "best": lambda: index.best("val_acc", where=FILTER),
        "both": lambda: manager.best("val_acc", where=FILTER),
        "opened": opened,
        "all": manager.list_experiments,
    }
    found = interleaved(max(5, sizes.rounds), **{name: _ms(work) for name, work in works.items()})
    _check(index, best, sizes)
    assert len(manager.list_experiments()) == sizes.experiments
    index.close()
    took = {name: median(values) for name, values in found.items()}
    return [
        Figure("warm list page: refresh and 100 rows", took["page"], "ms", 60),
        Figure(f'best("val_acc", where="{FILTER}")', took["best"], "ms", 40),
        Figure("the same by ExperimentManager, which looks at the folder first", took["both"], "ms"),
        Figure("list page of a new process's first look, index on disk", took["opened"], "ms"),
        Figure("manager.list_experiments(), all of them", took["all"], "ms"),
    ]


def _ms(work: Callable[[], object]) -> Callable[[], float]:
    return lambda: seconds(work) * 1e3


def _check(index: Index, best: list[tuple[str, float]], sizes: Sizes) -> None:
    assert [(row.uid, value) for row, value, _ in index.best("val_acc", where=FILTER)] == best
    page = index.runs(limit=100)
    assert len(page) == min(100, sizes.experiments)
    assert [row.start_time for row in page] == sorted((row.start_time for row in page), reverse=True)
    assert index.count() == sizes.experiments
    assert index.count("status = 'completed'") == sizes.experiments


def _without_index(base: Path, folder: Path, best: list[tuple[str, float]], sizes: Sizes) -> list[Figure]:
    """Let a fresh process list with a cache folder that cannot be made; the store itself is never written to."""
    blocked = folder / "a-file"
    blocked.write_text("no folder can be made below this")
    answer = child(folder, __name__, "first_touch", str(base), str(blocked / "cache"))
    wrong = [tuple(pair) for pair in answer["best"]] != best or answer["count"] != sizes.experiments
    return [
        Figure("first touch without any index, cache folder not writable", answer["seconds"], "s"),
        Figure("wrong answers of it", int(wrong), "", 0),
    ]


def first_touch(base: str, cache: str) -> dict[str, Any]:
    """List a store in a process that knows nothing of it."""
    os.environ["NEURAL_CACHE_DIR"] = cache
    manager = ExperimentManager(base)
    start = time.perf_counter()
    page = manager.runs(limit=100)
    taken = time.perf_counter() - start
    found = [(row.uid, value) for row, value, _ in manager.best("val_acc", where=FILTER)]
    return {"seconds": taken, "page": len(page), "best": found, "count": len(manager.list_experiments())}
