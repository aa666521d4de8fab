"""Damaged bytes: truncated, flipped, zeroed. What is read is what was logged, or the damage is named."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from journal_support import bits, contents, is_told, listed, problems, run, statuses, steps, stored

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage.experiment.reader import RunReader
from neural_core.errors import NeuralError

POINTS = 250
"""Places that are tried in each file; a smaller file is tried at every byte."""

MAKE = """
import os, sys
from pathlib import Path
from neural_core import ExperimentTracker
base, finish = Path(sys.argv[1]), sys.argv[2] == "finished"
kept = []
def make(name):
    tracker = ExperimentTracker(name, base, auto_visualize=False, tags=["small"], notes="a note")
    tracker.log_hyperparameters({"lr": 0.5, "layers": [1, 2]})
    for step in range(6):
        tracker.log_metrics({"loss": step / 7}, step)
        if step % 2:
            tracker.log_metrics({"loss": -step / 7, "accuracy": 0.5}, step)
    (base.parent / "weights.bin").write_bytes(b"0123456789" * 5)
    tracker.log_artifact(base.parent / "weights.bin")
    tracker.log_metrics({"loss": 0.125})
    tracker.log_hyperparameters({"lr": 0.25})
    tracker.log_metrics({"loss": 0.0625}, 7)
    if finish:
        tracker.finish()
    return tracker
for name in ("victim", "sibling"):
    kept.append(make(name))
os._exit(0)
"""


class Subject:
    """An experiment to be damaged and its sound sibling."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.directory = next(path for path in base.iterdir() if path.name.startswith("victim"))
        self.sibling = next(path for path in base.iterdir() if path.name.startswith("sibling"))
        self.sound = contents(self.directory)
        self.sound_sibling = contents(self.sibling)
        self.status = listed(self.directory).status

    def files(self) -> list[Path]:
        """Every file, without signs of life."""
        found = sorted(path for path in self.directory.rglob("*") if path.is_file() and path.suffix != ".alive")
        assert found
        return found

    def damaged(self, path: Path, fillings: Iterable[bytes]) -> Iterator[None]:
        """Let a file hold the one after the other; in the end it is as before."""
        before = path.read_bytes()
        path.chmod(0o644)
        try:
            for data in fillings:
                overwrite(path, data)
                yield
        finally:
            overwrite(path, before)

    def list_is_whole(self) -> None:
        """The list has both; the sibling is as ever."""
        found = statuses(self.base)
        assert found.keys() == {self.directory.name, self.sibling.name}
        assert found[self.sibling.name] == self.status
        assert contents(self.sibling) == self.sound_sibling

    def read(self) -> Any:
        """Give the contents; an error of ours that refuses to read is an answer."""
        try:
            return contents(self.directory)
        except (NeuralError, OSError) as error:
            return error


def overwrite(path: Path, data: bytes) -> None:
    """Give a file these bytes without emptying it first: ext4 waits for the disk when an emptied file is closed."""
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()


@pytest.fixture(params=["finished", "unfinished"])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    """A finished and an unfinished experiment whose process is gone."""
    assert run(MAKE, tmp_path / "base", request.param).returncode == 0
    subject = Subject(tmp_path / "base")
    assert subject.status == ("completed" if request.param == "finished" else "interrupted")
    assert not is_told(subject.directory)
    return subject


def places(path: Path, length: int) -> list[int]:
    """Give the places to try in a file: all, or a sample that is the same each time."""
    every = range(length)
    return list(every) if length <= POINTS else sorted(random.Random(path.suffix).sample(every, POINTS))


def check(subject: Subject, change: Callable[[bytes, int], bytes], *, cut: bool) -> None:
    """Damage every file at its places; the data is the same, or the damage is named, or it shows as cut off."""
    silent = []
    for file in subject.files():
        data = file.read_bytes()
        where = places(file, len(data))
        damages = subject.damaged(file, (change(data, place) for place in where))
        for count, (place, _) in enumerate(zip(where, damages, strict=True)):
            found = subject.read()
            if count % 40 == 0:
                subject.list_is_whole()
            row = listed(subject.directory)
            if (
                found != subject.sound
                and not is_told(subject.directory)
                and not (cut and shows_the_cut(subject, found))
            ):
                silent.append((file.name, place, found))
            assert row.folder == subject.directory.name
    assert silent == []
    assert contents(subject.directory) == subject.sound


def shows_the_cut(subject: Subject, found: Any) -> bool:
    """A journal that ends with a whole frame is that of a run that was cut off there, and its status says so."""
    if isinstance(found, Exception) or listed(subject.directory).status != "interrupted":
        return False
    rows = subject.sound["rows"]
    return bool(found["rows"] == rows[: len(found["rows"])] and found["tags"] == subject.sound["tags"])


@pytest.mark.fault("I01")
def test_truncated_at_every_offset(subject: Subject) -> None:
    """Each file cut anywhere costs at most what was behind the cut, and this is told or shown by the status."""
    check(subject, lambda data, place: data[:place], cut=True)


@pytest.mark.fault("I02")
def test_one_bit_flipped_in_every_byte(subject: Subject) -> None:
    """A flipped bit gives the same data, or it is named; other data is never read in silence."""
    choose = random.Random(1)
    check(subject, lambda data, p: data[:p] + bytes([data[p] ^ 1 << choose.randrange(8)]) + data[p + 1 :], cut=False)


@pytest.mark.fault("I07")
def test_zeroed_tails(subject: Subject) -> None:
    """A tail of zeros, as ext4 leaves it after a loss of power, is no data."""
    check(subject, lambda data, place: data[:place] + bytes(len(data) - place), cut=True)


@pytest.mark.fault("I07")
def test_other_fillings(subject: Subject) -> None:
    """Empty files, files of NULs, of noise, of JSON of another shape, and files twice as long are told or harmless."""
    noise = random.Random(2)
    for file in subject.files():
        data = file.read_bytes()
        fillings = (
            b"",
            bytes(len(data)),
            bytes(5000),
            noise.randbytes(len(data)),
            data + data,
            data + bytes(4096),
            data + noise.randbytes(999),
            b"[]\n",
            b"{}",
            b'{"format": 1}',
            b"[" * 100_000,
            b'"' + b"x" * 5000,
        )
        for _ in subject.damaged(file, fillings):
            found = subject.read()
            assert found == subject.sound or is_told(subject.directory) or shows_the_cut(subject, found), file.name
        subject.list_is_whole()


def test_each_file_missing(subject: Subject) -> None:
    """A missing file gives the same data from the journal, or is named."""
    for file in subject.files():
        aside = subject.base.parent / "aside"
        file.rename(aside)
        found = subject.read()
        assert found == subject.sound or is_told(subject.directory), file.name
        subject.list_is_whole()
        aside.rename(file)
    assert contents(subject.directory) == subject.sound


def test_a_file_that_shrinks_under_a_reader(subject: Subject) -> None:
    """A reader that has read a part is not confused when somebody cuts it: it reads what is there, and tells."""
    for file in [path for path in subject.files() if path.suffix == ".nj" and "facts" not in path.name]:
        data = file.read_bytes()
        for length in (0, 5, len(data) // 2, len(data) - 8, len(data) - 1):
            reader = RunReader(subject.directory)
            reader.refresh()
            file.write_bytes(data[:length])
            reader.refresh()
            rows = list(reader.history())
            assert length == len(data) - 1 or any("shorter" in damage.problem for damage in reader.damage)
            assert sum(info.count for info in reader.metrics() if info.name == "loss") == len(rows)
            assert len(rows) <= len(subject.sound["rows"])
            assert [bits(row["loss"]) for row in rows] == subject.sound["series"]["loss"][: len(rows)]
            file.write_bytes(data)


@pytest.mark.fault("I03")
def test_a_torn_tail_then_resumed(tmp_path: Path) -> None:
    """Whatever is torn off the end of a journal, a resumed run adds rows behind it, and old and new ones are read."""
    assert run(MAKE, tmp_path / "base", "unfinished").returncode == 0
    subject = Subject(tmp_path / "base")
    (journal,) = (subject.directory / "metrics").glob("*.nj")
    data = journal.read_bytes()
    for torn in (1, 7, 8, 31, 33, 64, 100):
        copy = tmp_path / f"torn{torn}"
        shutil.copytree(subject.base, copy)
        directory = copy / subject.directory.name
        (directory / "metrics" / journal.name).write_bytes(data[:-torn])
        before = steps(directory)
        assert before == [row[0] for row in subject.sound["rows"]][: len(before)]
        with ExperimentTracker.resume(str(directory), copy) as tracker:
            tracker.auto_visualize = False
            tracker.log_metrics({"loss": 9.0}, 100)
            tracker.log_metrics({"new": 1.0}, 101)
        assert steps(directory) == [*before, 100, 101]
        assert stored(directory).get_metrics("new") == [1.0]
        assert statuses(copy)[directory.name] in ("completed", "damaged")
        whole_frames_were_cut = torn in (32, 64)
        assert bool(problems(directory)) or whole_frames_were_cut


@pytest.mark.fault("I04")
def test_a_stored_artifact_that_changed(tmp_path: Path) -> None:
    """A flipped, missing or swapped artifact is named by verify, and open() refuses to hand it out."""
    tracker = ExperimentTracker("artifacts", tmp_path / "base", auto_visualize=False)
    for number in (1, 2):
        (tmp_path / "a.bin").write_bytes(bytes([number]) * 500)
        tracker.log_artifact(tmp_path / "a.bin")
    tracker.finish()
    manager = ExperimentManager(tmp_path / "base")
    first, second = manager.get_experiment(tracker.experiment_id).list_artifact_versions("a.bin")
    for change in ("flip", "missing", "swap"):
        kept = first.path.read_bytes(), second.path.read_bytes()
        for path in (first.path, second.path):
            path.chmod(0o644)
        if change == "flip":
            first.path.write_bytes(b"\x03" + kept[0][1:])
        elif change == "missing":
            first.path.unlink()
        else:
            first.path.write_bytes(kept[1])
            second.path.write_bytes(kept[0])
        (found,) = manager.verify().values()
        assert first.path.relative_to(tracker.experiment_dir).as_posix() in {damage.file for damage in found}
        with pytest.raises(OSError, match=r"a\.bin"):
            first.open()
        first.path.write_bytes(kept[0])
        second.path.write_bytes(kept[1])
        assert list(manager.verify().values()) == [[]]


def test_every_file_destroyed(subject: Subject) -> None:
    """With every file of an experiment destroyed at once, the list names it and its sibling is whole."""
    for file in subject.files():
        file.chmod(0o644)
        file.write_bytes(b"\0" * 64)
    subject.list_is_whole()
    assert listed(subject.directory).status == "damaged"
    assert problems(subject.directory)


def test_a_part_that_cannot_be_read_for_a_while(subject: Subject) -> None:
    """A reader that once failed to open a part names it, and reads it when it can be opened again."""
    for file in [path for path in subject.files() if path.parent.name == "metrics"]:
        reader = RunReader(subject.directory)
        aside = subject.base.parent / "aside"
        file.rename(aside)
        file.symlink_to(aside)
        reader.refresh()
        if not file.name.endswith(".parquet"):
            assert any(file.name.split(".")[0] in damage.file for damage in reader.damage), file.name
        file.unlink()
        aside.rename(file)
        reader.refresh()
        assert reader.damage == []
        assert [bits(row["loss"]) for row in reader.history()] == subject.sound["series"]["loss"]


def test_a_journal_that_lost_whole_frames(tmp_path: Path) -> None:
    """A journal of a dead writer that ends, with a whole frame, before a place that a document has seen is named."""
    assert run(MAKE, tmp_path / "base", "unfinished").returncode == 0
    subject = Subject(tmp_path / "base")
    (journal,) = (subject.directory / "metrics").glob("*.nj")
    (part,) = RunReader(subject.directory).parts
    last_fact = part.facts[-1][0]
    journal.write_bytes(journal.read_bytes()[: last_fact * 8])
    assert any("a document has seen" in problem for problem in problems(subject.directory))
    assert stored(subject.directory).hyperparameters == subject.sound["hyperparameters"]
