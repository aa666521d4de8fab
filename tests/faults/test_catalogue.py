"""The catalogue of faults: every row has its tests, every marker its row, and tests can fail."""

from __future__ import annotations

import re

import pytest
from catalogue import FAMILIES, ROWS
from controls import CONTROLS, QUICK, Control
from docs_table import PAGE, page_with_table
from marks import ROOT, files_of_tests, marked_tests
from results import Result
from sabotage import copied, sabotage, try_control, try_tests

MARKED = marked_tests(files_of_tests())


def test_every_row_has_tests() -> None:
    """Every row is proved by tests, and no test names a row that there is not."""
    assert set(MARKED) == {row.id for row in ROWS}


def test_rows_are_whole() -> None:
    """Each row has an id of its own and of a family, and says what happens and what is expected."""
    ids = [row.id for row in ROWS]
    assert len(set(ids)) == len(ids) > 80
    assert {name[0] for name in ids} == set(FAMILIES)
    assert all(row.fault and row.expected for row in ROWS)
    assert [name for name in ids if not re.fullmatch(r"[A-Z]\d\d", name)] == []


def test_the_page_shows_the_catalogue() -> None:
    """The table in docs/reliability.md is the one that `python3 dev.py faults --write-docs` writes."""
    page = PAGE.read_text(encoding="utf-8")
    assert page_with_table(page) == page
    with pytest.raises(ValueError, match="comments"):
        page_with_table("# A page")


def test_a_row_is_proved_by_passing_tests_only() -> None:
    """A row without tests is not tried; one that failed or was skipped in any phase is not proved."""
    result = Result()
    assert result.word == "not tried"
    result.add("a", "passed", 1.0)
    assert result.word == "proved"
    result.add("b", "skipped", 0.0)
    assert result.word == "skipped"
    result.add("a", "failed", 0.0)
    result.add("a", "passed", 0.0)
    assert (result.word, result.outcomes, result.seconds) == ("failed", {"a": "failed", "b": "skipped"}, 1.0)


def test_every_family_has_controls() -> None:
    """There are controls for every family, and none is there twice."""
    assert {control.row[0] for control in CONTROLS} == set(FAMILIES)
    assert len({(control.row, control.change) for control in CONTROLS}) == len(CONTROLS) >= 25


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: f"{control.row} {control.change}")
def test_controls_fit_the_code(control: Control) -> None:
    """Each control changes lines that are there once, and names a test that proves its row."""
    text = (ROOT / control.file).read_text(encoding="utf-8")
    assert text.count(control.old) == 1
    assert control.new != control.old
    whole_file = f"{control.test.partition('::')[0]}::*"
    assert {control.test.partition("[")[0], whole_file} & set(MARKED[control.row])


@pytest.mark.parametrize("row", QUICK)
def test_sabotage_is_noticed(row: str) -> None:
    """With neural sabotaged the test of the row fails."""
    outcome = try_control(next(control for control in CONTROLS if control.row == row))
    assert outcome.failed, outcome.said


def test_an_unharmed_copy_passes() -> None:
    """It is the sabotage that the tests notice: without it they pass in a copy."""
    tests = [next(control.test for control in CONTROLS if control.row == row) for row in QUICK]
    with copied() as copy:
        outcome = try_tests(copy, *tests)
        assert outcome.passed, outcome.said
        stale = Control("D01", "nothing", "conftest.py", tests[0], "no such line\n", "")
        with pytest.raises(ValueError, match="write the control anew"):
            sabotage(copy, stale)
