"""What the Parquet writer and reader both must know: numbers of the format, levels, page headers, the footer's CRC.

The format: https://parquet.apache.org/docs/file-format/ and parquet.thrift there. docs/format.md says which part of
it these files use.
"""

from __future__ import annotations

import struct
import zlib
from enum import IntEnum
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from attrs import frozen

from neural_core._storage.parquet.thrift import StructEncoder
from neural_core.errors import DamagedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Column", "Kind"]

MAGIC: Final = b"PAR1"
FORMAT_VERSION: Final = 2
TAIL: Final = struct.Struct("<I4s")
"""The end of a file: length of the footer, magic."""
ITEM: Final = 8
"""Bytes of a value; both kinds of column have 8."""
MAX_ROWS: Final = 1 << 27
"""Rows of a row group: a page's size is a signed 32-bit number of bytes."""

PLAIN, RLE = 0, 3
REQUIRED, OPTIONAL = 0, 1
UNCOMPRESSED = 0
DATA_PAGE = 0

Kind = Literal["int64", "double"]
PHYSICAL_TYPE: Final[dict[Kind, int]] = {"int64": 2, "double": 5}
DTYPE: Final[dict[Kind, str]] = {"int64": "<i8", "double": "<f8"}


class FileField(IntEnum):
    """Fields of FileMetaData."""

    VERSION = 1
    SCHEMA = 2
    ROWS = 3
    ROW_GROUPS = 4
    KEY_VALUES = 5
    CREATED_BY = 6
    COLUMN_ORDERS = 7


class SchemaField(IntEnum):
    """Fields of SchemaElement."""

    TYPE = 1
    REPETITION = 3
    NAME = 4
    CHILDREN = 5


class GroupField(IntEnum):
    """Fields of RowGroup."""

    COLUMNS = 1
    BYTES = 2
    ROWS = 3


class ChunkField(IntEnum):
    """Fields of ColumnChunk."""

    FILE_OFFSET = 2  # deprecated by the specification, which asks for 0
    METADATA = 3


class ColumnField(IntEnum):
    """Fields of ColumnMetaData. Both sizes count the page's header too."""

    TYPE = 1
    ENCODINGS = 2
    PATH = 3
    CODEC = 4
    VALUES = 5
    PLAIN_BYTES = 6
    STORED_BYTES = 7
    PAGE_OFFSET = 9
    STATISTICS = 12


class StatisticsField(IntEnum):
    """Fields of Statistics."""

    NULLS = 3
    MAXIMUM = 5
    MINIMUM = 6


class PageField(IntEnum):
    """Fields of PageHeader. Neither size counts the header itself."""

    TYPE = 1
    PLAIN_BYTES = 2
    STORED_BYTES = 3
    CRC = 4
    DATA_PAGE = 5


class DataPageField(IntEnum):
    """Fields of DataPageHeader."""

    VALUES = 1
    ENCODING = 2
    DEFINITION_LEVELS = 3
    REPETITION_LEVELS = 4


class KeyValueField(IntEnum):
    """Fields of KeyValue."""

    KEY = 1
    VALUE = 2


class OrderField(IntEnum):
    """Fields of ColumnOrder, a union."""

    TYPE_DEFINED = 1


def damaged(what: str) -> DamagedError:
    """Give the error for a file that has `what`."""
    return DamagedError(f"This Parquet file has {what}: restore it from a copy, or try another Parquet reader.")


@frozen
class Column:
    """A column: its name, the kind of its values, and whether a row may lack one."""

    name: str
    kind: Kind
    optional: bool = False


def page_header(rows: int, size: int, crc: int) -> bytes:
    """Give the header of a data page of `size` bytes whose CRC-32 is `crc`.

    Its bytes follow from the three numbers, so a reader compares them instead of trusting what it finds.
    """
    data_page = StructEncoder().i32(DataPageField.VALUES, rows).i32(DataPageField.ENCODING, PLAIN)
    data_page.i32(DataPageField.DEFINITION_LEVELS, RLE).i32(DataPageField.REPETITION_LEVELS, RLE)
    header = StructEncoder().i32(PageField.TYPE, DATA_PAGE)
    header.i32(PageField.PLAIN_BYTES, size).i32(PageField.STORED_BYTES, size)
    header.i32(PageField.CRC, crc - (1 << 32) if crc >> 31 else crc)  # Thrift has signed integers only
    return header.struct(PageField.DATA_PAGE, data_page).encode()


_LEVELS = struct.Struct("<I")
"""The length of the definition levels, before them."""


def _run_head(rows: int) -> bytes:
    """Give length and head of the one bit-packed run that holds the definition levels of `rows` rows."""
    octets = (rows + 7) // 8
    out, number = bytearray(), octets << 1 | 1
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return _LEVELS.pack(len(out) + octets) + bytes(out)


def encode_levels(present: NDArray[np.bool_]) -> bytes:
    """Give the definition levels: one bit per row, 1 for a value, the first row in the lowest bit."""
    return _run_head(len(present)) + np.packbits(present, bitorder="little").tobytes()


def levels_size(rows: int) -> int:
    """Give the bytes that the definition levels of `rows` rows take."""
    return len(_run_head(rows)) + (rows + 7) // 8


def decode_levels(levels: bytes | memoryview, rows: int) -> NDArray[np.bool_]:
    """Give for each row whether it has a value, from exactly `levels_size(rows)` bytes.

    Raises:
        DamagedError: these are not the levels of that many rows.
    """
    head = _run_head(rows)
    if bytes(levels[: len(head)]) != head:
        raise damaged("a page with damaged definition levels")
    packed = np.frombuffer(levels, np.uint8, offset=len(head))
    return np.unpackbits(packed, count=rows, bitorder="little").view(np.bool_)


CRC_KEY: Final = "neural.footer_crc"
"""The footer's last key. Its value is the CRC-32 of the footer in 8 hex digits, computed while these are zeros."""
CRC_BLANK: Final = b"0" * 8
_CRC_MARK: Final = CRC_KEY.encode("ascii") + b"\x18\x08"
"""The key and the head of its value: a string of 8 bytes in the next field."""


def seal(footer: bytes) -> bytes:
    """Give the encoded footer with its CRC in the place of the last CRC_BLANK of CRC_KEY."""
    at = footer.rindex(_CRC_MARK) + len(_CRC_MARK)
    digits = b"%08x" % zlib.crc32(footer)
    return footer[:at] + digits + footer[at + len(digits) :]


def is_sealed(footer: bytes) -> bool:
    """Tell whether the encoded footer has the CRC that `seal` gave it."""
    mark = footer.rfind(_CRC_MARK)
    if mark < 0:
        return False
    at = mark + len(_CRC_MARK)
    return seal(footer[:at] + CRC_BLANK + footer[at + len(CRC_BLANK) :]) == footer


def adjoining(spans: list[tuple[int, int]]) -> bool:
    """Tell whether pages, each (offset, size), fill a file up to its footer without a gap."""
    end = len(MAGIC)
    for offset, size in sorted(spans):
        if offset != end:
            return False
        end = offset + size
    return True
