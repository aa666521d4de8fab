"""What the server does beside its requests: it reads ahead what a page shows first, then checks what was shown."""

from __future__ import annotations

import contextlib
import os
import threading
import time

from neural_core.reading import ExperimentStore

__all__ = ["begin_ahead"]

_PAUSE_SECONDS = 2.0
_NICENESS = 10


def begin_ahead(store: ExperimentStore) -> None:
    """Begin, in a thread that ends with the process."""
    threading.Thread(target=_work, args=(store,), daemon=True, name="neural-ui-ahead").start()


def _work(store: ExperimentStore) -> None:
    with contextlib.suppress(OSError):  # the page itself says what is wrong with the folder
        store.warm()
    with contextlib.suppress(AttributeError, OSError):  # checking waits for whoever else wants the processor
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
    while True:
        time.sleep(_PAUSE_SECONDS)
        while store.check_next():
            pass
