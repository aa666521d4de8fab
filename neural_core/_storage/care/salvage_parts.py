"""What is sound of a damaged part, written elsewhere with the positions that it had.

Positions name rows for ever: backends and documents know them. So a gap of a journal is filled with frames that say
nothing, of just its length, and a Parquet file keeps the ordinals of the rows that are left.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_core._series import NO_STEP
from neural_core._storage.journal import frames
from neural_core._storage.journal.compacted_part import ORDINAL, STEP, TIME
from neural_core._storage.journal.compaction import ROW_GROUP
from neural_core._storage.journal.facts_file import SUFFIX, read_facts_file, write_facts_file
from neural_core._storage.journal.journal_part import JournalPart
from neural_core._storage.parquet.layout import Column
from neural_core._storage.parquet.reader import ParquetFile
from neural_core._storage.parquet.writer import Chunk, write_parquet
from neural_core.errors import DamagedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["save_compacted", "save_journal"]

_NOTHING = b"{}"
_OWN = (ORDINAL, STEP, TIME)


def save_journal(part: JournalPart, uid: str, target: Path) -> None:
    """Write the sound frames of a journal where they stood, up to the last whole one.

    Raises:
        DamagedError: its header is damaged, and there is no room for another.
        OSError: the disk refuses.
    """
    data, end = part.words.buffer, part.end
    with target.open("xb") as file:
        at = 0
        for first, after in _gaps(part, data, end):
            file.write(data[at * frames.WORD : first * frames.WORD])
            if first == 0:
                file.write(_header(part.stem, uid, after * frames.WORD))
            else:
                _fill(file.write, after - first)
            at = after
        file.write(data[at * frames.WORD : end * frames.WORD])


def _gaps(part: JournalPart, data: memoryview | bytes, end: int) -> list[tuple[int, int]]:
    """Give (first word, word after the last) of what is no sound frame; the header too, when it is damaged."""
    places = [
        (one.offset // frames.WORD, one.length // frames.WORD) for one in part.damage if one.offset and one.length
    ]
    found = sorted((first, first + _reach(part, data, first, length, end)) for first, length in places if first < end)
    joined: list[tuple[int, int]] = []
    for first, after in [(0, 1), *found] if not part.header else found:
        if joined and joined[-1][1] >= first:
            joined[-1] = joined[-1][0], max(after, joined[-1][1])
        else:
            joined.append((first, after))
    return joined


def _reach(part: JournalPart, data: memoryview | bytes, first: int, length: int, end: int) -> int:
    """Give how many words to fill: a damaged row is named by its first word, and no frame is one word long."""
    if length > 1:
        return length
    sid, words = _head(data, first)
    names = part.schemas.get(sid)
    if names is not None and words == len(names) + frames.ROW_WORDS:
        return words
    return length + (_head(data, first + 1)[1] if first + 1 < end else 0)  # it takes the frame behind it with it


def _head(data: memoryview | bytes, word: int) -> tuple[int, int]:
    """Give the kind of the frame at `word`, and how many words it has."""
    at = word * frames.WORD
    return int.from_bytes(data[at + 4 : at + 6], "little"), int.from_bytes(data[at + 6 : at + 8], "little") + 1


def _fill(write: Any, words: int) -> None:
    longest = frames.MAX_BODY // frames.WORD + 1
    while words > 1:
        some = min(words, longest)
        some -= words - some == 1  # one word would be left, and no frame is that short
        write(frames.frame(frames.FACT, _NOTHING.ljust((some - 1) * frames.WORD)))
        words -= some


def _header(stem: str, uid: str, size: int) -> bytes:
    """Give a header of just `size` bytes: what the name of the part tells, and blanks."""
    writer, _, number = stem.rpartition("-")
    rank = stem[1:6]
    fields = {
        "uid": uid,
        "rank": int(rank) if rank.isdecimal() else 0,
        "writer": writer,
        "part": int(number) if number.isdecimal() else 1,
        "salvaged": "",
    }
    room = size - len(frames.encode_header(fields))
    fields["salvaged"] = " " * max(0, room)
    made = frames.encode_header(fields)
    if len(made) != size:
        raise DamagedError(f"metrics/{stem}.nj: no room for another header")
    return made


def save_compacted(folder: Path, stem: str, target: Path) -> list[str]:
    """Write the sound facts and rows of a compacted part into the folder `target`; give what was lost.

    Raises:
        DamagedError: neither its facts nor its rows can be read.
        OSError: the disk refuses.
    """
    lost: list[str] = []
    parquet = _parquet(folder / f"{stem}.parquet", lost)
    try:
        facts = read_facts_file(folder / f"{stem}{SUFFIX}")
        header, bodies, length = dict(facts.header), facts.frames, facts.length
        lost += [one.problem for one in facts.damage]
    except (OSError, DamagedError) as error:
        if parquet is None:
            raise DamagedError(f"metrics/{stem}: {error}") from error
        lost.append(f"its facts: {error}")
        header, bodies = json.loads(parquet.footer["neural.header"]), []
        length = int(parquet.footer["neural.length"])
    rows = 0 if parquet is None else _save_rows(parquet, target / f"{stem}.parquet", lost)
    write_facts_file(target / f"{stem}{SUFFIX}", header, bodies, length=length, rows=rows)
    return lost


def _parquet(path: Path, lost: list[str]) -> ParquetFile | None:
    try:
        return ParquetFile(path)
    except FileNotFoundError:
        return None
    except (OSError, DamagedError) as error:
        lost.append(f"all its rows: {error}")
        return None


def _save_rows(parquet: ParquetFile, target: Path, lost: list[str]) -> int:
    if not parquet.check():
        shutil.copyfile(parquet.path, target)
        return parquet.rows
    metrics = [name for name in parquet.columns if name not in _OWN]
    layout = [Column(ORDINAL, "int64"), Column(STEP, "int64"), Column(TIME, "double")]
    layout += [Column(name, "double", True) for name in metrics]
    return write_parquet(target, layout, _sound_groups(parquet, metrics, lost), parquet.footer)


def _sound_groups(parquet: ParquetFile, metrics: Sequence[str], lost: list[str]) -> Iterator[list[Chunk]]:
    """Give the row groups with what is sound of them; rows whose times are lost go as a whole."""
    behind = 0
    for first in range(0, parquet.rows, ROW_GROUP):
        last = min(first + ROW_GROUP, parquet.rows)
        span = f"in the rows {first:,} to {last - 1:,}"
        time = _sound(parquet, TIME, first, last)
        if isinstance(time, DamagedError):
            lost.append(f"everything {span}, whose times are lost: {time}")
            continue
        ordinal, step = (_sound(parquet, name, first, last) for name in (ORDINAL, STEP))
        if isinstance(ordinal, DamagedError):
            # Rows are several words long: numbers one apart meet no other row's.
            lost.append(f"positions {span}: {ordinal}")
            ordinal = np.arange(behind + 1, behind + 1 + len(time), dtype=np.int64)
        if isinstance(step, DamagedError):
            lost.append(f"steps {span}: {step}")
            step = np.full(len(time), NO_STEP, np.int64)
        behind = int(ordinal[-1])
        own = [Chunk(ordinal), Chunk(step), Chunk(time)]
        yield [*own, *(_sound_values(parquet, name, first, last, lost) for name in metrics)]


def _sound(parquet: ParquetFile, name: str, first: int, last: int) -> NDArray[Any] | DamagedError:
    try:
        return parquet.read(name, first, last)[0]
    except DamagedError as error:
        return error


def _sound_values(parquet: ParquetFile, name: str, first: int, last: int, lost: list[str]) -> Chunk:
    try:
        values, present = parquet.read(name, first, last)
    except DamagedError as error:
        lost.append(f"{name} in the rows {first:,} to {last - 1:,}: {error}")
        return Chunk(np.empty(0), np.zeros(last - first, np.bool_))
    held = np.ones(len(values), np.bool_) if present is None else present
    return Chunk(values[held], held)
