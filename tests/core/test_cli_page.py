"""docs/cli.md: every verb is on the page, and every line of it runs as it stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_support import examples, run_line
from distribution_support import make_distribution

from neural_core import ExperimentTracker
from neural_core._cli.group import _VERBS
from neural_core._storage import folder

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")

# Lines that are not run here, and where they are proved.
ELSEWHERE = {
    "neural ui": "it serves until Ctrl-C: tests of neural_ui",
    "neural import": "its readers come with plugins: test_importing.py of each",
}


def is_elsewhere(line: str) -> bool:
    """Tell whether the table says where a line is proved."""
    return any(line.startswith(start) for start in ELSEWHERE)


@pytest.fixture
def page_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with the two experiments of the page, its notes, and its backend."""
    ids = iter(["3f2a", "91bc"])
    monkeypatch.setattr(folder, "new_uid", lambda: next(ids).ljust(32, "0"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VISUAL", "true")
    for name, rate in (("first", 0.005), ("second", 0.1)):
        with ExperimentTracker(name, auto_visualize=False, hyperparameters={"lr": rate, "seed": 1}) as tracker:
            for step in range(3):
                tracker.log_metrics({"val_loss": rate / (step + 1)}, step=step)
                Path("model.pt").write_bytes(name.encode() + bytes([step]))
                tracker.log_model("model.pt", framework="none")
    Path("notes.txt").write_text("from a file\n")
    sources = "from neural_core.testing import RecordingPlugin\ndef make(): return RecordingPlugin('calls')\n"
    site = make_distribution(
        tmp_path / "site", "neural-csv", {"neural.backends": {"csv": "page_backend:make"}}, page_backend=sources
    )
    monkeypatch.syspath_prepend(str(site))
    return tmp_path


def test_page_has_every_verb() -> None:
    """The page shows a line of each verb, and the table of lines that do not run names lines of the page."""
    lines = list(examples(PAGE))
    assert {line.split()[1] for line in lines} == set(_VERBS)
    assert all(any(line.startswith(start) for line in lines) for start in ELSEWHERE)


def test_lines_of_the_page_run(page_store: Path) -> None:
    """The lines run one after the other, and end as the page says."""
    for line in examples(PAGE):
        if not is_elsewhere(line):
            run_line(line)
    made = {path.name for path in page_store.iterdir()}
    assert made >= {"report.html", "figures", "report", "rows.csv", "run.parquet", "data", "page.html", "calls"}
    assert Path("rows.csv").read_text().count("\n") == 7
