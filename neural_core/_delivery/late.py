"""Delivery of a tracker that asked for none: only for plugins that are always on, if there are any.

To look for them costs some milliseconds, so that the housekeeping thread or the end does it, never the beginning.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neural_core._delivery.delivery import Delivery

__all__ = ["LateDelivery"]


class LateDelivery:
    """Stands where a `Delivery` does."""

    draws_plots = False

    def __init__(self, directory: Path, uid: str) -> None:
        self._directory = directory
        self._uid = uid
        self._looked = False
        self._looking = threading.Lock()  # the end may come while the housekeeping thread looks
        self._pid = os.getpid()
        self._found: Delivery | None = None

    def tick(self) -> None:
        """On the housekeeping thread, after new rows."""
        if (delivery := self._delivery()) is not None:
            delivery.tick()

    def flush(self, position: Mapping[str, int]) -> None:
        """Wait for everybody; see `Delivery.flush`."""
        if (delivery := self._delivery()) is not None:
            delivery.flush(position)

    def finish(self, position: Mapping[str, int]) -> None:
        """Wait for everybody, for the last time; see `Delivery.finish`."""
        if (delivery := self._delivery()) is not None:
            delivery.finish(position)

    @property
    def complete(self) -> bool:
        """Tell whether everybody has heard everything; see `Delivery.complete`."""
        return self._found is None or self._found.complete

    def _delivery(self) -> Delivery | None:
        if self._pid != os.getpid():
            return None  # a forked child: the parent delivers what it writes
        with self._looking:
            if not self._looked:
                self._found = self._look()
                self._looked = True
        return self._found

    def _look(self) -> Delivery | None:
        from neural_core._delivery import AUTO_PLOTS, discovery

        if not discovery.always_on_names() - {AUTO_PLOTS}:
            return None
        from neural_core._delivery.delivery import Delivery

        return Delivery(self._directory, self._uid, backends={}, plots=False)
