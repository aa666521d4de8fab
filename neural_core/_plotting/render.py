"""Figures to PNG. Any figure, ours or one made with pyplot; it is neither closed nor changed."""

from __future__ import annotations

import io
import itertools
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["render_png", "replacing", "save_png", "write_bytes"]

_filters = threading.Lock()
_count = itertools.count()


def render_png(figure: Figure, *, dpi: float | None = None) -> bytes:
    """Draw a figure with Agg and give the bytes of a PNG file.

    Args:
        figure: any matplotlib figure. One figure must not be drawn in two threads at once; different ones may.
        dpi: dots per inch; None is what ``figure.savefig`` would take.

    Warnings of matplotlib while it draws (a sign the font lacks) are shown as usual. Where the user turned warnings
    into errors they are dropped: a picture is no reason to stop.
    """
    try:
        return _draw(figure, dpi)
    except Warning:
        with _filters, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _draw(figure, dpi)


def _draw(figure: Figure, dpi: float | None) -> bytes:
    buffer = io.BytesIO()
    options: dict[str, Any] = {} if dpi is None else {"dpi": dpi}
    figure.savefig(buffer, format="png", backend="agg", **options)
    return buffer.getvalue()


def save_png(figure: Figure, path: Path | str, *, dpi: float | None = None) -> Path:
    """Draw a figure into a file, which has either its old or its whole new content.

    Raises:
        OSError: the folder is not there or cannot be written.
    """
    return write_bytes(Path(path), render_png(figure, dpi=dpi))


def write_bytes(path: Path, content: bytes) -> Path:
    """Replace the content of `path` in one go."""
    with replacing(path) as file:
        file.write(content)
    return path


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file in the folder of `path` that takes its place when the block ends well."""
    temporary = path.with_name(f".{path.name[:100]}.{os.getpid()}.{next(_count)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
