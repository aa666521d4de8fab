"""Who has not heard everything at the end of an experiment, said in one line each."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from neural_core._delivery.cursor import Cursor

__all__ = ["say_who_is_behind"]

_log = logging.getLogger("neural")


def say_who_is_behind(
    directory: Path, cursors: Sequence[Cursor], backends: Collection[str], position: Mapping[str, int]
) -> bool:
    """Warn of each that is behind; True when nobody is.

    Args:
        directory: the experiment.
        cursors: of those that were to hear of it.
        backends: names of those among them that were asked for; one without a cursor has heard nothing.
        position: part → ordinal up to which there is something to hear.
    """
    behind = dict.fromkeys(set(backends) - {cursor.plugin for cursor in cursors}, "nothing was delivered")
    for cursor in cursors:
        if not cursor.is_there(position, ended=True, or_failed=False):
            behind[cursor.plugin] = cursor.error or _rows_behind(directory, cursor)
    for name, reason in behind.items():
        if name in backends:
            sentence = "backend %r has not heard everything yet (%s). All is stored; later: neural sync %s --to %s"
            _log.warning(sentence, name, reason, directory.name.rpartition("_")[2], name)
        else:
            _log.warning("plugin %r has not heard everything yet (%s). All is stored", name, reason)
    return not behind


def _rows_behind(directory: Path, cursor: Cursor) -> str:
    from neural_core._storage.experiment.tail import Tail  # brings NumPy; a plugin that hangs does not count by itself

    return f"{Tail(directory, cursor.position).rows_behind():,} rows behind"
