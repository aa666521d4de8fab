"""Every block of Python and of a shell in the README and in docs/ runs, and links lead somewhere."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_support import run_line
from docs_support import PAGES, ROOT, Block, blocks

from neural.tracking import ExperimentTracker
from neural_core._storage import folder

MADE_BY_A_RUN = ("results.md", "peers.json")  # in benchmarks/: a full run writes them

# Pages and blocks that are not run by `test_blocks_run`: (page, beginning of the block) → where or why.
NOT_RUN_HERE = {
    ("docs/guide.md", ""): "tests/tracking/test_guide.py runs each of its blocks",
    ("docs/cli.md", "neural"): "tests/core/test_cli_page.py runs each of its lines",
    ("plugins/neural_mlflow/README.md", "from neural"): "docs/migrate/mlflow.md; each start of MLflow takes seconds",
    ("plugins/neural_mlflow/README.md", "neural import"): "likewise",
    ("docs/format.md", "import json"): "the reader: test_reader_of_the_page runs it against real journals",
}

OUTPUT = "it says"  # the title of a block of text that is the output of the line before it

# Lines of a shell that are not run: how they begin → where they are proved, or why they are not.
NOT_RUN_LINES = {
    "pip install": "tests/e2e/test_packaging.py and test_install_lines.py install",
    "python3 -m venv": "likewise, each into an environment of its own",
    ". .venv/bin/activate": "likewise",
    "python -m benchmarks.run": "tests/core/test_benchmarks.py",
    "neural ui": "it serves until Ctrl-C: tests of neural_ui",
    "tensorboard --logdir": "it serves until Ctrl-C: tests of neural_tensorboard read what it would",
    "mlflow ui": "it serves until Ctrl-C: tests of neural_mlflow read what it would",
    "wandb": "it wants an account: tests of neural_wandb speak with a server of their own",
    "rsync -a cluster:": "it wants another machine",
}


def is_elsewhere(block: Block) -> bool:
    """Tell whether the table says where else a block is proved."""
    return any(block.page == page and block.text.startswith(start) for page, start in NOT_RUN_HERE)


def here() -> dict[str, list[Block]]:
    """Give the blocks that run here, by page."""
    pages: dict[str, list[Block]] = {}
    for block in blocks():
        if not is_elsewhere(block) and (block.language != "text" or block.file == OUTPUT):
            pages.setdefault(block.page, []).append(block)
    return pages


def is_not_run(line: str) -> bool:
    """Tell whether the table says why a line of a shell does not run here."""
    return line.startswith(tuple(NOT_RUN_LINES))


def test_tables_name_what_is_there() -> None:
    """The tables of blocks and lines that do not run here name none that is gone."""
    every = list(blocks())
    assert all(any(b.page == page and b.text.startswith(start) for b in every) for page, start in NOT_RUN_HERE)
    lines = [line for block in every if block.language in ("sh", "bash") for line in block.lines()]
    assert all(any(line.startswith(start) for line in lines) for start in NOT_RUN_LINES)


@pytest.fixture
def two_known_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first two experiments of a page have the ids that its lines name."""
    known = iter(["3f2a", "91bc"])
    make = folder.new_uid

    def new_uid() -> str:
        start = next(known, None)
        return make() if start is None else start.ljust(32, "0")

    monkeypatch.setattr(folder, "new_uid", new_uid)


@pytest.mark.usefixtures("two_known_ids")
@pytest.mark.parametrize("page", sorted(here()))
def test_blocks_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run one after the other in an empty folder, as one script, without supplied names."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    names: dict[str, Any] = {}
    said = ""
    for block in here()[page]:
        if block.language == "text":
            assert [line.rstrip() for line in said.splitlines()] == block.text.splitlines()
        elif block.file:
            Path(block.file).write_text(block.text)
        elif block.language.startswith("py"):
            exec(compile(block.text, f"{page}, block {block.number}", "exec"), names)
        else:
            said = run_shell(block)
    for value in names.values():
        if isinstance(value, ExperimentTracker):
            value.finish()


def run_shell(block: Block) -> str:
    """Run the lines of a shell: those of `neural` in this process, others, and those that load another tool, by bash.

    Returns:
        The output of the last line.
    """
    said = ""
    for line in block.lines():
        if is_not_run(line):
            continue
        if line.startswith("neural ") and not line.startswith(("neural import", "neural sync")):
            said = run_line(line)
        else:
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", line], capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{block.page}: {line}\n{done.stdout}{done.stderr}"
            said = done.stdout
    return said


def test_every_variable_is_documented() -> None:
    """docs/settings.md names every variable of the environment that is read, and none that is not."""
    sources = [*ROOT.glob("neural_core/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")]
    texts = (node.value for path in sources for node in ast.walk(ast.parse(path.read_text())) if is_text(node))
    read = {text for text in texts if re.fullmatch(r"NEURAL_[A-Z_]+", text)}
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(NEURAL_[A-Z_]+)", page, re.MULTILINE)) == read


def is_text(node: ast.AST) -> bool:
    """Tell whether a node is a constant text."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_links_lead_somewhere() -> None:
    """Every relative link of every page leads to a file of the checkout."""
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists() and Path(target).name not in MADE_BY_A_RUN:
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken


def test_promises_name_real_tests() -> None:
    """Every test file that docs/reliability.md names is there."""
    page = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(?:tests/\w+/)?(test_\w+\.py)`", page))
    assert len(named) > 10
    assert named <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}
