"""The group of verbs: imports the one that is called for, and ends every user's mistake with one sentence."""

from __future__ import annotations

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

_VERBS = {
    "ls": "List experiments.",
    "show": "Show one experiment.",
    "compare": "Compare experiments; with --html or --output write a report.",
    "verify": "Read every byte again and name what is damaged.",
    "compact": "Bring experiments whose writers died to their end.",
    "rm": "Move an experiment to the trash.",
    "restore": "Bring an experiment back from the trash.",
    "ui": "Compare experiments in the browser.",
    "import": "Bring in what MLflow, W&B or TensorBoard recorded.",
    "plugins": "List installed plugins and what is wrong with them.",
    "status": "Show how far backends and plugins are.",
    "sync": "Deliver stored experiments to a backend.",
}
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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_VERBS.items()))
        foreign = [(name, f"From {foreign_verbs()[name].distribution}.") for name in _own_names()]
        if foreign:
            with formatter.section("Commands of plugins"):
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
    """Look at experiments tracked by neural: list, show, compare, verify."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character still gets the line
