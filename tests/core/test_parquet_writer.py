"""What the Parquet writer refuses, what it leaves behind when it fails, and the column names it gives metrics."""

from __future__ import annotations

import resource
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_core._storage.parquet.reader import ParquetFile
from neural_core._storage.parquet.writer import Chunk, Column, unique_column_names, write_parquet
from neural_core.errors import ArgumentValueError

ONE: tuple[list[Column], list[list[Chunk]]] = [Column("a", "double")], [[Chunk(np.arange(4.0))]]


class TestRefusals:
    @pytest.mark.parametrize(
        ("columns", "chunks"),
        [
            ([], []),
            ([Column("a", "double"), Column("a", "double")], [Chunk(np.ones(1))] * 2),
            ([Column("a", "double"), Column("b", "double")], [Chunk(np.ones(1)), Chunk(np.ones(2))]),
            ([Column("a", "double"), Column("b", "double")], [Chunk(np.ones(1))]),
            ([Column("a", "double")], [Chunk(np.ones(1))] * 2),
            ([Column("a", "double")], [Chunk(np.ones(1), np.ones(1, bool))]),
            ([Column("a", "double", True)], [Chunk(np.ones(2), np.array([True, False]))]),
        ],
    )
    def test_misfits(self, columns: list[Column], chunks: list[Chunk], tmp_path: Path) -> None:
        """Chunks that do not fit the columns are refused, and no file is left."""
        with pytest.raises(ArgumentValueError):
            write_parquet(tmp_path / "a.parquet", columns, [chunks], {})
        assert list(tmp_path.iterdir()) == []

    def test_lossy_cast(self, tmp_path: Path) -> None:
        """Doubles in an integer column are refused instead of cut to integers."""
        with pytest.raises(TypeError):
            write_parquet(tmp_path / "a.parquet", [Column("a", "int64")], [[Chunk(np.ones(1))]], {})

    def test_existing_file(self, tmp_path: Path) -> None:
        """An existing file, or a link to nowhere, is neither written nor removed."""
        (tmp_path / "a.parquet").write_bytes(b"mine")
        (tmp_path / "link").symlink_to(tmp_path / "nowhere")
        for name in ("a.parquet", "link"):
            with pytest.raises(FileExistsError):
                write_parquet(tmp_path / name, *ONE, {})
        assert (tmp_path / "a.parquet").read_bytes() == b"mine"
        assert (tmp_path / "link").is_symlink()

    def test_unknown_column(self, tmp_path: Path) -> None:
        """A column that is not there is refused by name."""
        write_parquet(tmp_path / "a.parquet", *ONE, {})
        with pytest.raises(ArgumentValueError, match="'b'"):
            ParquetFile(tmp_path / "a.parquet").read("b")


class TestStreaming:
    def test_memory(self, tmp_path: Path) -> None:
        """A row group is let go before the next one is asked for."""
        held: list[weakref.ref[Chunk]] = []

        class Weak(Chunk):
            """A chunk that can be referred to weakly."""

        def groups() -> Iterator[list[Chunk]]:
            for _ in range(4):
                assert not [reference for reference in held if reference() is not None]
                group: list[Chunk] = [Weak(np.ones(9))]
                held.append(weakref.ref(group[0]))
                yield group
                del group

        assert write_parquet(tmp_path / "a.parquet", ONE[0], groups(), {}) == 36

    def test_failing_source(self, tmp_path: Path) -> None:
        """An exception while the row groups are made, even Ctrl-C, leaves no file."""

        def groups() -> Iterator[list[Chunk]]:
            yield [Chunk(np.ones(9))]
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_parquet(tmp_path / "a.parquet", ONE[0], groups(), {})
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("rows", [100, 100_000])
    def test_failing_disk(self, rows: int, tmp_path: Path) -> None:
        """A file that may not grow any more raises OSError, at once or at the last flush, and is removed."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (512, hard))
        try:
            with pytest.raises(OSError, match="large"):
                write_parquet(tmp_path / "a.parquet", ONE[0], [[Chunk(np.ones(rows))]], {})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert list(tmp_path.iterdir()) == []


class TestColumnNames:
    def test_plain(self) -> None:
        """Ordinary metric names are their own column names, in the order given."""
        assert unique_column_names(["b", "a", "step", "a/b"]) == {"b": "b", "a": "a", "step": "step", "a/b": "a/b"}

    def test_clashes(self) -> None:
        """Our columns, names that differ in case, and names that look like our answer all get names of their own."""
        assert unique_column_names(["__step", "a", "A", "a~2", "A~3"]) == {
            "__step~2": "__step",
            "a~4": "a",
            "A": "A",
            "a~2": "a~2",
            "A~3": "A~3",
        }

    def test_unencodable(self) -> None:
        """Lone surrogates and NUL are spelt out, without taking the name of a metric that is spelt so."""
        names = unique_column_names(["\udcff", "\\udcff", "x\0", "x\\x00", ""])
        assert names == {"\\udcff~2": "\udcff", "\\udcff": "\\udcff", "x\\x00~2": "x\0", "x\\x00": "x\\x00", "~2": ""}

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.text(st.sampled_from("aAßsS~23_\0\udcff\u212akK"), max_size=4)), st.randoms())
    def test_distinct(self, metrics: list[str], random: Any) -> None:
        """Column names never clash under case folding, name every metric, and do not depend on the order given."""
        names = unique_column_names(metrics)
        folded = {name.casefold() for name in names}
        assert len(folded) == len(names) == len(set(metrics))
        assert set(names.values()) == set(metrics)
        assert not folded & {"__seq", "__step", "__time", ""}
        assert all("\0" not in name and name.encode() for name in names)
        shuffled = random.sample(metrics, len(metrics))
        assert unique_column_names(shuffled) == names
