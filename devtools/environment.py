"""The virtual environment of a checkout: made once, and installed into again only when a pyproject.toml has changed."""
# As in dev.py: only the standard library, no syntax newer than Python 3.6, quoted annotations.

import hashlib
import importlib.util
import subprocess
import sys
import time
from pathlib import Path

from devtools.places import ROOT, environment_folder, environment_python
from devtools.steps import Steps, Stop, shell_status


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
