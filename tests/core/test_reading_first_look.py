"""The first look at a store, some experiments at a time."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from neural_core import ExperimentTracker
from neural_core._reading_api import catalog
from neural_core.reading import ExperimentStore, Listed

OLD = 1_700_000_000
"""Long ago: an index trusts only what was written before the last tick of the clock."""


@pytest.fixture(autouse=True)
def two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a look that is not whole read two experiments."""
    monkeypatch.setattr(catalog, "_SOME", 2)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Five finished experiments, the names in the order of their starts."""
    base = tmp_path / "base"
    for number, name in enumerate("abcde"):
        with ExperimentTracker(name, base, False) as tracker:
            tracker.log_metrics({"loss": 1.0}, step=0)
        os.utime(tracker.experiment_dir / "metadata.json", (OLD + number, OLD + number))
    return base


def ordinals(listed: Listed) -> dict[str, int]:
    """Give name → ordinal, in the order of the list."""
    return {run.row.name: run.ordinal for run in listed.runs}


class TestFirstLook:
    @pytest.mark.parametrize("index", ["cold", "warm"])
    def test_newest_first(self, base: Path, index: str) -> None:
        """Whether the index knows them or not, the newest experiments come first, with the ordinals they will keep."""
        if index == "warm":
            ExperimentStore(base).listed()
        store = ExperimentStore(base)
        looks = [store.listed(whole=False) for _ in range(4)]
        assert (list(ordinals(looks[0]).items()), looks[0].pending) == ([("e", 4), ("d", 3)], 3)
        if index == "cold":
            assert (list(ordinals(looks[1])), looks[1].pending) == (["e", "d", "c", "b"], 1)
        assert (ordinals(looks[-1]), looks[-1].pending) == ({"e": 4, "d": 3, "c": 2, "b": 1, "a": 0}, 0)
        assert store.listed(whole=False).version == looks[-1].version == store.listed().version

    def test_few_come_at_once(self, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the index knows some experiments and few others are to be read, all come in one look."""
        ExperimentStore(base).listed()
        for name in "fg":
            ExperimentTracker(name, base, False).finish()
        monkeypatch.setattr(catalog, "_SOME", 6)
        listed = ExperimentStore(base).listed(whole=False)
        assert (list(ordinals(listed)), listed.pending) == (list("gfedcba"), 0)

    def test_who_wants_all_waits(self, base: Path) -> None:
        """A look at the whole list reads what is left; so does a look for an experiment that is not known yet."""
        store = ExperimentStore(base)
        oldest = ExperimentStore(base).listed().runs[-1]
        store.listed(whole=False)
        assert store.run(oldest.id).row.name == "a"
        assert len(store.listed().runs) == 5

    def test_changes_go_on(self, base: Path) -> None:
        """Changes tell what was read since the cursor, and only what was logged since then has grown."""
        store = ExperimentStore(base)
        cursor = store.listed(whole=False).cursor
        told = []
        pending = 3
        while pending:
            changes = store.changes(cursor, whole=False)
            told += [run.row.name for run in changes.runs]
            cursor, pending = changes.cursor, changes.pending
            assert list(changes.grown) == []
        assert told == ["c", "b", "a"]
        with ExperimentTracker("f", base, False) as tracker:
            tracker.log_metrics({"loss": 1.0}, step=0)
        assert list(store.changes(cursor, whole=False).grown) == [(tracker.experiment_id, "loss", 1)]

    def test_a_new_experiment_meanwhile(self, base: Path) -> None:
        """An experiment that begins while others are read is in the list, too, and lives in it."""
        store = ExperimentStore(base)
        store.listed(whole=False)
        with ExperimentTracker("f", base, False) as tracker:
            tracker.log_metrics({"loss": 1.0}, step=0)
            for _ in range(4):
                listed = store.listed(whole=False)
            assert ordinals(listed) == {"f": 5, "e": 4, "d": 3, "c": 2, "b": 1, "a": 0}
            assert listed.runs[0].row.status == "running"
        assert store.listed().runs[0].row.status == "completed"

    def test_nobody_waits_for_a_reading_thread(self, base: Path) -> None:
        """While a thread reads on, another one is given what is known by then."""
        store = ExperimentStore(base)
        first = store.listed(whole=False)
        found: list[Listed] = []
        with store._catalog._lock:
            other = threading.Thread(target=lambda: found.append(store.listed(whole=False)))
            other.start()
            other.join()
        assert found == [first]

    def test_a_spoilt_document(self, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An experiment whose row in the index cannot be read is read from its folder."""
        monkeypatch.setenv("NEURAL_CACHE_DIR", str(tmp_path / "cache"))
        ExperimentStore(base).listed()
        [path] = (tmp_path / "cache").glob("index-*.sqlite")
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE doc SET doc = 'no document' WHERE n = 1")
        connection.close()
        store = ExperimentStore(base)
        for _ in range(4):
            listed = store.listed(whole=False)
        assert list(ordinals(listed)) == list("edcba")
