"""The part of Thrift's compact protocol that Parquet metadata needs: structs, lists, numbers and byte strings.

The protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md

The decoder is total: any bytes give a value or a DamagedError, in time and memory proportional to their length.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeAlias

from neural_core.errors import DamagedError

__all__ = ["BINARY", "I32", "I64", "LIST", "STRUCT", "Fields", "StructEncoder", "Value", "decode_struct"]

Value: TypeAlias = "int | float | bytes | list[Value] | dict[int, Value]"
"""A decoded value; a bool is an int."""
Fields: TypeAlias = "dict[int, Value]"
"""A decoded struct: field number to value."""

TRUE, FALSE, I8, I16, I32, I64, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12
STOP = 0
MAX_DEPTH = 16
"""Parquet's own metadata is nested 8 deep."""
_LONG_LIST = 15
_MAX_DELTA = 15
_VARINT_BITS = 70


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _zigzag(number: int) -> bytes:
    return _varint((number << 1) ^ (number >> 63))


class StructEncoder:
    """One struct; its fields are given in rising order of their numbers, then `encode` gives its bytes."""

    __slots__ = ("_last", "_out")

    def __init__(self) -> None:
        self._out = bytearray()
        self._last = 0

    def _field(self, number: int, kind: int, body: bytes) -> StructEncoder:
        delta = number - self._last
        if not 1 <= delta <= _MAX_DELTA:
            raise ValueError(f"field {number} cannot follow field {self._last}")
        self._out.append(delta << 4 | kind)
        self._out += body
        self._last = number
        return self

    def i32(self, number: int, value: int) -> StructEncoder:
        """Add a signed 32-bit integer or an enumerated value."""
        return self._field(number, I32, _zigzag(value))

    def i64(self, number: int, value: int) -> StructEncoder:
        """Add a signed 64-bit integer."""
        return self._field(number, I64, _zigzag(value))

    def binary(self, number: int, value: bytes) -> StructEncoder:
        """Add a byte string."""
        return self._field(number, BINARY, _varint(len(value)) + value)

    def struct(self, number: int, value: StructEncoder) -> StructEncoder:
        """Add a struct."""
        return self._field(number, STRUCT, value.encode())

    def i32_list(self, number: int, values: Sequence[int]) -> StructEncoder:
        """Add a list of 32-bit integers or of enumerated values."""
        return self._list(number, I32, [_zigzag(value) for value in values])

    def binary_list(self, number: int, values: Sequence[bytes]) -> StructEncoder:
        """Add a list of byte strings."""
        return self._list(number, BINARY, [_varint(len(value)) + value for value in values])

    def struct_list(self, number: int, encoded: Sequence[bytes]) -> StructEncoder:
        """Add a list of structs that are encoded already."""
        return self._list(number, STRUCT, encoded)

    def _list(self, number: int, kind: int, items: Sequence[bytes]) -> StructEncoder:
        size = len(items)
        head = bytes([size << 4 | kind]) if size < _LONG_LIST else bytes([_LONG_LIST << 4 | kind]) + _varint(size)
        return self._field(number, LIST, head + b"".join(items))

    def encode(self) -> bytes:
        """Give the bytes of the struct, its end mark included."""
        return bytes(self._out) + bytes([STOP])


def decode_struct(data: bytes, start: int = 0) -> tuple[Fields, int]:
    """Decode the struct that begins at `start`.

    Returns:
        The fields by number, and the position behind the struct.

    Raises:
        DamagedError: the bytes are not a struct of this protocol, or end within it.
    """
    decoder = _Decoder(data, start)
    try:
        return decoder.fields(0), decoder.position
    except IndexError:
        raise DamagedError("Parquet metadata ends too early: restore the file from a copy.") from None


def _broken(what: str, position: int) -> DamagedError:
    return DamagedError(f"Parquet metadata has {what} at byte {position}: restore the file from a copy.")


class _Decoder:
    """Reads values at `position`; a read beyond the end raises IndexError or DamagedError."""

    __slots__ = ("_data", "position")

    def __init__(self, data: bytes, position: int) -> None:
        self._data = data
        self.position = position

    def fields(self, depth: int) -> Fields:
        if depth > MAX_DEPTH:
            raise _broken("too deep a nesting", self.position)
        out: Fields = {}
        last = 0
        while True:
            head = self._data[self.position]
            self.position += 1
            if head == STOP:
                return out
            last = last + (head >> 4) if head >> 4 else self._integer(depth)
            kind = head & 0x0F
            out[last] = kind == TRUE if kind <= FALSE else self._value(kind, depth)

    def _value(self, kind: int, depth: int) -> Value:
        read = _READERS.get(kind)
        if read is None:
            raise _broken(f"a value of unknown type {kind}", self.position)
        return read(self, depth)

    def _unsigned(self) -> int:
        data, position, number, shift = self._data, self.position, 0, 0
        while shift < _VARINT_BITS:
            byte = data[position]
            position += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                self.position = position
                return number
            shift += 7
        raise _broken("an endless number", self.position)

    def _integer(self, _depth: int) -> int:
        number = self._unsigned()
        return (number >> 1) ^ -(number & 1)

    def _take(self, size: int) -> bytes:
        start, end = self.position, self.position + size
        if end > len(self._data):
            raise _broken(f"a value of {size} bytes that are not there", start)
        self.position = end
        return self._data[start:end]

    def _byte(self, _depth: int) -> int:
        return int.from_bytes(self._take(1), signed=True)

    def _boolean(self, _depth: int) -> bool:
        return self._take(1)[0] == TRUE

    def _double(self, _depth: int) -> float:
        number: float = struct.unpack("<d", self._take(8))[0]
        return number

    def _binary(self, _depth: int) -> bytes:
        return self._take(self._unsigned())

    def _items(self, depth: int) -> list[Value]:
        if depth >= MAX_DEPTH:
            raise _broken("too deep a nesting", self.position)
        head = self._data[self.position]
        self.position += 1
        size = head >> 4 if head >> 4 < _LONG_LIST else self._unsigned()
        if size > len(self._data) - self.position:  # every item takes a byte or more
            raise _broken(f"a list of {size} items that are not there", self.position)
        kind = head & 0x0F
        return [self._value(kind, depth + 1) for _ in range(size)]

    def _struct(self, depth: int) -> Fields:
        return self.fields(depth + 1)


_READERS: dict[int, Callable[[_Decoder, int], Value]] = {
    TRUE: _Decoder._boolean,
    FALSE: _Decoder._boolean,
    I8: _Decoder._byte,
    I16: _Decoder._integer,
    I32: _Decoder._integer,
    I64: _Decoder._integer,
    DOUBLE: _Decoder._double,
    BINARY: _Decoder._binary,
    LIST: _Decoder._items,
    SET: _Decoder._items,
    STRUCT: _Decoder._struct,
}
