"""Artifacts as downloads and plots as pictures: found by id, sent from where the store has proven them to lie."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Response, send_file

from neural_core.reading import ExperimentStore, StoredFile, tree_files

__all__ = ["IMAGES", "add_files"]

IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}
_SIGNS = {"image/png": (b"\x89PNG\r\n\x1a\n", 0), "image/jpeg": (b"\xff\xd8\xff", 0), "image/webp": (b"WEBP", 8)}
_PIECE = 256 * 1024


def add_files(api: Blueprint, store: ExperimentStore) -> None:
    """Add the routes."""

    @api.get("/runs/<run_id>/artifacts/<aid>")
    def artifact(run_id: str, aid: str) -> Response:
        return _attached(store.artifact(run_id, aid))

    @api.get("/runs/<run_id>/plots/<pid>")
    def plot(run_id: str, pid: str) -> Response:
        found = store.plot(run_id, pid)
        kind = IMAGES.get(found.details["suffix"], "")
        if not kind or not _is_picture(found.path, kind):
            return _attached(found)
        return send_file(found.path, mimetype=kind, conditional=True, max_age=None)


def _is_picture(path: Path, kind: str) -> bool:
    """Believe the first bytes, not the name."""
    sign, at = _SIGNS[kind]
    with path.open("rb") as file:
        return file.read(at + len(sign))[at:] == sign


def _attached(found: StoredFile) -> Response:
    """Give a file to be saved, never to be shown; a folder comes as one zip archive."""
    if found.path.is_dir():
        answer = Response(zipped(found.path), content_type="application/zip")
        name = f"{found.path.name}.zip"
    else:
        answer = send_file(found.path, mimetype="application/octet-stream", conditional=True, max_age=None)
        name = found.path.name
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
    answer.headers["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return answer


class _Outlet(io.RawIOBase):
    """Takes what the archive writes and hands it on."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # any buffer
        self._held += piece
        return len(piece)

    def take(self) -> bytes:
        """Give what came since the last call."""
        taken, self._held = bytes(self._held), bytearray()
        return taken


def zipped(root: Path) -> Iterator[bytes]:
    """Give a zip archive of a folder, uncompressed, piece by piece; nothing is written to the disk."""
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
        for name, path in tree_files(root):
            info = zipfile.ZipInfo.from_file(path, f"{root.name}/{name}", strict_timestamps=False)
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as member:
                while piece := source.read(_PIECE):
                    member.write(piece)
                    yield outlet.take()
            yield outlet.take()
    yield outlet.take()
