"""Compares neural experiments in the browser: a Dash page over the experiments of one folder, on this machine only.

`ExperimentComparisonUI(manager, port).run()` serves it; so do ``neural ui`` and ``python -m neural_ui``.
"""

from neural_ui._comparison_ui import ExperimentComparisonUI

__all__ = ["ExperimentComparisonUI"]
