"""Plugins of a group that a package of its own serves: found, guarded, chosen by the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from distribution_support import make_distribution

from neural_core.plugins import InstalledPlugin, PluginFailedError, installed_plugins

GROUP = "neural.panels"
SOURCE = """
class Works:
    title = "works"
    def add(self, a, b):
        return a + b
    def leave(self):
        raise SystemExit("bye")
class NeedsMore:
    def __init__(self, server):
        pass
value = Works()
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, InstalledPlugin]:
    """Plugins of a package, by name."""
    points = {
        "works": "some_panels:Works",
        "value": "some_panels:value",
        "needs": "some_panels:NeedsMore",
        "gone": "no_such_module:Panel",
    }
    monkeypatch.syspath_prepend(make_distribution(tmp_path, "neural-some", {GROUP: points}, some_panels=SOURCE))
    return {plugin.name: plugin for plugin in installed_plugins(GROUP) if "neural-some" in plugin.distribution}


def test_found_in_order(installed: dict[str, InstalledPlugin]) -> None:
    """Plugins come by name with their package; finding them imports nothing, so that a broken one is found, too."""
    assert list(installed) == ["gone", "needs", "value", "works"]
    assert str(installed["works"]) == "plugin 'works' (neural-some 1.0)"


@pytest.mark.parametrize("name", ["works", "value"])
def test_made_and_called(installed: dict[str, InstalledPlugin], name: str) -> None:
    """An entry point names a class, which is called, or an object."""
    made = installed[name].make()
    assert installed[name].call(made.add, 1, 2) == 3


@pytest.mark.parametrize(("name", "reason"), [("gone", "No module named 'no_such_module'"), ("needs", "TypeError")])
def test_broken(installed: dict[str, InstalledPlugin], name: str, reason: str) -> None:
    """What cannot be imported or made is one error that names the plugin, its package and the reason."""
    with pytest.raises(PluginFailedError, match=rf"plugin '{name}' \(neural-some 1\.0\).*{reason}"):
        installed[name].make()


def test_raising(installed: dict[str, InstalledPlugin]) -> None:
    """What a plugin raises, even to end the process, is that error."""
    works = installed["works"].make()
    with pytest.raises(PluginFailedError, match="raised SystemExit: bye"):
        installed["works"].call(works.leave)
    with pytest.raises(PluginFailedError, match="raised TypeError"):
        installed["works"].call(works.add, 1, "2")


def test_blocked(installed: dict[str, InstalledPlugin], monkeypatch: pytest.MonkeyPatch) -> None:
    """NEURAL_DISABLE_PLUGINS holds for panels."""
    monkeypatch.setenv("NEURAL_DISABLE_PLUGINS", "works, gone")
    assert {"needs", "value"} == {plugin.name for plugin in installed_plugins(GROUP)} & set(installed)


def test_registered_twice(installed: dict[str, InstalledPlugin], tmp_path: Path) -> None:
    """Of two packages that register a name, one is used."""
    make_distribution(tmp_path, "neural-twice", {GROUP: {"works": "some_panels:value"}})
    assert [plugin.name for plugin in installed_plugins(GROUP)].count("works") == 1
