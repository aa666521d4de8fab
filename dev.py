#!/usr/bin/env python3
"""Two commands for a fresh checkout, with nothing but Python 3.11 or newer.

python3 dev.py demo   trains real models on real data, tracked by neural; further arguments go to examples/demo.py
python3 dev.py test   lint, types and every test; further arguments go to pytest

Both keep one virtual environment in .venv/ and install into it again only when a pyproject.toml has changed.
"""
# Only the standard library, and no syntax newer than Python 3.6: an old Python must get as far as its sentence in main.
# For the same reason the annotations are quoted.

import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
HEARTBEAT = 10  # seconds between the signs of life of a long step
LOG_TAIL = 25  # lines of a failed step's output that are shown
TEST_TIMEOUT = 300  # seconds after which a hanging test fails

CHECKS = [
    ("lint (ruff check)", ["ruff", "check", "--output-format", "concise", "."]),
    ("format (ruff format --check)", ["ruff", "format", "--check", "."]),
    ("types (mypy --strict)", ["mypy"]),
]


class Stop(Exception):  # noqa: N818 - it carries one sentence for the user and the exit status, whatever the cause
    """Ends dev.py with one sentence."""

    def __init__(self, sentence: str, status: int = 1) -> None:
        super().__init__(sentence)
        self.status = status


class Steps:
    """Numbers the steps and shows that each is alive, done or failed."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.number = 0

    def begin(self, what: str, end: str = "\n") -> None:
        """Announce the next step."""
        self.number += 1
        print(f"{self.number}/{self.total} {what}", end=end, flush=True)

    def run(self, what: str, command: "list[str]") -> int:
        """Run a quiet command as the next step; show the end of its output only when it fails."""
        self.begin(what, end=" ...")
        started = time.monotonic()
        log = environment_folder() / f"step-{self.number}.log"
        log.parent.mkdir(exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            status = wait(process)
        print(f" {'failed' if status else 'done'} in {time.monotonic() - started:.0f} s", flush=True)
        if status:
            print("\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL:]), flush=True)
        return status


def shell_status(status: int) -> int:
    """Give the exit status that a shell shows: 128 + the number of the signal for a process that one ended."""
    return status if status >= 0 else 128 - status


def wait(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a quiet process with a sign of life; give its exit status."""
    seconds = 0
    while True:
        try:
            return shell_status(process.wait(timeout=HEARTBEAT))
        except subprocess.TimeoutExpired:
            seconds += HEARTBEAT
            print(f" {seconds} s", end=" ...", flush=True)


def environment_folder() -> Path:
    """Say where the virtual environment is: the one that runs this, when it is the checkout's, else .venv."""
    running = Path(sys.prefix).resolve()
    inside = sys.prefix != sys.base_prefix and ROOT in running.parents
    return running if inside else ROOT / ".venv"


def environment_python() -> str:
    """Give the path of the environment's interpreter."""
    return str(environment_folder() / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def answers(*arguments: str) -> bool:
    """Tell whether the environment's interpreter is there and runs these arguments without an error."""
    command = [environment_python(), *arguments]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, stdin=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def make_environment(steps: Steps) -> None:
    """Make the virtual environment, or keep the one that works."""
    folder = environment_folder()
    if answers("-c", "import sys; sys.exit(sys.version_info < (3, 11))"):
        steps.begin(f"virtual environment {folder.name} is there")
        return
    check_can_make(folder)
    steps.begin("making a virtual environment", end=" ...")
    started = time.monotonic()
    make = [sys.executable, "-m", "venv", "--clear", str(folder)]
    made = subprocess.run(make, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        print("\n" + made.stdout.decode(errors="replace"))
        raise Stop(f"The virtual environment could not be made in {folder}: see above.", shell_status(made.returncode))
    print(f" done in {time.monotonic() - started:.0f} s", flush=True)


def check_can_make(folder: Path) -> None:
    """Refuse to replace a folder of the user's, and say what this Python lacks."""
    if folder.exists() and not (folder / "pyvenv.cfg").exists() and any(folder.iterdir()):
        raise Stop(f"{folder} is not a virtual environment: move it away, then run this command again.")
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise Stop(
                f"This Python has no {module} module: install it (on Debian and Ubuntu: apt-get install python3-venv),"
                " then run this command again."
            )


def requirements(verb: str) -> "list[str]":
    """Give the arguments of pip install.

    The demo takes the plugins editable, as the tests do: `.[full]` would put copies in the place of those, and the
    tests would then prove the copies.
    """
    if verb == "test":
        return ["-r", "requirements-dev.txt"]
    plugins = sorted(str(project.parent) for project in ROOT.glob("plugins/*/pyproject.toml"))
    editable = [part for folder in [".", *plugins] for part in ("-e", folder)]
    return [*editable, "scikit-learn>=1.4"]


def fingerprint(verb: str) -> str:
    """Name the state of everything that an installation depends on."""
    files = [ROOT / "pyproject.toml", ROOT / "hatch_build.py", ROOT / "requirements-dev.txt"]
    files += sorted(ROOT.glob("plugins/*/pyproject.toml"))
    digest = hashlib.sha256(repr((str(ROOT), sys.version, requirements(verb))).encode())
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def installed(verb: str) -> bool:
    """Tell whether the environment already holds what this verb needs; what the tests need serves the demo too."""
    stamps = {name: environment_folder() / ("installed-for-" + name) for name in {verb, "test"}}
    return any(stamp.exists() and stamp.read_text() == fingerprint(name) for name, stamp in stamps.items())


def install(steps: Steps, verb: str) -> None:
    """Install what the verb needs, unless nothing changed since the last time."""
    if installed(verb):
        steps.begin("packages are installed")
        return
    if not answers("-m", "pip", "--version") and not answers("-m", "ensurepip"):
        raise Stop(f"{environment_folder()} has no pip: remove that folder, then run this command again.")
    pip = [environment_python(), "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    status = steps.run("installing packages (the first time may take minutes)", pip + requirements(verb))
    if status:
        raise Stop("The installation failed: see above; it needs the package index and room on the disk.", status)
    (environment_folder() / ("installed-for-" + verb)).write_text(fingerprint(verb))


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


def test(arguments: "list[str]") -> int:
    """Run every check; the first failure decides the exit status, the others run all the same."""
    steps = Steps(3 + len(CHECKS))
    make_environment(steps)
    install(steps, "test")
    python = environment_python()
    results = [(name, steps.run(name, [python, "-m", *command])) for name, command in CHECKS]
    steps.begin("tests (pytest)")
    # A process for each processor; a file's tests stay together, since they share servers and browsers.
    several = ["-n", "auto", "--dist", "loadfile", "--durations=20"]
    command = [python, "-m", "pytest", f"--timeout={TEST_TIMEOUT}", *several, *test_paths(arguments), *arguments]
    results.append(("tests", shell_status(subprocess.call(command, cwd=ROOT))))
    failed = [(name, status) for name, status in results if status]
    if failed:
        raise Stop(f"Failed: {', '.join(dict(failed))}. Next: mend the first, then run this again.", failed[0][1])
    hint = "" if not hasattr(os, "geteuid") or os.geteuid() == 0 else " (run as root to include the privileged ones)"
    print(f"\nEvery check passed{hint}. Next: `python3 dev.py demo` shows neural at work.")
    return 0


def test_paths(arguments: "list[str]") -> "list[str]":
    """Give the folders of tests, unless the arguments name tests themselves."""
    if any((ROOT / argument.split("::")[0]).exists() for argument in arguments if not argument.startswith("-")):
        return []
    return ["tests", *sorted(str(folder.relative_to(ROOT)) for folder in ROOT.glob("plugins/*/tests"))]


def main(arguments: "list[str]") -> int:
    """Run a verb; give the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - an older one is told so
        version = ".".join(map(str, sys.version_info[:2]))
        print(
            f"neural needs Python 3.11 or newer, and this is {version}: run it with a newer one, as python3.11 dev.py."
        )
        return 1
    verbs = {"demo": demo, "test": test}
    if not arguments or arguments[0] not in verbs:
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        return verbs[arguments[0]](arguments[1:])
    except Stop as stop:
        print(f"\n{stop}")
        return stop.status
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
