"""Which versions of an artifact are kept: ``best(val_loss), latest, every 10th, tagged``.

The grammar, with commas between rules; a version stays when any rule keeps it::

    latest | latest 3              the newest, the three newest
    best(METRIC) | best(METRIC, max)   the one stored when the metric was best
    every 10th                     those whose number is a multiple of ten
    tagged | tagged(NAME)          all, of experiments with a tag, with this tag

A name with other characters stands between quotes. The newest version is always kept, so that no number is ever given
twice. When in doubt a version is kept: all of them, where an experiment has not got the metric.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from attrs import frozen

from neural_core.errors import QueryError
from neural_core.records import ArtifactVersion, Series

__all__ = ["Best", "Every", "Latest", "Rule", "Run", "Tagged", "parse_retention", "to_remove"]

_TEXT = r"""'(?:[^'])*'|"(?:[^"])*\"|[^\s,()'"]+"""
_RULES = re.compile(
    rf"latest(?:\s+(?P<latest>[1-9]\d*))?"
    rf"|best\s*\(\s*(?P<metric>{_TEXT})\s*(?:,\s*(?P<mode>min|max)\s*)?\)"
    rf"|every\s+(?P<every>[1-9]\d*)(?:st|nd|rd|th)?"
    rf"|tagged(?:\s*\(\s*(?P<tag>{_TEXT})\s*\))?"
)
_GAP = re.compile(r"\s*(,\s*|$)")


class Rule(Protocol):
    """One rule: which of an artifact's versions it keeps."""

    def keeps(self, versions: Sequence[ArtifactVersion], run: Run) -> set[int]:
        """Give the numbers of those that stay; `versions` are numbered, the oldest first."""


@frozen
class Run:
    """What rules ask of an experiment.

    Attributes:
        tags: name → text.
        series: gives the points of a metric.
        direction: gives ``min`` or ``max`` of a metric, which is better.
    """

    tags: Mapping[str, str]
    series: Callable[[str], Series]
    direction: Callable[[str], str]


@frozen
class Latest:
    """The newest versions."""

    count: int = 1

    def keeps(self, versions: Sequence[ArtifactVersion], run: Run) -> set[int]:
        """Give the numbers of the newest."""
        return set(_numbers(versions)[-self.count :]) if self.count else set()


@frozen
class Every:
    """The versions whose number is a multiple."""

    count: int

    def keeps(self, versions: Sequence[ArtifactVersion], run: Run) -> set[int]:
        """Give the multiples."""
        return {number for number in _numbers(versions) if number % self.count == 0}


@frozen
class Tagged:
    """All versions of an experiment with a tag."""

    tag: str | None = None

    def keeps(self, versions: Sequence[ArtifactVersion], run: Run) -> set[int]:
        """Give all or none."""
        held = bool(run.tags) if self.tag is None else self.tag in run.tags
        return set(_numbers(versions)) if held else set()


@frozen
class Best:
    """The version that was stored when a metric was best: its value is the last finite one logged before it."""

    metric: str
    mode: str | None = None

    def keeps(self, versions: Sequence[ArtifactVersion], run: Run) -> set[int]:
        """Give the best one, the first of several; all when the metric says nothing of them."""
        series = run.series(self.metric)
        sign = 1 if (self.mode or run.direction(self.metric)) == "min" else -1
        scores = {number: sign * value for number, value in _values(versions, series) if value is not None}
        if not scores:
            return set(_numbers(versions))
        return {min(scores, key=lambda number: (scores[number], number))}


def _values(versions: Sequence[ArtifactVersion], series: Series) -> list[tuple[int, float | None]]:
    finite = np.isfinite(series.value)
    time, value = np.maximum.accumulate(series.time[finite]), series.value[finite]
    found = []
    for one in versions:
        place = int(np.searchsorted(time, _seconds(one.timestamp), side="right"))
        found.append((one.version or 0, float(value[place - 1]) if place else None))
    return found


def _seconds(timestamp: str) -> float:
    try:
        return datetime.datetime.fromisoformat(timestamp).timestamp()
    except ValueError:
        return -math.inf


def _numbers(versions: Sequence[ArtifactVersion]) -> list[int]:
    return [one.version for one in versions if one.version is not None]


def parse_retention(text: str) -> tuple[Rule, ...]:
    """Parse rules.

    Raises:
        QueryError: with the place, when the text is none.
    """
    rules: list[Rule] = []
    at = len(text) - len(text.lstrip())
    while at < len(text) or not rules:
        match = _RULES.match(text, at)
        gap = _GAP.match(text, match.end()) if match else None
        if match is None or gap is None:
            raise _failure(text, at if match is None else match.end(), known=match is not None)
        rules.append(_rule(match))
        at = gap.end()
        if at == len(text) and gap[1]:
            raise _failure(text, at, known=False)
    return tuple(rules)


def _rule(match: re.Match[str]) -> Rule:
    word = match.group()
    if word.startswith("latest"):
        return Latest(int(match["latest"] or 1))
    if word.startswith("every"):
        return Every(int(match["every"]))
    if word.startswith("best"):
        return Best(_bare(match["metric"]), match["mode"])
    return Tagged(None if match["tag"] is None else _bare(match["tag"]))


def _bare(text: str) -> str:
    return text[1:-1] if text[0] in "'\"" else text


def _failure(text: str, at: int, *, known: bool) -> QueryError:
    shown = "".join(c if c.isprintable() else " " for c in text)
    expected = "a comma or the end here" if known else "a rule here"
    rules = "latest, latest 3, best(METRIC), best(METRIC, max), every 10th, tagged, tagged(NAME)"
    return QueryError(f"expected {expected}; the rules are {rules} (character {at + 1})\n  {shown}\n  {' ' * at}^", at)


def to_remove(rules: Sequence[Rule], artifacts: Sequence[ArtifactVersion], run: Run) -> list[ArtifactVersion]:
    """Give the versions that no rule keeps; never the newest one of a name, nor an unversioned one."""
    names = dict.fromkeys(one.artifact_name for one in artifacts if one.version is not None)
    removed = []
    for name in names:
        own = [one for one in artifacts if one.artifact_name == name and one.version is not None]
        versions = sorted(own, key=lambda one: one.version or 0)
        kept = {number for rule in (Latest(), *rules) for number in rule.keeps(versions, run)}
        removed += [one for one in versions if one.version not in kept]
    return removed
