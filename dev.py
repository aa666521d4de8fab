#!/usr/bin/env python3
"""Everything that a fresh checkout can do, with nothing but Python 3.11 or newer.

python3 dev.py demo    trains real models on real data, tracked by neural, and shows them in the comparison page
python3 dev.py test    lint, types and every test; further arguments go to pytest
python3 dev.py faults  breaks disks, processes and inputs on purpose, and shows that every check can fail; --fuzz 60
python3 dev.py bench   measures neural beside its peers; further arguments go to benchmarks.run
python3 dev.py docs    builds the documentation into site/; --serve shows it while you write

All keep one virtual environment in .venv/ and install into it again only when a pyproject.toml has changed.
"""
# Only the standard library, and no syntax newer than Python 3.6: an old Python must get as far as its sentence in main.
# For the same reason the annotations are quoted.

import os
import subprocess
import sys

from devtools.environment import install, make_environment
from devtools.places import ROOT, environment_python
from devtools.steps import Steps, Stop, shell_status

TEST_TIMEOUT = 300  # seconds after which a hanging test fails

CHECKS = [
    ("lint (ruff check)", ["ruff", "check", "--output-format", "concise", "."]),
    ("format (ruff format --check)", ["ruff", "format", "--check", "."]),
    ("types (mypy --strict)", ["mypy"]),
]

# Verbs that run one Python command with what the tests need: the command, its arguments when the user gives none, and
# where its result is.
TOOLS = {
    "faults": (["tests/faults"], [], "docs/reliability.md says what each row promises"),
    "bench": (["-m", "benchmarks.run"], ["peers"], "the figures are in benchmarks/results.md"),
    "docs": (["-m", "docs.site"], [], "open site/index.html"),
}


def run_to_its_end(command: "list[str]") -> int:
    """Run a command on this terminal; Ctrl-C is its affair, since it ends the page at the end of the demo."""
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def demo(arguments: "list[str]") -> int:
    """Train, track and compare real models."""
    steps = Steps(3)
    make_environment(steps)
    install(steps, "demo")
    steps.begin("running examples/demo.py")
    status = shell_status(run_to_its_end([environment_python(), str(ROOT / "examples" / "demo.py"), *arguments]))
    if status:
        raise Stop(f"The demo failed with status {status}: the lines above say where.", status)
    print("\nNext: put ExperimentTracker into a training of your own; README.md has it in ten lines.")
    return 0


def tool(verb: str, arguments: "list[str]") -> int:
    """Run the command of a verb in TOOLS."""
    program, usual, result = TOOLS[verb]
    steps = Steps(3)
    make_environment(steps)
    install(steps, "test")
    command = [*program, *(arguments or usual)]
    steps.begin("python " + " ".join(command))
    status = shell_status(subprocess.call([environment_python(), *command], cwd=ROOT))
    if status:
        raise Stop(f"`python3 dev.py {verb}` failed with status {status}: the lines above say why.", status)
    print(f"\nDone: {result}.")
    return 0


def test(arguments: "list[str]") -> int:
    """Run every check; the first failure decides the exit status, the others run all the same."""
    steps = Steps(3 + len(CHECKS))
    make_environment(steps)
    install(steps, "test")
    python = environment_python()
    results = [(name, steps.run(name, [python, "-m", *command])) for name, command in CHECKS]
    steps.begin("tests (pytest)")
    # Tests wait as often as they compute: half as many processes more than processors. A file's tests stay together,
    # since they share servers and browsers.
    processes = str((os.cpu_count() or 1) * 3 // 2)
    several = ["-n", processes, "--dist", "loadfile", "--no-loadscope-reorder", "--durations=20"]
    command = [python, "-m", "pytest", f"--timeout={TEST_TIMEOUT}", *several, *test_paths(arguments), *arguments]
    results.append(("tests", shell_status(subprocess.call(command, cwd=ROOT))))
    failed = [(name, status) for name, status in results if status]
    if failed:
        raise Stop(f"Failed: {', '.join(dict(failed))}. Next: mend the first, then run this again.", failed[0][1])
    hint = "" if not hasattr(os, "geteuid") or os.geteuid() == 0 else " (run as root to include the privileged ones)"
    print(f"\nEvery check passed{hint}. Next: `python3 dev.py demo` shows neural at work.")
    return 0


def test_paths(arguments: "list[str]") -> "list[str]":
    """Give the folders of tests, unless the arguments name tests themselves.

    Those with the long files come first, so that no process begins one when the others are done.
    """
    if any((ROOT / argument.split("::")[0]).exists() for argument in arguments if not argument.startswith("-")):
        return []
    rooms = {file.parent for file in ROOT.glob("tests/*/test_*.py")}
    folders = [*sorted(ROOT.glob("plugins/*/tests")), *sorted(rooms, key=lambda room: (room.name == "core", room))]
    return [str(folder.relative_to(ROOT)) for folder in folders]


def main(arguments: "list[str]") -> int:
    """Run a verb; give the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - an older one is told so
        version = ".".join(map(str, sys.version_info[:2]))
        print(
            f"neural needs Python 3.11 or newer, and this is {version}: run it with a newer one, as python3.11 dev.py."
        )
        return 1
    verbs = {"demo": demo, "test": test}
    if not arguments or arguments[0] not in {*verbs, *TOOLS}:
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        verb, *further = arguments
        return tool(verb, further) if verb in TOOLS else verbs[verb](further)
    except Stop as stop:
        print(f"\n{stop}")
        return stop.status
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
