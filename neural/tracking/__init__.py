"""The import path of the user's guide: thin re-exports of `neural_core`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import neural_core
from neural_core import ArtifactVersion, ExperimentTracker

if TYPE_CHECKING:
    from neural_core import (
        BaseIntegration,
        ExperimentComparisonUI,
        ExperimentManager,
        MetricVisualizer,
        create_integration,
        launch_comparison_ui,
    )

__all__ = [
    "ArtifactVersion",
    "BaseIntegration",
    "ExperimentComparisonUI",
    "ExperimentManager",
    "ExperimentTracker",
    "MetricVisualizer",
    "create_integration",
    "launch_comparison_ui",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(neural_core, name)
    raise AttributeError(f"module 'neural.tracking' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
