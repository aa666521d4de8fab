"""Run the benchmarks and write their figures down: ``python -m benchmarks.run [names] [--quick]``."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.measure import FULL, QUICK, TINY, Figure, Sizes

NAMES = ("log_calls", "long_run", "kills", "startup", "reading", "listing", "artifacts")
_RESULTS = Path(__file__).with_name("results.md")
_HEAD = ("what", "measured", "bound", "measured ÷ bound", "holds", "beside it, in the same run")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; 1 when a bound is not kept."""
    options = _options(arguments)
    sizes = TINY if options.tiny else QUICK if options.quick else FULL
    sections = [(name, *_run(name, sizes, options.folder)) for name in options.names or NAMES]
    output = options.output or (_RESULTS if sizes is FULL and not options.names else None)
    if output is not None:
        output.write_text(_document(sections), encoding="utf-8")
        print(f"The figures are in {output.name}.")
    missed = [figure for _, _, figures in sections for figure in figures if not figure.holds]
    print(
        "Every bound holds."
        if not missed
        else f"{len(missed)} bounds do not hold: " + "; ".join(f.question for f in missed)
    )
    return 1 if missed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*NAMES, []], metavar="name", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="smaller sizes: a look, no record")
    parser.add_argument("--tiny", action="store_true", help="smallest sizes: only to see that everything runs")
    parser.add_argument(
        "--folder", type=Path, help="where to work, to measure another disk; a temporary folder if not given"
    )
    parser.add_argument("--output", type=Path, help="where to write the figures; results.md for a full run")
    return parser.parse_args(arguments)


def _run(name: str, sizes: Sizes, folder: Path | None) -> tuple[str, list[Figure]]:
    """Run one benchmark in a temporary folder; print and give its figures."""
    module = importlib.import_module(f"benchmarks.{name}")
    print(f"\n{module.TITLE} …", flush=True)
    place = Path(tempfile.mkdtemp(prefix="neural-benchmark-", dir=folder))
    os.environ["NEURAL_CACHE_DIR"] = str(place / "cache")
    try:
        figures: list[Figure] = module.measure(sizes, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print(_aligned(figures), flush=True)
    return module.TITLE, figures


def _cells(figure: Figure) -> tuple[str, ...]:
    def amount(value: float | None) -> str:
        return "" if value is None else f"{_number(value)} {figure.unit}".strip()

    bound = "" if figure.bound is None else f"{'≥' if figure.floor else '≤'} {amount(figure.bound)}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    holds = "" if figure.bound is None else "yes" if figure.holds else "NO"
    return figure.question, amount(figure.value), bound, ratio, holds, figure.reference


def _number(value: float) -> str:
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _aligned(figures: Iterable[Figure]) -> str:
    rows = [_HEAD, *map(_cells, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _document(sections: Iterable[tuple[str, str, Sequence[Figure]]]) -> str:
    lines = ["# Measured figures", "", _machine(), ""]
    for name, title, figures in sections:
        lines += [f"## {title}", "", f"`python -m benchmarks.run {name}`", ""]
        lines += ["| " + " | ".join(row) + " |" for row in (_HEAD, ["---"] * len(_HEAD), *map(_cells, figures))]
        lines.append("")
    return "\n".join(lines)


def _machine() -> str:
    load = f"Load average at the end: {os.getloadavg()[0]:.1f}. " if hasattr(os, "getloadavg") else ""
    return (
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, {platform.system()}, {os.cpu_count()} cores, "
        f"{platform.machine()}, Python {platform.python_version()}. {load}The machine was shared with other work: "
        "absolute times are upper limits, rounds of what is compared alternate, and each figure is a median. "
        "Written by `python -m benchmarks.run`."
    )


if __name__ == "__main__":
    sys.exit(main())
