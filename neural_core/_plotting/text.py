"""Text that carries user data: what may be drawn of it, how numbers read, and names for files."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

__all__ = ["compact", "drawable_text", "file_stems", "font_families", "number", "shorten"]

_PREFERRED = "DejaVu Sans"
_FALLBACKS = (
    "Noto Sans CJK SC", "Noto Sans CJK JP", "PingFang SC", "Hiragino Sans", "Microsoft YaHei", "Yu Gothic",
    "Malgun Gothic", "Apple SD Gothic Neo", "WenQuanYi Zen Hei", "Arial Unicode MS", "Noto Emoji", "Segoe UI Symbol",
)  # fmt: skip
_NO_GLYPH = "\N{WHITE VERTICAL RECTANGLE}"
_MINUS = "\N{MINUS SIGN}"
_STEM = 60


@cache
def font_families() -> tuple[str, ...]:
    """Give the font families to draw with: the one matplotlib ships, then those installed that know more signs."""
    from matplotlib.font_manager import fontManager

    installed = {entry.name for entry in fontManager.ttflist}
    return (_PREFERRED, *(name for name in _FALLBACKS if name in installed))


@cache
def _known() -> frozenset[int]:
    """The code points that at least one of our fonts can draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    known: set[int] = set()
    for family in font_families():
        for weight in ("normal", "bold"):
            known.update(get_font(findfont(FontProperties(family=family, weight=weight))).get_charmap())
    return frozenset(known)


def shorten(text: str, length: int) -> str:
    """Cut the middle out of `text` so that at most `length` characters stay, one of them an ellipsis."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return text[:head] + "…" + text[len(text) - (length - 1 - head) :]


def drawable_text(text: str, length: int = 60) -> str:
    """Give one line that our fonts can draw without a warning: what they lack becomes an empty box.

    Control and direction characters are dropped, line breaks and tabs become spaces.
    """
    text = shorten(text, 4 * length)  # before the work per character: a name may have any length
    line = " ".join(text.split())
    plain = "".join(c for c in line if unicodedata.category(c)[0] != "C" or unicodedata.category(c) == "Cn")
    known = _known()
    return shorten("".join(c if ord(c) in known else _NO_GLYPH for c in plain), length)


def number(value: float, digits: int = 4) -> str:
    """Write a number as people read it: `digits` significant ones, thousands apart, a true minus sign."""
    if value != value or value in (float("inf"), float("-inf")):
        return {"nan": "NaN", "inf": "∞", "-inf": _MINUS + "∞"}[str(float(value))]
    size = abs(value)
    if size >= 1e7 or 0 < size < 1e-4:
        text = _scientific(f"{value:.{digits - 1}e}")
    elif value == int(value):
        text = f"{int(value):,}"
    else:
        whole = len(str(int(size))) if size >= 1 else 0
        text = f"{value:,.{max(0, digits - whole)}f}" if size >= 1 else f"{value:.{digits}g}"
    return text.replace("-", _MINUS)


def _scientific(text: str) -> str:
    mantissa, exponent = text.split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def compact(value: float, step: float) -> str:
    """Write the value of a tick: just the digits that tell ticks `step` apart; k, M and G for round thousands."""
    if value == 0:
        return "0"
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size <= abs(value) < 1e13 and step >= size / 100 and abs(value) >= 10_000:
            return compact(value / size, step / size) + letter
    if abs(value) >= 1e7 or max(abs(value), step) < 1e-3:
        return _scientific(f"{value:.{_significant(value, step)}e}").replace("-", _MINUS)
    decimals = next((d for d in range(12) if abs(round(step, d) - step) < step * 1e-6), 12)
    return f"{value:,.{decimals}f}".replace("-", _MINUS)


def _significant(value: float, step: float) -> int:
    """Digits after the point of a mantissa that keep neighbouring ticks different."""
    ratio = abs(value) / step if step else 1.0
    return min(15, max(1, len(str(int(ratio)))))


def file_stems(names: Iterable[str], prefix: str = "") -> dict[str, str]:
    """Map each name to a file stem: ASCII, at most 60 characters and `prefix`, unique also when case is folded.

    ``train/loss`` gives ``train_loss``; the second name that would give the same gets ``_2``.
    """
    taken: set[str] = set()
    counts: dict[str, int] = {}
    stems = {}
    for name in names:
        base = prefix + (_slug(name) or "unnamed")
        stem, count = base, counts.get(base.casefold(), 1)
        while stem.casefold() in taken:
            count += 1
            stem = f"{base}_{count}"
        counts[base.casefold()] = count
        taken.add(stem.casefold())
        stems[name] = stem
    return stems


def _slug(name: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", name[:400]).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.-]+", "_", ascii_text)[:_STEM].strip("_.-")
