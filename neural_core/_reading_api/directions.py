"""Whether smaller or larger is better, for each metric of a store: told by the name, or by the user."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from neural_core._series import lower_is_better
from neural_core._storage.experiment.documents import read_document, write_document
from neural_core.errors import ArgumentValueError, DamagedError

__all__ = ["directions_mark", "directions_of", "set_direction"]

_FILE = ".directions.json"
_WORDS = ("min", "max")


def _stored(base_dir: Path) -> dict[str, str]:
    try:
        found = read_document(base_dir / _FILE).get("directions")
    except (OSError, DamagedError):
        return {}
    return {name: word for name, word in found.items() if word in _WORDS} if isinstance(found, dict) else {}


def directions_mark(base_dir: Path) -> int:
    """Name what is stored now: something else is stored under another number."""
    try:
        return (base_dir / _FILE).stat().st_mtime_ns
    except OSError:
        return 0


def directions_of(base_dir: Path, metrics: Iterable[str]) -> dict[str, str]:
    """Give metric → ``min`` or ``max``: which values are better."""
    stored = _stored(base_dir)
    return {name: stored.get(name) or ("min" if lower_is_better(name) else "max") for name in metrics}


def set_direction(base_dir: Path, metric: str, direction: str | None) -> None:
    """Keep what the user says of a metric in the base folder; None takes it back.

    Raises:
        ArgumentValueError: another word than min and max.
        OSError: the folder cannot be written.
    """
    if direction not in (*_WORDS, None):
        raise ArgumentValueError(f"direction {str(direction)[:80]!r} is unknown: take 'min', 'max' or null")
    stored = _stored(base_dir)
    stored.pop(metric, None)
    if direction is not None:
        stored[metric] = direction
    write_document(base_dir / _FILE, {"directions": stored})
