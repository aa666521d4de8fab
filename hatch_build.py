"""Build hook: an editable install takes the plugin extras from the folders beside it.

``pip install -e ".[full]"`` in a checkout installs ``plugins/neural_mlflow`` and the others instead of asking an
index for them. Wheels and sdists for publication keep the plain names: the hook does nothing for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.requirements import Requirement


class SiblingPlugins(BuildHookInterface[Any]):
    """Gives each extra's requirement the address of its sibling folder, for editable installs."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the addresses to the dependencies of this build, which hatchling then writes beside the plain names."""
        if version == "editable":
            build_data["dependencies"].extend(self._addresses())

    def _addresses(self) -> Iterator[str]:
        folders = self._plugin_folders()
        for extra, requirements in self.metadata.core.optional_dependencies.items():
            names = [Requirement(requirement).name for requirement in requirements]
            yield from (f"{name} @ {folders[name].as_uri()} ; extra == '{extra}'" for name in names if name in folders)

    def _plugin_folders(self) -> dict[str, Path]:
        """Map distribution names to folders: ``neural-mlflow`` is in ``plugins/neural_mlflow``."""
        projects = Path(self.root, "plugins").glob("*/pyproject.toml")
        return {project.parent.name.replace("_", "-"): project.parent for project in projects}
