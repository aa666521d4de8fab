"""Names on disk for names that people give: any text in, a name that is safe on every file system out.

A plain lower-case name keeps itself. Every other name becomes ``<readable slug>~<hash of the name>``. No plain name
holds a ``~``, so an encoded name never meets a plain one, and names that differ only in case differ in their hash.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

from neural_core.errors import ArgumentValueError

__all__ = ["figure_file", "file_name", "folder_name", "is_figure_file", "model_name"]

_STEP_WORDS = ("epoch", "step", "iter")
_WORDS = "model|checkpoint|ckpt|epoch|step|iter|weights|snapshot"
_SEPARATORS = " _.=-"
_MARKER = re.compile(rf"(?i)(?P<head>(?:.*[{_SEPARATORS}])?)(?P<word>{_WORDS})[{_SEPARATORS}]*[0-9]+", re.DOTALL)
_SUFFIX = re.compile(rf"(?i)\.(?!(?:{_WORDS})[0-9]+\Z)(?:[a-z][a-z0-9]*|7z)\Z")
_PACKED = {".gz", ".bz2", ".xz", ".zst", ".zip", ".tar"}

_PLAIN = re.compile(r"[a-z0-9][a-z0-9._-]*")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 ._=+,()@-]*")
_FIGURE = re.compile(r"[a-z0-9][a-z0-9._~-]{0,99}")
_DEVICE = re.compile(r"(?i)(?:con|prn|aux|nul|conin|conout|clock|com[0-9]|lpt[0-9]) *(?:\..*)?")
_IMAGES = {".png", ".pdf", ".svg", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".eps"}
_PLAIN_LENGTH = 80
_SLUG_LENGTH = 48
_SLUG_SOURCE = 200  # characters looked at for a slug: a name may be megabytes long
_HASH_LENGTH = 24  # hex digits, 96 bits


def model_name(file_name: str) -> str:
    """Give the artifact that a checkpoint's file is a version of: ``model_10.pt`` belongs to ``model.pt``.

    A trailing number is a step marker only when it follows one of the words model, checkpoint, ckpt, epoch, step,
    iter, weights, snapshot. The words epoch, step and iter go with their number when something stands before them:
    ``model-epoch10.pt`` belongs to ``model.pt``. Other numbers are part of the name: ``resnet_18.pt`` keeps it.
    """
    stem, suffix = _split_suffix(file_name)
    while marker := _MARKER.fullmatch(stem):
        head, word = marker["head"], marker["word"]
        name_before = head.rstrip(_SEPARATORS)
        stem = name_before if word.lower() in _STEP_WORDS and name_before else head + word
    return stem + suffix


def folder_name(artifact_name: str) -> str:
    """Give the folder of an artifact: safe for any text, and another one for every other name.

    At most 80 ASCII characters; two names never share a folder, not on a disk that ignores case either.
    """
    return artifact_name if _is_kept(_PLAIN, artifact_name) else _encode(artifact_name)


def file_name(name: str) -> str:
    """Give a stored file its name: as it was where that is safe, else a slug, a hash and the suffix.

    Case and spaces are kept, so it is unique only where a folder holds one such file.
    """
    return name if _is_kept(_FILE, name) else _encode(name, _readable_suffix(name))


def figure_file(name: str) -> str:
    """Give the file below ``plots/`` for a figure; ``.png`` is appended when no image suffix is there.

    Raises:
        ArgumentValueError: the name begins with ``auto_``, which is kept for the automatic plots.
    """
    suffix = _readable_suffix(name)
    if suffix not in _IMAGES:
        name, suffix = name + ".png", ".png"
    file = name if _is_kept(_PLAIN, name) else _encode(name, suffix)
    if file.startswith("auto_"):
        raise ArgumentValueError(
            f"figure name {name[:80]!r}: names that begin with auto_ are kept for automatic plots, choose another"
        )
    return file


def is_figure_file(file: str) -> bool:
    """Tell whether this is a file name that `figure_file` may give: one component, plain or encoded."""
    return _FIGURE.fullmatch(file) is not None and not file.startswith("auto_")


def _split_suffix(name: str) -> tuple[str, str]:
    """Split ``model_10.pth.tar`` into ``model_10`` and ``.pth.tar``; ``model_0.95`` has no suffix."""
    stem, suffix = name, ""
    while cut := _SUFFIX.search(stem):
        stem, suffix = stem[: cut.start()], cut[0] + suffix
        if cut[0].lower() not in _PACKED:
            break
    return stem, suffix


def _is_kept(pattern: re.Pattern[str], name: str) -> bool:
    return (
        len(name) <= _PLAIN_LENGTH
        and pattern.fullmatch(name) is not None
        and name[-1] not in ". "
        and _DEVICE.fullmatch(name) is None
    )


def _encode(name: str, suffix: str = "") -> str:
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    return f"{_slug(name[: len(name) - len(suffix)])}~{digest}{suffix}"


def _slug(name: str) -> str:
    """Give what can be read of a name in lower-case ASCII; never empty, hidden or a device of Windows."""
    ascii_text = unicodedata.normalize("NFKD", name[:_SLUG_SOURCE]).encode("ascii", "ignore").decode("ascii")
    slug = re.sub(r"[^a-z0-9._]+", "-", ascii_text.lower()).strip("-._")[:_SLUG_LENGTH] or "artifact"
    return f"x-{slug}" if _DEVICE.fullmatch(slug) else slug


def _readable_suffix(name: str) -> str:
    """Give a short ASCII suffix in lower case, as ``.pt``, or nothing."""
    found = re.search(r"(?<=.)\.[A-Za-z0-9]{1,8}\Z", name, re.DOTALL)
    return found[0].lower() if found else ""
