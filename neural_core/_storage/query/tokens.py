r"""The words of the filter language: text in, tokens out, and the sentence with a caret for what is no token.

A quoted part stands between ', " or `. Inside it a doubled quote is that quote, and a backslash keeps the
quote or backslash after it; before any other character a backslash is itself, so that '\d+' stays a regular
expression.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from attrs import frozen

from neural_core.errors import QueryError

__all__ = ["Token", "failure", "tokenize"]

Kind = Literal["number", "path", "text", "operator", "end"]

_BARE = r"[\w/\-:@%#+$]+"
_APOSTROPHE, _DOUBLE, _BACK = (rf"{q}(?:[^{q}\\]|\\.|{q}{q})*+{q}" for q in "'\"`")
_DIGITS = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_TOKEN = re.compile(
    rf"(?P<number>[+-]?(?:{_DIGITS}|(?i:inf(?:inity)?|nan))(?![\w.]))"
    rf"|(?P<path>[^\W\d]\w*(?:\.(?:{_BARE}|{_APOSTROPHE}|{_DOUBLE}|{_BACK}))*)"
    rf"|(?P<text>{_APOSTROPHE}|{_DOUBLE})"
    r"|(?P<operator>==|!=|!~|<=|>=|[=<>~(),+-])",
    re.DOTALL,
)
_PART = re.compile(rf"{_BARE}|{_APOSTROPHE}|{_DOUBLE}|{_BACK}", re.DOTALL)
_SPACE = re.compile(r"\s*")
_SHOWN = 60  # characters of a long filter that an error shows around its caret


@frozen
class Token:
    """One word of a filter.

    Attributes:
        kind: ``end`` closes every list of tokens.
        text: as written; for ``text`` what stands between the quotes.
        position: its first character, counted from 0.
        parts: of a path, each with True where it was quoted.
    """

    kind: Kind
    text: str
    position: int
    parts: tuple[tuple[str, bool], ...] = ()


def tokenize(query: str) -> list[Token]:
    """Cut a filter into tokens.

    Raises:
        QueryError: a character that begins nothing, or a quote that is never closed.
    """
    return list(_tokens(query))


def failure(message: str, query: str, position: int) -> QueryError:
    """Make the error: the sentence, the piece of the filter, and a caret under the character."""
    start = max(0, position - _SHOWN // 2)
    shown = "".join(c if c.isprintable() else " " for c in query[start : start + _SHOWN])
    caret = " " * (position - start) + "^"
    return QueryError(f"{message} (character {position + 1})\n  {shown}\n  {caret}", position)


def _tokens(query: str) -> Iterator[Token]:
    position = _skip(query, 0)
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            raise failure(_problem(query[position]), query, position)
        yield _token(match)
        position = _skip(query, match.end())
    yield Token("end", "", position)


def _skip(query: str, position: int) -> int:
    match = _SPACE.match(query, position)
    return match.end() if match else position


def _token(match: re.Match[str]) -> Token:
    text, start = match.group(), match.start()
    if match.lastgroup == "number":
        return Token("number", text, start)
    if match.lastgroup == "path":
        return Token("path", text, start, tuple(_parts(text)))
    if match.lastgroup == "text":
        return Token("text", _unquote(text), start)
    return Token("operator", text, start)


def _parts(path: str) -> Iterator[tuple[str, bool]]:
    for match in _PART.finditer(path):
        part = match.group()
        yield (_unquote(part), True) if part[0] in "'\"`" else (part, False)


def _unquote(quoted: str) -> str:
    quote = quoted[0]
    inner = re.compile(rf"{quote}{quote}|\\(['\"`\\])")
    return inner.sub(lambda match: match.group(1) or quote, quoted[1:-1])


def _problem(character: str) -> str:
    if character in "'\"":
        return f"this text is never closed: end it with {character}"
    if character == "`":
        return "put text between single or double quotes; backquotes are for names, as in params.`learning rate`"
    if character == ".":
        return "a dot needs a name before and after it, as in params.lr; quote a name with other characters"
    if character.isdigit():
        return "this is not a number: write 5, -0.5, 1e-3, inf or nan, and put text between quotes"
    return f"a filter has no use for {character!r}: quote names and text that hold it"
