"""Who has not heard everything at the end of an experiment, said in one line each."""

from __future__ import annotations

import logging
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from neural_core._delivery.cursor import Cursor
from neural_core._storage import folder
from neural_core.errors import NeuralError

__all__ = ["say_who_is_behind"]

_log = logging.getLogger("neural")


def say_who_is_behind(
    directory: Path, cursors: Sequence[Cursor], backends: Mapping[str, Mapping[str, Any]], position: Mapping[str, int]
) -> bool:
    """Warn of each that is behind; True when nobody is.

    Args:
        directory: the experiment.
        cursors: of those that were to hear of it.
        backends: name → options of those among them that were asked for; one without a cursor has heard nothing.
        position: part → ordinal up to which there is something to hear.
    """
    without = {(name, False) for name in backends} - {cursor.whose for cursor in cursors}
    behind = dict.fromkeys(without, "nothing is known of its delivery")
    for cursor in cursors:
        if not cursor.is_there(position, ended=True, or_failed=False):
            behind[cursor.whose] = cursor.error or _rows_behind(directory, cursor)
    for (name, installed), reason in behind.items():
        if name in backends and not installed:
            sentence = "backend %r has not heard everything yet (%s). All is stored; later: %s"
            _log.warning(sentence, name, reason, _command(directory, name, backends[name]))
        else:
            _log.warning("plugin %r has not heard everything yet (%s). All is stored", name, reason)
    return not behind


def _command(directory: Path, name: str, options: Iterable[str]) -> str:
    """Give the line that delivers it later, as it can be typed here; what options say may be secret."""
    found = _usual_base() in (directory.parent, directory.parent.parent)
    experiment = directory.name.rpartition("_")[2] if found else shlex.quote(str(directory))
    return " ".join([f"neural sync {experiment} --to {name}", *(f"--option {option}=…" for option in options)])


def _usual_base() -> Path | None:
    """Give the folder in which a command looks by itself; None when there is none, as the script's own is gone."""
    try:
        return folder.resolve_base_dir(folder.DEFAULT_BASE_DIR)
    except (OSError, NeuralError):
        return None


def _rows_behind(directory: Path, cursor: Cursor) -> str:
    from neural_core._storage.experiment.tail import Tail  # brings NumPy; a plugin that hangs does not count by itself

    return f"{Tail(directory, cursor.position).rows_behind():,} rows behind"
