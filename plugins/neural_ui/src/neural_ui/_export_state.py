"""What the page showed when it was exported, read from its query string; whatever is unknown is left out."""

from __future__ import annotations

import math
from urllib.parse import parse_qs

from attrs import frozen

__all__ = ["ExportState", "parse_state"]

_MOST = 4_000


@frozen
class ExportState:
    """The part of the page's state that an export keeps.

    Attributes:
        tab: that is open.
        x: the x axis: ``step``, ``wall``, ``relative`` or ``metric:NAME``.
        smooth: 0 to 100.
        log: y axes are logarithmic.
        band: ``off``, ``hover`` or ``all``.
        base: id of the baseline, empty for the first experiment.
    """

    tab: str = "metrics"
    x: str = "step"
    smooth: float = 0.0
    log: bool = False
    band: str = "hover"
    base: str = ""

    def for_script(self) -> dict[str, object]:
        """Give what the file's scripts start with."""
        return {"tab": self.tab, "x": self.x, "smooth": self.smooth, "log": self.log, "band": self.band}


def parse_state(query: str) -> ExportState:
    """Read a query string, with or without its question mark."""
    try:
        found = parse_qs(query[:_MOST].lstrip("?"), max_num_fields=100, errors="replace")
    except ValueError:
        return ExportState()
    given = {name: values[-1] for name, values in found.items()}
    x = given.get("x", "step")
    return ExportState(
        tab=_one_of(given.get("tab"), ("metrics", "hyperparameters", "best", "summary")),
        x=x if x in ("step", "wall", "relative") or x.startswith("metric:") else "step",
        smooth=_number(given.get("smooth", "0")),
        log=given.get("y") == "log",
        band=_one_of(given.get("band"), ("hover", "off", "all")),
        base=given.get("base", ""),
    )


def _one_of(text: str | None, known: tuple[str, ...]) -> str:
    return text if text in known else known[0]


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return min(100.0, max(0.0, value)) if math.isfinite(value) else 0.0
