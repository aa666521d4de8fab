"""What the disk refused: kept in order for a while, counted for good, told once."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from neural_core._storage.writing.values import Row
from neural_core.errors import StorageError
from neural_core.records import Health

__all__ = ["RING_ROWS", "Trouble"]

RING_ROWS = 10_000
"""Rows that wait in memory for the disk; beyond them a row is counted lost."""
RETRY_SECONDS = 1.0
_log = logging.getLogger("neural")


class Trouble:
    """The rows and facts that wait for the disk, and the account of what was lost.

    Attributes:
        lost: rows and facts that are gone for good.
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._ring: deque[Row | Mapping[str, Any]] = deque()
        self._tried = 0.0
        self._told = False
        self._durable = True
        self.lost = 0
        self.last_error: str | None = None

    @property
    def waiting(self) -> int:
        """How many rows and facts wait."""
        return len(self._ring)

    @property
    def durable(self) -> bool:
        """False from the first sync that failed."""
        return self._durable

    @property
    def health(self) -> Health:
        """The account, as users see it."""
        ok = self._durable and not self._ring and not self.lost
        return Health(ok=ok, waiting=self.waiting, lost=self.lost, last_error=self.last_error)

    def tell(self, error: BaseException, *, warn: bool = True) -> None:
        """Remember an error of the disk; the first of a row of them is a warning."""
        self.last_error = str(error)
        self._tried = time.monotonic()
        if warn and not self._told:
            self._told = True
            _log.warning(
                "%s: the disk refuses (%s). Training goes on; up to %s rows wait in memory until it recovers",
                self._label,
                error,
                f"{RING_ROWS:,}",
            )

    def not_durable(self, error: BaseException) -> None:
        """Remember that a sync failed: what was written before it may not survive a loss of power."""
        self._durable = False
        self.tell(error)

    @contextlib.contextmanager
    def noting_failed_sync(self) -> Iterator[None]:
        """Take an error of the disk in the block as that of a sync."""
        try:
            yield
        except OSError as error:
            self.not_durable(error)

    def keep(self, item: Row | Mapping[str, Any]) -> None:
        """Let a row or a fact wait; rows beyond the ring are lost, facts are few and always kept."""
        if isinstance(item, Row) and len(self._ring) >= RING_ROWS:
            self.lost += 1
        else:
            self._ring.append(item)

    def lose(self, error: BaseException) -> None:
        """Count something that cannot wait in memory, an artifact, as lost."""
        self.lost += 1
        self.tell(error)
        self.raise_when_strict()

    def may_try(self, *, force: bool) -> bool:
        """Tell whether the disk may be asked again: at most once a second, or when forced."""
        now = time.monotonic()
        if not force and now - self._tried < RETRY_SECONDS:
            return False
        self._tried = now
        return True

    def first(self) -> Row | Mapping[str, Any]:
        """The one that has waited longest."""
        return self._ring[0]

    def drop_first(self) -> None:
        """It is stored."""
        self._ring.popleft()

    def over(self) -> None:
        """All that waited is stored; a later failure is told again."""
        if self._told:
            self._told = False
            _log.warning(
                "%s: the disk works again; %s",
                self._label,
                f"{self.lost:,} rows were lost" if self.lost else "nothing was lost",
            )

    def give_up(self) -> None:
        """The writer closes: what still waits is lost, and that is said."""
        self.lost += len(self._ring)
        self._ring.clear()
        if self.lost:
            _log.warning("%s: %s rows could not be stored (%s)", self._label, f"{self.lost:,}", self.last_error)

    def forked(self) -> None:
        """In a forked child: what waits belongs to the parent."""
        self._ring = deque()

    def raise_when_strict(self) -> None:
        """Raise the last error when NEURAL_STRICT=1.

        Raises:
            StorageError: in strict mode only.
        """
        if os.environ.get("NEURAL_STRICT") == "1":
            raise StorageError(f"{self._label}: {self.last_error}")
