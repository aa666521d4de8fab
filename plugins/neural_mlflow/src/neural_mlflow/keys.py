"""The keys of metrics, and the tags that say what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from neural_mlflow.texts import OLDEST, ORIGINAL, clean, key_of

if TYPE_CHECKING:
    from neural_mlflow.run import MlflowRun

__all__ = ["INFINITE", "MetricKeys"]

INFINITE = "neural.infinite"
"""So begin the metric and the tag that tell where another metric is infinite."""


class MetricKeys:
    """Gives each metric its key.

    MLflow's databases make the largest float of an infinity. So another metric tells where one is infinite.

    Attributes:
        keeps_infinity: True where infinities are stored as they are.
    """

    def __init__(self, run: MlflowRun, *, keeps_infinity: bool, tell: Callable[[str, str], None]) -> None:
        """Name the metrics of a run.

        Args:
            run: it gets the tags.
            keeps_infinity: as the attribute.
            tell: called with a kind and a sentence for the user.
        """
        self._run = run
        self.keeps_infinity = keeps_infinity
        self._tell = tell
        self._known: dict[tuple[str, bool], str] = {}
        self._tags: dict[str, str] = {}

    def __call__(self, name: str, infinite: bool = False) -> str:
        """Give the key of a metric, or of the one that tells where it is infinite."""
        known = self._known.get((name, infinite))
        if known is None:
            known = self._known[name, infinite] = self._new(f"{INFINITE}/{name}" if infinite else name)
            if infinite:
                self._explain(name, known)
        return known

    def _new(self, name: str) -> str:
        key = key_of(name, self._run.limits, self._run.beside(self._run.metrics))
        self._run.metrics.add(key)
        if key != name:
            self._tags[f"{ORIGINAL}{key}"] = clean(name)
            self._tell("name", f"metric {name!r:.200} is {key!r} there; the tag {ORIGINAL}{key} has its name")
        return key

    def _explain(self, name: str, key: str) -> None:
        tag = key_of(f"{INFINITE}.{name}", self._run.limits)
        self._tags[tag] = f"has infinities: the metric {key} is 1 where it is inf, -1 where it is -inf"
        self._tell("infinity", f"metric {name!r:.200} has infinities, which databases of MLflow change; see tag {tag}")

    def write_tags(self) -> None:
        """Write what the keys stand for, so far."""
        self._run.set_tags(self._tags)
        self._tags = {}

    def refused(self) -> None:
        """Make other keys: the server takes fewer characters than the MLflow here."""
        self._run.limits = OLDEST
        self._known.clear()
