"""Images of event files as figures of an experiment."""

from __future__ import annotations

import tempfile
from pathlib import Path

from neural_core.errors import ArgumentError
from neural_core.importing import ImportTarget
from neural_core.records import ArtifactKind
from neural_tensorboard._artifacts import FIGURES, IMAGES

__all__ = ["Pictures"]

_FIGURE_SUFFIXES = {b"\x89PNG\r\n\x1a\n": ".png", b"\xff\xd8\xff": ".jpg"}
_OTHER_SUFFIXES = {b"GIF8": ".gif", b"BM": ".bmp"}


class Pictures:
    """Stores images, each under a name of its own: the tag, and the step when it is not 0."""

    def __init__(self, target: ImportTarget) -> None:
        self._target = target
        self._folder = tempfile.TemporaryDirectory(prefix="neural-import-")
        self._names: set[str] = set()

    def close(self) -> None:
        """Remove what was unpacked."""
        self._folder.cleanup()

    def take(self, tag: str, step: int, time: float, data: bytes) -> None:
        """Store one encoded image: a PNG or JPEG as a figure, a GIF or BMP as a file; others are counted.

        Raises:
            OSError: the disk refuses.
        """
        suffix = _suffix(_FIGURE_SUFFIXES, data)
        kind: ArtifactKind = "figure" if suffix else "file"
        suffix = suffix or _suffix(_OTHER_SUFFIXES, data)
        if suffix is None:
            self._target.leave_out("images of an unknown format")
            return
        path = Path(self._folder.name, f"image{suffix}")
        path.write_bytes(data)
        about = {"tag": tag, "step": step, "time": time}
        stem = tag.removeprefix(FIGURES).removeprefix(IMAGES).removesuffix(suffix) or "image"
        stem = f"{stem}_{step}" if step else stem
        try:
            self._target.log_artifact(path, self._free_name(stem, suffix), kind=kind, metadata=about)
        except ArgumentError:  # names of figures that begin with auto_ belong to the automatic plots
            self._target.log_artifact(path, self._free_name(f"image_{stem}", suffix), kind=kind, metadata=about)

    def _free_name(self, stem: str, suffix: str) -> str:
        name, number = f"{stem}{suffix}", 1
        while name in self._names:
            number += 1
            name = f"{stem}-{number}{suffix}"
        self._names.add(name)
        return name


def _suffix(suffixes: dict[bytes, str], data: bytes) -> str | None:
    return next((suffix for begin, suffix in suffixes.items() if data.startswith(begin)), None)
