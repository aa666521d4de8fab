"""The list of experiments as the bytes of answers, made once for each state of the store."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from attrs import frozen

from neural_core.reading import ExperimentStore, Listed, StoredRun
from neural_ui._api._answers import json_text, packed_bytes
from neural_ui._api._columns import columns_text

__all__ = ["RunList", "Sheet"]

_MOST_SHEETS = 4


@frozen
class Sheet:
    """An answer.

    Attributes:
        version: of the store that it tells of.
        data: its JSON.
        packed: the same for browsers that take it so.
    """

    version: str
    data: bytes
    packed: bytes


class RunList:
    """The answers of one store. Threads may share it."""

    def __init__(self, store: ExperimentStore) -> None:
        """Make nothing yet."""
        self._store = store
        self._lock = threading.Lock()
        self._sheets: dict[int, Sheet] = {}

    def read_on(self) -> bool:
        """Read some experiments that were not read yet; tell whether some are left.

        Raises:
            OSError: the base folder may not be read.
        """
        return self._store.listed(whole=False).pending > 0

    def sheet(self, newest: int | None = None, known: str | None = None) -> Sheet | None:
        """Give the experiments that are known by now; nothing to somebody who has this version.

        Args:
            newest: at most so many of them; all when None.
            known: the version of the sheet that the asker has.

        Raises:
            OSError: the base folder may not be read.
        """
        listed = self._store.listed(whole=False)
        if listed.version == known:
            return None
        count = len(listed.runs) if newest is None else min(newest, len(listed.runs))
        with self._lock:  # two pages that open at once wait for one sheet
            made = self._sheets.get(count)
            if made is None or made.version != listed.version:
                if len(self._sheets) >= _MOST_SHEETS:
                    self._sheets.clear()
                made = self._sheets[count] = self._sheet(listed, listed.runs[:count])
            return made

    def _sheet(self, listed: Listed, runs: Sequence[StoredRun]) -> Sheet:
        head = {
            "base_dir": str(self._store.base_dir),
            "cursor": listed.cursor,
            "total": len(listed.runs) + listed.pending,
            "pending": listed.pending,
            "trash": listed.trash,
            "directions": self._store.directions(runs),
        }
        data = f'{json_text(head)[:-1]},"runs":{columns_text(runs)}}}'.encode()
        return Sheet(listed.version, data, packed_bytes(data))
