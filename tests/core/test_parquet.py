"""The Parquet files: what other readers find in them, and what our own reader gives back."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import polars
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from neural_core._storage.parquet.reader import ParquetFile
from neural_core._storage.parquet.writer import Chunk, Column, unique_column_names, write_parquet

if TYPE_CHECKING:
    from numpy.typing import NDArray

Cells = dict[str, tuple["NDArray[Any]", "NDArray[np.bool_]"]]
"""Column name to the stored values (only those that are there) and the mask."""

_PATTERNS = """
7ff8000000000000 fff8000000000000 7ff80000deadbeef 7ff0000000000001 7ff0000000000000 fff0000000000000
8000000000000000 0 1 3ff0000000000000 7fefffffffffffff
"""
SPECIAL = np.array([int(pattern, 16) for pattern in _PATTERNS.split()], np.uint64).view(np.float64)
"""NaN of both signs, with a payload, signalling; infinities; both zeros; the smallest, 1, the largest."""
NAMES = [
    "loss",
    "val/acc",
    "日本語",
    "🚀",
    "a b",
    'quo"te',
    "it's",
    "x.y",
    "\\x00",
    "Loss~2",
    "new\nline",
    "%",
    "e\u0301",
]


def bits(values: NDArray[Any]) -> NDArray[np.uint64]:
    """Give the values as bit patterns, so that NaN equals NaN and -0.0 does not equal 0.0."""
    return np.ascontiguousarray(values).view(np.uint64)


def by_pyarrow(path: Path) -> Cells:
    """Read with pyarrow, which checks the CRC of every page."""
    table = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True).read()
    out = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        out[name] = column.drop_null().to_numpy(), np.asarray(column.is_valid().to_numpy(), bool)
    return out


def by_polars(path: Path) -> Cells:
    """Read with polars."""
    frame = polars.read_parquet(path)
    return {s.name: (s.drop_nulls().to_numpy(), s.is_not_null().to_numpy()) for s in frame.get_columns()}


def by_duckdb(path: Path) -> Cells:
    """Read with DuckDB."""
    with duckdb.connect() as connection:
        found = connection.execute("SELECT * FROM read_parquet($1)", [str(path)]).fetchnumpy()
    arrays = {name: np.ma.asarray(values) for name, values in found.items()}
    return {name: (values.compressed(), ~np.ma.getmaskarray(values)) for name, values in arrays.items()}


def by_neural(path: Path) -> Cells:
    """Read with our own reader."""
    file = ParquetFile(path)
    assert file.check() == []
    out = {}
    for name in file.columns:
        values, present = file.read(name)
        mask = np.ones(file.rows, bool) if present is None else present
        out[name] = values[mask], mask
    return out


def assert_same(found: Cells, expected: Cells) -> None:
    """Both have the same columns in the same order, with the same bits and the same gaps."""
    assert list(found) == list(expected)
    for name, (values, mask) in expected.items():
        assert found[name][0].dtype.kind == values.dtype.kind
        np.testing.assert_array_equal(found[name][1], mask)
        np.testing.assert_array_equal(bits(found[name][0]), bits(values))


def write(path: Path, columns: list[Column], groups: list[list[Chunk]], **footer: str) -> Cells:
    """Write the file, and give what a reader must find in it."""
    rows = write_parquet(path, columns, groups, footer)
    out: Cells = {}
    for index, column in enumerate(columns):
        kind = np.int64 if column.kind == "int64" else np.float64
        masks = [np.ones(len(g[index].values), bool) if g[index].present is None else g[index].present for g in groups]
        values = [group[index].values for group in groups]
        out[column.name] = np.concatenate([np.empty(0, kind), *values]), np.concatenate([np.empty(0, bool), *masks])
        assert len(out[column.name][1]) == rows
    return out


def sample(rows: int, seed: int = 0) -> tuple[list[Column], list[Chunk]]:
    """Give columns of every sort and a row group of special values."""
    rng = np.random.default_rng(seed)
    columns = [Column("__seq", "int64"), Column("__time", "double"), Column("whole", "int64", True)]
    chunks = [Chunk(rng.integers(-(2**63), 2**63 - 1, rows)), Chunk(rng.choice(SPECIAL, rows))]
    mask = rng.random(rows) < 0.5
    chunks.append(Chunk(rng.integers(-9, 9, np.count_nonzero(mask)), mask))
    for name in NAMES:
        mask = rng.random(rows) < rng.choice([0, 0.1, 0.9, 1])
        columns.append(Column(name, "double", True))
        chunks.append(Chunk(rng.choice(SPECIAL, np.count_nonzero(mask)), mask))
    return columns, chunks


READERS = [by_neural, by_pyarrow, by_polars, by_duckdb]


@pytest.mark.parametrize("read", READERS)
class TestReaders:
    @pytest.mark.parametrize("sizes", [[1], [7], [8], [9], [13, 1, 64, 255], [5000, 131]])
    def test_bits(self, read: Any, sizes: list[int], tmp_path: Path) -> None:
        """Every reader finds the same bits, gaps and names, whatever the number of rows and of row groups."""
        groups = [sample(rows, seed) for seed, rows in enumerate(sizes)]
        expected = write(tmp_path / "a.parquet", groups[0][0], [chunks for _, chunks in groups])
        assert_same(read(tmp_path / "a.parquet"), expected)

    def test_empty(self, read: Any, tmp_path: Path) -> None:
        """A file without rows is a valid file with its columns, and a row group without rows is left out."""
        columns, chunks = sample(0)
        for name, groups in ("a.parquet", []), ("b.parquet", [chunks]):
            expected = write(tmp_path / name, columns, groups)
            assert_same(read(tmp_path / name), expected)

    def test_wide(self, read: Any, tmp_path: Path) -> None:
        """300 columns in three row groups are read by every reader."""
        columns = [Column(f"m/{index}", "double", bool(index % 2)) for index in range(300)]
        groups = [[Chunk(np.arange(11.0) + index * row) for index in range(300)] for row in range(3)]
        expected = write(tmp_path / "a.parquet", columns, groups)
        assert_same(read(tmp_path / "a.parquet"), expected)

    def test_hard_metric_names(self, read: Any, tmp_path: Path) -> None:
        """Column names made for metrics that differ in case, are empty or cannot be encoded reach every reader."""
        names = unique_column_names(["loss", "Loss", "__SEQ", "", "\udcff", "\0", "ß", "SS", "K", "k", "\u212a"])
        expected = write(tmp_path / "a.parquet", [Column(n, "double") for n in names], [[Chunk(np.ones(1))] * 11])
        assert_same(read(tmp_path / "a.parquet"), expected)


def test_large_page(tmp_path: Path) -> None:
    """A row group of a million rows, one page per column, is read by every reader."""
    mask = np.arange(1_000_003) % 3 > 0
    columns = [Column("a", "double", True), Column("b", "int64")]
    chunks = [Chunk(np.arange(np.count_nonzero(mask), dtype=float), mask), Chunk(np.arange(len(mask)))]
    expected = write(tmp_path / "a.parquet", columns, [chunks])
    for read in READERS:
        assert_same(read(tmp_path / "a.parquet"), expected)


def test_footer_keys(tmp_path: Path) -> None:
    """The caller's keys and values are in the footer for every reader, beside the footer's CRC."""
    path = tmp_path / "a.parquet"
    write(path, [Column("a", "double")], [[Chunk(np.arange(4.0))]], neural="{}", emoji="🚀", empty="")
    given_keys = {"neural": "{}", "emoji": "🚀", "empty": ""}
    assert ParquetFile(path).footer == given_keys
    by_arrow = pyarrow.parquet.read_metadata(path)
    with duckdb.connect() as connection:
        found = connection.execute("SELECT key, value FROM parquet_kv_metadata($1)", [str(path)]).fetchall()
    for pairs in (dict(found), by_arrow.metadata):
        text = {key.decode(): value.decode() for key, value in pairs.items()}
        assert len(text.pop("neural.footer_crc")) == 8
        assert text == given_keys
    assert by_arrow.created_by.startswith("neural-core version ")


def test_statistics(tmp_path: Path) -> None:
    """Integer columns have minimum, maximum and number of gaps; double columns have no statistics."""
    columns = [Column("i", "int64", True), Column("d", "double")]
    mask = np.array([True, False, True])
    write(tmp_path / "a.parquet", columns, [[Chunk(np.array([-5, 7]), mask), Chunk(np.array([1.0, np.nan, -1.0]))]])
    group = pyarrow.parquet.read_metadata(tmp_path / "a.parquet").row_group(0)
    found = group.column(0).statistics
    assert (found.min, found.max, found.null_count) == (-5, 7, 1)
    assert group.column(1).statistics is None


def test_slices(tmp_path: Path) -> None:
    """A part of a column equals the same part of the whole column, for ends within and beyond every row group."""
    columns, _ = sample(0)
    write(tmp_path / "a.parquet", columns, [sample(rows, rows)[1] for rows in (5, 9, 3)])
    file = ParquetFile(tmp_path / "a.parquet")
    for name in ("__seq", "__time", "whole", "🚀"):
        values, present = file.read(name)
        for start in (0, 1, 4, 5, 6, 14, 16, 17, 30, -2):
            for stop in (None, 0, 1, 5, 13, 14, 17, 99, -1):
                part, mask = ParquetFile(tmp_path / "a.parquet").read(name, start, stop)
                np.testing.assert_array_equal(bits(part), bits(values[start:stop]))
                assert (mask is None) == (present is None)
                if present is not None and mask is not None:
                    np.testing.assert_array_equal(present[start:stop], mask)


def test_absent_values(tmp_path: Path) -> None:
    """Where an optional column has no value, our reader gives NaN, or -2^63 in an integer column."""
    mask = np.array([False, True])
    columns = [Column("d", "double", True), Column("i", "int64", True)]
    write(tmp_path / "a.parquet", columns, [[Chunk(np.array([1.5]), mask), Chunk(np.array([3]), mask)]])
    file = ParquetFile(tmp_path / "a.parquet")
    np.testing.assert_array_equal(file.read("d")[0], [np.nan, 1.5])
    np.testing.assert_array_equal(file.read("i")[0], [-(2**63), 3])


@st.composite
def _files(draw: st.DrawFn) -> tuple[list[Column], list[list[Chunk]]]:
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
    names = draw(st.lists(text, min_size=1, max_size=4, unique=True))
    columns = [Column(n, draw(st.sampled_from(["int64", "double"])), draw(st.booleans())) for n in names]
    groups = [
        [_chunk(draw, column, rows) for column in columns] for rows in draw(st.lists(st.integers(0, 40), max_size=3))
    ]
    return columns, groups


def _chunk(draw: st.DrawFn, column: Column, rows: int) -> Chunk:
    mask = draw(hnp.arrays(bool, rows)) if column.optional else None
    stored = rows if mask is None else int(np.count_nonzero(mask))
    values = draw(hnp.arrays(np.int64, stored, elements=st.integers(-(2**63), 2**63 - 1)))
    return Chunk(values.view(np.float64) if column.kind == "double" else values, mask)


@settings(max_examples=150, deadline=None)
@given(_files())
def test_round_trip(file: tuple[list[Column], list[list[Chunk]]]) -> None:
    """What is written is read back bit for bit by our reader and by pyarrow, for any columns and row groups."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.parquet")
        expected = write(path, *file)
        assert_same(by_neural(path), expected)
        assert_same(by_pyarrow(path), expected)
