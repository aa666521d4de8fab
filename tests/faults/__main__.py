"""Try the faults of the catalogue: ``python3 dev.py faults [ROW …] [--fuzz [SECONDS]]``.

Runs the tests that prove the rows (all, or those named: D01, or a family: D), then sabotages neural to show that the
tests would notice, then, with --fuzz, lets a fuzzer loose on the readers. The exit status is 1 when a row is not
proved, a sabotage is not noticed, or the fuzzer finds something.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from catalogue import FAMILIES, ROWS, Row
from controls import CONTROLS, Control
from docs_table import PAGE, page_with_table
from results import run_rows
from sabotage import copied, try_control, try_tests

FUZZ_SECONDS = 60
WIDTH = 100


def say(text: str = "") -> None:
    """Write a line to the terminal at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def chosen(names: Sequence[str]) -> list[Row]:
    """Give the rows that are named, or of a family that is named; all when none is.

    Raises:
        SystemExit: a name that is no row and no family.
    """
    strangers = [name for name in names if name not in FAMILIES and name not in {row.id for row in ROWS}]
    if strangers:
        raise SystemExit(f"{', '.join(strangers)}: no such row. Rows are {ROWS[0].id} to {ROWS[-1].id}")
    return [row for row in ROWS if not names or row.id in names or row.id[0] in names]


def rows(wanted: Sequence[Row]) -> bool:
    """Run the tests and print the table; give whether every row is proved."""
    say(f"The tests of {len(wanted)} faults")
    status, results = run_rows([row.id for row in wanted])
    family = ""
    for row in wanted:
        if row.id[0] != family:
            family = row.id[0]
            say(f"\n{FAMILIES[family]}")
        result = results[row.id]
        count = len(result.outcomes)
        tests = f"{count} test{'s' if count != 1 else ''}, {result.seconds:.1f} s"
        say(f"  {row.id}  {result.word:<9}  {shortened(row.fault)}  ({tests})")
        for test, outcome in result.outcomes.items():
            if outcome != "passed":
                say(f"       {outcome}: {test}")
    bad = [row.id for row in wanted if results[row.id].word != "proved"]
    say(f"\n{len(wanted) - len(bad)} of {len(wanted)} faults are handled as the table in docs/reliability.md says")
    return not bad and status == 0


def shortened(text: str) -> str:
    """Cut a text to the width of a terminal."""
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def controls(wanted: Sequence[Row]) -> bool:
    """Sabotage neural in one way after the other; give whether a test noticed each."""
    names = {row.id for row in wanted}
    tried = [control for control in CONTROLS if control.row in names]
    say(f"\nSabotage: {len(tried)} changes of the code, each of which a test must notice")
    if tried and not unharmed(tried):
        return False
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        noticed = list(pool.map(control, tried))
    say(f"\n{sum(noticed)} of {len(tried)} were noticed")
    return all(noticed)


def unharmed(tried: Sequence[Control]) -> bool:
    """Tell whether all of the tests pass in a copy that nobody sabotaged."""
    with copied() as copy:
        outcome = try_tests(copy, *(control.test for control in tried), more=("-n", "auto", "--dist", "loadfile"))
    say(f"  without sabotage: {'all of them pass' if outcome.passed else shortened(outcome.said)}")
    return outcome.passed


def control(tried: Control) -> bool:
    """Try one and print what came of it."""
    outcome = try_control(tried)
    word = "noticed" if outcome.failed else "NOT NOTICED" if outcome.passed else "NOT TRIED"
    say(f"  {tried.row}  {word:<9}  {tried.change}: {shortened(outcome.said)}")
    return outcome.failed


def fuzz(seconds: int) -> bool:
    """Run the fuzzer; give whether it found nothing."""
    if importlib.util.find_spec("atheris") is None:
        say("\nThe fuzzer was not run: atheris is not installed (pip install atheris)")
        return True
    say(f"\nThe readers are given mutated files for {seconds} s")
    script = Path(__file__).with_name("fuzz_journal.py")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(script), f"-max_total_time={seconds}", "-print_final_stats=1"]
        done = subprocess.run(
            command, cwd=folder, env=os.environ | {"TMPDIR": folder}, capture_output=True, text=True, check=False
        )
        found = [path for name in ("crash", "timeout", "oom") for path in Path(folder).glob(f"{name}-*")]
        kept = [shutil.move(path, Path.cwd() / path.name) for path in found]
    tail = [line for line in done.stderr.splitlines() if line.startswith(("stat::number", "Done"))]
    say("\n".join(f"  {line}" for line in (tail if done.returncode == 0 else done.stderr.splitlines()[-25:])))
    say(f"  {f'kept: {kept[0]}' if kept else 'nothing was found'}")
    return done.returncode == 0


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; give the exit status."""
    parser = argparse.ArgumentParser(prog="python3 dev.py faults", description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="a row (D01) or a family (D); all when none is named")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--rows-only", action="store_true", help="run the tests, and do not sabotage anything")
    only.add_argument("--controls-only", action="store_true", help="sabotage only")
    parser.add_argument("--fuzz", nargs="?", type=int, const=FUZZ_SECONDS, metavar="SECONDS", help="fuzz the readers")
    parser.add_argument("--write-docs", action="store_true", help="write the table into docs/reliability.md, and end")
    given = parser.parse_args(arguments)
    if given.write_docs:
        PAGE.write_text(page_with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    started, wanted = time.monotonic(), chosen(given.rows)
    good = [
        given.controls_only or rows(wanted),
        given.rows_only or controls(wanted),
        given.fuzz is None or fuzz(given.fuzz),
    ]
    say(f"\n{'All is as it should be' if all(good) else 'Something is wrong: see above'}, after {_spent(started)}")
    return 0 if all(good) else 1


def _spent(started: float) -> str:
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    return f"{minutes} min {seconds:02d} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
