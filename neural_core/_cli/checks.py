"""The checks of ``neural doctor`` that look at this machine: versions, plugins, settings, the base folder."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Literal

from attrs import frozen

from neural_core import __version__
from neural_core._delivery.listing import list_plugins
from neural_core._installed import BACKENDS, entry_points
from neural_core._storage.cache_folder import cache_folder, is_network_path

__all__ = ["Finding", "Level", "machine"]

Level = Literal["ok", "note", "wrong"]
_LIBRARIES = ("attrs", "cattrs", "click", "matplotlib", "numpy", "platformdirs", "pluggy", "rich")
_LITTLE_BYTES = 2**30
_NO_BYTES = 100 * 2**20
_FEW_FILES = 1_000


@frozen
class Finding:
    """What a check found.

    Attributes:
        level: ``ok``, ``note`` for what is worth knowing, ``wrong`` for what is to be mended.
        what: one sentence.
        remedy: what to do about it; empty where there is nothing to do.
    """

    level: Level
    what: str
    remedy: str = ""


def machine(base: Path) -> Iterator[Finding]:
    """Check everything but the experiments."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", f"neural {__version__}, Python {version} at {sys.executable}")
    yield from _libraries()
    yield from _plugins()
    yield from _settings()
    yield from _folder(base)
    yield from _cache()


def _libraries() -> Iterator[Finding]:
    found, missing = [], []
    for name in _LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    yield Finding("ok", f"libraries: {', '.join(found)}")
    for name in missing:
        yield Finding("wrong", f"the library {name} is missing", f"pip install {name}")


def _plugins() -> Iterator[Finding]:
    listed = list_plugins()
    sound = dict.fromkeys(one.distribution for one in listed if one.state == "ok")
    yield Finding("ok", f"plugins of {', '.join(sound) or 'nobody'}")
    for one in listed:
        package = one.distribution.rpartition(" ")[0]
        if one.state == "broken":
            remedy = f"pip install --upgrade {package}, or pip uninstall {package}"
            yield Finding("wrong", f"plugin {one.name} ({one.distribution}): {one.error}", remedy)
        elif one.state == "blocked":
            yield Finding("note", f"plugin {one.name} ({one.distribution}) is blocked by NEURAL_DISABLE_PLUGINS")


def _settings() -> Iterator[Finding]:
    if os.environ.get("NEURAL_MODE", "").lower() == "disabled":
        yield Finding("wrong", "NEURAL_MODE=disabled: nothing is recorded", "unset NEURAL_MODE")
    present = entry_points(BACKENDS)
    named = [name.strip() for name in os.environ.get("NEURAL_BACKENDS", "").split(",") if name.strip()]
    for name in named:
        if name not in present:
            remedy = f"pip install neural-{name}, or take it out of NEURAL_BACKENDS"
            yield Finding("wrong", f"NEURAL_BACKENDS names {name!r}, which is not installed", remedy)
    if os.environ.get("NEURAL_COMPANION") == "0":
        yield Finding("note", "NEURAL_COMPANION=0: backends are served by threads of the training process")


def _folder(base: Path) -> Iterator[Finding]:
    if not base.exists():
        above = next(parent for parent in base.parents if parent.exists())
        if os.access(above, os.W_OK | os.X_OK):
            yield Finding("note", f"{base} is not there yet: the first experiment makes it")
        else:
            remedy = "name another folder with --base-dir or NEURAL_DIR"
            yield Finding("wrong", f"{base} is not there, and you may not make it", remedy)
        base = above
    elif not os.access(base, os.R_OK | os.X_OK):
        yield Finding("wrong", f"you may not read {base}", f"chmod u+rx {base}, or ask who owns it")
    elif not os.access(base, os.W_OK):
        yield Finding("note", f"you may read {base}, but not write it: training elsewhere needs NEURAL_DIR")
    else:
        yield Finding("ok", f"base folder {base}: you may read and write it")
    yield from _room(base)
    if is_network_path(base):
        yield Finding(
            "note", f"{base} is on a network file system: reading is slower, and who died on other hosts shows late"
        )


def _room(base: Path) -> Iterator[Finding]:
    free = shutil.disk_usage(base).free
    remedy = "make room: `neural gc` shows what could go"
    said = f"{free / 2**30:,.1f} GiB free at {base}"
    if free < _NO_BYTES:
        yield Finding("wrong", said, remedy)
    elif free < _LITTLE_BYTES:
        yield Finding("note", said, remedy)
    else:
        yield Finding("ok", said)
    if hasattr(os, "statvfs"):
        status = os.statvfs(base)
        if status.f_files and status.f_favail < _FEW_FILES:
            yield Finding("wrong", f"the file system takes only {status.f_favail:,} more files", remedy)


def _cache() -> Iterator[Finding]:
    place = cache_folder()
    above = next(parent for parent in (place, *place.parents) if parent.exists())
    if not os.access(above, os.W_OK | os.X_OK):
        remedy = "set NEURAL_CACHE_DIR to a folder that you may write"
        yield Finding("wrong", f"the cache {place} cannot be written: every list is made anew", remedy)
    elif is_network_path(above):
        remedy = "set NEURAL_CACHE_DIR to a folder on a local disk"
        yield Finding("note", f"the cache {place} is on a network file system and not used: lists take longer", remedy)
    else:
        size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) if place.exists() else 0
        yield Finding("ok", f"index cache {place}: {size / 2**20:,.1f} MiB, may be deleted at any time")
