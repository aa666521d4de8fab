"""What the user is told once, however often it happens."""

from __future__ import annotations

import logging

__all__ = ["tell_once"]

_log = logging.getLogger("neural")
_told: set[str] = set()


def tell_once(kind: str, sentence: str) -> None:
    """Warn, once for each kind in a process; a companion process warns into ``delivery/companion.log``."""
    if kind not in _told:
        _told.add(kind)
        _log.warning("tensorboard: %s", sentence)
