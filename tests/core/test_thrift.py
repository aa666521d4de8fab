"""The Thrift compact protocol, as far as Parquet metadata needs it."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_core._storage.parquet.thrift import MAX_DEPTH, StructEncoder, decode_struct
from neural_core.errors import DamagedError

I32 = st.integers(-(2**31), 2**31 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=200, deadline=None)
@given(I32, I64, st.binary(max_size=200), st.lists(I32, max_size=40), st.lists(st.binary(max_size=5), max_size=20))
def test_round_trip(small: int, large: int, text: bytes, numbers: list[int], texts: list[bytes]) -> None:
    """Every sort of field is decoded to the value that was encoded, and the end of the struct is found."""
    inner = StructEncoder().i32(1, small).binary(15, text)
    outer = StructEncoder().i64(2, large).struct(3, inner).i32_list(5, numbers).binary_list(6, texts)
    encoded = outer.struct_list(7, [inner.encode()] * 17).encode()
    fields, end = decode_struct(b"before" + encoded + b"behind", 6)
    one = {1: small, 15: text}
    assert fields == {2: large, 3: one, 5: numbers, 6: texts, 7: [one] * 17}
    assert end == 6 + len(encoded)


@pytest.mark.parametrize(
    ("encoded", "fields"),
    [
        ("00", {}),
        ("11 12 00", {1: True, 2: False}),
        ("13ff 00", {1: -1}),
        ("1402 1503 1601 00", {1: 1, 2: -2, 3: -1}),
        ("17 000000000000f83f 00", {1: 1.5}),
        ("1803 616263 00", {1: b"abc"}),
        ("19 21 01 02 00", {1: [True, False]}),
        ("1a 15 04 00", {1: [2]}),
        ("1c 1502 00 00", {1: {1: 1}}),
        ("05 c801 02 00", {100: 1}),
    ],
)
def test_known_bytes(encoded: str, fields: object) -> None:
    """Bytes written out by hand from the protocol's specification are decoded to their values."""
    assert decode_struct(bytes.fromhex(encoded)) == (fields, len(bytes.fromhex(encoded)))


@pytest.mark.fault("I10")
@settings(max_examples=1000, deadline=None)
@given(
    st.binary(max_size=120)
    | st.text("\x00\x15\x19\x1c\x18\xff\x7f\x01", max_size=60).map(lambda t: t.encode("latin-1"))
)
def test_any_bytes(data: bytes) -> None:
    """Any bytes give a value or a DamagedError."""
    try:
        _, end = decode_struct(data)
    except DamagedError:
        return
    assert 0 < end <= len(data)


@pytest.mark.fault("I10")
@pytest.mark.parametrize(
    "data",
    [
        b"\x1c" * 1_000_000,
        b"\x19" + b"\x19" * 1_000_000,
        b"\x19\xfc" + b"\xff" * 8 + b"\x7f",
        b"\x18" + b"\xff" * 8 + b"\x7f",
        b"\x15" + b"\xff" * 1_000_000,
        b"\x1b\x00\x00",
        b"",
        b"\x15",
    ],
)
def test_hostile_bytes(data: bytes) -> None:
    """Deep nesting, huge announced lengths, endless numbers and unknown types are refused with little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(DamagedError):
            decode_struct(data)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


def test_depth() -> None:
    """Structs nested as deep as allowed are decoded, and one deeper is refused."""
    deep = b"\x1c" * MAX_DEPTH + b"\x00" * (MAX_DEPTH + 1)
    assert decode_struct(deep)[1] == len(deep)
    with pytest.raises(DamagedError, match="nesting"):
        decode_struct(b"\x1c" + deep + b"\x00")


def test_a_list_needs_its_bytes() -> None:
    """A list that announces more items than there are bytes is refused before the first is read."""
    with pytest.raises(DamagedError, match="a list of 5 items that are not there"):
        decode_struct(b"\x19\x51\x01\x01")


def test_field_order() -> None:
    """Fields given out of order are refused when they are encoded."""
    with pytest.raises(ValueError, match="cannot follow"):
        StructEncoder().i32(2, 0).i32(2, 0)
