"""neural: the experiment tracker that a training loop never notices and never loses a number to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neural_core._tracker import ExperimentTracker
from neural_core.records import ArtifactVersion

if TYPE_CHECKING:
    from neural_core._integration import BaseIntegration, create_integration
    from neural_core._manager import ExperimentManager
    from neural_core._plotting.visualizer import MetricVisualizer
    from neural_core._ui import ExperimentComparisonUI, launch_comparison_ui
    from neural_core.hookspecs import hookimpl

__version__ = "0.1.0"

__all__ = [
    "ArtifactVersion",
    "BaseIntegration",
    "ExperimentComparisonUI",
    "ExperimentManager",
    "ExperimentTracker",
    "MetricVisualizer",
    "create_integration",
    "hookimpl",
    "launch_comparison_ui",
]

_LAZY = {
    "BaseIntegration": "neural_core._integration",
    "ExperimentComparisonUI": "neural_core._ui",
    "ExperimentManager": "neural_core._manager",
    "MetricVisualizer": "neural_core._plotting.visualizer",
    "create_integration": "neural_core._integration",
    "hookimpl": "neural_core.hookspecs",
    "launch_comparison_ui": "neural_core._ui",
}
"""What a training loop does not need is imported when it is first used: NumPy, matplotlib and SQLite cost time."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'neural_core' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
