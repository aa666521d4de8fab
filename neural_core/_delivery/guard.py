"""The guard around every call of a plugin: whatever it does, its neighbours and the training do not notice."""

from __future__ import annotations

import inspect
import json
import threading
from collections.abc import Callable
from typing import Any

import pluggy
from attrs import frozen

from neural_core import hookspecs
from neural_core.errors import ConfigurationError

__all__ = ["GuardedPlugin", "PluginError", "alone", "is_ctrl_c", "said"]

LONGEST_TEXT = 2_000


class PluginError(Exception):
    """A plugin raised; the cause is what it raised."""


def said(error: BaseException) -> str:
    """Give what an exception says, as far as people read it."""
    try:
        return str(error)[:LONGEST_TEXT]
    except Exception:  # noqa: BLE001 - an exception of a stranger may raise when it is asked what it says
        return "(it cannot say what)"


def is_ctrl_c(error: BaseException) -> bool:
    """Tell whether the user raised it, not the plugin: Python interrupts the main thread only."""
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()


def alone(plugin: object, name: str) -> pluggy.PluginManager:
    """Give a manager that knows this plugin only.

    Raises:
        pluggy.PluginValidationError: a hook of an unknown name, an unknown argument, a hook that would never run.
        ValueError: pluggy takes no such plugin.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(plugin, name)
    manager.check_pending()
    for caller in manager.get_hookcallers(plugin) or []:
        for found in caller.get_hookimpls():
            if _only_promises(found):
                raise pluggy.PluginValidationError(plugin, f"{caller.name} is async or yields, so it would never run")
    return manager


def _only_promises(found: pluggy.HookImpl) -> bool:
    """Tell whether a call gives a coroutine or a generator, which nobody runs."""
    wraps = found.hookwrapper or found.wrapper
    return inspect.iscoroutinefunction(found.function) or (not wraps and inspect.isgeneratorfunction(found.function))


@frozen
class GuardedPlugin:
    """One plugin object, called alone.

    Attributes:
        name: how messages call it.
        distribution: name and version of the package that it came from, empty for an object of the script.
        plugin: the object.
    """

    name: str
    distribution: str
    plugin: object
    _manager: pluggy.PluginManager

    @classmethod
    def wrap(cls, plugin: object, name: str = "", distribution: str = "") -> GuardedPlugin:
        """Check a plugin's hooks and wrap it.

        Raises:
            ConfigurationError: a class instead of an object, a hook of an unknown name, an unknown argument.
        """
        called = name or type(plugin).__name__
        if isinstance(plugin, type):
            raise ConfigurationError(f"plugin {plugin.__name__}: give an object, {plugin.__name__}(), not the class")
        try:
            return cls(called, distribution, plugin, alone(plugin, called))
        except (pluggy.PluginValidationError, ValueError) as error:
            reason = str(error).replace(repr(plugin), called)  # the address of an object is another one each time
            raise ConfigurationError(f"plugin {called}: {reason}") from error

    @property
    def hooks(self) -> list[str]:
        """The hooks that it implements."""
        return sorted(caller.name for caller in self._manager.get_hookcallers(self.plugin) or [])

    def hears(self, hook: str) -> bool:
        """Tell whether it implements a hook."""
        return bool(getattr(self._manager.hook, hook).get_hookimpls())

    def call(self, hook: str, **arguments: Any) -> list[Any]:
        """Call one hook of the plugin.

        Raises:
            PluginError: the plugin raised, or tried to end the process.
            KeyboardInterrupt: the user pressed Ctrl-C while a question was answered.
        """
        results: list[Any] = self._contain(hook, lambda: getattr(self._manager.hook, hook)(**arguments))
        return results

    def _contain(self, where: str, work: Callable[[], Any]) -> Any:
        """Do something of the plugin's; whatever it raises becomes a PluginError."""
        try:
            return work()
        except BaseException as error:
            if is_ctrl_c(error):
                raise
            raise PluginError(f"{self} raised {type(error).__name__} in {where}: {said(error)}") from error

    def bookmark(self) -> dict[str, Any] | None:
        """Ask what the plugin wants to be told when another object goes on from here; None when it says nothing.

        Raises:
            PluginError: the plugin raised, or gave what JSON cannot hold.
        """
        give = getattr(self.plugin, "bookmark", None)
        if give is None:
            return None
        made: dict[str, Any] = self._contain("bookmark", lambda: json.loads(json.dumps(dict(give()))))
        return made

    def return_to(self, bookmark: dict[str, Any] | None) -> None:
        """Tell the plugin where it goes on: {} at the very beginning, None when no bookmark is known.

        Raises:
            PluginError: the plugin raised.
        """
        take = getattr(self.plugin, "return_to", None)
        if take is not None:
            self._contain("return_to", lambda: take(bookmark))

    @property
    def idle_work(self) -> Callable[[], bool] | None:
        """What the plugin does while there is nothing to tell it, where it has such work; True when it did something.

        It raises PluginError when the plugin raised.
        """
        work = getattr(self.plugin, "while_idle", None)
        return None if work is None else lambda: bool(self._contain("while_idle", work))

    def __str__(self) -> str:
        return f"plugin {self.name!r}" + (f" ({self.distribution})" if self.distribution else "")
