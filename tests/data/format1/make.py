"""Make the golden files of format 1. Run once, when a format is born; committed bytes are never made again.

``python tests/data/format1/make.py`` writes beside itself: ``sound_0123456789ab`` (an unfinished experiment: journal
and documents), ``finished_0123456789ab`` (the same after compaction), ``expected.json`` (what readers have to give).
"""

from __future__ import annotations

import json
import math
import shutil
import struct
from pathlib import Path
from typing import Any

from neural_core._storage.experiment.documents import write_document
from neural_core._storage.journal import frames
from neural_core._storage.journal.compaction import compact_part

HERE = Path(__file__).parent
UID = "0123456789abcdef0123456789abcdef"
STEM = "r00000-golden-4242-abcdef-0001"
HEADER = {
    "uid": UID,
    "epoch": 1,
    "rank": 0,
    "session": "owner",
    "host": "golden",
    "boot_id": "00000000-0000-0000-0000-000000000000",
    "pid": 4242,
    "process_start": "1",
    "writer": STEM[:-5],
    "part": 1,
    "created": 1.75e9,
    "from_the_future": {"kept": True},
}
WRITER = {key: HEADER[key] for key in ("host", "boot_id", "pid", "process_start")}
STARTED = {
    "time": 1.75e9,
    "kind": "experiment_started",
    "uid": UID,
    "name": "gölden \ud800 <name>",
    "experiment_kind": "experiment",
    "start_time": "2025-06-15T15:06:40.000000+00:00",
    "writer": WRITER,
    "environment": {"neural": "0.1.0", "python": "3.11.0"},
}
LONG = {"kind": "hyperparameters_logged", "time": 1.75e9 + 1, "hyperparameters": {"long": '"\\é' * 40}}
FACTS = [
    {"kind": "status_changed", "time": 1.75e9 + 2, "status": "running"},
    {"kind": "hyperparameters_logged", "time": 1.75e9 + 3, "hyperparameters": {"lr": 0.5, "n": {"$number": "NaN"}}},
    {"kind": "annotations_changed", "time": 1.75e9 + 4, "tags": {"golden": "yes"}, "notes": "a note"},
    {"kind": "kind of a later neural", "time": 1.75e9 + 5, "deep": [1, {"x": None}]},
]
NAMES = [("loss",), ("loss", "accuracy"), ("step", "timestamp", "Loss", "\0\ud800/$x", "__seq")]
ROWS: list[tuple[int, int | None, list[float]]] = [
    (1, 0, [0.5]),
    (1, None, [math.nan]),
    (2, -3, [-0.0, math.inf]),
    (3, 2**63 - 1, [1.0, 2.0, -math.inf, 5e-324, 1.7976931348623157e308]),
    *[(1 + n % 2, n, [n / 7] * (1 + n % 2)) for n in range(40)],
]
ODD_FRAME = frames.frame(frames.FACT, b"\xff\xfe not JSON \x00\x01  ")


def row(number: int, sid: int, step: int | None, values: list[float]) -> bytes:
    """Encode a row."""
    pack = frames.row_packer(len(values)).pack
    stored = -(2**63) if step is None else step
    return frames.frame(sid, pack(frames.row_head(sid, len(values)), stored, 1.75e9 + number / 8, *values)[4:])


def fragments(fact: dict[str, Any]) -> bytes:
    """Encode a fact in three fragments, as writers do with one that is longer than a frame."""
    text = json.dumps(fact)
    size = len(text) // 3 + 1
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    return b"".join(frames.encode_fact({"fragment": [i, len(pieces)], "text": piece}) for i, piece in enumerate(pieces))


def journal() -> bytes:
    """Give the bytes of the journal."""
    data = frames.encode_header(HEADER) + frames.encode_fact(STARTED) + fragments(LONG)
    data += b"".join(frames.encode_schema(sid, names) for sid, names in enumerate(NAMES, 1))
    data += b"".join(frames.encode_fact(fact) for fact in FACTS) + ODD_FRAME
    return data + b"".join(row(number, *one) for number, one in enumerate(ROWS))


def documents(folder: Path, status: str) -> None:
    """Write the documents, of which the hyperparameters know nothing of the last ones."""
    metadata: dict[str, Any] = {"id": UID[:12], "uid": UID, "name": STARTED["name"], "kind": "experiment"}
    metadata |= {"status": status, "start_time": STARTED["start_time"], "end_time": None, "tags": {}, "notes": ""}
    metadata |= {"final": False, "writer": WRITER, "environment": STARTED["environment"], "journal": {}}
    write_document(folder / "metadata.json", metadata | {"field_of_a_later_neural": [1]})
    write_document(folder / "hyperparameters.json", {"journal": {STEM: 1}, "hyperparameters": {"early": 1}})


def double(value: float) -> str:
    """Give the bits of a double."""
    return struct.pack(">d", value).hex()


def expected() -> dict[str, Any]:
    """Give what readers have to give; doubles as hex of their big-endian bytes."""
    rows = [
        [step, double(1.75e9 + number / 8), dict(zip(NAMES[sid - 1], map(double, values), strict=True))]
        for number, (sid, step, values) in enumerate(ROWS)
    ]
    return {"name": STARTED["name"], "rows": rows, "tags": {"golden": "yes"}, "notes": "a note", "status": "running"}


def main() -> None:
    """Write everything anew."""
    for name in ("sound", "finished"):
        folder = HERE / f"{name}_{UID[:12]}"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "metrics").mkdir(parents=True)
        (folder / "metrics" / f"{STEM}.nj").write_bytes(journal())
        documents(folder, "running")
    assert compact_part(HERE / f"finished_{UID[:12]}" / "metrics" / f"{STEM}.nj")
    (HERE / "expected.json").write_text(json.dumps(expected(), indent=1), encoding="ascii")


if __name__ == "__main__":
    main()
