"""`neural tag`, `note`, `rm`, `restore` and `gc`: what changes a store, and the rules of what is kept."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from cli_support import document, files, neural, track
from distribution_support import make_distribution

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._retention import Best, Every, Latest, Run, Tagged, parse_retention, to_remove
from neural_core._storage.care import removal
from neural_core.errors import QueryError
from neural_core.importing import ForeignRun, ImportTarget, import_run
from neural_core.records import ArtifactVersion, Series


def numbers(base: Path, experiment: ExperimentTracker, name: str = "model.pt") -> list[int | None]:
    """Give the versions of an artifact that are on record."""
    loaded = ExperimentManager(base).get_experiment(str(experiment.experiment_id))
    return [one.version for one in loaded.list_artifact_versions(name)]


def versions(base: Path, name: str = "many", count: int = 6, **more: object) -> ExperimentTracker:
    """Make an experiment with versions of a model: val_loss is best (0) just before the third."""
    base.mkdir(exist_ok=True)
    with ExperimentTracker(name, base, False, **more) as tracker:  # type: ignore[arg-type]  # tags and the like
        for number in range(1, count + 1):
            tracker.log_metrics({"val_loss": float(abs(number - 3))}, step=number)
            path = base / "model.pt"
            path.write_bytes(bytes([number]) * 1_000)
            tracker.log_model(path, framework="none")
            path.unlink()
    return tracker


# tag and note ---------------------------------------------------------------------------------------------------


def test_tags(tmp_path: Path) -> None:
    """Tags are added with or without text, replaced, and removed; a unique beginning of the id will do."""
    one = track(tmp_path, "one")
    short = str(one.experiment_id)[:6]
    base = ("--base-dir", tmp_path)
    assert neural("tag", short, "paper", "base=v=2", *base).stdout.endswith(": paper, base=v=2\n")
    assert neural("tag", short, "base=v3", "--remove", "paper", *base).stdout.endswith(": base=v3\n")
    assert document("tag", short, "--json", *base) == {"base": "v3"}
    assert ExperimentManager(tmp_path).get_experiment(short).tags == {"base": "v3"}
    assert ExperimentManager(tmp_path).verify() == {one.experiment_dir.name: []}


def test_tag_of_a_living_experiment(tmp_path: Path) -> None:
    """An experiment that is being written takes a tag, and keeps it at its end."""
    with ExperimentTracker("live", tmp_path, False) as live:
        live.log_metrics({"a": 1.0})
        neural("tag", live.experiment_id, "seen", "--base-dir", tmp_path)
        live.log_metrics({"a": 2.0})
    assert ExperimentManager(tmp_path).get_experiment(str(live.experiment_id)).tags == {"seen": ""}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["=x"], "has no name before the ="), (["--remove", "gone"], "it has no tag 'gone' (it has: none)")],
)
def test_tag_misused(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    """A tag without a name, and the removal of one that is not there, change nothing."""
    one = track(tmp_path, "one")
    before = files(one.experiment_dir)
    assert sentence in neural("tag", one.experiment_id, *arguments, "--base-dir", tmp_path, status=2).stderr
    assert files(one.experiment_dir) == before


def test_notes(tmp_path: Path) -> None:
    """Notes are written, read from standard input, continued, shown and removed."""
    one, base = track(tmp_path, "one"), ("--base-dir", tmp_path)
    identity = one.experiment_id
    assert "no notes" in neural("note", identity, *base).stdout
    neural("note", identity, "first", *base)
    neural("note", identity, "second", "--append", *base)
    assert neural("note", identity, *base).stdout == "first\nsecond\n"
    neural("note", identity, "-", *base, text="from a file\n")
    assert ExperimentManager(tmp_path).get_experiment(str(identity)).notes == "from a file"
    assert "notes removed" in neural("note", identity, "", *base).stdout
    assert ExperimentManager(tmp_path).get_experiment(str(identity)).notes == ""


def test_notes_in_an_editor(tmp_path: Path) -> None:
    """--editor opens the notes that there are; leaving it without a change leaves them."""
    one, base = track(tmp_path, "one", notes="old"), ("--base-dir", tmp_path)
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nsed -i "s/old/new/" "$1"\n')
    script.chmod(0o755)
    assert "noted" in neural("note", one.experiment_id, "--editor", *base, VISUAL=str(script)).stdout
    assert neural("note", one.experiment_id, *base).stdout == "new\n"
    assert "nothing was changed" in neural("note", one.experiment_id, "--editor", *base, VISUAL="true").stdout


@pytest.mark.parametrize("arguments", [["text", "--editor"], ["--append"]])
def test_note_misused(tmp_path: Path, arguments: list[str]) -> None:
    """Options that exclude each other are one sentence."""
    one = track(tmp_path, "one")
    neural("note", one.experiment_id, *arguments, "--base-dir", tmp_path, status=2)


def test_rm_takes_several_and_restore_lists(tmp_path: Path) -> None:
    """Several experiments go at once; the trash is listed as a table and as JSON; all come back."""
    ids = [track(tmp_path, name).experiment_id for name in ("one", "two")]
    base = ("--base-dir", tmp_path)
    neural("rm", *ids, *base)
    assert {one["experiment_id"] for one in document("restore", "--json", *base)} == set(ids)
    neural("restore", *ids, *base)
    assert neural("restore", *base).stdout == "the trash is empty\n"
    assert len(ExperimentManager(tmp_path).list_experiments()) == 2


# the rules ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("latest", (Latest(1),)),
        (" latest 3 , every 10th", (Latest(3), Every(10))),
        ("every 2,every 1st", (Every(2), Every(1))),
        ("best(val_loss), best( 'a, b', max )", (Best("val_loss"), Best("a, b", "max"))),
        ('best("x)"),tagged', (Best("x)"), Tagged())),
        ("tagged(paper)", (Tagged("paper"),)),
    ],
)
def test_rules_parse(text: str, rules: tuple[object, ...]) -> None:
    """Each rule of the grammar is understood, alone and in a list."""
    assert parse_retention(text) == rules


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("latest,", 7),
        ("latest every 2", 6),
        ("every 0", 0),
        ("latest 0", 6),
        ("best()", 0),
        ("best(a, mean)", 0),
        ("newest", 0),
        ("latest; rm", 6),
    ],
)
def test_what_is_no_rule(text: str, position: int) -> None:
    """What is no list of rules is refused with the place, and what would be one."""
    with pytest.raises(QueryError, match="the rules are latest") as caught:
        parse_retention(text)
    assert caught.value.position == position


def version(number: int | None, time: str, name: str = "m") -> ArtifactVersion:
    """Make the record of a version."""
    return ArtifactVersion(name, number, "0" * 64, 1, f"2026-01-01T00:00:{time}+00:00", Path("m"))


def run(values: dict[float, float] | None = None, **tags: str) -> Run:
    """Make an experiment with a metric: time → value."""
    points = {1_767_225_600 + time: value for time, value in (values or {}).items()}
    array = np.array(list(points)), np.array(list(points.values()), dtype=float)
    return Run(tags, lambda name: Series(name, np.arange(len(points)), *array), lambda name: "min")


FIVE = [version(number, f"{number:02d}") for number in range(1, 6)]


@pytest.mark.parametrize(
    ("rules", "about", "kept"),
    [
        ("latest", run(), [5]),
        ("latest 2", run(), [4, 5]),
        ("every 2nd", run(), [2, 4, 5]),
        ("tagged", run(), [5]),
        ("tagged", run(a=""), [1, 2, 3, 4, 5]),
        ("tagged(b)", run(a=""), [5]),
        ("best(x)", run({0.5: 3, 1.5: 1, 2.5: 2}), [2, 5]),
        ("best(x, max)", run({0.5: 3, 1.5: 1, 2.5: 2}), [1, 5]),
        ("best(x)", run({0.5: 1, 4.5: 1}), [1, 5]),  # of equal ones the first
        ("best(x)", run({1.5: float("nan"), 2.5: 7}), [3, 5]),
        ("best(x)", run(), [1, 2, 3, 4, 5]),  # in doubt everything stays
        ("best(x)", run({9.0: 1}), [1, 2, 3, 4, 5]),
    ],
)
def test_what_rules_keep(rules: str, about: Run, kept: list[int]) -> None:
    """Each rule keeps what the page says, the newest always stays, and in doubt everything does."""
    gone = to_remove(parse_retention(rules), FIVE, about)
    assert [one.version for one in FIVE if one not in gone] == kept


def test_rules_hold_for_each_name() -> None:
    """Names are judged apart, and an unversioned entry is never old."""
    mixed = [version(1, "01"), version(2, "02"), version(1, "03", "other"), version(None, "04")]
    assert to_remove([Latest()], mixed, run()) == [mixed[0]]


# gc -------------------------------------------------------------------------------------------------------------


def test_gc_looks_first(tmp_path: Path) -> None:
    """Without --yes nothing is changed, and what would go is named with its bytes."""
    versions(tmp_path)
    before = files(tmp_path)
    said = neural("gc", "--keep", "best(val_loss)", "--base-dir", tmp_path).stdout
    assert "model.pt v1, model.pt v2, model.pt v4, model.pt v5\n4,000 bytes would be free" in said
    assert "nothing was changed: --yes" in said
    assert files(tmp_path) == before


def test_gc_removes_versions_and_says_so_in_the_record(tmp_path: Path) -> None:
    """What goes is off the record: verify misses nothing, the list is shorter, and no number is given twice."""
    one = versions(tmp_path)
    base = ("--base-dir", tmp_path)
    assert "removed; 4,000 bytes are free" in neural("gc", "--keep", "best(val_loss)", "--yes", *base).stdout
    assert numbers(tmp_path, one) == [3, 6]
    assert sorted(path.name for path in one.experiment_dir.glob("versions/model.pt/*")) == ["v3", "v6"]
    assert "1 of 1 sound" in neural("verify", *base).stdout
    [listed] = document("ls", *base, "--columns", "artifacts", "--json")
    assert listed == {"artifacts": 2}
    assert "nothing to remove" in neural("gc", "--keep", "best(val_loss)", *base).stdout
    with ExperimentTracker.resume(str(one.experiment_id), tmp_path) as again:
        path = tmp_path / "model.pt"
        path.write_bytes(b"new")
        stored = again.log_model(path, framework="none")
        assert stored is not None
        assert stored.version == 7


def test_gc_counts_shared_bytes_once(tmp_path: Path) -> None:
    """Versions that share their bytes free them only when the last one goes."""
    with ExperimentTracker("one", tmp_path, False) as one:
        for name, content in (("a", b"x"), ("w", b"x"), ("w", b"x"), ("w", b"y")):
            path = tmp_path / name
            path.write_bytes(content * 5_000)
            one.log_artifact(path)
            path.unlink()
    said = document("gc", "--keep", "latest", "--base-dir", tmp_path, "--json")
    [goes] = said["goes"]
    assert goes["name"] == f"{one.experiment_dir.name}: w v1, w v2"
    assert said["bytes"] == 0  # a shares them, and stays
    folders = [*map(Path, goes["paths"]), one.experiment_dir / "versions" / "a" / "v1"]
    assert removal.freed(folders) == 5_000


@pytest.mark.fault("C07")
def test_gc_leaves_the_living_alone(tmp_path: Path) -> None:
    """An experiment that is written keeps every version, and so does one without an end on record."""
    live = ExperimentTracker("live", tmp_path, False)
    for number in range(3):
        path = tmp_path / "model.pt"
        path.write_bytes(bytes([number]))
        live.log_model(path, framework="none")
    before = files(live.experiment_dir)
    said = neural("gc", "--keep", "latest", "--yes", "--base-dir", tmp_path).stdout
    assert f"left alone: {live.experiment_dir.name}: is being written" in said
    assert files(live.experiment_dir) == before
    live.finish()


def test_gc_leaves_damaged_experiments_alone(tmp_path: Path) -> None:
    """Where something is damaged, every version may be the one that is needed."""
    one = versions(tmp_path)
    part = next(one.experiment_dir.glob("metrics/*.parquet"))
    data = bytearray(part.read_bytes())
    data[100] ^= 1
    part.write_bytes(data)
    assert "is damaged: `neural verify` says where" in neural("gc", "--keep", "latest", "--base-dir", tmp_path).stdout


def test_gc_waits_for_backends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a backend has not got everything, versions stay; what gc itself records leaves no backend behind."""
    sources = "from neural_core.testing import RecordingPlugin\ndef make(): return RecordingPlugin('calls')\n"
    points = {"neural.backends": {"record": "gc_backend:make"}}
    monkeypatch.syspath_prepend(str(make_distribution(tmp_path / "site", "neural-kit", points, gc_backend=sources)))
    monkeypatch.chdir(tmp_path)
    one, base = versions(tmp_path / "runs"), ("--base-dir", tmp_path / "runs")
    neural("sync", "--all", "--to", "record", *base)
    neural("tag", one.experiment_id, "late", *base)
    assert "record has not got it whole: `neural sync`" in neural("gc", "--keep", "latest", *base).stdout
    assert "record has not got all of" in neural("doctor", *base, status=1).stdout
    neural("sync", "--all", "--to", "record", *base)
    neural("gc", "--keep", "latest 3", "--yes", *base)
    assert "nothing is wrong" in neural("doctor", *base).stdout
    assert "removed" in neural("gc", "--keep", "latest", "--yes", *base).stdout
    assert numbers(tmp_path / "runs", one) == [6]


@pytest.mark.fault("N05")
def test_gc_follows_no_link_out(tmp_path: Path) -> None:
    """A trash that is a link, as a store from a stranger may bring, leads to nothing that is removed."""
    other = track(tmp_path / "other", "mine")
    (tmp_path / "store").mkdir()
    for name in (".trash", ".importing"):
        (tmp_path / "store" / name).symlink_to(tmp_path / "other")
    said = neural("gc", "--older-than", 0, "--yes", "--base-dir", tmp_path / "store").stdout
    assert said == "nothing to remove\n"
    assert other.experiment_dir.exists()


def test_gc_chooses(tmp_path: Path) -> None:
    """--where and --artifact choose whose versions go; without --keep they are a mistake."""
    first, second = versions(tmp_path, "first", tags=["old"]), versions(tmp_path, "second")
    base = ("--base-dir", tmp_path)
    neural("gc", "--keep", "latest", "--where", "tags.old != none", "--yes", *base)
    assert (numbers(tmp_path, first), len(numbers(tmp_path, second))) == ([6], 6)
    assert "nothing to remove" in neural("gc", "--keep", "latest", "--artifact", "other", *base).stdout
    assert "need --keep" in neural("gc", "--where", "name = 'x'", *base, status=2).stderr
    assert "expected a rule" in neural("gc", "--keep", "newest", *base, status=2).stderr


def test_gc_ends_what_it_was_killed_in(tmp_path: Path) -> None:
    """When it died between the record and the files, the next one finds the files; nothing was called damaged."""
    one = versions(tmp_path)
    stored = ExperimentManager(tmp_path).get_experiment(str(one.experiment_id)).list_artifact_versions("model.pt")
    fact = {"kind": removal.FACT, "artifacts": [removal.to_document(stored[0], one.experiment_dir)]}
    removal.edit(one.experiment_dir, fact)
    assert "1 of 1 sound" in neural("verify", "--base-dir", tmp_path).stdout
    said = neural("gc", "--yes", "--base-dir", tmp_path).stdout
    assert "versions/model.pt/v1, given up before" in said
    assert not (one.experiment_dir / "versions" / "model.pt" / "v1").exists()
    assert numbers(tmp_path, one) == [2, 3, 4, 5, 6]


def test_removed_fact_cannot_lead_elsewhere(tmp_path: Path) -> None:
    """A record of a stranger that names other folders removes nothing."""
    one = versions(tmp_path)
    stored = one.list_artifact_versions("model.pt")[0]
    good = removal.to_document(stored, one.experiment_dir)
    places = ["metrics/x/y", "versions/model.pt/v2/model.pt", "versions/x", "plots/v1/a", "../v1/a"]
    bad = [{**good, "path": place, "artifact_name": f"n{place}"} for place in places]
    removal.edit(one.experiment_dir, {"kind": removal.FACT, "artifacts": [*bad, "x", None, {}]})
    assert "nothing to remove" in neural("gc", "--base-dir", tmp_path).stdout


def test_gc_empties_the_trash(tmp_path: Path) -> None:
    """What was thrown away lately stays; with --older-than 0 it goes for good, and the folder with it."""
    one = track(tmp_path, "one", artifacts={"m.pt": b"x" * 100})
    neural("rm", one.experiment_id, "--base-dir", tmp_path)
    assert "nothing to remove" in neural("gc", "--yes", "--base-dir", tmp_path).stdout
    said = neural("gc", "--older-than", 0, "--yes", "--base-dir", tmp_path).stdout
    assert f"{one.experiment_dir.name}, thrown away 0 days ago" in said
    assert not (tmp_path / ".trash").exists()


class Unfinished(ForeignRun):
    """A run whose import is killed."""

    def write_to(self, target: ImportTarget) -> None:
        """End the process in the middle."""
        target.log_metrics({"a": 1.0})
        os._exit(9)


def test_gc_removes_what_was_left(tmp_path: Path) -> None:
    """What a killed copy or import left goes, an import only when it was not touched for an hour."""
    one = versions(tmp_path)
    (one.experiment_dir / ".tmp-0123").mkdir()
    child = os.fork()
    if child == 0:
        import_run(Unfinished("tool:1", "half", "s"), tmp_path)
    os.waitpid(child, 0)
    [workshop] = (tmp_path / ".importing").iterdir()
    said = neural("gc", "--yes", "--base-dir", tmp_path).stdout
    assert ".tmp-0123, of a copy that did not end" in said
    assert workshop.exists()
    assert not (one.experiment_dir / ".tmp-0123").exists()


def test_age_counts_from_the_last_change(tmp_path: Path) -> None:
    """The age of a folder in the trash is that of its last move or change."""
    from neural_core._housekeeping import _days_since

    (tmp_path / "x").mkdir()
    os.utime(tmp_path / "x", (0, 0))
    assert _days_since(tmp_path / "x") < (time.time() - 1) / 86_400 / 2
