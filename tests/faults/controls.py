"""Positive controls: sabotage of neural under which a test must fail, or it would not notice its fault.

They stand in ``controls.txt``, one behind the other with an empty line between: the row and what neural does wrong
then, the source file, the test that must fail, and the lines that go (-) and come (+).
"""

from __future__ import annotations

from pathlib import Path

from attrs import frozen

__all__ = ["CONTROLS", "QUICK", "Control", "parse"]

QUICK = ("A08", "I04", "L01", "N06", "V03")
"""Rows whose first control is tried in every run of the tests; the others take minutes."""


@frozen
class Control:
    """One change of the code.

    Attributes:
        row: the fault that the test proves.
        change: what neural does wrong with it.
        file: where, in the checkout.
        test: ``file::name`` of the test that must fail.
        old: the lines that stand there, once.
        new: the lines that stand there then.
    """

    row: str
    change: str
    file: str
    test: str
    old: str
    new: str


def parse(text: str) -> tuple[Control, ...]:
    """Read controls as ``controls.txt`` has them."""
    return tuple(_control(block.splitlines()) for block in text.strip("\n").split("\n\n"))


def _control(lines: list[str]) -> Control:
    (row, _, change), file, test = lines[0].partition(": "), lines[1], lines[2]
    old, new = (["".join(f"{line[1:]}\n" for line in lines[3:] if line[0] == sign)] for sign in "-+")
    return Control(row, change, file, test, *old, *new)


CONTROLS = parse(Path(__file__).with_suffix(".txt").read_text(encoding="utf-8"))
