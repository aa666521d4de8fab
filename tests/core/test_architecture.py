"""The table of who may import whom, and what holds for every source file."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen
from rooms import BROAD_EXCEPTS, PLUGINS, ROOMS, SOURCES, Room

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 250
STANDARD = tuple(sorted(sys.stdlib_module_names))


@frozen
class Import:
    """One imported module or name, dotted, with the line and whether it is for type checkers only."""

    name: str
    line: int
    typing_only: bool


def sources() -> list[Path]:
    """Give every Python file of SOURCES."""
    found = {path for pattern in SOURCES for path in ROOT.glob(pattern)}
    return sorted(path for path in found if not path.name.startswith("."))


def imports(path: Path) -> Iterator[Import]:
    """Give every import of a file, wherever it stands; ``from a import b`` is given as ``a.b``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {id(inner) for node in ast.walk(tree) if _is_typing_block(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        for name in _names(node):
            yield Import(name, getattr(node, "lineno", 0), id(node) in guarded)


def _is_typing_block(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
        return [a.value for a in node.args[:1] if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return []


def covers(module: str, name: str) -> bool:
    """Tell whether a table entry covers an imported name; ``neural_core._*`` covers all that is private there."""
    if module.endswith("*"):
        return name.startswith(module[:-1])
    return name == module or name.startswith(f"{module}.")


def is_ours(name: str) -> bool:
    """Tell whether a module belongs to neural or to one of its plugins."""
    return name.split(".")[0] in ("neural", "neural_core", *PLUGINS)


def breaches(room: Room, found: Import) -> Iterator[str]:
    """Give what is wrong with one import in one room."""
    if found.name.startswith("."):
        yield "relative imports hide where a module is"
    allowed = room.ours if is_ours(found.name) else room.others
    if not is_ours(found.name) and found.name.split(".")[0] in STANDARD:
        allowed = None
    if allowed is not None and not any(covers(module, found.name) for module in allowed):
        yield f"allowed here: {', '.join(allowed) or 'nothing of this kind'}"
    if any(covers(module, found.name) for module in room.never):
        yield "never allowed here"
    if room.typing_only and is_ours(found.name) and not found.typing_only:
        yield "allowed under TYPE_CHECKING only"


@pytest.mark.parametrize("room", ROOMS, ids=[room.files for room in ROOMS])
def test_imports_of_each_room(room: Room) -> None:
    """Every file of a room imports only what the table allows the room."""
    wrong = [
        f"{path.relative_to(ROOT)}:{found.line} imports {found.name}: {reason}"
        for path in sorted(ROOT.glob(room.files))
        for found in imports(path)
        for reason in breaches(room, found)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_file_has_a_room() -> None:
    """Every source file falls under one room that names all it may import of ours, and no room is empty."""
    files = [(path, room) for room in ROOMS if room.ours is not None for path in ROOT.glob(room.files)]
    housed = [path for path, _ in files]
    assert sorted(housed) == sources()
    assert not [room.files for room in ROOMS if not any(ROOT.glob(room.files))]


@pytest.mark.parametrize(
    ("files", "source", "reason"),
    [
        ("neural_core/**/*.py", "import matplotlib.pyplot as plt", "never allowed here"),
        ("neural_core/**/*.py", "def f():\n    from neural_mlflow import backend", "never allowed here"),
        ("neural_core/**/*.py", "import importlib\nimportlib.import_module('neural_ui')", "never allowed here"),
        ("neural_core/**/*.py", "from .records import Series", "relative imports"),
        (
            "neural_core/_storage/experiment/*.py",
            "from neural_core._storage.writing.session import Session",
            "allowed here",
        ),
        ("neural_core/_storage/care/*.py", "from neural_core._delivery.relay import Relay", "allowed here"),
        ("neural_core/_delivery/**/*.py", "import matplotlib", "allowed here"),
        ("neural_core/hookspecs.py", "from neural_core.records import Status", "under TYPE_CHECKING only"),
        ("neural/**/*.py", "from neural_core._tracker import ExperimentTracker", "never allowed here"),
        (
            "plugins/neural_mlflow/src/**/*.py",
            "from neural_core._storage.experiment.reader import RunReader",
            "allowed here",
        ),
        ("plugins/neural_mlflow/src/**/*.py", "import neural_wandb", "allowed here"),
        ("examples/**/*.py", "from neural_core._cli import main", "never allowed here"),
    ],
)
def test_table_catches(tmp_path: Path, files: str, source: str, reason: str) -> None:
    """The table catches forbidden imports wherever and however they are written."""
    path = tmp_path / "wrong.py"
    path.write_text(source)
    room = next(room for room in ROOMS if room.files == files)
    assert any(reason in text for found in imports(path) for text in breaches(room, found))


def test_files_are_small() -> None:
    """Every source file has at most 250 lines."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    long = [f"{path.relative_to(ROOT)}: {length}" for path, length in lengths.items() if length > MAX_LINES]
    assert not long, "\n".join(long)


def test_broad_excepts_are_justified() -> None:
    """``except Exception`` stands only in files that the table names with a reason, and the table names no other."""
    found = {str(path.relative_to(ROOT)) for path in sources() if any(map(_is_broad, ast.walk(_tree(path))))}
    assert found == set(BROAD_EXCEPTS)


def _tree(path: Path) -> ast.AST:
    return ast.parse(path.read_text(encoding="utf-8"))


def _is_broad(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler) or ast.unparse(node.body[-1]) == "raise":
        return False
    caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else {"Exception"}
    return not caught.isdisjoint({"Exception", "BaseException"})


def test_no_path_of_a_machine() -> None:
    """No source file names a folder of somebody's machine."""
    folder = re.compile(r"[\"'\s(](?:/(?:home|Users|root|work|opt|mnt)/|[A-Z]:\\\\)\w")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if folder.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_namespace_stays_open() -> None:
    """``neural`` has no ``__init__.py``: other distributions may share the namespace."""
    assert not (ROOT / "neural" / "__init__.py").exists()


def test_dependencies_are_justified() -> None:
    """Each dependency in a pyproject.toml has a comment that says what it is for."""
    requirement = re.compile(r'^\s+"[A-Za-z][\w.-]*(?:\[[\w,]+\])?[<>=~!][^"]*",')
    projects = [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]
    lines = [line for project in projects for line in project.read_text().splitlines() if requirement.match(line)]
    assert len(lines) > len(projects)
    assert not [line for line in lines if "  # " not in line]
