"""Follow an experiment from a position: what was logged, in order, a batch at a time.

Order: parts by epoch and name, each from where it was left; the end of the experiment is held back until every other
part has been followed to its end. At most some thousand rows are in memory, however far behind the position is.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.rows import PartRows
from neural_core._storage.experiment.state import State

if TYPE_CHECKING:
    from neural_core._storage.journal.part import Part

__all__ = ["BATCH_ROWS", "Batch", "Tail"]

BATCH_ROWS = 1_000
_START, _END = "experiment_started", "experiment_finished"


@frozen(eq=False)
class Batch:
    """What to deliver next: some rows, or one fact.

    Attributes:
        part: where it stands.
        after: the position of that part once it is delivered.
        rows: the rows, None for a fact.
        fact: the fact, None for rows.
    """

    part: str
    after: int
    rows: PartRows | None = None
    fact: Mapping[str, Any] | None = None


class Tail:
    """Follows one experiment.

    Attributes:
        position: part → ordinal up to which everything was delivered.
        state: the experiment as the delivered facts tell it.
        ended: True when the end was delivered and no later span begun.
    """

    def __init__(
        self, directory: Path, position: Mapping[str, int] | None = None, *, batch_rows: int = BATCH_ROWS
    ) -> None:
        """Begin at `position`, or at the beginning, and give at most so many rows at once."""
        self.directory = directory
        self._batch_rows = batch_rows
        self.position = dict(position or {})
        self._reader = RunReader(directory)
        self._reader.refresh()
        self._rows: dict[str, int] = {}
        self.state = State()
        self.ended = False
        for part, ordinal, fact in self._reader.facts():
            if ordinal < self.position.get(part, 0):
                self._apply(fact)

    def refresh(self) -> None:
        """Look for what was logged since."""
        self._reader.refresh()

    def next(self) -> Batch | None:
        """Give what comes next; None when there is nothing more for now. `done` says that it was delivered."""
        held: Batch | None = None
        for part in self._reader.parts:
            batch = self._next_of(part)
            if batch is None:
                continue
            if batch.fact is None or batch.fact.get("kind") != _END:
                if held is not None and part.header.get("session") == "owner":
                    break  # a later span of the owner begins only after the end of the earlier one
                return batch
            held = held or batch
        if held is None:
            # What stands behind the last fact or row (a schema, damage) is delivered with it.
            self.position |= {part.stem: part.end for part in self._reader.parts}
        return held

    def done(self, batch: Batch) -> None:
        """Move the position behind `batch`."""
        self.position[batch.part] = batch.after
        if batch.rows is not None:
            self._rows[batch.part] = self._rows.get(batch.part, 0) + len(batch.rows)
        if batch.fact is not None:
            self._apply(batch.fact)

    def _apply(self, fact: Mapping[str, Any]) -> None:
        self.state.apply(fact)
        if fact.get("kind") in (_START, _END):
            self.ended = fact["kind"] == _END

    def end(self) -> dict[str, int]:
        """Give the position behind everything that is there now."""
        self.refresh()
        return {part.stem: part.end for part in self._reader.parts}

    def rows_behind(self) -> int:
        """How many rows were not delivered yet."""
        return sum(part.rows - self._row(part) for part in self._reader.parts)

    def _row(self, part: Part) -> int:
        """The first row of a part that was not delivered."""
        if part.stem not in self._rows:
            self._rows[part.stem] = part.row_at(self.position.get(part.stem, 0))
        return self._rows[part.stem]

    def _next_of(self, part: Part) -> Batch | None:
        at = self.position.get(part.stem, 0)
        index = bisect.bisect_left(part.facts, at, key=lambda fact: fact[0])
        fact = part.facts[index] if index < len(part.facts) else None
        first = self._row(part)
        last = min(first + self._batch_rows, part.rows if fact is None else part.row_at(fact[0]))
        if last > first:
            rows = PartRows(part, first, last)
            return Batch(part.stem, int(rows.positions[-1]) + 1, rows=rows)
        return None if fact is None else Batch(part.stem, fact[0] + 1, fact=fact[1])

    def __iter__(self) -> Iterator[Batch]:
        """Give batch after batch, each taken for delivered when the next is asked for."""
        while (batch := self.next()) is not None:
            yield batch
            self.done(batch)
