"""A large artifact: copied and hashed in one pass, and stored once."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from benchmarks.measure import Figure, Sizes, fsync_clock, median, seconds
from neural_core import ExperimentTracker

TITLE = "A large artifact"
_BLOCK = 2**20


def measure(sizes: Sizes, folder: Path) -> list[Figure]:
    """Store a file of random bytes in fresh experiments, beside one SHA-256 pass over the same file."""
    source = folder / "checkpoint.pt"
    with source.open("wb") as file:
        for _ in range(sizes.artifact_bytes // _BLOCK):
            file.write(os.urandom(_BLOCK))
        os.fsync(file.fileno())
    ours, bares, waited = [], [], []
    for number in range(min(sizes.rounds, 5)):
        bares.append(seconds(lambda: _hash(source)))
        own, fsync = _store(source, folder / f"artifact-{number}")
        ours.append(own)
        waited.append(fsync)
    mega = sizes.artifact_bytes / 1e6
    said = f"hashlib.sha256 alone: {mega / median(bares):,.0f} MB/s"
    ratio = median([bare / own for bare, own in zip(bares, ours, strict=True)])
    size = f"{sizes.artifact_bytes / 2**20:,.0f} MiB"
    return [
        Figure(f"log_artifact of {size}: rate beside one SHA-256 pass", ratio, "x", 0.85, said, floor=True),
        Figure("the same, rate without its fsync", mega / median(ours), "MB/s"),
        Figure("the same, seconds in fsync, not counted above", median(waited), "s"),
        *_again(source, folder / "again", sizes),
    ]


def _hash(path: Path) -> str:
    digest, buffer = hashlib.sha256(), bytearray(_BLOCK)
    with path.open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            digest.update(memoryview(buffer)[:count])
    return digest.hexdigest()


def _store(source: Path, base: Path) -> tuple[float, float]:
    """Store the file in a new experiment and throw that away; give the seconds without and within fsync."""
    tracker = ExperimentTracker("artifact", base_dir=base, auto_visualize=False)
    with fsync_clock() as clock:
        took = seconds(lambda: tracker.log_artifact(source))
        waited = clock.seconds
    tracker.finish()
    shutil.rmtree(base)
    return took - waited, waited


def _again(source: Path, base: Path, sizes: Sizes) -> list[Figure]:
    with ExperimentTracker("again", base_dir=base, auto_visualize=False) as tracker:
        tracker.log_artifact(source)
        versions = tracker.experiment_dir / "versions"
        before = _stored(versions)
        with fsync_clock() as clock:
            took = seconds(lambda: tracker.log_artifact(source))
        new = _stored(versions) - before
        assert len(tracker.list_artifact_versions(source.name)) == 2
    shutil.rmtree(base)
    return [
        Figure("the same content again: new bytes on the disk, folders left out", new, "B", 0),
        Figure("the same content again, seconds without fsync", took - clock.seconds, "s"),
    ]


def _stored(folder: Path) -> int:
    """Give the bytes that the files of a folder take on the disk; a file with several names counts once."""
    blocks = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        if path.is_file():
            blocks[status.st_ino] = status.st_blocks * 512
    return sum(blocks.values())
