"""Which tests prove which rows, as their ``fault`` markers say. Read from the sources: nothing is imported or run."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["ROOT", "files_of", "files_of_tests", "marked_tests"]

ROOT = Path(__file__).resolve().parents[2]


def files_of_tests() -> list[Path]:
    """Give every file of tests, of the core and of the plugins."""
    return sorted([*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("plugins/*/tests/**/test_*.py")])


def marked_tests(files: Iterable[Path]) -> dict[str, list[str]]:
    """Give row → the tests that prove it, as ``file::name`` with the file's path in the checkout."""
    found: dict[str, list[str]] = {}
    for path in files:
        for name, rows in _marks(ast.parse(path.read_text(encoding="utf-8"))):
            for row in rows:
                found.setdefault(row, []).append(f"{path.relative_to(ROOT).as_posix()}::{name}")
    return found


def files_of(tests: Iterable[str]) -> list[str]:
    """Give the files of these tests, each once."""
    return sorted({test.partition("::")[0] for test in tests})


def _marks(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """Give (test, rows) of each marked function and class, and of a whole module."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            rows = [row for decorator in node.decorator_list for row in _rows(decorator)]
            if rows:
                yield node.name, rows
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            yield "*", _rows(node.value)


def _rows(marker: ast.expr) -> list[str]:
    if not isinstance(marker, ast.Call) or ast.unparse(marker.func) != "pytest.mark.fault":
        return []
    return [ast.literal_eval(argument) for argument in marker.args]
