"""The experiments of a store as a page names them: ids without doubles, ordinals, revisions, and what changed."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from pathlib import Path
from urllib.parse import quote

from neural_core._reading_api.directions import directions_mark
from neural_core._reading_api.listing import Entry, Listing
from neural_core._reading_api.records import Changes, Listed, StoredRun
from neural_core._storage.folder import TRASH
from neural_core.errors import ExperimentNotFoundError
from neural_core.records import RunRow

__all__ = ["Catalog", "revision_of"]

_NEVER = (-1, -1)
_SOME = 500
"""Experiments that are read at a time when somebody waits for the list."""
_ID = re.compile(r"[0-9a-f]{12}")


class Catalog:
    """The experiments of one base folder. Threads may share it."""

    def __init__(self, base_dir: Path) -> None:
        self.base_dir = base_dir
        self._lock = threading.RLock()
        self._listing = Listing(base_dir)
        self._trash = Listing(base_dir / TRASH)
        self._session = hashlib.sha256(f"{base_dir}{id(self)}{threading.get_ident()}".encode()).hexdigest()[:8]
        self._runs: dict[str, StoredRun] = {}
        self._ids: dict[str, str] = {}
        self._removed: dict[str, int] = {}
        self._seen = _NEVER
        self._known: Listed | None = None

    def refresh(self, *, whole: bool = True) -> None:
        """Look for what changed.

        Args:
            whole: read all that was never read before; else some of it.

        Raises:
            OSError: the base folder may not be read.
        """
        with self._lock:
            self._listing.refresh(None if whole else _SOME)
            if self._trash.refresh():
                self._listing.version += 1  # ordinals may have moved
            seen = self._listing.version, self._trash.version
            if seen != self._seen:
                self._seen = seen
                self._renew()

    def _renew(self) -> None:
        entries = self._listing.entries
        ids = names_of({folder: entry.row for folder, entry in entries.items()})
        ordinals = self._ordinals()
        known = {run.row.folder: run for run in self._runs.values()}
        self._ids = ids
        before = self._runs.keys()
        self._runs = {
            ids[folder]: _stored((ids[folder], ordinals[folder]), entry, known.get(folder), self._listing.version)
            for folder, entry in sorted(entries.items(), key=lambda pair: -ordinals[pair[0]])
        }
        self._removed |= dict.fromkeys(before - self._runs.keys(), self._listing.version)

    def _ordinals(self) -> dict[str, int]:
        """Count by creation, over the trash as well: a deleted experiment shifts no colour."""
        every = [(entry.row, False) for entry in self._listing.entries.values()]
        every += [(entry.row, True) for entry in self._trash.entries.values()]
        every.sort(key=lambda pair: (pair[0].start_time, pair[0].experiment_id, pair[0].folder))
        # Those that were not read yet were touched longest ago, and so are likely to be the oldest.
        return {row.folder: place for place, (row, thrown) in enumerate(every, self._listing.pending) if not thrown}

    def listed(self, *, whole: bool = True) -> Listed:
        """Look for what changed, and give the experiments.

        Args:
            whole: all of them, however many have to be read; else read some and give what is known then, or, while
                another thread reads on, what was known before.

        Raises:
            OSError: the base folder may not be read.
        """
        known = self._known
        waits = whole or known is None or not known.pending
        if not self._lock.acquire(blocking=waits):
            assert known is not None
            return known
        try:
            self.refresh(whole=whole)
            version = f"{self._session}-{self._seen[0]}-{self._seen[1]}-{directions_mark(self.base_dir)}"
            runs, thrown = list(self._runs.values()), len(self._trash.entries)
            self._known = Listed(version, self._cursor, thrown, runs, self._listing.pending)
            return self._known
        finally:
            self._lock.release()

    @property
    def _cursor(self) -> str:
        return f"{self._session}-{self._seen[0]}"

    def known(self) -> list[StoredRun]:
        """Give all experiments as of the last look; looks when that was never done."""
        with self._lock:
            if self._seen == _NEVER:
                self.refresh()
            return list(self._runs.values())

    def find(self, name: str) -> StoredRun:
        """Give the experiment with this id.

        Raises:
            ExperimentNotFoundError: there is none.
        """
        found = self._runs.get(name)  # one dictionary takes the place of another: nobody waits who finds it in this one
        if found is None:
            with self._lock:
                self.refresh()
                found = self._runs.get(name)
        if found is None:
            raise ExperimentNotFoundError("no experiment here has this id: it was deleted or moved", name)
        return found

    def directory(self, name: str) -> Path:
        """Give the folder of the experiment with this id.

        Raises:
            ExperimentNotFoundError: there is none.
        """
        return self.base_dir / self.find(name).row.folder

    def changes(self, cursor: str | None, *, whole: bool = True) -> Changes:
        """Tell what changed since a cursor; everything, when the cursor is of another store or process."""
        with self._lock:
            self.refresh(whole=whole)
            since = self._since(cursor)
            entries = self._listing.entries
            fresh = [run for run in self._runs.values() if run.version > since]
            grown = [
                (self._ids[folder], metric, entry.row.metrics[metric].count)
                for folder, entry in entries.items()
                if entry.version > since
                for metric, version in entry.grown.items()
                if version > since and metric in entry.row.metrics
            ]
            gone = [name for name, at in self._removed.items() if at > since and name not in self._runs]
            return Changes(self._cursor, fresh, gone, grown, self._listing.pending)

    def _since(self, cursor: str | None) -> int:
        session, _, number = (cursor or "").partition("-")
        return int(number) if session == self._session and number.isdecimal() else 0

    def trashed(self, name: str) -> Path:
        """Give the folder in the trash of the experiment that has, or had, this id.

        Raises:
            ExperimentNotFoundError: there is none, or it is not clear which one is meant.
        """
        with self._lock:
            self.refresh()
            rows = {folder: entry.row for folder, entry in self._trash.entries.items()}
        exact = [folder for folder, row in rows.items() if name == _long_name(row)]
        found = exact or [folder for folder, row in rows.items() if name == row.experiment_id]
        if len(found) != 1:
            raise ExperimentNotFoundError("the trash holds no experiment with this id, or several", name)
        return self._trash.base_dir / found[0]


def _stored(place: tuple[str, int], entry: Entry, known: StoredRun | None, now: int) -> StoredRun:
    """Give the experiment at an id and ordinal; another place than before is a change too."""
    moved = known is not None and (known.id, known.ordinal) != place
    version = now if moved else entry.version if known is None else max(entry.version, known.version)
    if known is not None and not moved and known.version == version:
        return known
    return StoredRun(*place, entry.row, entry.last_sign, revision_of(entry.row), version)


def names_of(rows: dict[str, RunRow]) -> dict[str, str]:
    """Give the id of each experiment, by folder: that of a copy, and of one without any, has the folder's name."""
    count: dict[str, int] = {}
    for row in rows.values():
        count[row.experiment_id] = count.get(row.experiment_id, 0) + 1
    return {
        folder: row.experiment_id
        if count[row.experiment_id] == 1 and _ID.fullmatch(row.experiment_id)
        else _long_name(row)
        for folder, row in rows.items()
    }


def _long_name(row: RunRow) -> str:
    short = row.experiment_id if _ID.fullmatch(row.experiment_id) else ""
    return f"{short}~{quote(row.folder, safe='')}"


def revision_of(row: RunRow) -> str:
    """Name what an edit may change: somebody else's edit in between gives another name."""
    content = json.dumps([row.name, dict(sorted(row.tags.items())), row.notes, row.color])
    return hashlib.blake2s(content.encode(), digest_size=6).hexdigest()
