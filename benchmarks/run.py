"""Run the benchmarks and write their figures down: ``python -m benchmarks.run [names] [--quick]``."""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import Company, company
from benchmarks.measure import FULL, QUICK, TINY, Figure, Sizes
from benchmarks.report import document, section, table

NAMES = (
    "log_calls",
    "long_run",
    "kills",
    "startup",
    "reading",
    "listing",
    "artifacts",
    "delivery",
    "backends",
    "ui",
    "ui_lists",
)
PEERS = "peers"
"""A command of its own: it installs other tools, and has options of its own."""
_RESULTS = Path(__file__).with_name("results.md")
_CALM = 0.2
"""Cores that others may keep busy in an attempt that is not repeated."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; 1 when a bound is not kept."""
    words = sys.argv[1:] if arguments is None else arguments
    if words[:1] == [PEERS]:
        from benchmarks.peers.command import main as peers

        return peers(words[1:], _write)
    options = _options(words)
    sizes = TINY if options.tiny else QUICK if options.quick else FULL
    output = options.output or (_RESULTS if sizes is FULL else None)
    missed = []
    for name in options.names or NAMES:
        title, figures, beside = _calmest(name, sizes, options.folder, options.attempts)
        missed += [figure.question for figure in figures if not figure.holds]
        if output is not None:
            _write(section(name, title, figures, beside), output)
    print(f"\n{len(missed)} bounds do not hold: {'; '.join(missed)}" if missed else "\nEvery bound holds.")
    return 1 if missed else 0


def _write(text: str, output: Path) -> None:
    """Put a section in the place of its older self."""
    before = output.read_text("utf-8") if output.exists() else ""
    output.write_text(document([text], before, [*NAMES, PEERS]), "utf-8")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*NAMES, []], metavar="name", help=", ".join([*NAMES, f"{PEERS} …"])
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes: a look, no record")
    parser.add_argument("--tiny", action="store_true", help="smallest sizes: only to see that everything runs")
    parser.add_argument("--attempts", type=int, default=1, help="at most so many on a busy machine; the calmest counts")
    parser.add_argument("--folder", type=Path, help="where to work, instead of a temporary folder: another disk")
    parser.add_argument("--output", type=Path, help="where to write the figures; results.md unless --quick")
    return parser.parse_args(arguments)


def _calmest(name: str, sizes: Sizes, folder: Path | None, attempts: int) -> tuple[str, list[Figure], Company]:
    """Run a benchmark until others leave the machine alone; give the attempt that was disturbed least."""
    best: tuple[str, list[Figure], Company] | None = None
    for _ in range(max(1, attempts)):
        found = _run(name, sizes, folder)
        if best is None or (found[2].cores or 0) < (best[2].cores or 0):
            best = found
        if (best[2].cores or 0) <= _CALM:
            break
    assert best is not None
    return best


def _run(name: str, sizes: Sizes, folder: Path | None) -> tuple[str, list[Figure], Company]:
    """Run one benchmark in a temporary folder; print and give its figures."""
    module = importlib.import_module(f"benchmarks.{name}")
    print(f"\n{module.TITLE} …", flush=True)
    place = Path(tempfile.mkdtemp(prefix="neural-benchmark-", dir=folder))
    os.environ["NEURAL_CACHE_DIR"] = str(place / "cache")
    try:
        with company() as beside:
            figures: list[Figure] = module.measure(sizes, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print(f"{table(figures)}\n({beside})", flush=True)
    return module.TITLE, figures, beside


if __name__ == "__main__":
    sys.exit(main())
