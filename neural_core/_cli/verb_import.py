"""``neural import``: bring in what other tools recorded; each tool's reader comes with its plugin."""

from __future__ import annotations

import click

from neural_core._cli.group import IMPORTS, foreign_verb, foreign_verbs
from neural_core._installed import not_installed

__all__ = ["command"]

_KNOWN = ("mlflow", "tensorboard", "wandb")


class _Tools(click.Group):
    """The tools whose plugins are installed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(name.removeprefix(IMPORTS) for name in foreign_verbs() if name.startswith(IMPORTS))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        verb = foreign_verbs().get(f"{IMPORTS}{cmd_name}")
        if verb is None and cmd_name in _KNOWN:
            raise not_installed(cmd_name, self.list_commands(ctx))
        return None if verb is None else foreign_verb(verb)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        verbs = foreign_verbs()
        with formatter.section("Tools"):
            listed = [(name, f"From {verbs[IMPORTS + name].distribution}.") for name in self.list_commands(ctx)]
            formatter.write_dl(listed or [("(none)", "Install a plugin, such as neural-mlflow.")])


@click.command(cls=_Tools)
def command() -> None:
    """Bring in runs that another tool recorded: `neural import mlflow ./mlruns`. Safe to repeat."""
