"""The tree of a filter: frozen nodes, equal when they mean the same text."""

from __future__ import annotations

from typing import Literal, TypeAlias

from attrs import frozen

__all__ = ["And", "Compare", "Field", "Group", "Matches", "Node", "Not", "Operator", "Or", "Order", "Value", "Within"]

Value: TypeAlias = str | float | bool | None
Group = Literal["run", "params", "metrics", "tags"]
Operator = Literal["=", "!=", "<", "<=", ">", ">="]


@frozen
class Field:
    """What is looked at: a column of the run, a parameter, a tag, or one number (`part`) of a metric."""

    group: Group
    name: str
    part: str = ""


@frozen
class Compare:
    """A field beside a literal; with None only ``=`` (absent) and ``!=`` (present)."""

    field: Field
    operator: Operator
    value: Value


@frozen
class Within:
    """A field equal to one of the values; negated: present and equal to none of them."""

    field: Field
    values: tuple[Value, ...]
    negated: bool = False


@frozen
class Matches:
    """A text in which the pattern is found; negated: present, and not such a text."""

    field: Field
    pattern: str
    negated: bool = False


@frozen
class Not:
    """True where the term is false."""

    term: Node


@frozen
class And:
    """True where all terms are."""

    terms: tuple[Node, ...]


@frozen
class Or:
    """True where any term is."""

    terms: tuple[Node, ...]


Node: TypeAlias = Compare | Within | Matches | Not | And | Or


@frozen
class Order:
    """One key of an order; what is absent (or NaN) comes last either way."""

    field: Field
    descending: bool = False
