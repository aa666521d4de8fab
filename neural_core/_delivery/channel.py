"""What the companion says to its trainer: that it is there, and then its warnings, for the user's terminal.

Each is a JSON text on a line of a pipe. Neither end ever waits for the other: what finds no room there stands in the
companion's log all the same.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os

__all__ = ["Hearing", "Telling"]

_GREETING = "a companion of neural"
_CHUNK = 2**16
_CHUNKS = 16


class Telling(logging.Handler):
    """Says warnings to the trainer, each once, and of a plugin that raises again in the same place only the first."""

    def __init__(self, descriptor: int) -> None:
        """Say that the companion is there.

        Args:
            descriptor: of the pipe.
        """
        super().__init__(logging.WARNING)
        self._pipe = os.dup(descriptor)
        self._said: set[str] = set()
        if hasattr(os, "set_blocking"):
            os.set_blocking(self._pipe, False)
        self._say(_GREETING)

    def emit(self, record: logging.LogRecord) -> None:
        """Say one warning."""
        sentence = record.getMessage()
        # What a plugin says when it raises may be another text each time.
        subject = sentence.partition(": ")[0] if " raised " in sentence else sentence
        if subject not in self._said:
            self._said.add(subject)
            self._say(sentence)

    def _say(self, sentence: str) -> None:
        with contextlib.suppress(OSError):  # the trainer has gone, or has not listened for a long time
            os.write(self._pipe, json.dumps(sentence).encode("ascii") + b"\n")


class Hearing:
    """The trainer's end of the pipe.

    Attributes:
        greeted: True when what was started has turned out to be a companion.
    """

    def __init__(self, descriptor: int) -> None:
        """Hear what is said on the pipe of this descriptor."""
        self._pipe = descriptor
        self._rest = b""
        self._closed = False
        self._can_listen = hasattr(os, "set_blocking")  # Windows, before Python 3.12
        self.greeted = not self._can_listen
        if self._can_listen:
            os.set_blocking(descriptor, False)

    def sentences(self) -> list[str]:
        """Give the warnings that have come since."""
        *lines, self._rest = (self._rest + self._new()).split(b"\n")
        said = [sentence for line in lines if (sentence := _sentence(line)) is not None]
        self.greeted = self.greeted or _GREETING in said
        return [sentence for sentence in said if sentence != _GREETING]

    def _new(self) -> bytes:
        data = b""
        with contextlib.suppress(OSError):  # nothing is there now
            for _ in range(_CHUNKS if self._can_listen and not self._closed else 0):
                data += (more := os.read(self._pipe, _CHUNK))
                if not more:
                    break
        return data

    def close(self) -> None:
        """Hear no more."""
        if not self._closed:
            self._closed = True
            os.close(self._pipe)


def _sentence(line: bytes) -> str | None:
    """Give what was said; None for what no companion says."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, str) else None
