"""Names that people give, as folders and as text that TensorBoard's files can hold."""

from __future__ import annotations

import hashlib
import re
import unicodedata

__all__ = ["as_text", "folder_name"]

_PUNCTUATION = frozenset(" ._-+=@()")
_DEVICE = re.compile(r"(?i)(?:con|prn|aux|nul|clock\$|com[0-9]|lpt[0-9]) *(?:\..*)?")
_LENGTH = 60
_HASH_LENGTH = 12


def folder_name(name: str) -> str:
    """Give an experiment's name as one folder: a harmless name as it is, any other as ``<readable part>~<hash>``.

    No harmless name holds a ``~``, so two names never share a folder, unless the disk ignores case. Letters of every
    script are harmless.
    """
    return name if _is_harmless(name) else f"{_readable(name)}~{_digest(name)}"


def as_text(text: str) -> str:
    """Give text that UTF-8 can hold: half a surrogate pair, as broken file names have it, is written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_harmless(name: str) -> bool:
    return (
        0 < len(name) <= _LENGTH
        and name[0] not in ". "
        and name[-1] not in ". "
        and all(character.isalnum() or character in _PUNCTUATION for character in name)
        and unicodedata.is_normalized("NFC", name)  # some file systems write the other form
        and _DEVICE.fullmatch(name) is None
    )


def _readable(name: str) -> str:
    composed = unicodedata.normalize("NFC", name[:_LENGTH])
    kept = "".join(character if character.isalnum() or character in "._" else "-" for character in composed)
    return re.sub("-+", "-", kept).strip("-._") or "experiment"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
