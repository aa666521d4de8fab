"""The `neural` command in this process: its output, its status, and experiments for it to look at."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from neural_core import ExperimentTracker
from neural_core._cli.group import cli

__all__ = ["EVIL", "document", "examples", "files", "neural", "run_line", "track"]

EVIL = "=a\nERROR \x1b[2J[red]b[/red]"
"""A name that would forge a line, clear a terminal, set a colour, and be a formula."""


def neural(*arguments: object, status: int = 0, text: str | None = None, **environment: str) -> Result:
    """Run the command; what it says is shown when it ends otherwise than with `status`, or with a traceback."""
    result = CliRunner(env=environment).invoke(cli, [str(one) for one in arguments], input=text, prog_name="neural")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    assert result.exit_code == status, result.output
    return result


def document(*arguments: object, status: int = 0) -> Any:
    """Run the command and read the strict JSON that it gives."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(neural(*arguments, status=status).stdout, parse_constant=refuse)


def track(
    base: Path, name: str, rate: float = 0.5, steps: int = 3, artifacts: Mapping[str, bytes] | None = None, **more: Any
) -> ExperimentTracker:
    """Make a finished experiment: `steps` points of two metrics; `artifacts` are logged as models after them."""
    given = {"lr": rate, "seed": 1, **more.pop("hyperparameters", {})}
    with ExperimentTracker(name, base, False, hyperparameters=given, **more) as tracker:
        for step in range(steps):
            tracker.log_metrics({"train_loss": rate / (step + 1), "val_accuracy": rate * step}, step=step)
        for file, content in (artifacts or {}).items():
            path = base / file
            path.write_bytes(content)
            tracker.log_model(path, framework="none")
            path.unlink()
    return tracker


def files(directory: Path) -> dict[str, bytes]:
    """Give every file of a folder with its content."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def examples(page: str) -> Iterator[str]:
    """Give every line of the shell blocks of a page that calls the command."""
    for block in re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("neural "):
                yield line


def run_line(line: str) -> str:
    """Run a line of a page as a shell would: comments, one redirection of input or output, quotes; give its output."""
    status = 1 if line.rstrip().endswith("# status 1") else 0
    words = shlex.split(line, comments=True)[1:]
    text = None
    if "<" in words:
        text = Path(words.pop(words.index("<") + 1)).read_text()
        words.remove("<")
    target = None
    if ">" in words:
        target = Path(words.pop(words.index(">") + 1))
        words.remove(">")
    said = neural(*words, status=status, text=text).stdout
    if target is not None:
        target.write_text(said)
        assert said
    return said
