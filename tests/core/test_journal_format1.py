"""Format 1 on bytes that were written once: what they give, that they are still written so, and what comes later."""

from __future__ import annotations

import json
import math
import os
import runpy
import shutil
from pathlib import Path
from typing import Any

import pytest
from journal_support import bits, contents, is_told, listed, only, problems, row_of, statuses, stored

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage.experiment.documents import read_document, write_document
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.journal import frames
from neural_core._storage.journal.compaction import compact_part
from neural_core._storage.journal.facts_file import read_facts_file
from neural_core.errors import FormatVersionError

DATA = Path(__file__).parents[1] / "data" / "format1"
STEM = "r00000-golden-4242-abcdef-0001"


@pytest.fixture(scope="module")
def make() -> dict[str, Any]:
    """The script that made the files."""
    return runpy.run_path(str(DATA / "make.py"))


@pytest.fixture(params=["sound", "finished"])
def golden(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of a golden experiment."""
    shutil.copytree(DATA / f"{request.param}_0123456789ab", tmp_path / "base" / f"{request.param}_0123456789ab")
    return only(tmp_path / "base")


class TestGoldenFiles:
    def test_they_give_what_was_recorded(self, golden: Path) -> None:
        """The journal of format 1 and its compacted form give exactly the recorded rows, facts and texts."""
        expected = json.loads((DATA / "expected.json").read_text("ascii"))
        tracker = stored(golden)
        found = [[*row_of(row)] for row in tracker.metrics_history]
        assert [[step, values] for step, _, values in found] == [[step, values] for step, _, values in expected["rows"]]
        assert [time for _, time, _ in found] == [time for _, time, _ in expected["rows"]]
        assert tracker.damage == []
        assert (tracker.tags, tracker.notes) == (expected["tags"], expected["notes"])
        parameters = tracker.hyperparameters
        assert math.isnan(parameters.pop("n"))
        assert parameters == {"early": 1, "lr": 0.5, "long": '"\\é' * 40}
        assert listed(golden).name == expected["name"]
        assert problems(golden) == []

    def test_each_metric(self, golden: Path, make: dict[str, Any]) -> None:
        """Each series is that of the rows, bit for bit, whatever the metric is called."""
        reader = RunReader(golden)
        for name in {name for names in make["NAMES"] for name in names}:
            values = [
                value
                for sid, _, numbers in make["ROWS"]
                for own, value in zip(make["NAMES"][sid - 1], numbers, strict=True)
                if own == name
            ]
            assert [bits(value) for value in reader.series(name).value.tolist()] == [bits(value) for value in values]

    def test_the_same_inputs_give_the_same_bytes(self, make: dict[str, Any], tmp_path: Path) -> None:
        """Encoding, compacting and writing documents give today the bytes of the golden files."""
        assert make["journal"]() == (DATA / "sound_0123456789ab" / "metrics" / f"{STEM}.nj").read_bytes()
        path = tmp_path / f"{STEM}.nj"
        path.write_bytes(make["journal"]())
        assert compact_part(path)
        finished = DATA / "finished_0123456789ab"
        for name in (f"{STEM}.facts.nj", f"{STEM}.parquet"):
            assert (tmp_path / name).read_bytes() == (finished / "metrics" / name).read_bytes()
        make["documents"](tmp_path, "running")
        for name in ("metadata.json", "hyperparameters.json"):
            assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()

    @pytest.mark.fault("I06")
    def test_frames_of_no_known_kind_are_kept_verbatim(self, make: dict[str, Any]) -> None:
        """Unknown facts and unknown extension frames are skipped by readers and kept by compaction, byte for byte."""
        path = DATA / "finished_0123456789ab" / "metrics" / f"{STEM}.facts.nj"
        file = read_facts_file(path)
        assert make["ODD_FRAME"][8:] in [body for _, body in file.frames]
        assert make["FACTS"][-1] in [fact for _, fact in file.facts]
        assert file.header["from_the_future"] == {"kept": True}

    def test_it_can_be_resumed(self, golden: Path) -> None:
        """An experiment of format 1 can be continued; what was there stays as it was."""
        before = contents(golden)
        for path in [golden / "metadata.json", *golden.glob("metrics/*")]:
            os.utime(path, (1.75e9, 1.75e9))  # its writer, on a host called golden, has been silent for long
        tracker = ExperimentTracker.resume(str(golden))
        tracker.auto_visualize = False
        tracker.log_metrics({"loss": -1.0}, 99)
        tracker.log_hyperparameters({"new": 1})
        tracker.finish()
        after = contents(golden)
        assert after["rows"][:-1] == before["rows"]
        assert after["rows"][-1][0] == 99
        assert after["hyperparameters"].keys() == before["hyperparameters"].keys() | {"new"}


class TestLaterFormats:
    def later_journal(self, golden: Path) -> None:
        """Make the journal one of format 2."""
        path = next((golden / "metrics").glob("*.nj"))
        path.write_bytes(b"NEURALJ2" + path.read_bytes()[8:])

    @pytest.mark.fault("I06")
    def test_a_later_journal_is_refused_with_both_versions(self, golden: Path) -> None:
        """A journal of format 2 is refused in a sentence that names both formats; the list goes on and shows it."""
        self.later_journal(golden)
        sibling = ExperimentTracker("sibling", golden.parent, auto_visualize=False)
        with pytest.raises(FormatVersionError, match=r"format 2.*format 1.*upgrade"):
            RunReader(golden).refresh()
        with pytest.raises(FormatVersionError):
            ExperimentTracker.resume(str(golden))
        assert statuses(golden.parent)[golden.name] == "damaged"
        assert "format 2" in str(listed(golden).error)
        assert statuses(golden.parent)[sibling.experiment_dir.name] == "created"
        assert any("format 2" in problem for problem in problems(golden))
        sibling.finish()

    @pytest.mark.fault("I06")
    @pytest.mark.parametrize("name", ["metadata", "hyperparameters"])
    def test_a_later_document_is_refused_with_both_versions(self, golden: Path, name: str) -> None:
        """A document of format 2 is refused, never read as one of format 1 nor replaced by one."""
        content = read_document(golden / f"{name}.json")
        write_document(golden / f"{name}.json", content | {"format": 2})
        before = (golden / f"{name}.json").read_bytes()
        with pytest.raises(FormatVersionError, match=r"format 2.*format 1"):
            RunReader(golden).state()
        with pytest.raises(FormatVersionError):
            ExperimentTracker.resume(str(golden))
        assert is_told(golden)
        assert len(ExperimentManager(golden.parent).list_experiments()) == 1
        assert (golden / f"{name}.json").read_bytes() == before

    @pytest.mark.fault("I06")
    def test_a_later_facts_file(self, tmp_path: Path) -> None:
        """A compacted part of format 2 is refused as well."""
        golden = tmp_path / "x"
        shutil.copytree(DATA / "finished_0123456789ab", golden)
        self.later_journal(golden)
        with pytest.raises(FormatVersionError):
            RunReader(golden).refresh()
        assert listed(golden).status == "damaged"

    def test_unknown_fields_and_frames_survive_a_second_life(self, tmp_path: Path) -> None:
        """Unknown facts of a live journal are still there after resume, finish and compaction."""
        base = tmp_path / "base"
        shutil.copytree(DATA / "sound_0123456789ab", base / "sound_0123456789ab")
        path = next((only(base) / "metrics").glob("*.nj"))
        with path.open("ab") as file:
            file.write(frames.encode_fact({"kind": "later", "n": 1}) + frames.frame(frames.FACT, b"\0" * 16))
        assert compact_part(path)
        facts = [fact for _, _, fact in RunReader(only(base)).facts()]
        assert {"kind": "later", "n": 1} in facts
        assert problems(only(base)) == []
