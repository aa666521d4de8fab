"""Artifacts as events: a table of what is known of each version, and the picture of those that are images."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

from neural_core.records import ArtifactVersion
from neural_tensorboard import _events
from neural_tensorboard._files import unix_seconds
from neural_tensorboard._telling import tell_once

__all__ = ["ARTIFACTS", "FIGURES", "IMAGES", "artifact_records"]

ARTIFACTS = "artifacts/"
FIGURES = "figures/"
IMAGES = "images/"

_FORMATS = ("PNG", "JPEG", "GIF", "BMP")  # those that TensorBoard serves as images
_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".gif", ".bmp"))
_MAX_BYTES = 16 * 2**20
_CHANNELS = {"1": 1, "L": 1, "I;16": 1, "LA": 2, "RGBA": 4}


def artifact_records(artifact: ArtifactVersion, folder: Path, following: dict[str, int]) -> Iterator[bytes]:
    """Give the records of one version of an artifact.

    They stand at the step of its version; those of an artifact without versions are counted: 0, 1, 2 …

    Args:
        artifact: what was stored.
        folder: of the experiment, which the table's path is relative to.
        following: artifact → step of its next entry without a version; is moved on.

    Raises:
        OSError: an image cannot be read.
    """
    tag = f"{ARTIFACTS}{artifact.artifact_name}"
    step = artifact.version
    if step is None:
        step = following.get(tag, 0)
        following[tag] = step + 1
    time = unix_seconds(artifact.timestamp)
    yield _events.table(tag, time, list(_rows(artifact, folder)), step)
    data = _image_bytes(artifact)
    if data is not None:
        place = FIGURES if artifact.kind == "figure" else IMAGES
        yield from _picture(f"{place}{artifact.artifact_name}", time, step, data)


def _rows(artifact: ArtifactVersion, folder: Path) -> Iterator[tuple[str, str]]:
    yield "name", artifact.artifact_name
    yield "version", "" if artifact.version is None else str(artifact.version)
    yield "kind", f"{artifact.kind}, a folder" if artifact.is_tree else artifact.kind
    yield "size", str(artifact.size)
    yield "SHA-256", artifact.checksum
    inside = artifact.path.is_relative_to(folder)
    yield "path", str(artifact.path.relative_to(folder)) if inside else artifact.path.name
    if artifact.metadata:
        yield "metadata", json.dumps(dict(artifact.metadata), ensure_ascii=False, default=str)


def _image_bytes(artifact: ArtifactVersion) -> bytes | None:
    """Give the bytes of an image; None for other files, and for a figure that a later one has replaced meanwhile."""
    if artifact.is_tree or artifact.path.suffix.lower() not in _SUFFIXES:
        return None
    if artifact.size > _MAX_BYTES:
        tell_once("large image", f"{artifact.artifact_name!r:.80} is over 16 MiB: listed, not shown as an image")
        return None
    try:
        data = artifact.path.read_bytes()
    except FileNotFoundError:
        return None
    return data if hashlib.sha256(data).hexdigest() == artifact.checksum else None


def _picture(tag: str, time: float, step: int, data: bytes) -> Iterator[bytes]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:  # reads the header only
            size, channels = picture.size, _CHANNELS.get(picture.mode, 3)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        return  # named like an image, and none that can be shown
    yield _events.image(tag, time, step, data, size, channels)
