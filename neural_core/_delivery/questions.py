"""Ask every plugin for something, on the asker's thread, and merge the answers."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from neural_core._delivery import discovery
from neural_core._delivery.guard import GuardedPlugin, PluginError

__all__ = ["ask"]

BUILT_IN = "matplotlib"
_log = logging.getLogger("neural")


def ask(
    hook: str, objects: Iterable[GuardedPlugin] = (), *, visualizer: str | None = None, **arguments: Any
) -> dict[str, Any]:
    """Ask a question that is answered by mappings, and merge them.

    Of two answers to the same name the first stands: the script's objects, installed plugins, and last the visualizer
    of this name, the built-in one when None. A plugin that raises is one warning.
    """
    chosen = discovery.always_on("neural.visualizers", only=visualizer or BUILT_IN)
    answers: dict[str, Any] = {}
    for plugin in [*objects, *discovery.always_on(), *chosen]:
        if not plugin.hears(hook):
            continue
        try:
            results = plugin.call(hook, **arguments)
        except PluginError as error:
            _log.warning("%s", error, exc_info=error.__cause__)
            continue
        for result in results:
            if isinstance(result, Mapping):
                answers = {**result, **answers}
    return answers
