"""`neural verify --salvage` and `neural doctor`: what is damaged or wrong is named, and what is sound is saved."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_support import document, files, neural, track
from distribution_support import make_distribution, run_python

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage import folder
from neural_core._storage.care.salvage import salvage
from neural_core._storage.care.salvage_parts import _fill
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.journal.frames import WORD

KILLED = """
import os, signal, sys
from neural_core import ExperimentTracker
tracker = ExperimentTracker("killed", sys.argv[1], False, hyperparameters={"lr": 0.5}, tags={"a": "b"})
for step in range(50):
    tracker.log_metrics({"loss": 1 / (step + 1)}, step=step)
    tracker.log_metrics({"other": float(step), "loss": -1.0}, step=step)
open(sys.argv[1] + "/m.pt", "wb").write(b"weights")
tracker.log_model(sys.argv[1] + "/m.pt", framework="none")
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(base: Path) -> Path:
    """Make an experiment of 100 rows and an artifact whose process was killed; give its folder."""
    process = subprocess.run([sys.executable, "-c", KILLED, str(base)], check=False)
    assert process.returncode == -signal.SIGKILL
    [directory] = folder.experiment_folders(base)
    return directory


def finished(base: Path) -> Path:
    """Make an experiment of 4 rows of Parquet with two versions of an artifact; give its folder."""
    return track(base, "done", steps=4, artifacts={"model_1.pt": b"one", "model_2.pt": b"two"}).experiment_dir


def flip(path: Path, at: int) -> None:
    """Flip a bit."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)


def journal(directory: Path) -> Path:
    """Give the one journal of an experiment."""
    [path] = directory.glob("metrics/*.nj")
    return path


def positions(directory: Path) -> dict[tuple[str, int], dict[str, float]]:
    """Give (part, ordinal) → values of every row."""
    reader = RunReader(directory)
    reader.refresh()
    found = {}
    for part in reader.parts:
        rows = part.history(0, part.rows)
        for ordinal, row in zip(part.ordinals().tolist(), rows, strict=True):
            found[part.stem, ordinal] = dict(row.values)
    return found


def saved(base: Path, target: Path, status: int = 1) -> tuple[Path, str]:
    """Save what is damaged; give the copy, which is sound, and what was said. The damaged one is as it was."""
    before = files(base)
    said = neural("verify", "--salvage", target, "--base-dir", base, status=status).stderr
    assert files(base) == before
    [copy] = folder.experiment_folders(target)
    assert neural("verify", "--base-dir", target).stdout.endswith("1 of 1 sound\n")
    return copy, said


def test_sound_experiments_are_not_copied(tmp_path: Path) -> None:
    """Where nothing is damaged there is nothing to save."""
    finished(tmp_path / "runs")
    neural("verify", "--salvage", tmp_path / "out", "--base-dir", tmp_path / "runs")
    assert not (tmp_path / "out").exists()


@pytest.mark.fault("I02")
def test_damaged_row_of_a_journal(tmp_path: Path) -> None:
    """A flipped bit in a row costs that row; every other keeps its values and its position."""
    directory = killed(tmp_path / "runs")
    before = positions(directory)
    _, hit = sorted(before)[20]
    flip(journal(directory), hit * WORD + 17)
    copy, said = saved(tmp_path / "runs", tmp_path / "out")
    assert positions(copy) == {place: values for place, values in before.items() if place[1] != hit}
    assert "saved" in said
    assert "99 rows, 1 artifact\n" in said
    assert f"byte {hit * WORD:,}" in said
    [row] = ExperimentManager(tmp_path / "out").runs()
    assert (row.status, row.params, row.artifacts) == ("interrupted", {"lr": 0.5}, 1)
    assert row.tags == {"a": "b", "salvaged": "1 lost"}


@pytest.mark.parametrize("size", [WORD, 3 * WORD, 100 * WORD, 1_000])
def test_hole_in_a_journal(tmp_path: Path, size: int) -> None:
    """A hole of any size costs the rows in it; those behind it keep their positions, and the part its length."""
    directory = killed(tmp_path / "runs")
    before = positions(directory)
    path = journal(directory)
    start = sorted(before)[10][1] * WORD
    data = bytearray(path.read_bytes())
    data[start : start + size] = bytes(size)
    path.write_bytes(data)
    left = positions(directory)
    copy, _ = saved(tmp_path / "runs", tmp_path / "out")
    assert positions(copy) == left
    assert 0 < len(left) < len(before)


def test_damaged_header_of_a_journal(tmp_path: Path) -> None:
    """A journal without its header gives all its rows at their places; the copy has a header of the same length."""
    directory = killed(tmp_path / "runs")
    before = positions(directory)
    flip(journal(directory), 30)
    os.utime(journal(directory), (1, 1))  # without evidence of its writer, one that was touched lately counts as alive
    copy, said = saved(tmp_path / "runs", tmp_path / "out")
    assert positions(copy) == before
    assert "the header is damaged" in said


def test_cut_journal(tmp_path: Path) -> None:
    """A journal that was cut in the middle of a row gives what stands before the cut."""
    directory = killed(tmp_path / "runs")
    before = positions(directory)
    path = journal(directory)
    path.write_bytes(path.read_bytes()[: sorted(before)[60][1] * WORD + 12])
    copy, said = saved(tmp_path / "runs", tmp_path / "out")
    assert positions(copy) == dict(sorted(before.items())[:60])
    assert "are no whole frame" in said


def damage_page(column: int) -> Callable[[Path], None]:
    """Give what flips a bit in the values of a column of the Parquet part."""

    def damage(directory: Path) -> None:
        import pyarrow.parquet

        [path] = directory.glob("metrics/*.parquet")
        chunk = pyarrow.parquet.read_metadata(path).row_group(0).column(column)
        flip(path, chunk.data_page_offset + chunk.total_compressed_size - 4)

    return damage


def test_damaged_metric_of_parquet(tmp_path: Path) -> None:
    """A damaged page costs its metric; the other metrics keep every value and position."""
    directory = finished(tmp_path / "runs")
    before = positions(directory)
    damage_page(3)(directory)
    copy, said = saved(tmp_path / "runs", tmp_path / "out")
    assert positions(copy) == {place: {"val_accuracy": values["val_accuracy"]} for place, values in before.items()}
    assert "train_loss in the rows 0 to 3" in said
    assert ExperimentManager(tmp_path / "out").runs()[0].status == "completed"


@pytest.mark.parametrize(("column", "lost"), [(0, "positions"), (1, "steps")])
def test_damaged_axis_of_parquet(tmp_path: Path, column: int, lost: str) -> None:
    """Where positions or steps are damaged the values stay, and it is said that the others are lost."""
    directory = finished(tmp_path / "runs")
    before = list(positions(directory).values())
    damage_page(column)(directory)
    copy, said = saved(tmp_path / "runs", tmp_path / "out")
    assert list(positions(copy).values()) == before
    assert f"{lost} in the rows 0 to 3" in said


def test_damaged_times_of_parquet(tmp_path: Path) -> None:
    """Rows without their times are not invented: they are lost, and that is said."""
    directory = finished(tmp_path / "runs")
    damage_page(2)(directory)
    copy, said = saved(tmp_path / "runs", tmp_path / "out")
    assert positions(copy) == {}
    assert "everything in the rows 0 to 3, whose times are lost" in said


def test_damaged_footer_of_parquet(tmp_path: Path) -> None:
    """Without its footer a Parquet file gives no row; hyperparameters and artifacts are saved all the same."""
    directory = finished(tmp_path / "runs")
    [path] = directory.glob("metrics/*.parquet")
    flip(path, path.stat().st_size - 40)
    copy, said = saved(tmp_path / "runs", tmp_path / "out")
    [row] = ExperimentManager(tmp_path / "out").runs()
    assert (row.params, row.artifacts) == ({"lr": 0.5, "seed": 1}, 2)
    assert positions(copy) == {}
    assert "all its rows" in said


def test_damaged_facts(tmp_path: Path) -> None:
    """Without its facts a part gives its rows, and the documents what they hold."""
    directory = finished(tmp_path / "runs")
    before = positions(directory)
    [path] = directory.glob("metrics/*.facts.nj")
    flip(path, 30)
    copy, said = saved(tmp_path / "runs", tmp_path / "out")
    assert positions(copy) == before
    assert ExperimentManager(tmp_path / "out").runs()[0].params == {"lr": 0.5, "seed": 1}
    assert "its facts" in said


@pytest.mark.parametrize("name", ["metadata", "hyperparameters", "artifacts"])
def test_damaged_document(tmp_path: Path, name: str) -> None:
    """A damaged document costs nothing: the facts tell it anew."""
    directory = finished(tmp_path / "runs")
    flip(directory / f"{name}.json", 60)
    copy, _ = saved(tmp_path / "runs", tmp_path / "out")
    [row] = ExperimentManager(tmp_path / "out").runs()
    assert (row.name, row.params, row.artifacts) == ("done", {"lr": 0.5, "seed": 1}, 2)
    assert len(positions(copy)) == 4


@pytest.mark.parametrize("remove", [True, False])
def test_damaged_artifact(tmp_path: Path, remove: bool) -> None:
    """A version whose bytes are not those that were stored is left out and off the record; the others are whole."""
    directory = finished(tmp_path / "runs")
    [path] = directory.glob("versions/*/v1/*")
    path.unlink() if remove else flip(path, 1)
    copy, said = saved(tmp_path / "runs", tmp_path / "out")
    [left] = ExperimentManager(tmp_path / "out").get_experiment(directory.name[-12:]).artifacts
    assert (left.version, left.path.read_bytes()) == (2, b"two")
    assert "lost: artifact model.pt v1:" in said
    assert not [*copy.glob("versions/*/v1")]


def test_stored_folders_and_figures_are_saved(tmp_path: Path) -> None:
    """A stored folder, an unversioned file and a plot are in the copy, with their checksums."""
    from matplotlib.figure import Figure

    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "x.sh").write_text("echo")
    (tmp_path / "tree" / "deep" / "x.sh").chmod(0o755)
    with ExperimentTracker("done", tmp_path / "runs", False) as tracker:
        tracker.log_metrics({"a": 1.0})
        tracker.log_artifact(tmp_path / "tree")
        tracker.log_artifact(tmp_path / "tree" / "deep" / "x.sh", name="x", version=False)
        tracker.log_figure(Figure(), "empty")
        (tmp_path / "bad").write_text("soon")
        tracker.log_artifact(tmp_path / "bad")
    [path] = tracker.experiment_dir.glob("versions/bad/v1/*")
    flip(path, 0)
    copy, _ = saved(tmp_path / "runs", tmp_path / "out")
    assert [path.name for path in (copy / "plots").iterdir()] == ["empty.png"]
    names = [one.artifact_name for one in ExperimentManager(tmp_path / "out").get_experiment(copy.name[-12:]).artifacts]
    assert names == ["tree", "x", "empty"]


def test_salvage_refuses(tmp_path: Path) -> None:
    """A target that is there, one inside the experiment, and a living experiment are refused; nothing is made."""
    directory = finished(tmp_path / "runs")
    flip(directory / "metadata.json", 60)
    for target in (tmp_path / "runs", directory / "inside"):
        said = neural("verify", "--salvage", target, "--base-dir", tmp_path / "runs", status=1).stderr
        assert "is there already, or part of what is to be saved" in said
    live = ExperimentTracker("live", tmp_path / "more", False)
    live.log_metrics({"a": 1.0})
    with pytest.raises(RuntimeError, match="is being written by a living process"):
        salvage(live.experiment_dir, tmp_path / "out")
    live.finish()
    assert not (tmp_path / "out").exists()


def test_nothing_says_which_it_is(tmp_path: Path) -> None:
    """A folder in which nothing says which experiment it is cannot be saved; it is named, and the others are saved."""
    (tmp_path / "runs" / "what" / "metrics").mkdir(parents=True)
    directory = finished(tmp_path / "runs")
    flip(directory / "metadata.json", 60)
    _, said = saved(tmp_path / "runs", tmp_path / "out")
    assert "not saved: what: " in said


@pytest.mark.parametrize("words", [2, 3, 65_536, 65_537, 65_538, 200_000])
def test_filling_is_exact(words: int) -> None:
    """What fills a gap is just as long as the gap, in whole frames."""
    pieces: list[bytes] = []
    _fill(pieces.append, words)
    assert sum(map(len, pieces)) == words * WORD
    assert all(len(piece) >= 2 * WORD for piece in pieces)


def test_verify_json(tmp_path: Path) -> None:
    """`verify --json` names damage by file, place and problem."""
    directory = finished(tmp_path)
    assert document("verify", "--json", "--base-dir", tmp_path) == {directory.name: []}
    flip(directory / "metadata.json", 60)
    told = document("verify", "--json", "--base-dir", tmp_path, status=1)
    assert told[directory.name][0]["file"] == "metadata.json"


# doctor ---------------------------------------------------------------------------------------------------------


def findings(base: Path, status: int = 0, level: str = "wrong", **environment: str) -> list[str]:
    """Give what the doctor finds of a level, with the remedies."""
    shown = neural("doctor", "--base-dir", base, "--json", status=status, **environment).stdout
    return [f"{one['what']} -> {one['remedy']}" for one in json.loads(shown) if one["level"] == level]


def test_doctor_of_a_sound_place(tmp_path: Path) -> None:
    """Where all is well every line says ok, and the status is 0."""
    finished(tmp_path)
    shown = neural("doctor", "--base-dir", tmp_path).stdout.splitlines()
    assert shown[-1] == "nothing is wrong"
    assert any(line.startswith("ok     neural 0.1.0, Python 3.") for line in shown)
    assert any("1 experiment, 0 running" in line for line in shown)
    assert not [line for line in shown if "remedy" in line]


def test_doctor_of_an_absent_folder(tmp_path: Path) -> None:
    """A folder that is not there yet is worth a note, and is not made."""
    assert "is not there yet" in findings(tmp_path / "new" / "runs", level="note")[0]
    assert not (tmp_path / "new").exists()


def test_doctor_names_dead_experiments(tmp_path: Path) -> None:
    """An experiment whose process was killed is named with the verb that ends it; afterwards all is well."""
    directory = killed(tmp_path)
    [found] = findings(tmp_path, status=1)
    assert directory.name in found
    assert "neural compact" in found
    neural("compact", "--base-dir", tmp_path)
    assert findings(tmp_path) == []


def test_doctor_leaves_the_living_alone(tmp_path: Path) -> None:
    """An experiment that is being written is nothing to mend."""
    with ExperimentTracker("live", tmp_path, False) as live:
        live.log_metrics({"a": 1.0})
        assert findings(tmp_path) == []


def test_doctor_names_damage_and_leftovers(tmp_path: Path) -> None:
    """A damaged experiment and what a killed copy left are named with their remedies."""
    directory = finished(tmp_path)
    (directory / ".tmp-0001").mkdir()
    flip(directory / "metadata.json", 60)
    first, second = findings(tmp_path, status=1)
    assert "--salvage FOLDER" in first
    assert "neural gc --yes" in second


def test_doctor_reads_the_settings(tmp_path: Path) -> None:
    """Settings that switch something off, or name what is not installed, are named."""
    assert "unset NEURAL_MODE" in findings(tmp_path, 1, NEURAL_MODE="disabled")[0]
    assert "pip install neural-nowhere" in findings(tmp_path, 1, NEURAL_BACKENDS="nowhere")[0]
    assert "NEURAL_COMPANION=0" in findings(tmp_path, level="note", NEURAL_COMPANION="0")[0]


def test_doctor_names_copies(tmp_path: Path) -> None:
    """Two folders of one experiment are a note, since their id names both."""
    import shutil

    directory = finished(tmp_path)
    shutil.copytree(directory, tmp_path / "copy")
    assert "are copies of one experiment" in findings(tmp_path, level="note")[0]


def test_doctor_tells_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little room is a note, none is wrong; so are few files."""
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2**29))
    assert "0.5 GiB free" in findings(tmp_path, level="note")[0]
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2**20))
    assert "neural gc" in findings(tmp_path, 1)[0]


def test_doctor_names_broken_plugins_and_what_is_behind(tmp_path: Path) -> None:
    """A plugin that does not import, and a backend that has not got everything, are named with their remedies."""
    sources = (
        "from neural_core.testing import RecordingPlugin\n"
        "class Picky(RecordingPlugin):\n"
        "    def heard(self, hook, arguments):\n"
        "        if hook == 'neural_metrics_logged': raise RuntimeError('refused')\n"
    )
    points = {"neural.backends": {"picky": "sources:Picky"}, "neural.plugins": {"gone": "no_such_module:X"}}
    site = make_distribution(tmp_path / "site", "neural-kit", points, sources=sources)
    base = tmp_path / "runs"
    finished(base)
    main = "from neural_core._cli import main; main()"
    options = ["--to", "picky", "--option", f"path={tmp_path / 'calls'}", "--base-dir", str(base)]
    run_python(main, "sync", "--all", *options, path=site, status=1)
    shown = run_python(main, "doctor", "--base-dir", str(base), path=site, status=1).stdout
    assert "wrong  plugin gone (neural-kit 1.0)" in shown
    assert "remedy: pip install --upgrade neural-kit" in shown
    assert "wrong  picky has not got all of done_" in shown
    assert "neural sync --all --to picky" in shown
    assert shown.endswith("2 things to mend\n")


@pytest.mark.privileged("setpriv")
def test_doctor_reads_permissions(tmp_path: Path) -> None:
    """Folders that may not be written are named, for somebody who has not all rights of root."""
    base, cache = tmp_path / "runs", tmp_path / "cache"
    finished(base)
    cache.mkdir()
    base.chmod(0o555)
    cache.chmod(0o555)
    code = "from neural_core._cli import main; main()"
    result = subprocess.run(
        ["setpriv", "--inh-caps=-all", "--bounding-set=-all", sys.executable, "-c", code, "doctor", "--json"],
        env={**os.environ, "NEURAL_CACHE_DIR": str(cache), "NEURAL_DIR": str(base)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = [one["what"] for one in json.loads(result.stdout)]
    assert result.returncode == 1, result.stderr
    assert any("but not write it" in what for what in told)
    assert any("cannot be written: every list is made anew" in what for what in told)
