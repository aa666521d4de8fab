"""The table of faults in docs/reliability.md: made from the catalogue and from the markers of the tests."""

from __future__ import annotations

from catalogue import FAMILIES, ROWS, Row
from marks import ROOT, files_of, files_of_tests, marked_tests

__all__ = ["PAGE", "page_with_table"]

PAGE = ROOT / "docs" / "reliability.md"
_BEGIN = "<!-- Faults: made by `python3 dev.py faults --write-docs`, not by hand. -->"
_END = "<!-- End of faults. -->"


def page_with_table(page: str) -> str:
    """Give the page with the table as it is now.

    Raises:
        ValueError: the page has not the two comments between which it stands.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has not the comments between which the table of faults stands")
    return f"{before}{_BEGIN}\n\n{_tables()}\n{_END}{after}"


def _tables() -> str:
    tests = marked_tests(files_of_tests())
    families = (_family(letter, title, tests) for letter, title in FAMILIES.items())
    return "\n".join(families)


def _family(letter: str, title: str, tests: dict[str, list[str]]) -> str:
    rows = [row for row in ROWS if row.id[0] == letter]
    lines = [f"### {title}", "", "| | what goes wrong | what happens | tests |", "|---|---|---|---|"]
    lines += [_line(row, files_of(tests.get(row.id, []))) for row in rows]
    notes = [f"- {row.id}: {row.note}" for row in rows if row.note]
    lines += ["", "What was tried in another way than it happens:", "", *notes] if notes else []
    return "\n".join([*lines, ""])


def _line(row: Row, files: list[str]) -> str:
    proofs = ", ".join(f"`{file}`" for file in files)
    return f"| {row.id} | {row.fault} | {row.expected} | {proofs} |"
