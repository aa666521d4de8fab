"""The comparison UI lives in its own package and is found by entry point when it is asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from neural_core import _installed
from neural_core._storage.folder import DEFAULT_BASE_DIR

if TYPE_CHECKING:
    from neural_core._manager import ExperimentManager

__all__ = ["ExperimentComparisonUI", "launch_comparison_ui"]

DEFAULT_PORT = 8052


class ExperimentComparisonUI:
    """The web page that compares experiments."""

    def __new__(cls, manager: ExperimentManager, port: int = DEFAULT_PORT) -> Any:
        """Give the page of the installed UI.

        Args:
            manager: of the experiments to compare.
            port: to serve on.

        Raises:
            NotInstalledError: the UI is not installed; the message says how to.
        """
        return _installed.load(_installed.UI, "ui")(manager=manager, port=port)


def launch_comparison_ui(
    base_dir: str | os.PathLike[str] = DEFAULT_BASE_DIR, port: int = DEFAULT_PORT, debug: bool = False
) -> None:
    """Serve the page that compares the experiments of a folder until it is stopped with Ctrl-C.

    Raises:
        NotInstalledError: the UI is not installed; the message says how to.
    """
    from neural_core._manager import ExperimentManager

    page: Any = ExperimentComparisonUI(ExperimentManager(base_dir), port=port)
    page.run(debug=debug)
