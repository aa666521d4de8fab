"""Writes a finished part as Parquet: PLAIN, uncompressed, one page per column and row group, every page with its CRC.

Own code because the smallest package that writes Parquet is larger than everything else that is needed, and
because so plain a file is written as fast as the disk takes it.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import numpy as np
from attrs import field, frozen

from neural_core._storage.parquet.footer import PagePlace, Statistics, encode_chunk, encode_footer, encode_group
from neural_core._storage.parquet.layout import (
    CRC_KEY,
    DTYPE,
    MAGIC,
    MAX_ROWS,
    TAIL,
    Column,
    encode_levels,
    page_header,
)
from neural_core.errors import ArgumentValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RESERVED", "Chunk", "Column", "unique_column_names", "write_parquet"]

RESERVED: Final = ("__seq", "__step", "__time")
"""The columns that are not metrics."""


@frozen(eq=False)  # arrays have no truth value, so records of them have no equality
class Chunk:
    """The values of one column in one row group.

    Attributes:
        values: one per row; of an optional column, only those of the rows that have one.
        present: for an optional column, per row whether it has a value; None when every row has.
    """

    values: NDArray[Any]
    present: NDArray[np.bool_] | None = None


def write_parquet(
    path: Path, columns: Sequence[Column], row_groups: Iterable[Sequence[Chunk]], footer: Mapping[str, str]
) -> int:
    """Write a Parquet file and sync it to the disk; the folder's entry is the caller's to sync.

    Memory is bounded by one row group. A file that could not be finished is removed.

    Args:
        path: must not exist; it is not followed if it is a link.
        columns: at least one; their names are distinct and can be encoded as UTF-8.
        row_groups: for each row group one chunk per column, all of the same number of rows. Those of no rows are
            left out.
        footer: keys and values for the footer.

    Returns:
        The number of rows written.

    Raises:
        ArgumentValueError: the chunks do not fit the columns or one another, or a name or key is given twice.
        TypeError: values that cannot be cast to the kind of their column without loss.
        OSError: the file exists, or the disk failed.
    """
    if not columns or len({column.name for column in columns}) < len(columns) or CRC_KEY in footer:
        raise ArgumentValueError(f"Give at least one column, distinct names, and no footer key {CRC_KEY}.")
    file = path.open("xb")
    try:
        with file:
            writer = _Writer(file, columns)
            for chunks in row_groups:
                writer.row_group(chunks)
                del chunks  # or it would be held while the next one is made
            writer.finish(footer)
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return writer.rows


@frozen(eq=False)
class _Page:
    """The parts of a page's body in their order."""

    rows: int
    levels: bytes
    values: NDArray[Any]

    @property
    def size(self) -> int:
        return len(self.levels) + self.values.nbytes

    @property
    def crc(self) -> int:
        return zlib.crc32(self.values.data, zlib.crc32(self.levels))


def _page(column: Column, chunk: Chunk) -> _Page:
    values = np.ascontiguousarray(chunk.values.astype(DTYPE[column.kind], casting="safe", copy=False))
    if not column.optional:
        if chunk.present is not None:
            raise ArgumentValueError(f"Column {column.name!r} is required: give its values without a mask.")
        return _Page(len(values), b"", values)
    present = np.ones(len(values), np.bool_) if chunk.present is None else chunk.present
    if present.dtype != np.bool_ or np.count_nonzero(present) != len(values):
        raise ArgumentValueError(f"Column {column.name!r}: give one value for each row that its mask marks.")
    return _Page(len(present), encode_levels(present), values)


@frozen(eq=False)
class _Writer:
    """Writes the head and the row groups as they come, and remembers what the footer says of them."""

    _file: IO[bytes]
    _columns: Sequence[Column]
    _groups: list[bytes] = field(factory=list, init=False)
    _counts: list[int] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self._file.write(MAGIC)

    @property
    def rows(self) -> int:
        return sum(self._counts)

    def row_group(self, chunks: Sequence[Chunk]) -> None:
        pages = [_page(column, chunk) for column, chunk in zip(self._columns, chunks, strict=False)]
        counts = {page.rows for page in pages}
        if len(chunks) != len(self._columns) or len(counts) != 1 or max(counts) > MAX_ROWS:
            raise ArgumentValueError(f"Give every column of a row group the same number of rows, at most {MAX_ROWS}.")
        rows = counts.pop()
        if rows:
            self._write(rows, pages)

    def _write(self, rows: int, pages: Sequence[_Page]) -> None:
        start = self._file.tell()
        chunks = [self._chunk(column, page) for column, page in zip(self._columns, pages, strict=True)]
        self._groups.append(encode_group(chunks, self._file.tell() - start, rows))
        self._counts.append(rows)

    def _chunk(self, column: Column, page: _Page) -> bytes:
        """Write the one page of a column chunk; give what the footer says of the chunk."""
        offset = self._file.tell()
        header = page_header(page.rows, page.size, page.crc)
        for part in (header, page.levels, page.values.data):
            self._file.write(part)
        place = PagePlace(self.rows, page.rows, offset, len(header) + page.size)
        return encode_chunk(column, place, _statistics(column, page))

    def finish(self, footer: Mapping[str, str]) -> None:
        """Write the footer and flush."""
        encoded = encode_footer(self._columns, self.rows, self._groups, footer)
        self._file.write(encoded + TAIL.pack(len(encoded), MAGIC))
        self._file.flush()


def _statistics(column: Column, page: _Page) -> Statistics | None:
    """Give those of an integer column; of doubles none, because readers disagree about NaN in them."""
    if column.kind != "int64" or not len(page.values):
        return None
    low, high = page.values.min().tobytes(), page.values.max().tobytes()
    return Statistics(low, high, page.rows - len(page.values))


def unique_column_names(metrics: Iterable[str]) -> dict[str, str]:
    """Give each metric a column name that stays distinct where case is folded, as SQL engines do.

    A metric keeps its name unless that is one of RESERVED, equals one before it in sorted order but for case, is
    empty, or cannot be stored; then it gets `name~2`, or the first higher number that is free. A name with lone
    surrogates or NUL is spelt with backslash escapes. The order of `metrics` has no influence on the names.

    Returns:
        Column name to metric, in the order of `metrics`.
    """
    order = list(dict.fromkeys(metrics))
    taken = {name.casefold() for name in RESERVED}
    given: dict[str, str] = {}
    waiting = []
    for metric in sorted(order):
        if metric and _spelling(metric) == metric and metric.casefold() not in taken:
            taken.add(metric.casefold())
            given[metric] = metric
        else:
            waiting.append(metric)
    for metric in waiting:
        given[metric] = _free_name(_spelling(metric), taken)
        taken.add(given[metric].casefold())
    return {given[metric]: metric for metric in order}


def _spelling(metric: str) -> str:
    return metric.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def _free_name(name: str, taken: set[str]) -> str:
    number = 1
    candidate = name
    while not candidate or candidate.casefold() in taken:
        number += 1
        candidate = f"{name}~{number}"
    return candidate
