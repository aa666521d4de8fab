"""The footer of a Parquet file: what is in the file and where. Encoded by the writer, decoded by the reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from attrs import frozen

from neural_core._storage.parquet.layout import (
    CRC_BLANK,
    CRC_KEY,
    FORMAT_VERSION,
    MAGIC,
    MAX_ROWS,
    OPTIONAL,
    PHYSICAL_TYPE,
    PLAIN,
    REQUIRED,
    RLE,
    UNCOMPRESSED,
    ChunkField,
    Column,
    ColumnField,
    FileField,
    GroupField,
    KeyValueField,
    OrderField,
    SchemaField,
    StatisticsField,
    damaged,
    seal,
)
from neural_core._storage.parquet.thrift import StructEncoder, decode_struct

__all__ = [
    "Footer",
    "PagePlace",
    "Statistics",
    "count",
    "decode_footer",
    "encode_chunk",
    "encode_footer",
    "encode_group",
    "get",
    "places",
]

CREATED_BY: Final = b"neural-core version 0.1.0"
"""Application and version of the writer, in the form that the specification asks for."""
_BITS = 8
_KINDS = {number: kind for kind, number in PHYSICAL_TYPE.items()}
_T = TypeVar("_T")


@frozen
class PagePlace:
    """Where the page of one column in one row group lies.

    Attributes:
        first: its first row, counted over the file.
        rows: how many it has, those without a value included.
        offset: the byte at which its header begins.
        size: its bytes, those of the header included.
    """

    first: int
    rows: int
    offset: int
    size: int


@frozen
class Statistics:
    """What a reader may skip a row group by: encoded smallest and largest value, and how many rows have none."""

    minimum: bytes
    maximum: bytes
    nulls: int


@frozen
class Footer:
    """A decoded footer. `groups` holds for each row group its number of rows and one undecoded chunk per column."""

    columns: list[Column]
    rows: int
    groups: list[tuple[int, list[Any]]]
    key_values: dict[str, str]


def encode_chunk(column: Column, place: PagePlace, statistics: Statistics | None) -> bytes:
    """Give what the footer says of one column in one row group."""
    out = StructEncoder().i32(ColumnField.TYPE, PHYSICAL_TYPE[column.kind])
    out.i32_list(ColumnField.ENCODINGS, [PLAIN, RLE]).binary_list(ColumnField.PATH, [column.name.encode()])
    out.i32(ColumnField.CODEC, UNCOMPRESSED).i64(ColumnField.VALUES, place.rows)
    out.i64(ColumnField.PLAIN_BYTES, place.size).i64(ColumnField.STORED_BYTES, place.size)
    out.i64(ColumnField.PAGE_OFFSET, place.offset)
    if statistics is not None:
        inner = StructEncoder().i64(StatisticsField.NULLS, statistics.nulls)
        inner.binary(StatisticsField.MAXIMUM, statistics.maximum).binary(StatisticsField.MINIMUM, statistics.minimum)
        out.struct(ColumnField.STATISTICS, inner)
    return StructEncoder().i64(ChunkField.FILE_OFFSET, 0).struct(ChunkField.METADATA, out).encode()


def encode_group(chunks: Sequence[bytes], size: int, rows: int) -> bytes:
    """Give what the footer says of a row group of `size` bytes."""
    out = StructEncoder().struct_list(GroupField.COLUMNS, chunks)
    return out.i64(GroupField.BYTES, size).i64(GroupField.ROWS, rows).encode()


def encode_footer(columns: Sequence[Column], rows: int, groups: Sequence[bytes], footer: Mapping[str, str]) -> bytes:
    """Give the footer with its CRC, from the encoded row groups and the caller's keys and values."""
    pairs = [(key.encode(), value.encode()) for key, value in footer.items()] + [(CRC_KEY.encode(), CRC_BLANK)]
    encoded = [StructEncoder().binary(KeyValueField.KEY, k).binary(KeyValueField.VALUE, v).encode() for k, v in pairs]
    order = StructEncoder().struct(OrderField.TYPE_DEFINED, StructEncoder()).encode()
    out = StructEncoder().i32(FileField.VERSION, FORMAT_VERSION).struct_list(FileField.SCHEMA, _schema(columns))
    out.i64(FileField.ROWS, rows).struct_list(FileField.ROW_GROUPS, groups)
    out.struct_list(FileField.KEY_VALUES, encoded).binary(FileField.CREATED_BY, CREATED_BY)
    return seal(out.struct_list(FileField.COLUMN_ORDERS, [order] * len(columns)).encode())


def _schema(columns: Sequence[Column]) -> list[bytes]:
    out = [StructEncoder().binary(SchemaField.NAME, b"schema").i32(SchemaField.CHILDREN, len(columns)).encode()]
    for column in columns:
        element = StructEncoder().i32(SchemaField.TYPE, PHYSICAL_TYPE[column.kind])
        element.i32(SchemaField.REPETITION, OPTIONAL if column.optional else REQUIRED)
        out.append(element.binary(SchemaField.NAME, column.name.encode()).encode())
    return out


def decode_footer(encoded: bytes, end: int) -> Footer:
    """Decode a footer that begins at byte `end` of its file.

    Raises:
        DamagedError: the footer is damaged, or not one of `encode_footer`.
    """
    metadata = decode_struct(encoded)[0]
    columns = _columns(get(metadata, FileField.SCHEMA, list))
    groups = [_group(group, len(columns)) for group in get(metadata, FileField.ROW_GROUPS, list)]
    rows = sum(rows for rows, _ in groups)
    # Every row takes a bit or more of each page, which bounds the memory that a forged number can ask for.
    if rows != get(metadata, FileField.ROWS, int) or rows > end * _BITS:
        raise damaged("a wrong number of rows")
    return Footer(columns, rows, groups, _key_values(get(metadata, FileField.KEY_VALUES, list)))


def places(footer: Footer, index: int, end: int) -> Iterator[PagePlace]:
    """Give the pages of the column at `index`, in the order of their rows; none reaches behind `end`."""
    first, last = 0, len(MAGIC)
    for rows, chunks in footer.groups:
        place = _place(chunks[index], footer.columns[index], first, rows)
        if place.offset < last or place.offset + place.size > end:
            raise damaged("a page outside its place")
        first, last = first + rows, place.offset + place.size
        yield place


def get(fields: Any, number: int, kind: type[_T]) -> _T:
    """Give a field of a decoded struct; a DamagedError if it is not there or not of that type."""
    value = fields.get(number) if isinstance(fields, dict) else None
    if not isinstance(value, kind):
        raise damaged("metadata that lacks a field")
    return value


def count(fields: Any, number: int) -> int:
    """Give a field that is a size or a position."""
    value = get(fields, number, int)
    if value < 0:
        raise damaged("a negative size")
    return value


def _text(fields: Any, number: int) -> str:
    try:
        return get(fields, number, bytes).decode()
    except UnicodeDecodeError:
        raise damaged("text that is not UTF-8") from None


def _columns(schema: list[Any]) -> list[Column]:
    columns = [_column(element) for element in schema[1:]]
    if not columns or get(schema[0], SchemaField.CHILDREN, int) != len(columns):
        raise damaged("nested columns or none")
    if len({column.name for column in columns}) < len(columns):
        raise damaged("two columns of one name")
    return columns


def _column(element: Any) -> Column:
    kind = _KINDS.get(get(element, SchemaField.TYPE, int))
    repetition = get(element, SchemaField.REPETITION, int)
    if kind is None or repetition not in (REQUIRED, OPTIONAL):
        raise damaged("a column of a type that neural does not write")
    return Column(_text(element, SchemaField.NAME), kind, repetition == OPTIONAL)


def _key_values(pairs: list[Any]) -> dict[str, str]:
    out = {_text(pair, KeyValueField.KEY): _text(pair, KeyValueField.VALUE) for pair in pairs}
    out.pop(CRC_KEY, None)
    return out


def _group(group: Any, columns: int) -> tuple[int, list[Any]]:
    rows, chunks = count(group, GroupField.ROWS), get(group, GroupField.COLUMNS, list)
    if rows > MAX_ROWS or len(chunks) != columns:
        raise damaged("a row group that does not fit its columns")
    return rows, chunks


def _place(chunk: Any, column: Column, first: int, rows: int) -> PagePlace:
    metadata = get(chunk, ChunkField.METADATA, dict)
    if get(metadata, ColumnField.PATH, list) != [column.name.encode()]:
        raise damaged("a page of another column")
    if get(metadata, ColumnField.CODEC, int) != UNCOMPRESSED or get(metadata, ColumnField.VALUES, int) != rows:
        raise damaged("a page that neural does not write")
    return PagePlace(first, rows, count(metadata, ColumnField.PAGE_OFFSET), count(metadata, ColumnField.STORED_BYTES))
