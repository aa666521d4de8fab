"""``<part>.facts.nj``: the facts of a compacted part, verbatim, with the ordinals that they had in the journal.

A journal file like any other: header, an index fact, then the extension frames as they were. The header says which
journal it stands for and how long that was. It is never deleted.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from neural_core._storage.journal import frames, parts
from neural_core._storage.journal.journal_part import JournalPart
from neural_core.errors import DamagedError
from neural_core.records import Damage

__all__ = ["SUFFIX", "FactsFile", "parts_among", "read_facts_file", "write_facts_file"]

SUFFIX = ".facts.nj"


def parts_among(names: Collection[str]) -> tuple[set[str], set[str]]:
    """Give the parts that the names of files in ``metrics/`` tell of: those that are compacted, and the journals."""
    compacted = {name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)}
    journals = {name.removesuffix(parts.SUFFIX) for name in names if name.endswith(parts.SUFFIX)}
    return compacted, journals - {f"{part}.facts" for part in compacted}


@frozen
class FactsFile:
    """What a facts file holds.

    Attributes:
        header: of the journal that it stands for, with `length` and `rows` of it.
        facts: (ordinal, fact).
        frames: (ordinal, body) of every extension frame.
        damage: what cannot be read.
    """

    header: Mapping[str, Any]
    facts: list[tuple[int, dict[str, Any]]]
    frames: list[tuple[int, bytes]]
    damage: list[Damage]

    @property
    def length(self) -> int:
        """Bytes of the journal that was compacted."""
        return int(self.header.get("length", -1))

    @property
    def rows(self) -> int:
        """Rows of the journal that was compacted."""
        return int(self.header.get("rows", -1))


def write_facts_file(
    path: Path, header: Mapping[str, Any], bodies: Iterable[tuple[int, bytes]], *, length: int, rows: int
) -> None:
    """Write and sync a new file at `path`, which must not exist; the caller renames it."""
    ordinals, verbatim, at = [], [], 0
    for ordinal, body in bodies:
        data = frames.frame(frames.FACT, body)
        ordinals.append([at, ordinal])
        verbatim.append(data)
        at += len(data) // frames.WORD
    kept = {key: value for key, value in header.items() if key not in ("format", "version")}
    index = frames.encode_fact({"kind": "ordinals", "ordinals": ordinals})
    start = frames.encode_header({**kept, "facts_of": True, "length": length, "rows": rows, "index": len(index)})
    with path.open("xb") as file:
        file.write(start + index + b"".join(verbatim))
        file.flush()
        os.fsync(file.fileno())


def read_facts_file(path: Path) -> FactsFile:
    """Read a facts file; what is damaged is named in its `damage`.

    Raises:
        OSError: it cannot be read.
        DamagedError: its header or its index is damaged.
        FormatVersionError: another major version.
    """
    part = JournalPart(path)
    part.refresh()
    header, bodies = part.header, part.fact_frames
    numbers = [header.get(key) for key in ("index", "length", "rows")]
    if header.get("facts_of") is not True or not all(isinstance(number, int) for number in numbers):
        raise DamagedError(f"{path.name}: the header is damaged")
    header_words = part.start_word
    first = header_words + int(header["index"]) // frames.WORD
    index = frames.join_facts((at, body) for at, body in bodies if at < first)
    try:
        ordinal_at = {first + int(at): int(ordinal) for at, ordinal in index[0][1]["ordinals"]}
    except (LookupError, TypeError, ValueError):
        raise DamagedError(f"{path.name}: the index of the facts is damaged") from None
    kept = [(ordinal_at[at], body) for at, body in bodies if at in ordinal_at]
    damage = list(part.damage)
    if len(kept) < len(ordinal_at):
        damage.append(Damage(f"metrics/{path.name}", None, None, f"{len(ordinal_at) - len(kept)} facts are missing"))
    if part.tail:  # a facts file is written whole, so nobody's call is under way at its end
        damage.append(Damage(f"metrics/{path.name}", part.size - part.tail, part.tail, "bytes that are no frame"))
    return FactsFile(header, frames.join_facts(kept), kept, damage)
