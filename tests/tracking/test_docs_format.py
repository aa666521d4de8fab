"""docs/format.md is true to the byte: its example, its reader, its table of documents."""

from __future__ import annotations

import json
import math
import re
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from docs_support import ROOT, python_blocks

from neural.tracking import ExperimentTracker
from neural_core._storage.journal import frames
from neural_core._storage.journal.facts_file import write_facts_file
from neural_core._storage.journal.journal_part import JournalPart

FORMAT = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")


def documented_bytes() -> bytes:
    """Give the bytes of the example of the page."""
    found = re.search(r"^```hex\n(.*?)^```", FORMAT, re.MULTILINE | re.DOTALL)
    assert found is not None
    data = b""
    for line in found[1].splitlines():
        offset, numbers, text = re.fullmatch(r"([0-9a-f]{4})  ((?:[0-9a-f]{2} ?)+)  ?(.*)", line.rstrip()).groups()  # type: ignore[union-attr]  # a line that does not match fails here
        row = bytes.fromhex(numbers)
        assert int(offset, 16) == len(data)
        assert text.strip() == "".join(chr(b) if 32 <= b < 127 else "." for b in row).strip()
        data += row
    return data


def page_reader() -> Callable[[bytes], tuple[dict[str, Any], list[Any], list[Any], list[Any]]]:
    """Give the reader that the page prints."""
    [text] = [
        block.text for block in python_blocks() if (block.page, block.text[:11]) == ("docs/format.md", "import json")
    ]
    assert len(text.splitlines()) <= 40
    names: dict[str, Any] = {}
    exec(compile(text, "docs/format.md", "exec"), names)
    read: Callable[[bytes], tuple[dict[str, Any], list[Any], list[Any], list[Any]]] = names["read_part"]
    return read


def test_example_is_what_the_library_writes() -> None:
    """The example's bytes are those that the library's encoder gives for what the page says of them."""
    header = {"uid": "00112233445566778899aabbccddeeff", "writer": "w", "part": 1}
    row = frames.row_packer(1).pack(frames.row_head(1, 1), 7, 1.0, 0.5)
    data = [
        frames.encode_header(header),
        frames.encode_schema(1, ["loss"]),
        struct.pack("<I", zlib.crc32(row)) + row,
        frames.encode_fact({"kind": "status_changed", "status": "running"}),
    ]
    assert b"".join(data) == documented_bytes()
    sizes = [int(size) for size in re.findall(r"^\| \d+ \| (\d+) \| (?:header|schema|row|fact)", FORMAT, re.MULTILINE)]
    assert sizes == [len(one) for one in data]


def test_example_reads_back() -> None:
    """The page's reader finds in the example what the page says."""
    header, rows, facts, damage = page_reader()(documented_bytes())
    assert header["version"] == 1
    assert rows == [(20, 7, 1.0, {"loss": 0.5})]
    assert facts == [(24, {"kind": "status_changed", "status": "running"})]
    assert damage == []


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Path]:
    """Give the journal of a running experiment with rows of every kind, a long schema and a long fact."""
    tracker = ExperimentTracker("doc", tmp_path, False)
    for step in range(50):
        tracker.log_metrics({"loss": 1 / (step + 1), "é 😀": math.nan if step % 7 else -0.0}, step=step)
        tracker.log_metrics({"only": float(step)})
    tracker.log_metrics({f"layer {n:05d} {'x' * 40}": float(n) for n in range(12_000)}, step=3)
    tracker.log_hyperparameters({"text": 'a"\\' * 300_000})
    tracker.log_metrics({"loss": 0.25}, step=50)
    yield next(tracker.experiment_dir.glob("metrics/*.nj"))
    tracker.finish()


def plain(rows: list[Any]) -> str:
    """Give rows in a form in which NaN equals NaN."""
    return json.dumps(rows)


def test_reader_of_the_page(journal: Path) -> None:
    """The page's reader gives the same rows and facts as the library, from a journal that is being written."""
    header, rows, facts, damage = page_reader()(journal.read_bytes())
    part = JournalPart(journal)
    part.refresh()
    ours = [[row.step, row.timestamp, dict(row.values)] for row in part.history(0, part.rows)]
    assert {key: value for key, value in header.items() if key != "crc"} == part.header
    assert plain([list(row[1:]) for row in rows]) == plain(ours)
    assert [row[0] for row in rows] == part.ordinals().tolist()
    assert facts == part.facts
    assert damage == []


def test_reader_of_the_page_goes_past_damage(journal: Path) -> None:
    """After a flipped bit the page's reader reports the place and gives every other row, as the library does."""
    data = bytearray(journal.read_bytes())
    part = JournalPart(journal)
    part.refresh()
    hit = int(part.ordinals()[20]) * 8
    data[hit + 17] ^= 4
    journal.write_bytes(data)
    damaged = JournalPart(journal)
    damaged.refresh()
    damaged.check()
    _, rows, facts, damage = page_reader()(bytes(data))
    assert [row[0] for row in rows] == damaged.ordinals().tolist()
    assert facts == damaged.facts
    assert [start for start, _ in damage] == [hit]


def test_reader_of_the_page_reads_facts_files(journal: Path, tmp_path: Path) -> None:
    """A facts file is a journal: the page's reader finds the index, and the facts where the page says they are."""
    part = JournalPart(journal)
    part.refresh()
    path = tmp_path / "part.facts.nj"
    write_facts_file(path, part.header, part.fact_frames, length=part.size, rows=part.rows)
    header, rows, ((first, index), *facts), damage = page_reader()(path.read_bytes())
    assert (rows, damage) == ([], [])
    assert (header["facts_of"], header["length"], header["rows"]) == (True, part.size, part.rows)
    start = first + header["index"] // 8
    ordinals = {start + word: ordinal for word, ordinal in index["ordinals"]}
    assert [(ordinals[at], fact) for at, fact in facts] == part.facts


def test_documents_as_documented(tmp_path: Path) -> None:
    """A document's checksum, its fields and its place in the journal are as the page says."""
    with ExperimentTracker("doc", tmp_path, False, hyperparameters={"x": math.inf, "$y": object}) as tracker:
        tracker.log_metrics({"loss": 1.0})
    for name in ("metadata", "hyperparameters", "summary"):
        data = (tracker.experiment_dir / f"{name}.json").read_bytes()
        body, _, tail = data.rpartition(b',\n "crc": "')
        assert tail == b'%08x"\n}\n' % zlib.crc32(body)
        content = json.loads(data)
        assert next(iter(content)) == "format"
        row = next(line for line in FORMAT.splitlines() if line.startswith(f"| `{name}.json`"))
        named = set(re.findall(r"`(\w+)`", row.split("|")[2]))
        assert set(content) - {"format", "journal", "crc"} <= named
    assert json.loads((tracker.experiment_dir / "hyperparameters.json").read_bytes())["hyperparameters"]["x"] == {
        "$number": "Infinity"
    }
