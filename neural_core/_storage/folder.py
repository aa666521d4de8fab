"""The folders: where experiments live, how a new one is made, and which folder is one."""

from __future__ import annotations

import contextlib
import os
import unicodedata
from pathlib import Path

from neural_core.errors import ArgumentTypeError, ArgumentValueError, ConfigurationError

__all__ = [
    "DEFAULT_BASE_DIR",
    "SPOOLS",
    "SPOOL_OF",
    "TRASH",
    "experiment_folders",
    "is_experiment",
    "make_experiment_folder",
    "make_parts",
    "prepare_base_dir",
    "resolve_base_dir",
    "slug",
    "with_spools",
]

DEFAULT_BASE_DIR = "neural_experiments"
TRASH = ".trash"
SPOOLS = ".integrations"
"""Where experiments are that only pass through to a backend."""
SPOOL_OF = "integration"
"""What their environment calls the name of that backend."""
_SLUG_LENGTH = 48
_FALLBACK_SLUG = "experiment"
_DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))}
_ATTEMPTS = 100


def resolve_base_dir(base_dir: str | os.PathLike[str]) -> Path:
    """Give the base folder as an absolute path; NEURAL_DIR stands in for the default.

    Raises:
        ConfigurationError: it can be no folder.
    """
    if not isinstance(base_dir, (str, os.PathLike)):
        raise ConfigurationError(f"base_dir is a path, not {type(base_dir).__name__}")
    text = os.fspath(base_dir)
    if text == DEFAULT_BASE_DIR:
        text = os.environ.get("NEURAL_DIR") or text
    if not text or "\0" in text:
        raise ConfigurationError("base_dir is empty or holds a NUL character: give the path of a folder")
    try:
        path = Path(text).expanduser().absolute()
        os.fsencode(path)
        is_file = path.exists() and not path.is_dir()
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: the home of an unknown user
        raise ConfigurationError(f"base_dir {text!r:.200} can be no folder: {error!s:.200}") from error
    if is_file:
        raise ConfigurationError(f"base_dir {path} is a file: give the path of a folder")
    return path


def prepare_base_dir(base_dir: Path) -> None:
    """Make the base folder, with a .gitignore so that no run lands in a repository by accident.

    Raises:
        ConfigurationError: it cannot be made or written.
    """
    try:
        base_dir.mkdir(parents=True, exist_ok=True)
        if not os.access(base_dir, os.W_OK | os.X_OK):
            raise PermissionError(13, "permission denied")
    except OSError as error:
        raise ConfigurationError(
            f"base_dir {base_dir} cannot be used: {error}. Give a folder that you may write"
        ) from error
    with contextlib.suppress(OSError), (base_dir / ".gitignore").open("x", encoding="ascii") as file:
        file.write("# Experiments are data, kept out of version control.\n*\n")


def slug(name: str) -> str:
    """Give the readable part of a folder's name: ASCII letters, digits, ``.`` and ``-``, never a device's name."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    kept = "".join(c if c.isalnum() or c in ".-" else "-" for c in plain)
    short = "-".join(part for part in kept.split("-") if part)[:_SLUG_LENGTH].strip(".-")
    return short if short and short.split(".")[0].lower() not in _DEVICES else _FALLBACK_SLUG


def check_name(name: object) -> str:
    """Give a display name: any text that is not empty.

    Raises:
        ArgumentTypeError: no text.
        ArgumentValueError: empty or longer than 10,000 characters.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"experiment_name is text, not {type(name).__name__}")
    if not name or len(name) > 10_000:
        raise ArgumentValueError("experiment_name is empty or longer than 10,000 characters: give it a short text")
    return str.__str__(name)


def new_uid() -> str:
    """Give 128 random bits in hex."""
    return os.urandom(16).hex()


def make_experiment_folder(base_dir: Path, name: str) -> tuple[Path, str]:
    """Make a new folder; give it and the uid. Nobody else can have made the same one.

    Raises:
        ConfigurationError: the folder cannot be made.
    """
    for _ in range(_ATTEMPTS):
        uid = new_uid()
        directory = base_dir / f"{slug(name)}_{uid[:12]}"
        try:
            make_parts(directory)
        except FileExistsError:
            continue
        except OSError as error:
            raise ConfigurationError(f"cannot make a folder in {base_dir}: {error}") from error
        return directory, uid
    raise ConfigurationError(f"cannot make a new folder in {base_dir}: every name that was tried is taken")


def make_parts(directory: Path) -> None:
    """Make the folder of an experiment with what belongs into it; it must not be there yet."""
    directory.mkdir()
    for part in ("metrics", "plots", "artifacts", "versions"):
        (directory / part).mkdir()


def is_experiment(directory: Path) -> bool:
    """Tell whether a folder is an experiment, sound or damaged."""
    return (directory / "metadata.json").is_file() or (directory / "metrics").is_dir()


def with_spools(base_dir: Path) -> list[Path]:
    """Give the experiments of a base folder, and those on their way to a backend."""
    return [*experiment_folders(base_dir), *experiment_folders(base_dir / SPOOLS)]


def experiment_folders(base_dir: Path) -> list[Path]:
    """Give the experiments of a base folder; hidden folders, files, links that lead out and strangers are none."""
    found = []
    with contextlib.suppress(OSError), os.scandir(base_dir) as entries:
        for entry in entries:
            path = Path(entry.path)
            with contextlib.suppress(
                OSError, RuntimeError
            ):  # Python 3.11 and 3.12 say RuntimeError for a loop of links
                inside = not entry.is_symlink() or path.resolve().is_relative_to(base_dir.resolve())
                if not entry.name.startswith(".") and inside and entry.is_dir() and is_experiment(path):
                    found.append(path)
    return sorted(found)
