"""Plugins of a group that a package of its own serves, as the comparison UI does with its panels.

Each is found by its entry point, imported when it is used, and guarded: whatever it raises is one `PluginFailedError`
that names it and its package. ``NEURAL_DISABLE_PLUGINS`` and ``NEURAL_ENABLE_PLUGINS`` hold for panels as for hooks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import field, frozen

from neural_core._delivery import discovery
from neural_core.errors import NeuralError

__all__ = ["InstalledPlugin", "PluginFailedError", "installed_plugins"]


class PluginFailedError(NeuralError):
    """A plugin could not be imported or made, or raised; the cause is what it raised."""


@frozen
class InstalledPlugin:
    """A plugin of which only the metadata has been read.

    Attributes:
        name: in its group.
        distribution: name and version of its package.
    """

    name: str
    distribution: str
    _found: discovery.FoundPlugin = field(repr=False)

    def make(self) -> Any:
        """Import it and give the object: what the entry point names, or what that gives when it is called.

        Raises:
            PluginFailedError: any of this fails.
        """
        try:
            loaded = self._found.load()
        except NeuralError as error:
            raise PluginFailedError(str(error)) from error.__cause__
        return self.call(loaded) if callable(loaded) else loaded

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call something of the plugin's.

        Raises:
            PluginFailedError: it raised, or tried to end the process.
        """
        try:
            return function(*arguments)
        except (Exception, SystemExit) as error:
            raise PluginFailedError(f"{self} raised {type(error).__name__}: {error}") from error

    def __str__(self) -> str:
        return str(self._found)


def installed_plugins(group: str) -> list[InstalledPlugin]:
    """Give the plugins of a group by name, without those that the environment blocks; nothing is imported.

    Of two packages that register the same name the first counts; `neural plugins` tells of the other.
    """
    found = {one.name: one for one in reversed(discovery.find(group)) if not one.blocked}
    return [InstalledPlugin(one.name, one.distribution, one) for one in reversed(found.values())]
