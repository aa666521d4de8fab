"""Any bytes in place of a file of an experiment: what a fuzzer tries, and what is allowed to happen then.

An input is a byte that chooses a file and whether the checksums in the rest are made to fit, then that rest. With
fitting checksums mutations reach what stands behind them. Allowed is:

- rows that are read have a frame with a fitting checksum, and are what it holds;
- listing and verifying raise nothing, and the experiment beside the victim is whole;
- reading and salvaging give what they give, or raise an error of ours that says why not.
"""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage.care.salvage import salvage
from neural_core._storage.care.verify import verify_experiment
from neural_core._storage.journal import frames
from neural_core._storage.journal.journal_part import JournalPart
from neural_core.errors import NeuralError

__all__ = ["Subject", "fitting"]

_CRC_OF_DOCUMENT = b',\n "crc": "'
_CRC_OF_HEADER = b',"crc":"'
_WHOLE = 8
"""Of so many inputs for the journal one goes through all of the public reading, which takes much longer."""


def fitting(data: bytes, *, document: bool) -> bytes:
    """Make the checksums of a file of ours fit its bytes, wherever there is one."""
    return _fitting_document(data) if document else _fitting_journal(bytearray(data))


def _fitting_document(data: bytes) -> bytes:
    body = data.rpartition(_CRC_OF_DOCUMENT)[0] or data
    return body + _CRC_OF_DOCUMENT + b"%08x" % zlib.crc32(body) + b'"\n}\n'


def _fitting_journal(data: bytearray) -> bytes:
    at = 8
    if len(data) >= 12:
        end = 12 + struct.unpack_from("<I", data, 8)[0]
        covered = end - len(_CRC_OF_HEADER) - 10
        if covered > 12 and end <= len(data):
            data[covered:end] = _CRC_OF_HEADER + b"%08x" % zlib.crc32(data[:covered]) + b'"}'
            at = -(-end // 8) * 8
    while at + 8 <= len(data):
        end = at + 8 * (1 + struct.unpack_from("<H", data, at + 6)[0])
        if end > len(data):
            break
        struct.pack_into("<I", data, at, zlib.crc32(data[at + 4 : end]))
        at = end
    return bytes(data)


class Subject:
    """A folder with a victim, whose files are replaced, and a sound experiment beside it.

    Attributes:
        files: of the victim that are replaced: journal, facts, Parquet, documents.
        whole: how many inputs went through the whole of the public reading, not only through the part's reader.
    """

    def __init__(self, folder: Path) -> None:
        self._base, self._rescue = folder / "base", folder / "rescue"
        self._journal = self._victim("unfinished")
        self._unfinished = self._journal.parent.parent
        self.finished = self._victim("finished").parent.parent
        self._sound = self._victim("sound").parent.parent
        names = ("metadata.json", "hyperparameters.json", "artifacts.json", "summary.json")
        compacted = sorted(path for path in (self.finished / "metrics").iterdir() if path.suffix != ".alive")
        self.files = [self._journal, *compacted, *(self.finished / name for name in names)]
        self._originals = {path: path.read_bytes() for path in self.files}
        self.whole = 0
        self._manager = ExperimentManager(self._base)

    def _victim(self, name: str) -> Path:
        """Make an experiment; give its journal, which is a file no more when it is finished."""
        tracker = ExperimentTracker(name, self._base, auto_visualize=False, tags={"a": "b"}, notes="n")
        tracker.log_hyperparameters({"lr": 0.5, "nested": {"layers": [1, 2]}})
        for step in range(6):
            tracker.log_metrics({"loss": step / 7} if step % 2 else {"loss": step / 7, "accuracy": 0.5}, step)
        source = self._base.parent / "weights.bin"
        source.write_bytes(b"0123456789")
        tracker.log_artifact(source)
        [journal] = (tracker.experiment_dir / "metrics").glob("*.nj")
        data = journal.read_bytes()
        tracker.finish()
        if name == "unfinished":
            shutil.rmtree(tracker.experiment_dir / "metrics")
            journal.parent.mkdir()
            journal.write_bytes(data)
        return journal

    def seeds(self) -> list[bytes]:
        """Give inputs to begin with: every file as it is, with and without fitted checksums."""
        return [bytes([at * 2 + fit]) + self._originals[path] for at, path in enumerate(self.files) for fit in (0, 1)]

    def try_input(self, data: bytes) -> None:
        """Put an input in the place of a file and look at everything.

        Raises:
            AssertionError: what is read is not what the checksums vouch for, or another experiment suffers.
            Exception: whatever else escapes; only errors of ours may be raised, and only where reading is refused.
        """
        if not data:
            return
        choice = data[0] // 2 % (2 * len(self.files))
        path = (
            self.files[choice] if choice < len(self.files) else self._journal
        )  # which is the quickest, and the record
        content = fitting(data[1:], document=path.suffix == ".json") if data[0] % 2 else data[1:]
        path.write_bytes(content)
        try:
            if path == self._journal:
                _allowed(lambda: self._check_part(content))
            if path != self._journal or zlib.crc32(content) % _WHOLE == 0:
                self.whole += 1
                self._check_store(path.parent if path.suffix == ".json" else path.parent.parent)
        finally:
            path.write_bytes(self._originals[path])

    def _check_part(self, content: bytes) -> None:
        """Every row that is read stands at its place, with a fitting checksum."""
        part = JournalPart(self._journal)
        part.refresh()
        part.check()
        rows = part.history(0, part.rows)
        assert len(rows) == len(part.ordinals()) == len(part.steps()) == len(part.times())
        for ordinal, row in zip(part.ordinals().tolist(), rows, strict=True):
            crc, head, step, time = struct.unpack_from("<IIqd", content, ordinal * frames.WORD)
            end = (ordinal + 1 + (head >> 16)) * frames.WORD
            assert zlib.crc32(content[ordinal * frames.WORD + 4 : end]) == crc
            assert step == (-(2**63) if row.step is None else row.step)
            assert struct.pack("<d", time) == struct.pack("<d", row.timestamp)
        for name in part.names():
            part.column(name)

    def _check_store(self, victim: Path) -> None:
        listed = self._manager.list_experiments()
        assert {Path(one["experiment_dir"]) for one in listed} == {self._unfinished, self.finished, self._sound}
        assert [one["status"] for one in listed if Path(one["experiment_dir"]) == self._sound] == ["completed"]
        verify_experiment(victim)
        _allowed(lambda: _read_all(victim))
        if self.whole % _WHOLE == 0:
            assert self._manager.verify()[self._sound.name] == []
            _allowed(lambda: salvage(victim, self._rescue))
            shutil.rmtree(self._rescue, ignore_errors=True)


def _read_all(directory: Path) -> None:
    tracker = ExperimentTracker.stored(directory, directory.name[-12:], directory.name)
    rows = list(tracker.metrics_history)
    for name in {name for row in rows for name in row.values}:
        tracker.get_metrics(name)
    assert tracker.hyperparameters is not None
    assert tracker.status
    for version in tracker.artifacts:
        assert version.path.is_relative_to(directory)
    assert isinstance(tracker.damage, list)


def _allowed(read: Callable[[], object]) -> None:
    """Do it; an error of ours is an answer, if it says something."""
    try:
        read()
    except NeuralError as error:
        if not str(error):
            raise AssertionError("an error without a sentence") from error
