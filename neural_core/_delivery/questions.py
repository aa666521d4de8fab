"""Ask every plugin for something, and merge the answers: the others answer, too, when one never does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from neural_core._delivery import discovery
from neural_core._delivery.guard import GuardedPlugin, PluginError
from neural_core._delivery.patience import DEADLINE_SECONDS, waiting_seconds

__all__ = ["ask"]

_Maker = Callable[[], list[GuardedPlugin]]

BUILT_IN = "matplotlib"
_log = logging.getLogger("neural")
_silent: dict[str, threading.Thread] = {}  # by plugin: where it still thinks about an earlier question


def ask(
    hook: str, objects: Iterable[GuardedPlugin] = (), *, visualizer: str | None = None, **arguments: Any
) -> dict[str, Any]:
    """Ask a question that is answered by mappings, and merge them.

    Of two answers to the same name the first stands: the script's objects, installed plugins, and last the visualizer
    of this name, the built-in one when None. A plugin that raises, or gives no answer for half a minute, is one
    warning; the visualizer, which was asked for, is waited for.
    """
    makers: list[tuple[str, _Maker]] = [(one.name, partial(list, [one])) for one in objects]
    makers += [(name, partial(discovery.always_on, only=name)) for name in sorted(discovery.always_on_names())]
    answers: dict[str, Any] = {}
    for name, make in makers:
        answers = {**_in_time(name, hook, partial(_answer, make, hook, arguments)), **answers}
    chosen = partial(discovery.always_on, "neural.visualizers", only=visualizer or BUILT_IN)
    return {**_answer(chosen, hook, arguments), **answers}


def _answer(make: _Maker, hook: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Make plugins and ask them."""
    answers: dict[str, Any] = {}
    for plugin in make():
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


def _in_time(name: str, hook: str, answer: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Give the answer of a plugin, nothing when it does not come: whoever asks may be in the middle of a training."""
    if name in _silent and _silent[name].is_alive():
        return {}
    given: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: given.append(answer()), name=f"neural-question-{name}", daemon=True)
    thread.start()
    thread.join(min(max(DEADLINE_SECONDS, waiting_seconds()), threading.TIMEOUT_MAX))
    if thread.is_alive():
        _silent[name] = thread
        _log.warning("plugin %r does not answer %s: it is left out, and asked again when it has returned", name, hook)
    return given[0] if given else {}
