"""What two experiments have in common, and what not: one line for each thing that can be told apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from neural_core._cli.output import number
from neural_core._reading_api.directions import directions_of
from neural_core._storage.artifacts.documents import read_documents
from neural_core._storage.experiment.overview import hyperparameters_of, seen_status
from neural_core._storage.experiment.plain import flatten
from neural_core._storage.experiment.reader import RunReader
from neural_core.records import ArtifactVersion, MetricInfo

__all__ = ["Line", "Side", "differences", "read_side", "shown"]


@frozen
class Line:
    """One thing: its section and name, and what each of the two has; None for nothing."""

    section: str
    name: str
    left: Any
    right: Any

    @property
    def differs(self) -> bool:
        """Tell whether the two are not the same; NaN is the same as NaN, and 1 is not true."""
        return _key(self.left) != _key(self.right)


@frozen
class Side:
    """One of the two: id, name, and section → name → value."""

    experiment_id: str
    name: str
    sections: Mapping[str, Mapping[str, Any]]


def read_side(base: Path, directory: Path) -> Side:
    """Read what is compared of an experiment.

    Raises:
        DamagedError: it cannot be read.
    """
    reader = RunReader(directory)
    state, _ = reader.state()
    metrics = list(reader.metrics())
    directions = directions_of(base, [info.name for info in metrics])
    sections = {
        "experiment": {"status": seen_status(directory, state), "rows": reader.rows},
        "hyperparameters": dict(flatten(hyperparameters_of(state))),
        "metrics": {name: text for info in metrics for name, text in _metric(info, directions[info.name])},
        "environment": dict(flatten(state.environment)),
        "tags": dict(state.tags),
        "notes": {"notes": state.notes} if state.notes else {},
        "artifacts": dict(map(_artifact, read_documents(state.artifacts, directory)[0])),
    }
    return Side(state.experiment_id or directory.name, state.name or directory.name, sections)


def differences(left: Side, right: Side) -> Iterator[Line]:
    """Give every thing that one of the two has, the same or not, section by section."""
    for section, ours in left.sections.items():
        theirs = right.sections[section]
        for name in dict.fromkeys([*ours, *theirs]):
            yield Line(section, name, ours.get(name), theirs.get(name))


def _metric(info: MetricInfo, direction: str) -> Iterator[tuple[str, Any]]:
    value, step = (info.min, info.min_step) if direction == "min" else (info.max, info.max_step)
    word = "lowest" if direction == "min" else "highest"
    if value is not None:
        yield f"{info.name} {word}", value
        if step is not None:
            yield f"{info.name} {word} at step", step
    yield f"{info.name} last", info.last
    yield f"{info.name} points", info.count


def _artifact(one: ArtifactVersion) -> tuple[str, str]:
    name = one.artifact_name if one.version is None else f"{one.artifact_name} v{one.version}"
    return name, f"{one.checksum[:12]}, {one.size:,} bytes"


def _key(value: Any) -> tuple[object, ...]:
    if isinstance(value, float) and value != value:
        return ("NaN",)
    return isinstance(value, bool), value is None, value if isinstance(value, int | float | str) else repr(value)


def shown(value: Any) -> str:
    """Give a value for a column; ``-`` for nothing."""
    return "-" if value is None else number(value) if isinstance(value, float) else str(value)
