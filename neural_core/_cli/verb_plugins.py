"""``neural plugins``: what is installed, and whether it works."""

from __future__ import annotations

from collections.abc import Mapping

import click

from neural_core._cli.output import base_dir_option, print_json, print_table, say
from neural_core._delivery.listing import Failure, ListedPlugin, last_failures, list_plugins
from neural_core._storage import folder

__all__ = ["command"]

_STYLES = {"ok": "green", "blocked": "yellow", "broken": "red"}
_TOLD_OF_EXPERIMENTS = ("neural.backends", "neural.plugins")


@click.command()
@base_dir_option
@click.option("--json", "as_json", is_flag=True, help="Everything that is known, as JSON.")
def command(base_dir: str, as_json: bool) -> None:
    """List installed plugins: package, group, hooks, and state: ok, blocked (NEURAL_DISABLE_PLUGINS), broken.

    Of one that failed with an experiment of the folder, in whichever process, its last error is shown.
    """
    plugins, failures = list_plugins(), last_failures(folder.resolve_base_dir(base_dir))
    if as_json:
        print_json([_document(plugin, _failure(plugin, failures)) for plugin in plugins])
        return
    print_table(
        ["name", "group", "package", "version", "state", "delivers", "hooks"],
        [_cells(plugin) for plugin in plugins],
        fold=["hooks"],
    )
    for plugin in plugins:
        failure = _failure(plugin, failures)
        if plugin.error is not None:
            say(f"broken: {plugin.name} ({plugin.distribution}): {plugin.error}")
        elif failure is not None:
            say(f"failed: {plugin.name} ({plugin.distribution}), {failure.experiment}: {failure.error}")


def _failure(plugin: ListedPlugin, failures: Mapping[str, Failure]) -> Failure | None:
    return failures.get(plugin.name) if plugin.group in _TOLD_OF_EXPERIMENTS else None


def _cells(plugin: ListedPlugin) -> list[object]:
    from rich.text import Text

    package, _, version = plugin.distribution.rpartition(" ")
    hooks = ", ".join(hook.removeprefix("neural_") for hook in plugin.hooks)
    state = Text(plugin.state, style=_STYLES[plugin.state])
    return [plugin.name, plugin.group.removeprefix("neural."), package, version, state, plugin.delivery, hooks]


def _document(plugin: ListedPlugin, failure: Failure | None) -> dict[str, object]:
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
        "last_failure": None if failure is None else {"experiment": failure.experiment, "error": failure.error},
    }
