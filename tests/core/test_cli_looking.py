"""`neural ls --columns`, `show`, `compare`, `diff`, `top`, completion and the help."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_support import EVIL, document, files, neural, track

from neural_core import ExperimentTracker
from neural_core._cli.columns import WORDS
from neural_core._cli.group import _VERBS


@pytest.fixture
def two(tmp_path: Path) -> tuple[ExperimentTracker, ExperimentTracker]:
    """Give two finished experiments in `tmp_path`."""
    first = track(tmp_path, "first", 0.5, tags={"paper": "t2"}, artifacts={"model.pt": b"one"})
    return first, track(tmp_path, "second", 0.25, notes="lower", artifacts={"model.pt": b"two"})


def cells(output: str) -> list[list[str]]:
    """Give the words of each line."""
    return [line.split() for line in output.splitlines()]


def test_help_of_every_verb() -> None:
    """The help of each verb says what it does in a sentence, and its examples keep their lines."""
    for verb in _VERBS:
        shown = neural(verb, "--help").output
        assert shown.startswith(f"Usage: neural {verb}")
        assert shown.splitlines()[2].strip()[0].isupper()
        assert "\b" not in shown
        assert r"\b" not in shown


def test_help_groups_verbs() -> None:
    """The help names every verb once, grouped, the most needed first."""
    shown = neural("--help").output
    assert [line.split()[0] for line in shown.splitlines() if line.startswith("  ") and line.split()[0] in _VERBS] == [
        *_VERBS
    ]
    assert shown.index("Look:") < shown.index("Label and remove:") < shown.index("Move data:")


def test_misspelt_verb() -> None:
    """A verb that there is not is one sentence with the one that was meant."""
    assert "No such command 'shwo': did you mean 'show'?" in neural("shwo", status=2).output
    assert "`neural --help` lists them all" in neural("q\x1b[2J", status=2).output


def test_columns(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """--columns shows words, fields and bare names in the order that was asked for; what is absent is empty."""
    wanted = "name, lr, metrics.train_loss.min,val_accuracy, tags.paper,points,artifacts"
    shown = cells(neural("ls", "--base-dir", tmp_path, "--columns", wanted).stdout)
    assert shown[0] == ["name", "lr", "metrics.train_loss.min", "val_accuracy", "tags.paper", "points", "artifacts"]
    assert shown[2] == ["second", "0.25", "0.083333", "0.5", "6", "1"]
    assert shown[3] == ["first", "0.5", "0.16667", "1", "t2", "6", "1"]


def test_every_word_is_a_column(tmp_path: Path, two: object) -> None:
    """Each word that the error names is a column, in tables and in JSON."""
    neural("ls", "--base-dir", tmp_path, "--columns", ",".join(WORDS))
    [_, first] = document("ls", "--base-dir", tmp_path, "--columns", ",".join(WORDS), "--json")
    assert list(first) == list(WORDS)
    assert first["tags"] == {"paper": "t2"}
    assert first["duration"] == "0:00:00"


def test_columns_with_odd_names(tmp_path: Path) -> None:
    """A quoted name may hold commas and dots."""
    track(tmp_path, "odd", hyperparameters={"a, b": 7, "c.d": 8})
    shown = neural("ls", "--base-dir", tmp_path, "--columns", "'a, b', params.`c.d`").stdout
    assert cells(shown)[-1] == ["7", "8"]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [("speed", "no column 'speed'"), (" , ", "--columns is empty"), ("params.'x", "quote a name")],
)
def test_columns_misused(tmp_path: Path, two: object, columns: str, sentence: str) -> None:
    """A column that there is not is one sentence that names what there is."""
    assert sentence in neural("ls", "--base-dir", tmp_path, "--columns", columns, status=2).stderr


def test_show_json(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """`show --json` holds what the experiment holds, but for its points."""
    shown = document("show", two[0].experiment_id[:6], "--base-dir", tmp_path, "--json")
    assert (shown["experiment_name"], shown["status"], shown["tags"]) == ("first", "completed", {"paper": "t2"})
    assert shown["hyperparameters"] == {"lr": 0.5, "seed": 1}
    assert shown["metrics"]["train_loss"]["count"] == 3
    assert [(one["name"], one["version"], one["size"]) for one in shown["artifacts"]] == [("model.pt", 1, 3)]
    assert (shown["backends"], shown["damage"]) == ([], [])
    assert shown["environment"]["python"].startswith("3.")


def test_compare_all_and_json(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """A comparison marks what differs; --all adds what is the same; --json gives values and directions."""
    ids = [one.experiment_id for one in two]
    shown = cells(neural("compare", *ids, "--all", "--base-dir", tmp_path).stdout)
    assert ["~", "lr", "0.5", "0.25"] in shown
    assert ["seed", "1", "1"] in shown
    first, _ = document("compare", *ids, "--json", "--base-dir", tmp_path)
    assert first["best"] == {
        "train_loss": {"value": 0.5 / 3, "direction": "min"},
        "val_accuracy": {"value": 1.0, "direction": "max"},
    }


def test_compare_goes_by_the_directions_of_the_store(tmp_path: Path, two: object) -> None:
    """Where somebody said that more of a loss is better, the comparison marks the largest."""
    from neural_core.reading import ExperimentStore

    ExperimentStore(tmp_path).set_direction("train_loss", "max")
    ids = [one["id"] for one in document("ls", "--base-dir", tmp_path, "--columns", "id", "--json")]
    assert ["highest", "train_loss", "0.25", "0.5*"] in cells(neural("compare", *ids, "--base-dir", tmp_path).stdout)


def test_compare_writes_a_page_and_pictures(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """--html writes one file that needs no other; --png writes each figure."""
    ids = [one.experiment_id for one in two]
    page, figures = tmp_path / "deep" / "page.html", tmp_path / "figures"
    said = neural("compare", *ids, "--base-dir", tmp_path, "--html", page, "--png", figures).stdout
    assert f"report: {page}" in said
    assert [path.name for path in page.parent.iterdir()] == ["page.html"]
    text = page.read_text(encoding="utf-8")
    assert "first" in text
    assert 'src="data:image/png' in text
    assert "<script" not in text
    pictures = list(figures.iterdir())
    assert f"figures: {len(pictures)} in {figures}" in said
    assert {path.read_bytes()[:4] for path in pictures} == {b"\x89PNG"}


def test_diff_shows_only_differences(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """A diff names what differs, section by section: hyperparameters, metrics, tags, notes, artifacts by checksum."""
    ids = [one.experiment_id for one in two]
    shown = cells(neural("diff", *ids, "--base-dir", tmp_path).stdout)
    assert ["lr", "0.5", "0.25"] in shown
    assert ["train_loss", "lowest", "0.16667", "0.083333"] in shown
    assert ["paper", "t2", "-"] in shown
    assert ["notes", "-", "lower"] in shown
    assert [line for line in shown if line[:2] == ["model.pt", "v1"]]
    assert not [line for line in shown if line[:1] == ["seed"]]
    every = cells(neural("diff", *ids, "--all", "--base-dir", tmp_path).stdout)
    assert ["seed", "1", "1"] in every
    assert ["~", "lr", "0.5", "0.25"] in every


def test_diff_status(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """With --exit-code the status is 1 when they differ and 0 when not; without it, 0."""
    first, second = (one.experiment_id for one in two)
    base = ("--base-dir", tmp_path)
    neural("diff", first, second, *base)
    neural("diff", first, second, "--exit-code", *base, status=1)
    assert "they do not differ" in neural("diff", first, first, "--exit-code", *base).stdout
    told = document("diff", first, second, *base, "--json")
    assert told["a"]["experiment_id"] == first
    assert {"section": "hyperparameters", "name": "lr", "a": 0.5, "b": 0.25, "differs": True} in told["differences"]


def test_diff_knows_nan_and_types(tmp_path: Path) -> None:
    """NaN is the same as NaN; 1 is not true; nothing is not an empty text."""
    one = track(tmp_path, "one", hyperparameters={"x": float("nan"), "flag": True, "text": ""})
    two = track(tmp_path, "two", hyperparameters={"x": float("nan"), "flag": 1})
    told = document("diff", one.experiment_id, two.experiment_id, "--base-dir", tmp_path, "--json")
    assert [line["name"] for line in told["differences"]] == ["flag", "text"]


@pytest.mark.parametrize("verb", ["diff", "top", "tag", "note"])
def test_names_forge_nothing(tmp_path: Path, verb: str) -> None:
    """Control characters of names, tags, notes and metrics are shown as escapes."""
    live = ExperimentTracker(EVIL, tmp_path, False, tags={EVIL: EVIL}, notes=EVIL, hyperparameters={EVIL: EVIL})
    live.log_metrics({EVIL: 1.0}, step=1)
    other = track(tmp_path, "other")
    more = {"diff": [live.experiment_id, other.experiment_id], "top": ["--once"]}
    shown = neural(verb, *more.get(verb, [live.experiment_id]), "--base-dir", tmp_path).output
    live.finish()
    assert all(line.isprintable() for line in shown.split("\n"))
    assert r"\x1b[2J[red]b[/red]" in shown


@pytest.mark.fault("L02")
def test_reading_verbs_change_nothing(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """Looking at a store leaves every byte of it as it was."""
    before = files(tmp_path)
    ids = [one.experiment_id for one in two]
    for arguments in (["ls"], ["show", ids[0]], ["compare", *ids], ["diff", *ids], ["top", "--once"], ["tag", ids[0]]):
        neural(*arguments, "--base-dir", tmp_path)
    for arguments in (["verify"], ["sql", "from points"], ["export", *ids], ["gc"], ["doctor"], ["status"]):
        neural(*arguments, "--base-dir", tmp_path)
    assert files(tmp_path) == before


def test_top_shows_what_runs(tmp_path: Path, two: object) -> None:
    """One frame of `top` has a line for each experiment that runs, with its step and last values."""
    live = ExperimentTracker("live", tmp_path, False)
    for step in range(1_500):
        live.log_metrics({"loss": 1 / (step + 1)}, step=step)
    shown = neural("top", "--once", "--base-dir", tmp_path, "--limit", 1).stdout
    live.finish()
    [line] = [line for line in cells(shown) if line[:1] == [live.experiment_id]]
    assert line[1:3] == ["live", "running"]
    assert line[4:] == ["1,499", "0.00066667"]
    assert "3 experiments in" in shown  # those that ended just now are shown for a while


def test_top_without_anything(tmp_path: Path) -> None:
    """Where nothing runs, `top` says so."""
    assert neural("top", "--base-dir", tmp_path).stdout == f"nothing runs in {tmp_path}\n"


def test_top_ends_with_ctrl_c(tmp_path: Path) -> None:
    """On a terminal the table stays until Ctrl-C, which ends it with status 0 and no traceback."""
    track(tmp_path, "one")
    code = "import sys; from neural_core._cli import main; sys.argv[0] = 'neural'; main()"
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code, "top", "--base-dir", str(tmp_path), "--every", "0.1"],
        stdin=child,
        stdout=child,
        stderr=child,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(child)
    shown = b""
    while b"one" not in shown:
        shown += os.read(parent, 65_536)
    process.send_signal(signal.SIGINT)
    status = None
    while status is None:
        status = process.poll()
        try:
            shown += os.read(parent, 65_536)
        except OSError:  # Linux says EIO when the last writer is gone
            status = process.wait()
        time.sleep(0.01)
    os.close(parent)
    assert status == 0
    assert b"Traceback" not in shown
    assert b"Abort" not in shown


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str) -> None:
    """Each shell gets a script that asks the command, made without starting a shell."""
    script = neural("completion", shell).stdout
    assert f"_NEURAL_COMPLETE={shell}_complete" in script
    assert "tcsh" in neural("completion", "tcsh", status=2).output


def completed(words: str, count: int, **environment: str) -> str:
    """Give what bash is told for these words."""
    asked = {"_NEURAL_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count), **environment}
    return neural(**asked).stdout


def test_completion_of_verbs_and_ids(tmp_path: Path, two: tuple[ExperimentTracker, ExperimentTracker]) -> None:
    """A shell completes verbs, and the ids of the experiments in the folder, from any beginning."""
    assert completed("neural exp", 1) == "plain,export\n"
    [first, second] = [one.experiment_id for one in two]
    listed = completed("neural show ", 2, NEURAL_DIR=str(tmp_path))
    assert listed == f"plain,{second}\nplain,{first}\n"
    named = completed(f"neural diff --base-dir {tmp_path} {first[:5]}", 4)
    assert named == f"plain,{first}\n"
    neural("rm", first, "--base-dir", tmp_path)
    assert completed("neural restore ", 2, NEURAL_DIR=str(tmp_path)) == f"plain,{first}\n"
    assert completed("neural show ", 2, NEURAL_DIR=str(tmp_path / "absent")).strip() == ""
