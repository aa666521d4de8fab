"""Names and texts as MLflow takes them. What has to be changed gets a mark of the original, so that no two meet."""

from __future__ import annotations

import ast
import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

__all__ = [
    "OLDEST",
    "ORIGINAL",
    "Limits",
    "artifact_segment",
    "as_json",
    "clean",
    "flat",
    "key_of",
    "short",
    "short_name",
    "tag_key",
    "tag_text",
    "typed",
    "url_segment",
]

ORIGINAL = "neural.original."
"""So begins the tag that has the name of which a key was made."""
KEY_LENGTH = 250
"""In bytes: a key may be the name of a file."""
_KEPT_BYTES = 191
"""Of a key that is not the name itself: tags that begin with one of ours can still hold it and its mark whole."""
_OURS = re.compile(r"(user\.)*neural\.")
_FORBIDDEN_IN_KEYS = re.compile(r"[^/\w.\- :]")
_FORBIDDEN_IN_FILES = re.compile(r"[^\w.\- =+,()@~]")
_SUFFIX = re.compile(r"(?<=.)\.\w{1,8}\Z", re.ASCII)
_NO_URL = re.compile(r"[#?%\x00-\x1f\x7f\ud800-\udfff]|^ | $")
_MARK_LENGTH = 8
_FILE_BYTES = 200
_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "None": None, "True": True, "False": False}


@frozen
class Limits:
    """What one text may be long, in characters.

    Attributes:
        value: of a parameter.
        tag: of a tag.
        colon: whether names may have colons.
    """

    value: int = 6_000
    tag: int = 8_000
    colon: bool = True


OLDEST = Limits(value=250, tag=5_000, colon=False)
"""What every MLflow server of the last years takes; used once a server has refused more."""


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_MARK_LENGTH]


def key_of(name: str, limits: Limits, beside: Iterable[str] = ()) -> str:
    """Give the key of a metric, parameter or tag: the name itself where MLflow takes it.

    Otherwise what it does not take is replaced by ``_`` and the key ends with a mark of the name.

    Args:
        name: any text.
        limits: what MLflow takes.
        beside: keys that are files: where there is one, no folder can be, and the other way round.
    """
    kept = _allowed(name, limits)
    if any(key.startswith(f"{name}/") or name.startswith(f"{key}/") for key in beside):
        kept = kept.replace("/", "_")
    elif kept == name and len(name.encode()) <= KEY_LENGTH:
        return name
    return f"{kept.encode()[:_KEPT_BYTES].decode('utf-8', 'ignore')}-{_mark(name)}"


def tag_key(name: str, beside: Iterable[str] = ()) -> str:
    """Give the key of a tag of the user's; one that begins like ours gets another beginning."""
    return key_of(f"user.{name}" if _OURS.match(name) else name, OLDEST, beside)


def tag_text(value: object) -> str:
    """Give the text of a tag that every server takes."""
    return short(clean(str(value)), OLDEST.tag)


def as_json(value: Mapping[str, Any]) -> str:
    """Give a JSON document for people and importers."""
    return json.dumps(value, indent=1, default=str)


def short_name(name: str, length: int = KEY_LENGTH) -> str:
    """Give a display name that is not too long; a shortened one ends with a mark of the whole."""
    text = clean(name)
    return text if len(text) <= length else f"{text[: length - _MARK_LENGTH - 1]}-{_mark(name)}"


def _allowed(name: str, limits: Limits) -> str:
    allowed = _FORBIDDEN_IN_KEYS.sub("_", name)
    if not limits.colon:
        allowed = allowed.replace(":", "_")
    return "/".join("_" * max(len(part), 1) if part in ("", ".", "..") else part for part in allowed.split("/"))


def artifact_segment(name: str) -> str:
    """Give a name as one segment of a path of artifacts, which every store and every URL takes."""
    kept = _FORBIDDEN_IN_FILES.sub("_", name)
    if kept == name and len(kept.encode()) <= _FILE_BYTES and kept.strip(" .") and kept == kept.strip(" "):
        return kept
    suffix = found[0] if (found := _SUFFIX.search(kept)) else ""
    stem = kept.removesuffix(suffix).encode()[:_FILE_BYTES].decode("utf-8", "ignore").strip(" .")
    return f"{stem}-{_mark(name)}{suffix}"


def url_segment(name: str) -> str:
    """Give the name of a file inside a folder as a URL carries it: of ``a#1`` and ``a#2`` it would make ``a``."""
    return artifact_segment(name) if _NO_URL.search(name) else name


def clean(text: str) -> str:
    """Give a text that every database stores: halves of surrogate pairs and NULs are spelt out."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def short(text: str, length: int) -> str:
    """Give a text that is not longer than `length`; a shortened one ends with an ellipsis."""
    return text if len(text) <= length else text[: length - 1] + "…"


def flat(hyperparameters: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Give name and text of each hyperparameter, nested ones with dots."""
    for key, value in hyperparameters.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{name}.")
        else:
            yield name, clean(value if isinstance(value, str) else str(value))


def typed(text: str) -> Any:
    """Give what a parameter's text stands for: a number, truth, None or a list, where Python writes it just so."""
    if len(text) > KEY_LENGTH and not text.startswith("["):
        return text
    if text in _WORDS:
        return _WORDS[text]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return text
    return value if isinstance(value, int | float | list) and str(value) == text else text
