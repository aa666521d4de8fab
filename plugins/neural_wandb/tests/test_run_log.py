"""W&B's run files, read while they grow, torn, damaged, or none at all."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from neural_wandb.run_log import RunLog
from wandb.proto.wandb_internal_pb2 import Record

from neural_core.errors import DamagedError

HEADER = b":W&B\xe1\xbe\x00"
BLOCK = 32 * 1024


def log_of(payloads: list[bytes]) -> bytes:
    """Write records as W&B's service does."""
    data = HEADER
    for payload in payloads:
        kind, rest = 1, payload
        while True:
            room = BLOCK - len(data) % BLOCK
            if room < 7:
                data += b"\0" * room
                continue
            piece, rest = rest[: room - 7], rest[room - 7 :]
            last = not rest
            kind = (1 if last else 2) if len(piece) + len(rest) == len(payload) else (4 if last else 3)
            crc = zlib.crc32(bytes([kind]) + piece)
            data += struct.pack("<IHB", crc, len(piece), kind) + piece
            if last:
                break
    return data


def records(count: int, size: int = 10) -> list[bytes]:
    """Give records that count."""
    made = []
    for at in range(count):
        record = Record(num=at + 1)
        item = record.history.item.add()
        item.key, item.value_json = "x", "1" * (1 + at * 7919 % size)
        made.append(record.SerializeToString())
    return made


def numbers(log: RunLog, *, recover: bool = False) -> list[int]:
    """Give the numbers of the records that are read."""
    return [record.num for record in log.records(recover=recover)]


@pytest.mark.parametrize("size", [10, 40_000, 100_000])
def test_records_of_every_length(tmp_path: Path, size: int) -> None:
    """Records shorter and longer than a block are read whole."""
    file = tmp_path / "run.wandb"
    file.write_bytes(log_of(records(60, size)))
    with RunLog(file) as log:
        assert numbers(log) == list(range(1, 61))
        assert (log.end, log.damaged) == (file.stat().st_size, 0)


def test_a_growing_file(tmp_path: Path) -> None:
    """A file is read on as it grows, byte by byte too, and no record is given twice or half."""
    data = log_of(records(40, 3_000))
    file = tmp_path / "run.wandb"
    file.write_bytes(data[:7])
    seen = []
    with RunLog(file) as log, file.open("ab") as writer:
        for at in range(7, len(data), 501):
            writer.write(data[at : at + 501])
            writer.flush()
            seen += numbers(log)
    assert seen == list(range(1, 41))


def test_goes_on_from_an_end(tmp_path: Path) -> None:
    """A reading that begins where another ended gives the rest."""
    payloads = records(30, 5_000)
    file = tmp_path / "run.wandb"
    file.write_bytes(log_of(payloads[:20]))
    with RunLog(file) as log:
        assert len(numbers(log)) == 20
        end = log.end
    file.write_bytes(log_of(payloads))
    with RunLog(file, end) as log:
        assert numbers(log) == list(range(21, 31))


def test_damage_is_passed_over(tmp_path: Path) -> None:
    """A damaged place costs the records of its block, is counted, and the rest is read."""
    data = bytearray(log_of(records(400, 400)))
    data[BLOCK + 500] ^= 0xFF
    file = tmp_path / "run.wandb"
    file.write_bytes(data)
    with RunLog(file) as log:
        found = numbers(log, recover=True)
        assert log.damaged == 1
    assert (found[0], found[-1]) == (1, 400)
    assert 200 < len(found) < 400
    with RunLog(file) as log:
        stops = numbers(log)
    assert stops == found[: len(stops)]
    assert len(stops) < len(found)


@pytest.mark.parametrize("content", [b"", b":W", b"SQLite format 3\0", b":W&B\xe1\xbe\x09"])
def test_no_run_log(tmp_path: Path, content: bytes) -> None:
    """What is no run log, or one of a W&B to come, is refused with its name."""
    file = tmp_path / "run.wandb"
    file.write_bytes(content)
    with pytest.raises(DamagedError, match=r"run\.wandb"):
        RunLog(file)


@pytest.mark.parametrize("begin", [2 * BLOCK, 2 * BLOCK + 3_000])
def test_zeros_are_damage(tmp_path: Path, begin: int) -> None:
    """Zeros, which a loss of power may leave, are counted; what comes after them is read, and nothing is joined."""
    data = bytearray(log_of(records(30, 20_000)))
    data[begin : 3 * BLOCK] = bytes(3 * BLOCK - begin)
    file = tmp_path / "run.wandb"
    file.write_bytes(data)
    with RunLog(file) as log:
        found = numbers(log, recover=True)
        assert log.damaged == 1
    assert (found[0], found[-1]) == (1, 30)
    assert 20 < len(found) < 30


def test_zeros_at_the_end(tmp_path: Path) -> None:
    """Zeros behind the last record, where bytes were lost, are counted; whoever reads on waits there."""
    file = tmp_path / "run.wandb"
    data = log_of(records(30, 400))
    file.write_bytes(data + bytes(500))
    with RunLog(file) as log:
        assert numbers(log) == list(range(1, 31))
        assert (log.end, log.damaged) == (len(data), 0)
    with RunLog(file) as log:
        assert numbers(log, recover=True) == list(range(1, 31))
        assert log.damaged == 1
