"""The figures of the comparison as they are kept, part by part, in peers.json."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import Factory, asdict, define

from benchmarks.peers.bench import Row

__all__ = ["Part", "Record"]


@define
class Part:
    """One part of the comparison, as it was measured last.

    Attributes:
        title: of its table.
        when: the day, UTC.
        beside: what others did on the machine meanwhile.
        rows: its figures.
        remarks: contestant → what must be said of it, such as why it has no figures.
    """

    title: str
    when: str
    beside: str
    rows: list[Row]
    remarks: dict[str, list[str]] = Factory(dict)


@define
class Record:
    """All that is known.

    Attributes:
        titles: contestant → its name for people, with its version.
        skipped: contestant → why it did not take part.
        parts: by name.
    """

    titles: dict[str, str] = Factory(dict)
    skipped: dict[str, str] = Factory(dict)
    parts: dict[str, Part] = Factory(dict)

    @classmethod
    def load(cls, path: Path) -> Record:
        """Read what an earlier run has kept; nothing where there is no file."""
        if not path.exists():
            return cls()
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        parts = {
            name: Part(**{**part, "rows": [Row(**row) for row in part["rows"]]})
            for name, part in found["parts"].items()
        }
        return cls(found["titles"], found["skipped"], parts)

    def put(self, name: str, part: Part, order: Iterable[str]) -> None:
        """Put a part in the place of its older figures."""
        self.parts[name] = part
        self.parts = {known: self.parts[known] for known in order if known in self.parts}

    def save(self, path: Path) -> None:
        """Write it down, values to four digits."""
        content = asdict(self, value_serializer=lambda _, __, value: _short(value))
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value
