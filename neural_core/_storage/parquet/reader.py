"""Reads the Parquet files of `writer`, one column at a time; nothing else that Parquet allows.

Any bytes give the data that was written or a DamagedError: the footer has a CRC, every page has one, and page
headers are compared with the only form that they can have.
"""

from __future__ import annotations

import os
import stat
import zlib
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_core._series import NO_STEP
from neural_core._storage.parquet.footer import PagePlace, decode_footer, get, places
from neural_core._storage.parquet.layout import (
    CRC_KEY,
    DTYPE,
    ITEM,
    MAGIC,
    TAIL,
    Column,
    PageField,
    adjoining,
    damaged,
    decode_levels,
    is_sealed,
    levels_size,
    page_header,
)
from neural_core._storage.parquet.thrift import decode_struct
from neural_core.errors import ArgumentValueError, DamagedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ParquetFile"]

_HEADER_BYTES = 64
"""More than a page header takes."""
_ABSENT = {"int64": NO_STEP, "double": np.nan}

_NO_LINKS = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))


class ParquetFile:
    """One file, opened by its footer; the file itself is open only during a call.

    Attributes:
        path: the file.
        rows: the number of rows of each column.
        columns: the names of the columns, in their order.
        footer: the keys and values that the writer was given.

    Raises:
        DamagedError: at construction, the file is damaged or not one of `write_parquet`.
        OSError: at construction and in each method, the file cannot be opened or read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._verified: set[int] = set()
        self._pages: dict[int, list[PagePlace]] = {}
        with _regular(path) as file:
            self._identity = _identity(file)
            encoded, self._end = _read_footer(file)
        self._footer = decode_footer(encoded, self._end)
        self._index = {column.name: index for index, column in enumerate(self._footer.columns)}
        self.columns = tuple(self._index)
        self.footer = self._footer.key_values
        self.rows = self._footer.rows

    def read(
        self, name: str, start: int = 0, stop: int | None = None, *, verify: bool = True
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """Read the rows from `start` to before `stop` of a column; both count as in a slice.

        Args:
            name: one of `columns`.
            start: the first row.
            stop: the row behind the last.
            verify: check the CRC of each page that this object has not checked yet.

        Returns:
            The values, with NaN (in an integer column -2^63) where there is none; and for an optional column, per
            row whether it has a value, else None.

        Raises:
            ArgumentValueError: there is no such column.
            DamagedError: a page that is needed is damaged.
        """
        if name not in self._index:
            raise ArgumentValueError(f"{self.path.name} has no column {name!r}; see its `columns`.")
        index = self._index[name]
        column = self._footer.columns[index]
        if index not in self._pages:
            self._pages[index] = list(places(self._footer, index, self._end))
        first, last, _ = slice(start, stop).indices(self.rows)
        values = np.empty(max(0, last - first), DTYPE[column.kind])
        present = np.empty(len(values), np.bool_) if column.optional else None
        with self._open() as file:
            for page in self._pages[index]:
                low, high = max(first, page.first), min(last, page.first + page.rows)
                if low < high:
                    part = slice(low - first, high - first)
                    mask = None if present is None else present[part]
                    self._read_page(file, column, page, low - page.first, values[part], mask, verify=verify)
        return values, present

    def check(self) -> list[str]:
        """Check every page and that the pages fill the file; give a sentence for each thing that is wrong."""
        problems = []
        spans = [(self._end, 0)]
        with self._open() as file:
            for index, column in enumerate(self._footer.columns):
                try:
                    for page in places(self._footer, index, self._end):
                        spans.append((page.offset, page.size))
                        mask = np.empty(page.rows, np.bool_) if column.optional else None
                        self._verified.discard(page.offset)
                        self._read_page(file, column, page, 0, np.empty(page.rows, DTYPE[column.kind]), mask)
                except DamagedError as error:
                    problems.append(f"Column {column.name!r}: {error}")
        if not problems and not adjoining(spans):
            problems.append("The pages do not fill the file: restore the file from a copy.")
        return problems

    def _open(self) -> FileIO:
        file = _regular(self.path)
        if _identity(file) == self._identity:
            return file
        file.close()
        raise DamagedError(f"{self.path.name} was changed or replaced since it was opened: open it again.")

    def _read_page(
        self,
        file: FileIO,
        column: Column,
        page: PagePlace,
        skip: int,
        values: NDArray[Any],
        present: NDArray[np.bool_] | None,
        *,
        verify: bool = True,
    ) -> None:
        """Read the rows of `page` behind the first `skip` into `values`, as many as it has."""
        if present is None and page.offset in self._verified:
            # Checked before, and of full length: the rows alone, not some megabyte for each batch.
            _fill(file, values.view(np.uint8), page.offset + page.size - (page.rows - skip) * ITEM)
            return
        crc, body_size = _read_header(file, page)
        # The checksum is that of the whole page; who does without it reads the rows that are wanted.
        direct = present is None and body_size == page.rows * ITEM and (len(values) == page.rows or not verify)
        body = values.view(np.uint8) if direct else np.empty(body_size, np.uint8)
        _fill(file, body, page.offset + page.size - body_size + (skip * ITEM if direct else 0))
        if verify and page.offset not in self._verified:
            if zlib.crc32(body.data) != crc:
                raise damaged(f"a page at byte {page.offset} whose CRC does not match")
            self._verified.add(page.offset)
        if not direct:
            _unpack(body, column, page.rows, skip, values, present)


def _unpack(
    body: NDArray[np.uint8],
    column: Column,
    rows: int,
    skip: int,
    values: NDArray[Any],
    present: NDArray[np.bool_] | None,
) -> None:
    """Spread the stored values of a page's body over the rows that have one."""
    wanted = slice(skip, skip + len(values))
    levels = levels_size(rows) if column.optional else 0
    mask = decode_levels(body[:levels].data, rows) if column.optional else np.ones(rows, np.bool_)
    if len(body) != levels + int(np.count_nonzero(mask)) * ITEM:
        raise damaged("a page whose size does not fit its number of values")
    stored = body[levels:].view(values.dtype)
    if len(stored) < rows:
        spread = np.full(rows, _ABSENT[column.kind], values.dtype)
        spread[mask] = stored
        stored = spread
    values[:] = stored[wanted]
    if present is not None:
        present[:] = mask[wanted]


def _regular(path: Path) -> FileIO:
    """Open a regular file without following a link and without ever waiting for one."""
    file = FileIO(path, opener=lambda name, flags: os.open(name, flags | _NO_LINKS))
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise DamagedError(f"{path.name} is no regular file: restore it from a copy.")


def _identity(file: FileIO) -> tuple[int, ...]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _fill(file: FileIO, into: NDArray[np.uint8], offset: int) -> None:
    """Read from `offset` until `into` is full."""
    file.seek(offset)
    view, done = into.data, 0
    while done < len(view):
        count = file.readinto(view[done:])
        if not count:
            raise damaged("fewer bytes than its footer says")
        done += count


def _take(file: FileIO, offset: int, size: int) -> bytes:
    out = np.empty(size, np.uint8)
    _fill(file, out, offset)
    return out.tobytes()


def _read_footer(file: FileIO) -> tuple[bytes, int]:
    """Give the encoded footer and where it begins."""
    size = os.fstat(file.fileno()).st_size
    if size < len(MAGIC) + TAIL.size:
        raise damaged("too few bytes")
    length, magic = TAIL.unpack(_take(file, size - TAIL.size, TAIL.size))
    start = size - TAIL.size - length
    if magic != MAGIC or start < len(MAGIC) or _take(file, 0, len(MAGIC)) != MAGIC:
        raise damaged("no whole Parquet head and tail")
    encoded = _take(file, start, length)
    if not is_sealed(encoded):
        raise damaged(f"a footer without a matching {CRC_KEY}")
    return encoded, start


def _read_header(file: FileIO, page: PagePlace) -> tuple[int, int]:
    """Give the CRC that a page's header states, and the size of the body behind it."""
    head = _take(file, page.offset, min(_HEADER_BYTES, page.size))
    fields, length = decode_struct(head)
    crc = get(fields, PageField.CRC, int) & 0xFFFFFFFF
    body = page.size - length
    if head[:length] != page_header(page.rows, body, crc):
        raise damaged(f"a damaged page header at byte {page.offset}")
    return crc, body
