"""CRCs of overlapping ranges, and the search for the next sound frame that they make quick."""

from __future__ import annotations

import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neural_core._storage.journal import frames
from neural_core._storage.journal.journal_part import JournalPart
from neural_core._storage.journal.range_crcs import UNIT, RangeCrcs

HEADER = frames.encode_header({"uid": "0" * 32, "epoch": 1, "rank": 0, "session": "owner", "writer": "w", "part": 1})


@given(st.binary(min_size=8, max_size=4000), st.data())
def test_each_is_that_of_zlib(data: bytes, draw: st.DataObject) -> None:
    """The CRC of any range is the one that zlib gives for its bytes, wherever the ranges of the calls before were."""
    crcs = RangeCrcs()
    places = st.lists(st.integers(0, len(data) // UNIT), min_size=2, max_size=2, unique=True).map(sorted)
    for pairs in draw.draw(st.lists(st.lists(places, min_size=1, max_size=9), min_size=1, max_size=4)):
        first, last = np.array(pairs, np.int64).T
        expected = [zlib.crc32(data[a * UNIT : b * UNIT]) for a, b in pairs]
        assert crcs.of(memoryview(data), first, last).tolist() == expected


def test_the_longest_frame() -> None:
    """A range as long as the longest frame is right."""
    data = bytes(range(256)) * 2060
    last = 0x10000 * frames.WORD // UNIT
    found = RangeCrcs().of(memoryview(data), np.array([1]), np.array([last]))
    assert found.tolist() == [zlib.crc32(data[UNIT : last * UNIT])]


def row(step: int) -> bytes:
    """Give a row whose value is a round number: its last words look like the head of a long frame."""
    body = struct.pack("<Iqdd", frames.row_head(1, 1), step, 1e9 + step, 0.5)
    return struct.pack("<I", zlib.crc32(body)) + body


@pytest.mark.fault("I10")
@pytest.mark.parametrize("inserted", [b"", b"x" * 4, b"x" * 7, b"x" * 8])
def test_every_place_looks_like_a_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inserted: bytes) -> None:
    """Behind inserted bytes no byte is looked at again for each place that looks like a frame; what is sound is read.

    A file of this form and 256 MiB would otherwise keep a reader busy for half an hour.
    """
    looked_at = 0

    def counting(data: bytes, value: int = 0) -> int:
        nonlocal looked_at
        looked_at += len(data)
        return crc32(data, value)

    crc32 = zlib.crc32
    monkeypatch.setattr(zlib, "crc32", counting)
    rows = [row(step) for step in range(3000)]
    path = tmp_path / "r00000-x-1-abcdef-0001.nj"
    data = HEADER + frames.encode_schema(1, ["loss"]) + b"".join([*rows[:1000], inserted, *rows[1000:]])
    path.write_bytes(data)
    looked_at = 0
    part = JournalPart(path)
    part.refresh()
    part.check()
    whole = len(inserted) % frames.WORD == 0
    assert part.steps().tolist() == list(range(3000 if whole else 1000))
    assert bool(part.damage) == bool(whole and inserted)
    assert part.tail > 0 or whole
    assert looked_at < 4 * len(data)


@pytest.mark.parametrize("sid", [frames.SCHEMA, frames.FACT])
def test_a_file_made_to_keep_a_reader_busy(tmp_path: Path, sid: int) -> None:
    """A megabyte of heads, each of the longest frame there is, is damage that is found in one pass."""
    path = tmp_path / "r00000-x-1-abcdef-0001.nj"
    sound = frames.encode_fact({"kind": "after"})
    path.write_bytes(HEADER + struct.pack("<IHH", 1, sid, 0xFFFF) * 131_072 + sound)
    part = JournalPart(path)
    part.refresh()
    assert [fact for _, fact in part.facts] == [{"kind": "after"}]
    assert [damage.length for damage in part.damage] == [131_072 * frames.WORD]


def test_a_torn_frame_that_is_completed(tmp_path: Path) -> None:
    """A reader that has searched behind half a frame for nothing reads the frame when the rest of it comes."""
    path = tmp_path / "r00000-x-1-abcdef-0001.nj"
    whole = HEADER + frames.encode_schema(1, ["loss"]) + b"".join(row(step) for step in range(300))
    part = JournalPart(path)
    for cut in itertools.chain(range(len(HEADER) + 60, len(whole), 1213), [len(whole)]):
        path.write_bytes(whole[:cut])
        part.refresh()
    part.check()
    assert part.steps().tolist() == list(range(300))
    assert part.damage == []
