"""``neural plugins``: what is installed, and whether it works."""

from __future__ import annotations

import click

from neural_core._cli.output import print_json, print_table, say
from neural_core._delivery.listing import ListedPlugin, list_plugins

__all__ = ["command"]

_STYLES = {"ok": "green", "blocked": "yellow", "broken": "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, as JSON.")
def command(as_json: bool) -> None:
    """List installed plugins: package, group, hooks, and state: ok, blocked (NEURAL_DISABLE_PLUGINS), broken."""
    plugins = list_plugins()
    if as_json:
        print_json([_document(plugin) for plugin in plugins])
        return
    print_table(
        ["name", "group", "package", "version", "state", "delivers", "hooks"],
        [_cells(plugin) for plugin in plugins],
        fold=["hooks"],
    )
    for plugin in plugins:
        if plugin.error is not None:
            say(f"broken: {plugin.name} ({plugin.distribution}): {plugin.error}")


def _cells(plugin: ListedPlugin) -> list[object]:
    from rich.text import Text

    package, _, version = plugin.distribution.rpartition(" ")
    hooks = ", ".join(hook.removeprefix("neural_") for hook in plugin.hooks)
    state = Text(plugin.state, style=_STYLES[plugin.state])
    return [plugin.name, plugin.group.removeprefix("neural."), package, version, state, plugin.delivery, hooks]


def _document(plugin: ListedPlugin) -> dict[str, object]:
    package, _, version = plugin.distribution.rpartition(" ")
    return {
        "name": plugin.name,
        "group": plugin.group,
        "package": package,
        "version": version,
        "state": plugin.state,
        "delivery": plugin.delivery or None,
        "hooks": list(plugin.hooks),
        "error": plugin.error,
    }
