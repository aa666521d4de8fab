"""The filter and order language of listings: text in, a tree out. Nothing is ever evaluated as Python.

``params.lr < 0.01 and (status = 'completed' or not tags.paper = none)``

Fields are ``status``, ``name``, ``id``, ``start``, ``end_time``, ``notes``, ``params.<dotted name>``,
``tags.<name>`` and ``metrics.<name>``, which is the last value; ``.last .min .max .count .last_step .min_step
.max_step`` after a metric choose another number. What they mean:

- A comparison with something absent is false, so ``not (…)`` of it is true. ``= none`` asks for absence.
- ``=`` and ``!=`` know types: 1, '1' and true all differ. ``<`` and its kin hold between two numbers or two texts.
- Numbers are IEEE doubles. NaN equals only the literal ``nan`` and is neither smaller nor larger than anything.
- ``~`` and ``!~`` search a Python regular expression in text. A careless expression can run for long: this is the
  reader's own time, and a server should not take expressions from strangers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import cast

from neural_core._storage.query.nodes import (
    And,
    Compare,
    Field,
    Group,
    Matches,
    Node,
    Not,
    Operator,
    Or,
    Order,
    Value,
    Within,
)
from neural_core._storage.query.tokens import Token, failure, tokenize
from neural_core.errors import ArgumentTypeError, QueryError

__all__ = ["METRIC_PARTS", "RUN_FIELDS", "parse_filter", "parse_order"]

RUN_FIELDS = {name: name for name in ("status", "name", "id", "start", "end_time", "notes")}
RUN_FIELDS |= {"start_time": "start", "end": "end_time"}
METRIC_PARTS = ("last", "min", "max", "count", "last_step", "min_step", "max_step")
_WORDS: dict[str, Value] = {"true": True, "false": False, "none": None, "null": None}
_MAX_DEPTH, _MAX_COMPARISONS = 60, 400  # SQLite refuses expressions deeper than 1000


def parse_filter(query: str) -> Node:
    """Parse a filter.

    Raises:
        QueryError: with the position and a sentence, when the text is not a filter.
    """
    return _Parser(query).filter()


def parse_order(order_by: str | Sequence[str]) -> tuple[Order, ...]:
    """Parse an order: ``"-start"``, ``"metrics.val_acc.max, name"`` or a list of such keys.

    Raises:
        QueryError: a key that is no field.
    """
    texts = [order_by] if isinstance(order_by, str) else list(order_by)
    return tuple(key for text in texts for key in _Parser(text).order())


class _Parser:
    """Recursive descent over the tokens of one text; one method for each rule of the grammar."""

    def __init__(self, query: str) -> None:
        if not isinstance(query, str):
            raise ArgumentTypeError(f"a filter or an order is text, not {type(query).__name__}")
        self._query = query
        self._tokens = tokenize(query)
        self._at = 0
        self._depth = self._comparisons = 0

    def filter(self) -> Node:
        node = self._any()
        if self._token.kind != "end":
            raise self._error("expected 'and', 'or' or the end here")
        return node

    def order(self) -> list[Order]:
        keys = [self._order_key()]
        while self._take(","):
            keys.append(self._order_key())
        if self._token.kind != "end":
            raise self._error("expected a comma or the end here: an order is a list of fields")
        return keys

    def _order_key(self) -> Order:
        descending = self._take("-")
        if not descending:
            self._take("+")
        return Order(self._field(), descending)

    def _any(self) -> Node:
        terms = [self._all()]
        while self._take("or"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def _all(self) -> Node:
        terms = [self._term()]
        while self._take("and"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def _term(self) -> Node:
        if self._depth > _MAX_DEPTH:
            raise self._error(f"at most {_MAX_DEPTH} parentheses or nots may stand inside each other")
        self._depth += 1
        node = self._nested()
        self._depth -= 1
        return node

    def _nested(self) -> Node:
        if self._take("not"):
            return Not(self._term())
        if not self._take("("):
            return self._comparison()
        node = self._any()
        self._expect(")", "expected 'and', 'or' or a closing parenthesis here")
        return node

    def _comparison(self) -> Node:
        self._comparisons += 1
        if self._comparisons > _MAX_COMPARISONS:
            raise self._error(f"a filter has at most {_MAX_COMPARISONS} comparisons; use in (…) for many values")
        field = self._field()
        negated = self._take("not")
        if self._take("in"):
            return Within(field, self._values(), negated)
        if negated:
            raise self._error("expected 'in' after 'not' here")
        for sign in ("~", "!~"):
            if self._take(sign):
                return Matches(field, self._pattern(), sign == "!~")
        return self._compare(field)

    def _compare(self, field: Field) -> Compare:
        sign = self._token
        if sign.kind != "operator" or sign.text in "(),+-":
            raise self._error("expected a comparison here: = != < <= > >= ~ !~, in (…) or not in (…)")
        self._at += 1
        value = self._value()
        if sign.text not in ("=", "==", "!=") and (value is None or isinstance(value, bool)):
            raise failure("true, false and none can only be compared with = and !=", self._query, sign.position)
        return Compare(field, cast("Operator", sign.text.replace("==", "=")), value)

    def _values(self) -> tuple[Value, ...]:
        self._expect("(", "expected a list in parentheses after 'in', as in ('a', 'b')")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._expect(")", "expected a comma or a closing parenthesis here")
        return tuple(values)

    def _value(self) -> Value:
        token = self._token
        if token.kind == "number":
            self._at += 1
            number = float(token.text)
            return math.nan if math.isnan(number) else number
        if token.kind == "text":
            self._at += 1
            return token.text
        if token.kind == "path" and token.text.lower() in _WORDS:
            self._at += 1
            return _WORDS[token.text.lower()]
        hint = f": put text between quotes, '{token.text}'" if token.kind == "path" else ""
        raise self._error(f"expected a number, a quoted text, true, false or none here{hint}")

    def _pattern(self) -> str:
        token = self._token
        if token.kind != "text":
            raise self._error("expected a regular expression between quotes here")
        try:
            re.compile(token.text)
        except (re.error, OverflowError, RecursionError) as error:
            raise self._error(f"this is not a regular expression: {error}") from error
        self._at += 1
        return token.text

    def _field(self) -> Field:
        token = self._token
        if token.kind != "path":
            raise self._error("expected a field here: status, name, id, start, params.…, metrics.… or tags.…")
        self._at += 1
        (group, _), *parts = token.parts
        if not parts and group in RUN_FIELDS:
            return Field("run", RUN_FIELDS[group])
        if not parts or group not in ("params", "metrics", "tags"):
            raise failure(_unknown(token), self._query, token.position)
        part = ""
        if group == "metrics":
            named = len(parts) > 1 and parts[-1][0] in METRIC_PARTS and not parts[-1][1]
            part = parts.pop()[0] if named else "last"
        return Field(cast("Group", group), ".".join(text for text, _ in parts), part)

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _take(self, word: str) -> bool:
        token = self._token
        found = token.kind in ("operator", "path") and token.text.lower() == word
        self._at += found
        return found

    def _expect(self, word: str, message: str) -> None:
        if not self._take(word):
            raise self._error(message)

    def _error(self, message: str) -> QueryError:
        return failure(message, self._query, self._token.position)


def _unknown(token: Token) -> str:
    if token.text in ("params", "metrics", "tags"):
        return f"{token.text} needs a name after a dot, as in {token.text}.lr"
    return f"there is no field {token.text!r}: write params.{token.text}, metrics.{token.text} or tags.{token.text}"
