"""What the server does beside its requests: it reads ahead what a page shows first, then checks what was shown."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING

from neural_core.reading import ExperimentStore

if TYPE_CHECKING:
    from neural_ui._api import RunList

__all__ = ["begin_ahead"]

_BREATH_SECONDS = 0.005
"""In which a request may look at the list in between."""
_PAUSE_SECONDS = 2.0
_NICENESS = 10


def begin_ahead(store: ExperimentStore, every: RunList) -> None:
    """Begin, in a thread that ends with the process."""
    threading.Thread(target=_work, args=(store, every), daemon=True, name="neural-ui-ahead").start()


def _work(store: ExperimentStore, every: RunList) -> None:
    with contextlib.suppress(OSError):  # the page itself says what is wrong with the folder
        more = every.read_on()
        store.warm()
        while more:
            time.sleep(_BREATH_SECONDS)
            more = every.read_on()
        every.sheet()
    with contextlib.suppress(AttributeError, OSError):  # checking waits for whoever else wants the processor
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
    while True:
        time.sleep(_PAUSE_SECONDS)
        while store.check_next():
            pass
