"""The group of verbs: imports the one that is called for, and ends every user's mistake with one sentence."""

from __future__ import annotations

import difflib
import importlib
import sys
from typing import TYPE_CHECKING, Any

import click

from neural_core import __version__
from neural_core._cli.output import legible
from neural_core.errors import ArgumentError, ConfigurationError, NeuralError, NotInstalledError, QueryError

if TYPE_CHECKING:
    from neural_core._delivery.discovery import FoundPlugin

__all__ = ["IMPORTS", "cli", "foreign_verb", "foreign_verbs"]

IMPORTS = "import-"
"""Verbs of plugins that begin so are the verbs of ``neural import``."""

_SECTIONS = {
    "Look": {
        "ls": "List experiments: filter, sort, choose columns.",
        "show": "Show one experiment.",
        "compare": "Put experiments side by side, as a table or a report.",
        "diff": "Tell what differs between two experiments.",
        "top": "Watch the experiments that run.",
        "ui": "Compare experiments in the browser.",
    },
    "Label and remove": {
        "tag": "Add or remove tags.",
        "note": "Write the notes of an experiment.",
        "rm": "Move an experiment to the trash.",
        "restore": "Bring an experiment back from the trash.",
    },
    "Move data": {
        "export": "Write experiments as CSV, Parquet, JSON or HTML.",
        "sql": "Ask in SQL.",
        "import": "Bring in what MLflow, W&B or TensorBoard recorded.",
        "sync": "Deliver stored experiments to a backend.",
        "status": "Show how far backends and plugins are.",
    },
    "Look after": {
        "verify": "Read every byte again; save what is sound of damaged ones.",
        "compact": "Bring experiments whose writers died to their end.",
        "gc": "Make room: the trash, leftovers, old versions of artifacts.",
        "doctor": "Find what is wrong here, and how to mend it.",
        "plugins": "List installed plugins and what is wrong with them.",
        "completion": "Print the completion script for a shell.",
    },
}
_VERBS = {name: text for section in _SECTIONS.values() for name, text in section.items()}
_MISUSES = (ArgumentError, ConfigurationError, QueryError)


class _Verbs(click.Group):
    """Verbs by name; their help is known without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_VERBS, *_own_names()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in _VERBS:
            found: click.Command = importlib.import_module(f"neural_core._cli.verb_{cmd_name}").command
            return found
        verb = foreign_verbs().get(cmd_name)
        return None if verb is None else foreign_verb(verb)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            close = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
            remedy = f"did you mean {close[0]!r}?" if close else "`neural --help` lists them all."
            ctx.fail(f"No such command {legible(name)!r}: {remedy}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, _VERBS))
        for title, verbs in _SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(f"{name:<{width}}", text) for name, text in verbs.items()])
        foreign = [(f"{name:<{width}}", f"From {foreign_verbs()[name].distribution}.") for name in _own_names()]
        if foreign:
            with formatter.section("Of plugins"):
                formatter.write_dl(foreign)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # whoever read the output has seen enough: click ends quietly
        except (NeuralError, OSError) as error:
            misuse = isinstance(error, _MISUSES) and not isinstance(error, NotInstalledError)
            raise (_Misuse if misuse else _Failure)(error) from error


def foreign_verbs() -> dict[str, FoundPlugin]:
    """Give the verbs that plugins add; none takes the place of ours."""
    from neural_core._delivery import discovery

    return {verb.name: verb for verb in discovery.find("neural.commands") if verb.name not in _VERBS}


def _own_names() -> list[str]:
    """The verbs of plugins that stand by themselves, not below ``neural import``."""
    return [name for name in foreign_verbs() if not name.startswith(IMPORTS)]


def foreign_verb(verb: FoundPlugin) -> click.Command:
    """Import the verb of a plugin.

    Raises:
        ConfigurationError: it does not import, or is no click command.
    """
    command = verb.load()
    if not isinstance(command, click.Command):
        raise ConfigurationError(f"plugin {verb.name!r} ({verb.distribution}) is no click command")
    return command


class _Failure(click.ClickException):
    """An error as one sentence, with status 1."""

    def __init__(self, error: NeuralError | OSError) -> None:
        # A query's error points at its place on the lines below; no other text may begin a line.
        lines = str(error).split("\n") if isinstance(error, QueryError) else [str(error)]
        super().__init__("\n".join(legible(line) for line in lines))


class _Misuse(_Failure):
    """The arguments cannot work: status 2, as for an option that does not exist."""

    exit_code = 2


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="neural")
def cli() -> None:
    """Look at, compare and look after the experiments that neural tracks.

    Everything lies in one folder: --base-dir, else NEURAL_DIR, else ./neural_experiments. An ID may be cut to a unique
    beginning of four characters or more, but for rm, which takes it whole. Start with `neural ls`.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character still gets the line
