"""How far a plugin is: kept beside the experiment, so that whoever delivers next goes on where the last one stopped."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import platformdirs
from attrs import asdict, define, field

from neural_core._delivery.taking import OneAtATime, one_process_at_a_time
from neural_core._storage import liveness
from neural_core._storage.experiment.documents import read_bytes, write_atomically
from neural_core.errors import DamagedError

__all__ = ["INSTALLED", "TRIAL", "Cursor", "CursorFile", "cursors_of", "is_held", "may_have_cursors"]

FOLDER = "delivery"
LEASE_SECONDS = 30.0
RENEW_SECONDS = 5.0
CRASHES = 2
TRIAL = "(import)"
"""The destination under which it is kept whether a backend can be made at all."""
INSTALLED = "(installed)"
"""The destination of installed plugins, which may have the names of backends."""
_log = logging.getLogger("neural")


@define
class Cursor:
    """What is known of the delivery of one experiment to one destination.

    Attributes:
        uid: of the experiment.
        plugin: name of the backend or plugin.
        destination: where it delivers to, in its own words.
        position: part → ordinal up to which it was delivered.
        bookmark: what the plugin wants to be told when it goes on from there; None when it says nothing.
        delivered: rows delivered.
        behind: rows that were not, when this was written.
        state: ``delivering``, ``set aside`` after errors, ``complete`` when the end was delivered.
        error: the last error, None after a success.
        holder: evidence of the process that delivers, and when it last said so.
        calling: True while the plugin is called; kept only after a process that delivered died.
        crashes: how many processes in a row died while the plugin was called.
        written: how often it was written.
    """

    uid: str = ""
    plugin: str = ""
    destination: str = ""
    position: dict[str, int] = field(factory=dict)
    bookmark: dict[str, Any] | None = None
    delivered: int = 0
    behind: int = 0
    state: str = "delivering"
    error: str | None = None
    holder: dict[str, Any] = field(factory=dict)
    calling: bool = False
    crashes: int = 0
    written: int = 0

    @property
    def whose(self) -> tuple[str, bool]:
        """Give the name, and whether it is an installed plugin's: a backend may have the same."""
        return self.plugin, self.destination == INSTALLED

    def is_there(self, position: Mapping[str, int], *, ended: bool, or_failed: bool = True) -> bool:
        """Tell whether everything before `position` was delivered, and the end; `or_failed` takes a failure for it."""
        behind = any(self.position.get(part, 0) < at for part, at in position.items())
        done = not behind and (not ended or self.state == "complete")
        return done or (or_failed and self.state == "set aside")


_calls = OneAtATime()
_FORM = asdict(Cursor(bookmark={}, error=""))


class CursorFile:
    """The file of one cursor, held by at most one process at a time.

    Attributes:
        cursor: as it was read, or as it is to be written.
    """

    def __init__(self, directory: Path, uid: str, plugin: str, destination: str = "") -> None:
        import hashlib  # brings OpenSSL, 4 MB, which the training process does without

        name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in plugin)
        distinct = destination if name == plugin else f"{plugin}\0{destination}"  # many names come to the same
        digest = hashlib.sha256(distinct.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        self._places = [folder / f"{name}-{digest}.json" for folder in (directory / FOLDER, _elsewhere(uid))]
        self.cursor = self._read() or Cursor(uid=uid, plugin=plugin, destination=destination)
        if self.cursor.uid != uid:  # a cursor of another experiment, copied here
            self.cursor = Cursor(uid=uid, plugin=plugin, destination=destination)
        self._written = 0.0
        self._homeless = self._wary = False
        self._released = False

    def _read(self) -> Cursor | None:
        found = [cursor for place in self._places if (cursor := _load(place)) is not None]
        return max(found, key=_newest, default=None)

    def acquire(self, *, forgive: bool = False) -> bool:
        """Become the one who delivers; False while another living process does.

        Args:
            forgive: try also a plugin in whose calls earlier processes died.
        """
        with one_process_at_a_time(self._places[0].parents[1]):
            fresh = self._read()
            if fresh is not None and fresh.uid == self.cursor.uid:
                if _held_by_another(fresh.holder):
                    return False
                self.cursor = fresh
                self._wary = bool(fresh.holder) or fresh.crashes > 0
                fresh.crashes = 0 if forgive else fresh.crashes + fresh.calling
                fresh.calling = False
                if fresh.state == "set aside":  # in another process: this one is to try
                    fresh.state, fresh.error = "delivering", None
            self.write()
            return True

    @property
    def is_accused(self) -> bool:
        """Tell whether process after process died while the plugin was called."""
        return self.cursor.crashes >= CRASHES

    @contextlib.contextmanager
    def calling(self, position: Mapping[str, int], bookmark: dict[str, Any] | None = None) -> Iterator[None]:
        """Mark a call after a death, so that the next process knows in whose call this one died: one at a time."""
        if not self._wary:
            yield
            return
        with _calls.take():
            self.cursor.position, self.cursor.bookmark, self.cursor.calling = dict(position), bookmark, True
            self.write()
            try:
                yield
            finally:
                self.cursor.calling = False
                self.write()

    def due(self) -> bool:
        """Tell whether the lease is to be renewed."""
        return time.monotonic() - self._written > RENEW_SECONDS

    def write(self) -> bool:
        """Write the cursor with this process as its holder; False when it cannot be written anywhere."""
        self.cursor.holder = {**liveness.this_process(), "renewed": time.time()}
        self._written = time.monotonic()
        self._released = False
        return self._store()

    def release(self, *, moved: bool = False) -> None:
        """Write the cursor and let another process deliver.

        Args:
            moved: write it also when it was released before.
        """
        if moved or not self._released:
            self._released = True
            self.cursor.holder = {}
            self._store()

    def discard(self) -> None:
        """Remove the cursor: there is nothing to remember."""
        for place in self._places:
            with contextlib.suppress(OSError):
                place.unlink(missing_ok=True)

    def _store(self) -> bool:
        self.cursor.written += 1
        data = json.dumps(asdict(self.cursor), indent=1).encode("ascii")
        for place in self._places:
            try:
                place.parent.mkdir(parents=place is not self._places[0], exist_ok=True)
                write_atomically(place, data, sync=False)
            except OSError as error:
                reason = error
                if place is self._places[0] and isinstance(error, FileNotFoundError):
                    return False  # somebody has taken the experiment away: it is not made again
            else:
                return True
        if not self._homeless:
            self._homeless = True
            sentence = "how far %r is cannot be kept, so that another process would begin anew (%s)"
            _log.warning(sentence, self.cursor.plugin, reason)
        return False


def _load(path: Path) -> Cursor | None:
    try:
        content = json.loads(read_bytes(path))
        given = {key: content[key] for key in _FORM if content.get(key) is not None}
        fits = all(isinstance(value, type(_FORM[key])) for key, value in given.items())
        return Cursor(**given) if fits and all(isinstance(at, int) for at in given["position"].values()) else None
    except (OSError, DamagedError, ValueError, LookupError, AttributeError):
        return None


def _held_by_another(holder: Mapping[str, Any]) -> bool:
    own = liveness.this_process()
    return not all(holder.get(key) == value for key, value in own.items()) and _is_alive(holder)


def is_held(cursor: Cursor) -> bool:
    """Tell whether a living process delivers."""
    return _is_alive(cursor.holder)


def _is_alive(holder: Mapping[str, Any]) -> bool:
    renewed = holder.get("renewed")
    fresh = isinstance(renewed, (int, float)) and time.time() - renewed < LEASE_SECONDS
    return fresh and liveness.writer_state(holder, renewed) != "dead"


def cursors_of(directory: Path, uid: str | None = None) -> list[Cursor]:
    """Give every cursor beside an experiment.

    Args:
        directory: the experiment's folder.
        uid: of the experiment: give only its cursors, also those that found no room beside it.
    """
    folders = [directory / FOLDER] if uid is None else [directory / FOLDER, _elsewhere(uid)]
    found: dict[str, Cursor] = {}
    for path in [path for folder in folders for path in sorted(folder.glob("*.json"))]:
        cursor = _load(path)
        if cursor is not None and uid in (None, cursor.uid):
            found[path.name] = max(found.get(path.name, cursor), cursor, key=_newest)
    return list(found.values())


def may_have_cursors(directory: Path) -> bool:
    """Tell whether there may be cursors; to read which experiment it is takes longer."""
    return (directory / FOLDER).is_dir() or _elsewhere("").is_dir()


def _elsewhere(uid: str) -> Path:
    """Where cursors go that find no room beside their experiment."""
    return platformdirs.user_state_path("neural") / uid


def _newest(cursor: Cursor) -> tuple[int, int]:
    return sum(cursor.position.values()), cursor.written
