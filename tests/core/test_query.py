"""The filter language: what parses to what, what is refused where, and that SQL answers as plain Python does."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_core._storage.index.document import from_document, to_document
from neural_core._storage.index.rows import fetch, select_best, select_count, select_runs
from neural_core._storage.index.schema import Entry, open_memory, write
from neural_core._storage.query.language import METRIC_PARTS, RUN_FIELDS, parse_filter, parse_order
from neural_core._storage.query.nodes import And, Compare, Field, Matches, Node, Not, Or, Order, Value, Within
from neural_core.errors import ArgumentTypeError, QueryError
from neural_core.records import MetricInfo, RunRow

LR = Field("params", "lr")
STATUS = Field("run", "status")


def metric(name: str, part: str = "last") -> Field:
    """The field of a metric."""
    return Field("metrics", name, part)


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("params.lr < 0.01", Compare(LR, "<", 0.01)),
        ("params.lr<1e-3", Compare(LR, "<", 0.001)),
        ("params.lr >= -5", Compare(LR, ">=", -5.0)),
        ("params.lr=+.5", Compare(LR, "=", 0.5)),
        ("params.lr == inf", Compare(LR, "=", math.inf)),
        ("params.lr > -Infinity", Compare(LR, ">", -math.inf)),
        ("metrics.loss = nan", Compare(metric("loss"), "=", math.nan)),
        ("status = 'completed'", Compare(STATUS, "=", "completed")),
        ('status != "it\'s"', Compare(STATUS, "!=", "it's")),
        ("status = 'it''s'", Compare(STATUS, "=", "it's")),
        (r"status = 'it\'s a \\'", Compare(STATUS, "=", "it's a \\")),
        (r"name ~ '^run-\d+$'", Matches(Field("run", "name"), r"^run-\d+$")),
        ("name !~ 'x'", Matches(Field("run", "name"), "x", negated=True)),
        ("params.amp = TRUE", Compare(Field("params", "amp"), "=", value=True)),
        ("params.amp != none", Compare(Field("params", "amp"), "!=", None)),
        ("params.amp = null", Compare(Field("params", "amp"), "=", None)),
        ("start > '2026-01'", Compare(Field("run", "start"), ">", "2026-01")),
        ("start_time > '2026-01'", Compare(Field("run", "start"), ">", "2026-01")),
        ("end_time = none", Compare(Field("run", "end_time"), "=", None)),
        ("params.model.layers = 3", Compare(Field("params", "model.layers"), "=", 3.0)),
        ("params.`learning rate` = 3", Compare(Field("params", "learning rate"), "=", 3.0)),
        ("params.a.'b.c'.d = 3", Compare(Field("params", "a.b.c.d"), "=", 3.0)),
        ("tags.paper = ''", Compare(Field("tags", "paper"), "=", "")),
        ("metrics.val/acc.max > 0.9", Compare(metric("val/acc", "max"), ">", 0.9)),
        ('metrics."val/acc".min > 0.9', Compare(metric("val/acc", "min"), ">", 0.9)),
        ("metrics.min > 0", Compare(metric("min"), ">", 0.0)),
        ("metrics.loss.min_step > 0", Compare(metric("loss", "min_step"), ">", 0.0)),
        ("metrics.`loss.min` > 0", Compare(metric("loss.min"), ">", 0.0)),
        ("metrics.loss.`min` > 0", Compare(metric("loss.min"), ">", 0.0)),
        ("metrics.größe > 0", Compare(metric("größe"), ">", 0.0)),
        ("id in ('a', 'b')", Within(Field("run", "id"), ("a", "b"))),
        ("params.lr not in (1, none, true)", Within(LR, (1.0, None, True), negated=True)),
        ("not params.lr = 1", Not(Compare(LR, "=", 1.0))),
        (
            "params.lr = 1 or params.lr = 2 and params.lr = 3",
            Or((Compare(LR, "=", 1.0), And((Compare(LR, "=", 2.0), Compare(LR, "=", 3.0))))),
        ),
        (
            "(params.lr = 1 OR params.lr = 2) AND NOT (params.lr = 3)",
            And((Or((Compare(LR, "=", 1.0), Compare(LR, "=", 2.0))), Not(Compare(LR, "=", 3.0)))),
        ),
    ],
)
def test_filter_parses(text: str, node: Node) -> None:
    """A filter parses to the tree that its words mean, with literals of the right types."""
    assert repr(parse_filter(text)) == repr(node)


@pytest.mark.parametrize(
    ("text", "position", "sentence"),
    [
        ("", 0, "expected a field here"),
        ("params.lr <", 11, "expected a number, a quoted text"),
        ("status = completed", 9, "put text between quotes, 'completed'"),
        ("status = 'completed", 9, "this text is never closed"),
        ("status", 6, "expected a comparison here"),
        ("status = 'a' 'b'", 13, "expected 'and', 'or' or the end here"),
        ("(status = 'a'", 13, "closing parenthesis"),
        ("accuracy > 0.9", 0, "write params.accuracy, metrics.accuracy or tags.accuracy"),
        ("params > 1", 0, "params needs a name after a dot"),
        ("params. > 1", 6, "a dot needs a name"),
        ("params.lr < true", 10, "can only be compared with = and !="),
        ("params.lr >= none", 10, "can only be compared with = and !="),
        ("params.lr in ()", 14, "expected a number, a quoted text"),
        ("params.lr in 3", 13, "expected a list in parentheses"),
        ("params.lr not 3", 14, "expected 'in' after 'not'"),
        ("name ~ 3", 7, "expected a regular expression"),
        ("name ~ '('", 7, "this is not a regular expression"),
        ("params.lr < 1.2.3", 12, "this is not a number"),
        ("params.lr < 1 ; drop", 14, "a filter has no use for ';'"),
        ("__import__('os')", 0, "there is no field '__import__'"),
    ],
)
def test_filter_error_names_the_place(text: str, position: int, sentence: str) -> None:
    """What does not parse raises QueryError with a sentence, the position, and a caret under that character."""
    with pytest.raises(QueryError) as caught:
        parse_filter(text)
    assert caught.value.position == position
    first, shown, caret = str(caught.value).split("\n")
    assert sentence in first
    assert shown == f"  {text}"
    assert caret == "  " + " " * position + "^"


def test_long_filter_is_shown_around_its_error() -> None:
    """Of a long filter with line breaks only the surroundings of the error are shown, the caret still below it."""
    text = "params.lr < 1 and\n" * 20 + "params.lr ! 3"
    with pytest.raises(QueryError) as caught:
        parse_filter(text)
    _, shown, caret = str(caught.value).split("\n")
    assert len(shown) < 70
    assert shown[caret.index("^")] == "!" == text[caught.value.position]


@pytest.mark.parametrize("text", ["(" * 5000, "not " * 5000 + "status = 'a'", " and ".join(["status = 'a'"] * 5000)])
def test_endless_filters_are_refused(text: str) -> None:
    """A filter too deep or too long for the database raises QueryError, not RecursionError."""
    with pytest.raises(QueryError, match="at most"):
        parse_filter(text)


def test_filter_must_be_text() -> None:
    """A filter that is no text raises ArgumentTypeError."""
    with pytest.raises(ArgumentTypeError, match="not int"):
        parse_filter(3)  # type: ignore[arg-type]  # the wrong type is the point


@pytest.mark.parametrize(("opens", "closes"), [("(", ")"), ("not ", "")])
def test_depth(opens: str, closes: str) -> None:
    """Sixty parentheses or nots may stand inside each other, as the message says, and not one more."""
    term = "status = 'a'"
    parse_filter(opens * 60 + term + closes * 60)
    with pytest.raises(QueryError, match="at most 60 parentheses or nots"):
        parse_filter(opens * 61 + term + closes * 61)


@pytest.mark.parametrize(
    ("order_by", "keys"),
    [
        ("-start", [Order(Field("run", "start"), descending=True)]),
        ("metrics.val_acc.max", [Order(metric("val_acc", "max"))]),
        ("+params.lr, -name", [Order(LR), Order(Field("run", "name"), descending=True)]),
        (["params.lr", "-metrics.val/acc"], [Order(LR), Order(metric("val/acc"), descending=True)]),
        ([], []),
    ],
)
def test_order_parses(order_by: str | list[str], keys: list[Order]) -> None:
    """An order is one text or a list of texts; a minus in front means descending."""
    assert parse_order(order_by) == tuple(keys)


@pytest.mark.parametrize("order_by", ["", "-", "lr", "-start desc", "start,", "3"])
def test_order_errors(order_by: str) -> None:
    """An order that is no list of fields raises QueryError."""
    with pytest.raises(QueryError):
        parse_order(order_by)


# ---------------------------------------------------------------- random trees

NAMES = st.sampled_from([*["lr"] * 7, "a b", "val/acc", "x.y", "it's", 'q"`', "min", "größe", "ß\\"])
NUMBERS = st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0**60, math.inf, -math.inf, math.nan]) | st.floats(-3, 3)
TEXTS = st.sampled_from(["", "a", "b", "adam", "1", "true", "Ä", "\x00z", "\U0001f600", 'it\'s \\ "x"'])
VALUES: st.SearchStrategy[Value] = st.one_of(NUMBERS, TEXTS, st.booleans(), st.none())
FIELDS = st.one_of(
    st.sampled_from(sorted(set(RUN_FIELDS.values()))).map(lambda name: Field("run", name)),
    st.builds(Field, st.sampled_from(["params", "tags"]), NAMES),
    st.builds(Field, st.just("metrics"), NAMES, st.sampled_from(METRIC_PARTS)),
)
ORDERED = st.builds(Compare, FIELDS, st.sampled_from(["<", "<=", ">", ">="]), NUMBERS | TEXTS)
EQUAL = st.builds(Compare, FIELDS, st.sampled_from(["=", "!="]), VALUES)
WITHIN = st.builds(Within, FIELDS, st.lists(VALUES, min_size=1, max_size=4).map(tuple), st.booleans())
MATCHES = st.builds(Matches, FIELDS, st.sampled_from(["a", "^$", "^a.*m$", r"\d", "'", "\\\\"]), st.booleans())
LEAVES: st.SearchStrategy[Node] = st.one_of(ORDERED, EQUAL, WITHIN, MATCHES)


def branches(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Trees over trees."""
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(Not, inner), st.builds(And, several), st.builds(Or, several))


NODES = st.recursive(LEAVES, branches, max_leaves=6)


def quoted(text: str, quote: str = "'") -> str:
    """Print text as the language quotes it."""
    return quote + text.replace("\\", "\\\\").replace(quote, quote * 2) + quote


def value_text(value: Value) -> str:
    """Print a literal."""
    return quoted(value) if isinstance(value, str) else repr(value).lower()


def field_text(field: Field) -> str:
    """Print a field, its name in backquotes."""
    if field.group == "run":
        return field.name
    return f"{field.group}.{quoted(field.name, '`')}" + (f".{field.part}" if field.part else "")


def printed(node: Node) -> str:
    """Print a tree in the language."""
    match node:
        case Compare():
            return f"{field_text(node.field)} {node.operator} {value_text(node.value)}"
        case Within():
            values = ", ".join(map(value_text, node.values))
            return f"{field_text(node.field)} {'not ' * node.negated}in ({values})"
        case Matches():
            return f"{field_text(node.field)} {'!' * node.negated}~ {quoted(node.pattern)}"
        case Not():
            return f"not ({printed(node.term)})"
    return (" and " if isinstance(node, And) else " or ").join(f"({printed(term)})" for term in node.terms)


@given(NODES)
@settings(max_examples=150, deadline=None)
def test_printed_tree_parses_to_itself(node: Node) -> None:
    """Whatever tree is printed in the language parses back to the same tree."""
    assert repr(parse_filter(printed(node))) == repr(node)


@given(st.text(st.sampled_from(list("params.lr <>=~!()'\"`\\-1e0 andornotinfx,ß\n")), max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_parses_or_is_a_query_error(text: str) -> None:
    """No text makes the parser fail in another way than QueryError."""
    problem: QueryError | None = None
    try:
        parse_filter(text)
    except QueryError as error:
        problem = error
    assert problem is None or 0 <= problem.position <= len(text)


# ---------------------------------------------------------------- SQL beside plain Python


def look(row: RunRow, field: Field) -> Any:
    """The value of a field, None when absent."""
    if field.group == "run":
        names = {"id": "experiment_id", "start": "start_time"}
        return getattr(row, names.get(field.name, field.name))
    if field.group == "metrics":
        return getattr(row.metrics.get(field.name), field.part, None)
    return (row.params if field.group == "params" else row.tags).get(field.name)


def kind(value: Any) -> str:
    """Which values compare with each other."""
    return "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"


def equal(value: Any, literal: Value) -> bool:
    """Equality as the language has it."""
    if value is None or literal is None:
        return value is literal
    if kind(value) != kind(literal):
        return False
    return bool(value == literal) or (value != value and literal != literal)


def compare(value: Any, operator: str, literal: Value) -> bool:
    """A comparison as the language has it."""
    if operator == "=":
        return equal(value, literal)
    if operator == "!=":
        return value is not None and not equal(value, literal)
    if value is None or kind(value) != kind(literal) or kind(value) == "bool":
        return False
    return bool({"<": value < literal, "<=": value <= literal, ">": value > literal, ">=": value >= literal}[operator])


def holds(node: Node, row: RunRow) -> bool:
    """Evaluate a tree over one row."""
    match node:
        case Not():
            return not holds(node.term, row)
        case And():
            return all(holds(term, row) for term in node.terms)
        case Or():
            return any(holds(term, row) for term in node.terms)
    value = look(row, node.field)
    match node:
        case Compare():
            return compare(value, node.operator, node.value)
        case Within():
            inside = any(equal(value, literal) for literal in node.values)
            return inside if not node.negated else value is not None and not inside
        case Matches():
            hit = isinstance(value, str) and re.search(node.pattern, value) is not None
            return hit if not node.negated else value is not None and not hit


def sort_key(row: RunRow, order: Iterable[Order]) -> list[Any]:
    """As Python sorts: absent and NaN last, numbers before texts; descending reverses all but the absent."""
    keys: list[Any] = []
    for key in [*order, Order(Field("run", "start")), Order(Field("run", "id"))]:
        value = look(row, key.field)
        absent = value is None or value != value
        part = (absent, not absent and isinstance(value, str), 0 if absent else value)
        keys.append(Reversed(part) if key.descending else part)
    return [*keys, row.folder]


class Reversed:
    def __init__(self, part: tuple[bool, bool, Any]) -> None:
        self.part = part

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reversed) and self.part == other.part

    def __lt__(self, other: Reversed) -> bool:
        (absent, *mine), (other_absent, *others) = self.part, other.part
        return not absent if absent != other_absent else others < mine


STEPS = st.none() | st.integers(-2, 3)
FINITE = st.none() | st.sampled_from([0.0, 0.5, 1.0, -1.0])
INFOS = st.builds(MetricInfo, st.just("m"), st.integers(0, 3), NUMBERS, STEPS, FINITE, STEPS, FINITE, STEPS)
ROWS = st.builds(
    RunRow,
    experiment_id=st.sampled_from(["a", "b", "c"]),
    uid=st.just("u"),
    name=TEXTS,
    status=st.sampled_from(["completed", "running", "damaged"]),
    start_time=st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]),
    end_time=st.none() | st.just("2026-01-03T00:00:00Z"),
    folder=st.just(""),
    params=st.dictionaries(NAMES, VALUES | st.sampled_from([1, 2**60, -(2**70)]), max_size=4),
    metrics=st.dictionaries(NAMES, INFOS, max_size=4),
    tags=st.dictionaries(NAMES, TEXTS, max_size=3),
    notes=TEXTS,
)


def filled(rows: list[RunRow], living: int) -> tuple[Any, list[RunRow]]:
    """An index in memory of these rows, the first few of them as living ones."""
    rows = [RunRow(**{**vars_of(row), "folder": f"f{i}"}) for i, row in enumerate(rows)]
    entries = [Entry(row.folder, (i, 0, 0), row, to_document(row)) for i, row in enumerate(rows)]
    connection = open_memory()
    write(connection, {-i - 1: entry for i, entry in enumerate(entries[:living])}, "temp.live_")
    write(connection, {i + 1: entry for i, entry in enumerate(entries[living:])}, "main.")
    return connection, rows


def vars_of(row: RunRow) -> dict[str, Any]:
    """The attributes of a row by name."""
    return {item.name: getattr(row, item.name) for item in attrs.fields(RunRow)}


@given(st.lists(ROWS, max_size=8), st.integers(0, 4), st.lists(NODES, min_size=1, max_size=4))
@settings(max_examples=120, deadline=None)
def test_sql_selects_what_python_selects(rows: list[RunRow], living: int, nodes: list[Node]) -> None:
    """The index selects exactly the rows for which a plain evaluation of the tree is true, finished or living."""
    connection, rows = filled(rows, living)
    for node in nodes:
        got = fetch(connection, select_runs(printed(node), (), None, 0))
        wanted = [row for row in rows if holds(node, row)]
        assert sorted(map(repr, got)) == sorted(map(repr, wanted))
        assert select_count(printed(node)).numbers(connection) == [len(wanted)]
    connection.close()


TABLE = [
    RunRow("1", "u", "number", "completed", "1", None, "", {"x": 1}, {"m": MetricInfo("m", 1, 1.0, 0, 1.0, 0, 1.0, 0)}),
    RunRow("2", "u", "text", "completed", "2", "9", "", {"x": "1"}, {}, {"t": "a"}),
    RunRow("3", "u", "true", "completed", "3", "9", "", {"x": True}),
    RunRow("4", "u", "nan", "completed", "4", "9", "", {"x": math.nan}),
    RunRow("5", "u", "none", "completed", "5", "9", "", {"x": None}),
    RunRow("6", "u", "list", "completed", "6", "9", "", {"x": [1, "a"]}),
]


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("params.x = 1", "number"),
        ("params.x = '1'", "text"),
        ("params.x = true", "true"),
        ("params.x = nan", "nan"),
        ("params.x = none", "none"),
        ("params.x != none", "number text true nan list"),
        ("params.x != 1", "text true nan list"),
        ("params.x > 0", "number"),
        ("params.x < 2", "number"),
        ("params.x <= 'b'", "text list"),
        ("params.x > ''", "text list"),
        ("params.x < nan", ""),
        ("not params.x > 0", "text true nan none list"),
        ("not end_time > '1'", "number"),
        ("end_time != '8'", "text true nan none list"),
        ("params.x in (none, 1, true)", "number true none"),
        ("params.x not in (1, none)", "text true nan list"),
        ("params.x ~ '1'", "text list"),
        ("params.x !~ '1'", "number true nan"),
        ("params.x = '[1,\"a\"]'", "list"),
        ("metrics.m = 1 and metrics.m.count = 1 and metrics.m.max_step = 0", "number"),
        ("not metrics.m < 5", "text true nan none list"),
        ("tags.t = 'a' or id = '6'", "text list"),
    ],
)
def test_types_and_absence(where: str, wanted: str) -> None:
    """Numbers, texts, booleans, NaN and absence are told apart, and what is absent is only in a negation."""
    connection, _ = filled(TABLE, 0)
    assert " ".join(row.name for row in fetch(connection, select_runs(where, "start", None, 0))) == wanted
    connection.close()


def test_order_of_mixed_types() -> None:
    """Numbers come before texts, or after them when descending; NaN and the absent are last either way."""
    connection, _ = filled(TABLE, 3)
    both = [[row.name for row in fetch(connection, select_runs(None, o, None, 0))] for o in ("params.x", "-params.x")]
    assert both[0] == ["number", "true", "text", "list", "nan", "none"]
    assert both[1] == ["list", "text", "number", "true", "nan", "none"]
    connection.close()


ORDERS = st.lists(st.builds(Order, FIELDS, st.booleans()), max_size=3)


@given(st.lists(ROWS, max_size=8), st.integers(0, 4), ORDERS, st.integers(0, 5), st.integers(0, 3))
@settings(max_examples=120, deadline=None)
def test_order_limit_and_offset(rows: list[RunRow], living: int, order: list[Order], limit: int, offset: int) -> None:
    """Rows come by the keys, the absent last, ties by start, id and folder; limit and offset cut that one order."""
    connection, rows = filled(rows, living)
    texts = ["-" * key.descending + field_text(key.field) for key in order]
    wanted = [row.folder for row in sorted(rows, key=lambda row: sort_key(row, order))]
    assert [row.folder for row in fetch(connection, select_runs(None, texts, None, 0))] == wanted
    page = fetch(connection, select_runs(None, texts, limit, offset))
    assert [row.folder for row in page] == wanted[offset : offset + limit]
    connection.close()


@given(st.lists(ROWS, max_size=8), st.integers(0, 4), st.sampled_from(["min", "max"]), NODES)
@settings(max_examples=60, deadline=None)
def test_best_is_the_smallest_or_largest(rows: list[RunRow], living: int, mode: str, node: Node) -> None:
    """The best are ordered by the chosen extreme; who lacks the metric or a finite value of it is not among them."""
    connection, rows = filled(rows, living)
    key = Order(metric("lr", mode), mode == "max")
    having = [row for row in rows if look(row, key.field) is not None and holds(node, row)]
    got = fetch(connection, select_best("lr", mode, printed(node), None))
    assert [row.folder for row in got] == [row.folder for row in sorted(having, key=lambda row: sort_key(row, [key]))]
    connection.close()


JSONS = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS, lambda inner: st.lists(inner, max_size=3), max_leaves=4
)


@given(ROWS, st.dictionaries(st.text(max_size=4), JSONS, max_size=3))
@settings(max_examples=60, deadline=None)
def test_row_survives_its_document(row: RunRow, params: dict[str, Any]) -> None:
    """A row comes back from its strict JSON document as it was, NaN, infinities, lists and lone surrogates included."""
    row = RunRow(**{**vars_of(row), "params": {**params, "odd": [math.nan, [math.inf]], "\ud800": "\udfff"}})
    text = to_document(row)
    assert not re.search(r"NaN|Infinity", text)
    assert repr(from_document(text)) == repr(row)


def test_text_beyond_utf8_is_kept_and_found() -> None:
    """A name with a lone surrogate neither breaks the index nor hides from a filter."""
    row = RunRow("a", "u", "x\udcff", "completed", "2026", None, "", params={"\udcff": "\udcff"})
    connection, rows = filled([row], 0)
    for where in ("name = 'x\udcff'", "params.`\udcff` = '\udcff'"):
        assert fetch(connection, select_runs(where, (), None, 0)) == rows
    connection.close()


def test_many_values_in_a_list() -> None:
    """A list of ten thousand ids is one filter; more values than the database takes is a QueryError."""
    connection, rows = filled([RunRow("a", "u", "n", "completed", "2026", None, "")], 0)
    ids = ", ".join(f"'{i}'" for i in range(10_000))
    assert fetch(connection, select_runs(f"id in ({ids}, 'a')", (), None, 0)) == rows
    connection.setlimit(9, 999)  # SQLITE_LIMIT_VARIABLE_NUMBER of old versions
    with pytest.raises(QueryError, match="at most 999"):
        fetch(connection, select_runs(f"id in ({ids}, 'a')", (), None, 0))
    connection.close()
