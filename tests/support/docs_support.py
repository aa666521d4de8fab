"""The pages of the documentation, wherever they stand in the checkout, and their blocks of code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

__all__ = ["PAGES", "ROOT", "Block", "blocks", "python_blocks"]

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "neural" / "tracking" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "benchmarks").glob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
    *sorted((ROOT / "plugins").glob("*/README.md")),
]

BLOCK = re.compile(r'^```(python|py|sh|bash|text)(?: title="([^"]+)")?\n(.*?)^```', re.MULTILINE | re.DOTALL)


@frozen
class Block:
    """A fenced block of a page: its page relative to the checkout, its number there, language, file name and text."""

    page: str
    number: int
    language: str
    file: str
    text: str

    def lines(self) -> list[str]:
        """Give the lines of a shell's block."""
        joined = self.text.replace("\\\n", " ").splitlines()
        return [line for line in joined if line.strip() and not line.startswith("#")]


def blocks() -> Iterator[Block]:
    """Give every fenced block of Python, of a shell, or of text of every page."""
    for page in PAGES:
        found = BLOCK.findall(page.read_text(encoding="utf-8"))
        for number, (language, file, text) in enumerate(found, start=1):
            yield Block(page.relative_to(ROOT).as_posix(), number, language, file, text)


def python_blocks() -> Iterator[Block]:
    """Give the blocks of Python."""
    return (block for block in blocks() if block.language.startswith("py"))
