"""What the parts of the comparison share: sizes, rows of figures, and rounds in rotating order."""

from __future__ import annotations

import itertools
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from attrs import Factory, define, frozen

from benchmarks.peers.environments import NotPossibleError
from benchmarks.peers.processes import Place, Runner

__all__ = ["FULL", "QUICK", "TINY", "Bench", "Figures", "PeerSizes", "Row", "rows_of"]

Figures = Mapping[str, float]
"""What one contestant's turn in one round gives: a value for each key."""

_SCALES = {"ms": 1e3, "µs": 1e6, "MB": 1e-6}


@frozen
class PeerSizes:
    """How much is measured.

    Attributes:
        rounds: of each part; a contestant whose turn takes longer than `long` has `few`.
        few: see `rounds`.
        long: seconds.
        calls: how often a run logs in the part `calls`, in three sizes.
        patience: seconds after which such a run is cut short.
        kills: of each contestant.
        window: seconds within which a kill falls.
        stored: calls of the run whose size on the disk is taken.
        points: of the metric that is read.
        runs: in the list.
        artifact_bytes: size of the artifact.
        steps: of the training loop.
    """

    rounds: int
    few: int
    long: float
    calls: tuple[int, ...]
    patience: float
    kills: int
    window: float
    stored: int
    points: int
    runs: int
    artifact_bytes: int
    steps: int


FULL = PeerSizes(5, 3, 15.0, (1_000, 10_000, 100_000), 25.0, 5, 2.0, 10_000, 100_000, 200, 2**30, 5_000)
QUICK = PeerSizes(2, 1, 5.0, (100, 1_000, 2_000), 5.0, 1, 1.0, 1_000, 2_000, 10, 2**24, 500)
TINY = PeerSizes(1, 1, 1.0, (10, 50, 100), 1.0, 1, 0.1, 50, 100, 3, 2**20, 20)


@define
class Row:
    """One measured question.

    Attributes:
        key: a word for the picture.
        question: what was measured.
        unit: of the values.
        values: for each contestant, by name, its rounds.
        notes: what must be said beside a contestant's value.
        ranked: less is better, and the best is looked for.
    """

    key: str
    question: str
    unit: str
    values: dict[str, list[float]]
    notes: dict[str, str] = Factory(dict)
    ranked: bool = True


@define
class Bench:
    """The contestants of a run, and where they work.

    Attributes:
        sizes: how much is measured.
        runners: of those that can take part.
        folder: where they work; everything below is thrown away.
        failures: contestant → what it has no figures of in this part, and why.
    """

    sizes: PeerSizes
    runners: Mapping[str, Runner]
    folder: Path
    failures: dict[str, list[str]] = Factory(dict)
    _numbers: Iterator[int] = Factory(itertools.count)

    def taking_part(self, part: str) -> list[Runner]:
        """Give those who take part in a part."""
        return [runner for runner in self.runners.values() if not runner.one.parts or part in runner.one.parts]

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Give new folders, and throw them away in the end."""
        place = Place(self.folder / f"place-{next(self._numbers)}").make()
        try:
            yield place
        finally:
            shutil.rmtree(place.root, ignore_errors=True)

    def rounds(
        self, what: str, runners: Sequence[Runner], turn: Callable[[Runner], Figures], rounds: int | None = None
    ) -> dict[str, list[Figures]]:
        """Let each take its turn in every round, the next round beginning with the next; give all figures by name.

        One that fails has no figures, and `failures` says why.

        Args:
            what: what is measured, in a word for the failures.
            runners: whose turns.
            turn: does and measures it.
            rounds: how many; `sizes.rounds` when None.
        """
        found: dict[str, list[Figures]] = {runner.one.name: [] for runner in runners}
        left, slow = list(runners), set[str]()
        for number in range(self.sizes.rounds if rounds is None else rounds):
            for runner in _rotated(left, number):
                name, began = runner.one.name, time.monotonic()
                if name in slow and number >= self.sizes.few:
                    continue
                with self.excused(what, name):
                    found[name].append(turn(runner))
                if any(one.startswith(what) for one in self.failures.get(name, ())):
                    found.pop(name)
                    left.remove(runner)
                elif time.monotonic() - began > self.sizes.long:
                    slow.add(name)
        return found

    def warm(self, what: str, runners: Sequence[Runner], turn: Callable[[Runner], Figures]) -> None:
        """Let each take a turn that does not count, unless the sizes are so small that no figure does."""
        if self.sizes.rounds > 1:
            self.rounds(what, runners, turn, 1)

    @contextmanager
    def excused(self, what: str, name: str) -> Iterator[None]:
        """Take it down when a contestant cannot do something."""
        try:
            yield
        except NotPossibleError as error:
            self.failures.setdefault(name, []).append(f"{what}: {error}")
            print(f"  {name}, {what}: {error}", flush=True)


def _rotated(runners: Sequence[Runner], number: int) -> list[Runner]:
    first = number % max(1, len(runners))
    return [*runners[first:], *runners[:first]]


def rows_of(found: Mapping[str, Sequence[Figures]], questions: Mapping[str, tuple[str, str]]) -> list[Row]:
    """Give a row for each key of the figures: its question and unit. Seconds are given in the unit."""
    return [
        Row(
            key,
            question,
            unit,
            {name: [one[key] * _SCALES.get(unit, 1.0) for one in rounds] for name, rounds in found.items() if rounds},
        )
        for key, (question, unit) in questions.items()
    ]
