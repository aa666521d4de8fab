"""The first look at a base folder: all its experiments, some at a time, the newest first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from neural_core._storage.experiment.overview import RowReader
from neural_core._storage.index.base_index import Index
from neural_core._storage.index.document import from_document
from neural_core._storage.index.rows import Stored
from neural_core._storage.index.schema import Signature, folder_key
from neural_core.errors import DamagedError
from neural_core.records import RunRow

__all__ = ["FirstLook"]


class FirstLook:
    """Gives the rows of a base folder: those that the index holds, then those that it has to read."""

    def __init__(self, base_dir: Path) -> None:
        self._read: list[RunRow] = []
        self._index = Index(base_dir, row_reader=lambda directory: _Telling(directory, self._read.append))
        self._stored: list[Stored] | None = None
        self._begun = False

    def rows(self, found: Mapping[str, Signature | None], most: int | None) -> tuple[list[RunRow], bool]:
        """Give some more rows, and whether these were the last.

        Args:
            found: the experiments that are there; what the index says of another `metadata.json` does not count.
            most: of a call; None for all that are left.

        Raises:
            OSError: the base folder may not be read.
        """
        if self._stored is None:
            self._stored = self._still_true(found)
        rows = self._from_index(most)
        if most is not None and len(rows) >= most:
            return rows, False  # enough for now
        left = self._index.refresh(most)
        rows += self._read
        self._read.clear()
        if not left:
            self._index.close()
        return rows, not left

    def _still_true(self, found: Mapping[str, Signature | None]) -> list[Stored]:
        signatures = {folder_key(folder): signature for folder, signature in found.items()}
        return [one for one in self._index.stored() if signatures.get(one.key) == one.signature]

    def _from_index(self, most: int | None) -> list[RunRow]:
        """Give at most so many at first, so that somebody who waits sees them, and then all: that takes no second."""
        assert self._stored is not None
        taken = self._stored[: None if self._begun else most]
        del self._stored[: len(taken)]
        self._begun = True
        try:
            return [from_document(one.document) for one in taken]
        except DamagedError:
            return []  # what is not given here is read by who lists


class _Telling(RowReader):
    """Tells every row that it reads."""

    def __init__(self, directory: Path, tell: Callable[[RunRow], None]) -> None:
        super().__init__(directory)
        self._tell = tell

    def read(self) -> RunRow:
        row = super().read()
        self._tell(row)
        return row
