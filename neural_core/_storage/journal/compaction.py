"""Turn a finished journal part into standard Parquet and a facts file. Every step may be the last one.

Order: facts file, Parquet, folder synced, journal unlinked. Until the journal is gone it is read, unless both others
are whole and stand for all of it. A part with damage or with half a frame at its end stays a journal: what cannot be
read is kept as it is.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neural_core._storage.journal.compacted_part import ORDINAL, STEP, TIME
from neural_core._storage.journal.facts_file import SUFFIX, write_facts_file
from neural_core._storage.journal.journal_part import JournalPart
from neural_core._storage.journal.parts import fsync_folder
from neural_core._storage.parquet.layout import Column
from neural_core._storage.parquet.writer import Chunk, unique_column_names, write_parquet

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ROW_GROUP", "compact_part"]

ROW_GROUP = 131_072
_ATTEMPTS = 5


def compact_part(path: Path) -> bool:
    """Compact one journal part whose writer is fenced or dead; False when it stays a journal.

    Raises:
        OSError: the disk refuses; the journal is then still there.
    """
    for _ in range(_ATTEMPTS):
        part = JournalPart(path)
        part.refresh()
        part.check()
        if part.damage or part.tail or not part.header:
            return False
        _write_files(part)
        # A call that was under way when the part was fenced may have landed after the look at it.
        if path.stat().st_size == part.size:
            path.unlink()
            fsync_folder(path.parent)
            return True
    return False


def _write_files(part: JournalPart) -> None:
    folder, stem = part.path.parent, part.stem
    with _temporary(folder, stem) as temporary:
        write_facts_file(temporary, part.header, part.fact_frames, length=part.size, rows=part.rows)
        temporary.replace(folder / f"{stem}{SUFFIX}")
    if part.rows:
        with _temporary(folder, stem) as temporary:
            _write_rows(part, temporary)
            temporary.replace(folder / f"{stem}.parquet")
    fsync_folder(folder)


@contextlib.contextmanager
def _temporary(folder: Path, stem: str) -> Iterator[Path]:
    """Give a free name that does not stay behind after an error; leftovers of killed attempts go as well."""
    for old in folder.glob(f".{stem}.*.tmp"):
        old.unlink(missing_ok=True)
    path = folder / f".{stem}.{secrets.token_hex(4)}.tmp"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _write_rows(part: JournalPart, path: Path) -> None:
    sids = part.sids()
    used = {int(sid) for sid in np.unique(sids)}
    places = {name: {k: w for k, w in place.items() if k in used} for name, place in part.places.items()}
    columns = unique_column_names([name for name, place in places.items() if place])
    layout = [Column(ORDINAL, "int64"), Column(STEP, "int64"), Column(TIME, "double")]
    layout += [Column(c, "double", len(places[metric]) < len(used)) for c, metric in columns.items()]
    footer = {
        "neural.format": "1",
        "neural.part": part.stem,
        "neural.length": str(part.size),
        "neural.header": json.dumps(dict(part.header), allow_nan=False),
        "neural.columns": json.dumps({c: metric for c, metric in columns.items() if c != metric}),
    }
    kept = [(places[metric], len(places[metric]) == len(used)) for metric in columns.values()]
    write_parquet(path, layout, _groups(part, sids, kept), footer)


def _groups(
    part: JournalPart, sids: NDArray[np.uint16], metrics: list[tuple[dict[int, int], bool]]
) -> Iterator[list[Chunk]]:
    """Give the columns of `ROW_GROUP` rows at a time."""
    ordinals, words = part.ordinals(), part.words
    table = np.zeros(0x10000, np.int64)
    for first in range(0, len(ordinals), ROW_GROUP):
        at, kinds = ordinals[first : first + ROW_GROUP], sids[first : first + ROW_GROUP]
        chunks = [Chunk(at), Chunk(words.i64[at + 1]), Chunk(words.f64[at + 2])]
        for place, everywhere in metrics:
            table[:] = 0
            table[list(place)] = list(place.values())
            word = table[kinds]
            if everywhere:
                chunks.append(Chunk(words.f64[at + word]))
            else:
                held = word > 0
                chunks.append(Chunk(words.f64[at[held] + word[held]], held))
        yield chunks
