"""What may be handed in as a history, and the names that come out."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neural_core._plotting.inputs import to_series
from neural_core._plotting.text import compact, drawable_text, file_stems, number, shorten
from neural_core._series import NO_STEP
from neural_core.errors import ArgumentTypeError
from neural_core.records import Series


class Row(Mapping[str, Any]):
    """A row of a tracker's history: a mapping with attributes beside it."""

    def __init__(self, step: int | None, timestamp: str, values: dict[str, float]) -> None:
        """Keep the parts."""
        self.step, self.timestamp = step, timestamp
        self.values = values  # type: ignore[assignment]  # the attribute of the product's rows, a dict

    def __getitem__(self, key: str) -> Any:
        return {**self.__dict__["values"], "step": self.step, "timestamp": self.timestamp}[key]

    def __iter__(self) -> Iterator[str]:
        return iter({**self.__dict__["values"], "step": 0, "timestamp": 0})

    def __len__(self) -> int:
        return len(self.__dict__["values"]) + 2


def test_rows_become_series() -> None:
    """Rows of the guide's form give one series per metric with the steps and times of its own rows."""
    moment = "2026-01-02T03:04:05+00:00"
    rows = [{"step": 0, "timestamp": moment, "loss": 1.0, "acc": 2}, {"step": 5, "timestamp": 7.5, "loss": Decimal(3)}]
    series = to_series(rows)
    assert list(series) == ["loss", "acc"]
    assert series["loss"].step.tolist() == [0, 5]
    assert series["loss"].value.tolist() == [1.0, 3.0]
    assert series["loss"].time.tolist() == [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp(), 7.5]


def test_a_metric_may_be_named_step() -> None:
    """A row's attributes tell its step, so that a metric called "step" is read as a metric."""
    series = to_series([Row(3, "2026-01-01T00:00:00+00:00", {"step": 0.5, "timestamp": 0.25})])
    assert series["step"].step.tolist() == [3]
    assert series["step"].value.tolist() == [0.5]
    assert series["timestamp"].value.tolist() == [0.25]


@pytest.mark.parametrize("step", [None, "text", float("nan"), 2**70])
def test_a_step_that_is_none_is_no_step(step: object) -> None:
    """A missing or senseless step is stored as NO_STEP."""
    assert to_series([{"step": step, "loss": 1.0}])["loss"].step.tolist() == [NO_STEP]


def test_mappings_of_series_and_numbers() -> None:
    """A mapping may hold series, which stay, and plain numbers, which have neither steps nor times."""
    given_series = Series("a", np.array([4]), np.array([1.0]), np.array([2.0]))
    series = to_series({"a": given_series, "b": [1, 2.5]})
    assert series["a"] is given_series
    assert series["b"].step.tolist() == [NO_STEP, NO_STEP]
    assert np.isnan(series["b"].time).all()


@pytest.mark.fault("G01")
def test_values_that_are_no_numbers_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Text among the values is left out with one warning per metric."""
    with caplog.at_level(logging.WARNING, "neural"):
        series = to_series([{"step": i, "loss": "bad", "acc": 10**400} for i in range(5)])
    assert list(series) == ["acc"]
    assert series["acc"].value.tolist() == [float("inf")] * 5
    assert len(caplog.records) == 1


@pytest.mark.parametrize("wrong", [None, 3, "text", [1, 2], {"loss": 3}, {"loss": "text"}])
def test_what_is_no_history_is_refused(wrong: Any) -> None:
    """Anything else raises ArgumentTypeError, which is a TypeError."""
    with pytest.raises(ArgumentTypeError):
        to_series(wrong)


@given(st.lists(st.text(max_size=90), unique=True, max_size=12))
@settings(max_examples=60, deadline=None)
def test_file_stems_are_safe_and_unique(names: list[str]) -> None:
    """Stems are short ASCII without separators and differ even where case does not count."""
    stems = file_stems(names, "metric_")
    assert list(stems) == names
    assert len({stem.casefold() for stem in stems.values()}) == len(names)
    assert all(stem.isascii() and len(stem) < 80 and not set(stem) & set("/\\: \0*?") for stem in stems.values())


def test_file_stems_read_well() -> None:
    """Slashes become underscores, collisions are numbered, a name without ASCII is "unnamed"."""
    assert file_stems(["train/loss", "Train loss", "損失"]) == {
        "train/loss": "train_loss",
        "Train loss": "Train_loss_2",
        "損失": "unnamed",
    }


@given(st.text(alphabet=st.characters(), max_size=300))
@settings(max_examples=80, deadline=None)
def test_drawable_text_is_one_short_line(text: str) -> None:
    """Drawable text has no line break or control character and no more characters than asked for."""
    line = drawable_text(text, 40)
    assert len(line) <= 40
    assert line.isprintable()


def test_shorten_keeps_both_ends() -> None:
    """A long name keeps its beginning and its end."""
    assert shorten("abcdefghij", 5) == "ab…ij"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.0123456, "0.01235"), (1234567.0, "1,234,567"), (-2.5, "−2.500"), (1.5e-7, "1.5e−7"), (3e9, "3e9")],  # noqa: RUF001 - the true minus sign
)
def test_numbers_read_well(value: float, text: str) -> None:
    """Numbers have four significant digits, thousands apart, and exponents where they would be long."""
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [(250_000, 50_000, "250k"), (1e6, 2e5, "1.0M"), (0.5, 0.25, "0.50"), (1200, 200, "1,200")],
)
def test_ticks_read_well(value: float, step: float, text: str) -> None:
    """Labels of ticks have just the digits that tell neighbours apart."""
    assert compact(value, step) == text
