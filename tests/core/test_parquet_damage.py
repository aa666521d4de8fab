"""Damaged Parquet files: our reader gives what was written or a DamagedError, whatever the bytes."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_core._storage.parquet.layout import CRC_BLANK, CRC_KEY, page_header, seal
from neural_core._storage.parquet.reader import ParquetFile
from neural_core._storage.parquet.writer import Chunk, Column, write_parquet
from neural_core.errors import DamagedError

MASK = np.arange(19) % 4 > 0
COLUMNS = [Column("__seq", "int64"), Column("a", "double"), Column("ä/b", "double", True), Column("n", "int64", True)]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small file with two row groups of every sort of column, and footer keys."""
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    some = np.arange(np.count_nonzero(MASK))
    chunks = [Chunk(np.arange(19)), Chunk(np.arange(19) * 0.7), Chunk(some * 0.3, MASK), Chunk(some, MASK)]
    write_parquet(path, COLUMNS, [chunks, chunks], {"neural.columns": "{}", "b": "🚀"})
    return path.read_bytes()


def outcome(path: Path, *, verify: bool = True) -> Any:
    """Give everything that the reader says of the file as plain values, or None for a DamagedError."""
    try:
        file = ParquetFile(path)
        parts: list[Any] = [file.rows, file.columns, tuple(file.footer.items())]
        for name in file.columns:
            values, present = file.read(name, verify=verify)
            parts += [values.dtype.str, values.tobytes(), None if present is None else present.tobytes()]
    except DamagedError:
        return None
    return tuple(parts)


@pytest.mark.fault("I01")
def test_truncation(original: bytes, tmp_path: Path) -> None:
    """A file cut at any byte is damaged."""
    path = tmp_path / "a.parquet"
    for length in range(len(original)):
        path.write_bytes(original[:length])
        assert outcome(path) is None


@pytest.mark.fault("I02")
def test_bit_flips(original: bytes, tmp_path: Path) -> None:
    """One flipped bit anywhere, the footer included, gives the same data or a DamagedError."""
    path = tmp_path / "a.parquet"
    path.write_bytes(original)
    expected = outcome(path)
    assert expected is not None
    for position in range(len(original)):
        data = bytearray(original)
        data[position] ^= 1 << (position * 5 % 8)
        path.write_bytes(data)
        assert outcome(path) in (expected, None)


@pytest.mark.fault("I02")
def test_bit_flips_are_reported(original: bytes, tmp_path: Path) -> None:
    """Every flipped bit of a file is either refused at opening or named by `check`."""
    path = tmp_path / "a.parquet"
    for position in range(0, len(original), 3):
        data = bytearray(original)
        data[position] ^= 1 << (position % 8)
        path.write_bytes(data)
        try:
            problems = ParquetFile(path).check()
        except DamagedError:
            continue
        assert len(problems) == 1


def test_check_names_the_column(original: bytes, tmp_path: Path) -> None:
    """A damaged page is reported with the name of its column, and the other columns are still read."""
    path = tmp_path / "a.parquet"
    data = bytearray(original)
    data[data.index(struct.pack("<d", 3 * 0.7))] ^= 1
    path.write_bytes(data)
    file = ParquetFile(path)
    assert [problem.split(":")[0] for problem in file.check()] == ["Column 'a'"]
    assert np.array_equal(file.read("__seq")[0][:19], np.arange(19))
    with pytest.raises(DamagedError, match="CRC"):
        file.read("a")
    assert len(file.read("a", verify=False)[0]) == 38


def test_check_finds_stray_bytes(original: bytes, tmp_path: Path) -> None:
    """Bytes between the pages and the footer, which belong to nothing, are reported."""
    path = tmp_path / "a.parquet"
    length = struct.unpack("<I", original[-8:-4])[0]
    at = len(original) - 8 - length
    path.write_bytes(original[:at] + b"stray" + original[at:])
    assert ParquetFile(path).check() == ["The pages do not fill the file: restore the file from a copy."]


def test_other_writer(tmp_path: Path) -> None:
    """A valid Parquet file of another writer is refused in a sentence."""
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"a": [1.0]}), path)
    with pytest.raises(DamagedError, match=CRC_KEY):
        ParquetFile(path)


def test_replaced_file(original: bytes, tmp_path: Path) -> None:
    """A file that was replaced since it was opened is not read by the old footer."""
    path = tmp_path / "a.parquet"
    path.write_bytes(original)
    file = ParquetFile(path)
    path.write_bytes(original + b" ")
    with pytest.raises(DamagedError, match="open it again"):
        file.read("a")


def test_crc_is_checked_once(original: bytes, tmp_path: Path) -> None:
    """`verify=False` reads a damaged page, and the first verified read of it afterwards still finds the damage."""
    path = tmp_path / "a.parquet"
    data = bytearray(original)
    data[data.index(struct.pack("<d", 3 * 0.7))] ^= 1
    path.write_bytes(data)
    file = ParquetFile(path)
    file.read("a", verify=False)
    assert len(file.read("a", 19)[0]) == 19
    with pytest.raises(DamagedError):
        file.read("a", 0, 1)


def test_page_checksums(tmp_path: Path) -> None:
    """A flipped bit in a page is found by pyarrow's own check of page CRCs, with and without gaps."""
    path = tmp_path / "a.parquet"
    for optional in (False, True):
        columns = [Column("a", "double", optional)]
        write_parquet(path, columns, [[Chunk(np.arange(50.0))]], {})
        data = bytearray(path.read_bytes())
        data[data.index(struct.pack("<d", 25.0))] ^= 1
        path.write_bytes(data)
        with pytest.raises(OSError, match="CRC"):
            pyarrow.parquet.read_table(path, page_checksum_verification=True)
        path.unlink()


def test_footer_crc(tmp_path: Path) -> None:
    """The footer's CRC is that of its bytes with the eight digits set to zero."""
    path = tmp_path / "a.parquet"
    write_parquet(path, [Column("a", "double")], [[Chunk(np.arange(4.0))]], {"key": "value"})
    data = path.read_bytes()
    footer = data[-8 - struct.unpack("<I", data[-8:-4])[0] : -8]
    digits = pyarrow.parquet.read_metadata(path).metadata[b"neural.footer_crc"]
    assert zlib.crc32(footer.replace(digits, b"00000000")) == int(digits, 16)


def test_page_header_sizes() -> None:
    """The longest page header is far shorter than what the reader fetches for one."""
    assert len(page_header(1 << 27, (1 << 31) - 1, 0x80000000)) <= 40


@pytest.mark.fault("I10")
@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Any bytes between a Parquet head and tail give a DamagedError."""
    path = tmp_path_factory.getbasetemp() / "any.parquet"
    for whole in (data, b"PAR1" + data + struct.pack("<I", len(data)) + b"PAR1"):
        path.write_bytes(whole)
        assert outcome(path) is None


@pytest.mark.fault("I10")
def test_forged_footers(original: bytes, tmp_path: Path) -> None:
    """A footer changed at random and given a matching CRC gives data or a DamagedError, and no other exception."""
    length = struct.unpack("<I", original[-8:-4])[0]
    start = len(original) - 8 - length
    path = tmp_path / "a.parquet"
    rng = random.Random(7)
    opened = 0
    for _ in range(3000):
        footer = bytearray(original[start:-8])
        for _ in range(rng.choice([1, 1, 2, 5])):
            footer[rng.randrange(len(footer))] = rng.choice([rng.randrange(256), 0, 0x7F, 0xFF, 0x1C, 0x19])
        mark = footer.rfind(CRC_KEY.encode())
        at = mark + len(CRC_KEY) + 2
        if mark < 0 or footer[at - 2 : at] != b"\x18\x08":
            continue
        footer[at : at + 8] = CRC_BLANK
        sealed = seal(bytes(footer))
        path.write_bytes(original[:start] + sealed + struct.pack("<I", len(sealed)) + b"PAR1")
        opened += outcome(path, verify=bool(rng.getrandbits(1))) is not None
    assert opened > 0
