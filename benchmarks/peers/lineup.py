"""Who can take part, here and now."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Collection
from pathlib import Path

from benchmarks.peers.contestants import CONTESTANTS, Contestant
from benchmarks.peers.environments import NotPossibleError, interpreter
from benchmarks.peers.processes import Place, Runner
from benchmarks.peers.record import Record

__all__ = ["runners_of"]


def runners_of(
    wanted: Collection[str], record: Record, folder: Path, environments: Path, *, install: bool
) -> dict[str, Runner]:
    """Give those of the wanted that work; the record gets their titles, and why the others do not.

    Args:
        wanted: names of contestants.
        record: what is told.
        folder: where each is tried.
        environments: where their environments are kept.
        install: make environments; otherwise those take part that the present one has.
    """
    found = {}
    for one in CONTESTANTS:
        if one.name not in wanted:
            continue
        record.skipped.pop(one.title, None)
        try:
            python = interpreter(one, environments) if install else _present(one)
            runner = Runner(one, python, (environments if install else folder) / "fonts")
            version, _ = runner.run(Place(folder / "about" / one.name), "about", one.distribution)
        except NotPossibleError as error:
            record.skipped[one.title] = str(error)
            print(f"  without {one.title}: {error}", flush=True)
            continue
        record.titles[one.name] = _titled(one, version)
        found[one.name] = runner
    return found


def _present(one: Contestant) -> Path:
    if one.module and importlib.util.find_spec(one.module) is None:
        raise NotPossibleError(f"{one.module} is not in this environment")
    return Path(sys.executable)


def _titled(one: Contestant, version: str) -> str:
    """Give ``MLflow 3.17.2 (SQLite)``; neural is this checkout, whatever its version says."""
    if not one.is_peer:
        return one.title
    name, space, rest = one.title.partition(" ")
    return f"{name} {version}{space}{rest}"
