"""The command ``python -m benchmarks.run peers``: environments, parts, figures, tables and the picture."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from attrs import evolve

from benchmarks.machine import company
from benchmarks.measure import ROOT
from benchmarks.peers import storing, training
from benchmarks.peers.bench import FULL, QUICK, TINY, Bench, Row
from benchmarks.peers.contestants import BARE, CONTESTANTS, NEURAL
from benchmarks.peers.lineup import runners_of
from benchmarks.peers.picture import draw
from benchmarks.peers.record import Part, Record
from benchmarks.peers.tables import section

__all__ = ["PARTS", "main"]

PARTS: dict[str, tuple[str, Callable[[Bench], list[Row]]]] = {
    "imports": ("Import", training.imports),
    "startup": ("Start and end", training.startup),
    "calls": ("One log call of 4 values", training.calls),
    "loop": ("A training loop", training.loop),
    "kills": ("SIGKILL", storing.kills),
    "sizes": ("Size on the disk", storing.sizes),
    "reading": ("Reading back", storing.reading),
    "artifacts": ("Artifacts", storing.artifacts),
}
_KEPT = ROOT / ".benchmarks"
_FIGURES = "peers.json"
_RESULTS = ROOT / "benchmarks" / "results.md"
_PICTURE = ROOT / "docs" / "images" / "benchmarks.svg"
_TINY = (BARE, NEURAL, "wandb", "sacred")
"""Those of the smallest run: a peer that is in the tests' environment, imports fast, and one that is not there."""


def main(arguments: Sequence[str], write: Callable[[str, Path], None]) -> int:
    """Measure what was asked for; 0 also where a peer failed, which its row says.

    Args:
        arguments: of the command line, behind ``peers``.
        write: puts the section into the results.
    """
    options = _options(arguments)
    sizes = TINY if options.tiny else QUICK if options.quick else FULL
    if options.artifact is not None:
        sizes = evolve(sizes, artifact_bytes=options.artifact * 2**20)
    wanted = options.peers or (_TINY if options.tiny else [one.name for one in CONTESTANTS])
    output = options.output or (_RESULTS if sizes.calls == FULL.calls else None)
    record = Record() if output is None else Record.load(output.with_name(_FIGURES))
    folder = Path(tempfile.mkdtemp(prefix="neural-peers-", dir=options.folder))
    try:
        runners = runners_of(
            wanted, record, folder, options.environments, install=not (options.installed or options.tiny)
        )
        for name in [] if options.prepare else options.only or PARTS:
            record.put(name, _part(name, Bench(sizes, runners, folder)), PARTS)
            if output is not None:
                _keep(record, output, write)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if output is None:
        print(f"\n{section(record)}")
    return 0


def _keep(record: Record, output: Path, write: Callable[[str, Path], None]) -> None:
    record.save(output.with_name(_FIGURES))
    write(section(record), output)
    draw(record, _PICTURE if output == _RESULTS else output.with_suffix(".svg"))


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    names = [one.name for one in CONTESTANTS]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run peers", description=__doc__)
    parser.add_argument("--only", type=_words(PARTS), metavar="PART,…", help=f"parts: {', '.join(PARTS)}")
    parser.add_argument("--peers", type=_words(names), metavar="NAME,…", help=f"who: {', '.join(names)}")
    parser.add_argument("--prepare", action="store_true", help="only make the environments and see that each works")
    parser.add_argument("--installed", action="store_true", help="take peers from this environment, install nothing")
    parser.add_argument("--quick", action="store_true", help="smaller sizes: a look, no record")
    parser.add_argument("--tiny", action="store_true", help="smallest sizes, and what is installed")
    parser.add_argument("--environments", type=Path, default=_KEPT, help="where environments are kept (.benchmarks)")
    parser.add_argument("--artifact", type=int, metavar="MIB", help="size of the artifact")
    parser.add_argument("--folder", type=Path, help="where to work, instead of a temporary folder: another disk")
    parser.add_argument(
        "--output", type=Path, help="where to write the tables; peers.json and a picture go beside them"
    )
    return parser.parse_args(arguments)


def _words(known: Collection[str]) -> Callable[[str], list[str]]:
    def words(text: str) -> list[str]:
        found = text.split(",")
        if unknown := [word for word in found if word not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: there are {', '.join(known)}")
        return found

    return words


def _part(name: str, bench: Bench) -> Part:
    title, measure = PARTS[name]
    print(f"\n{title} …", flush=True)
    with company() as beside:
        rows = measure(bench)
    remarks = {
        one.name: [*filter(None, [one.remarks.get(name)]), *bench.failures.get(one.name, [])]
        for one in (runner.one for runner in bench.taking_part(name))
    }
    return Part(title, time.strftime("%Y-%m-%d", time.gmtime()), str(beside), rows, remarks)
