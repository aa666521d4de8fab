"""Rows and facts into the open part: which kind of row has which number there, and what the hot path may use."""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neural_core._storage.journal import frames
from neural_core._storage.journal.parts import PartFiles, write_all
from neural_core._storage.writing.hot_path import Entry
from neural_core._storage.writing.values import Row
from neural_core.records import NO_STEP

__all__ = ["Sink"]

_log = logging.getLogger("neural")


class Sink:
    """Writes to the newest part of a process and opens the next one when there is none. One thread at a time.

    Attributes:
        parts: the files.
        entries: names → entry, for the hot path; emptied whenever calls have to come here.
    """

    def __init__(self, folder: Path, header: Mapping[str, Any]) -> None:
        self.parts = PartFiles(folder, header)
        self.entries: dict[tuple[str, ...], Entry] = {}
        self._sids: dict[tuple[str, ...], int] = {}
        self._last_sid = 0
        self._rounded: set[str] = set()

    def write(self, item: Row | Mapping[str, Any], *, keep_entry: bool) -> None:
        """Append a row or a fact; to a new part when the open one takes no more.

        Args:
            item: a judged row, or a fact.
            keep_entry: let the hot path take the next rows with these names.

        Raises:
            OSError: a new part takes nothing either; half a frame may stand at its end, and it is to be retired.
        """
        if self.parts.descriptor is not None:
            try:
                self._append(item, keep_entry=keep_entry)
            except OSError:
                self.retire(self.parts.descriptor)
            else:
                return
        self._append(item, keep_entry=keep_entry)

    def _append(self, item: Row | Mapping[str, Any], *, keep_entry: bool) -> None:
        if not isinstance(item, Row):
            write_all(self.descriptor(), frames.encode_fact(item))
            return
        pack, head, descriptor, _size = self._entry(item.names, keep=keep_entry)
        body = pack(head, NO_STEP if item.step is None else item.step, item.time, *item.values)
        write_all(descriptor, struct.pack("<I", zlib.crc32(body)) + body)
        self._tell_rounded(item)

    def descriptor(self) -> int:
        """Give the descriptor of the open part; open one when there is none."""
        if self.parts.descriptor is None:
            self._sids, self._last_sid = {}, 0
            self.entries.clear()
            return self.parts.open()
        return self.parts.descriptor

    def _entry(self, names: tuple[str, ...], *, keep: bool) -> Entry:
        """Give the packer of these names in the open part, and define them there when they are new."""
        descriptor = self.descriptor()
        sid = self._sids.get(names)
        if sid is None:
            if self._last_sid == frames.MAX_SCHEMAS:
                self.leave()
                descriptor = self.descriptor()
            # Counted first: Ctrl-C behind the write must not give the number to other names.
            self._last_sid = sid = self._last_sid + 1
            write_all(descriptor, frames.encode_schema(sid, names))
            self._sids[names] = sid
        packer = frames.row_packer(len(names))
        entry = (packer.pack, frames.row_head(sid, len(names)), descriptor, packer.size + 4)
        if keep:
            self.entries[names] = entry
        return entry

    def leave(self) -> None:
        """Append no more to the open part."""
        self.entries.clear()
        self.parts.leave()

    def retire(self, descriptor: int | None) -> None:
        """Append no more to the part of `descriptor`, whose last write failed; no empty part stays behind."""
        self.entries.clear()
        if descriptor is not None:
            self.parts.retire(descriptor)
            self.parts.discard_empty()

    def forked(self) -> None:
        """In a forked child: parts of this process's own from now on."""
        self.entries.clear()
        self._sids, self._last_sid = {}, 0
        self.parts.forked()

    def _tell_rounded(self, row: Row) -> None:
        for name in row.rounded:
            if name not in self._rounded:
                self._rounded.add(name)
                _log.warning("metric %r holds a number that no 64-bit double holds exactly: it is rounded", name)
