"""Numbers of every kind: what is stored is what was logged, or the call raises and nothing of it is there."""

from __future__ import annotations

import datetime
import enum
import logging
import math
import struct
import warnings
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neural.tracking import ExperimentManager, ExperimentTracker
from neural_core.errors import ArgumentError, ArgumentTypeError, ArgumentValueError


class Tensor:
    """What a 0-d tensor offers; `item` gives a Python number."""

    shape = ()

    def __init__(self, value: float) -> None:
        self._value = value

    def __repr__(self) -> str:
        return f"Tensor({self._value})"

    def item(self) -> float:
        """Give the number."""
        return self._value

    def __float__(self) -> float:
        return float(self._value)


class Vector:
    """What a tensor of several elements does when it is asked for one number."""

    shape = (3,)

    def item(self) -> float:
        """Refuse, as a tensor does."""
        raise RuntimeError("a Tensor with 3 elements cannot be converted to Scalar")

    def __float__(self) -> float:
        raise RuntimeError("only one element tensors can be converted")


class Liar:
    """A number that cannot be asked for its value."""

    def __float__(self) -> float:
        raise ZeroDivisionError("boom")


class LiarWithoutRepr(Liar):
    """A number that can neither be asked for its value nor be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr either")


class Level(enum.IntEnum):
    LOW = 3


NUMBERS: list[tuple[Any, float]] = [
    (1, 1.0),
    (True, 1.0),
    (False, 0.0),
    (Level.LOW, 3.0),
    (2**53, 2.0**53),
    (np.float16(0.5), 0.5),
    (np.float32(0.1), float(np.float32(0.1))),
    (np.float64(0.1), 0.1),
    (np.longdouble(0.5), 0.5),
    (np.int8(-3), -3.0),
    (np.int64(7), 7.0),
    (np.uint64(2**63), 2.0**63),
    (np.bool_(True), 1.0),
    (np.array(2.5), 2.5),
    (np.array([2.5]), 2.5),
    (np.array([[2.5]], dtype=np.float32), 2.5),
    (Tensor(1.25), 1.25),
    (Decimal("0.5"), 0.5),
    (Fraction(1, 4), 0.25),
]
NO_NUMBERS: list[Any] = [
    "0.5",
    b"0.5",
    bytearray(b"1"),
    "",
    [0.5],
    (0.5,),
    {"a": 0.5},
    {0.5},
    1 + 2j,
    1 + 0j,
    np.array([1.0, 2.0]),
    np.array([]),
    np.str_("0.5"),
    Vector(),
    Liar(),
    LiarWithoutRepr(),
    object(),
    lambda: 0.5,
    datetime.timedelta(1),
]
BITS = [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1.7976931348623157e308, 0.1]


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[ExperimentTracker]:
    """A tracker that draws nothing."""
    with ExperimentTracker("numbers", tmp_path / "base", auto_visualize=False) as made:
        yield made


def again(tracker: ExperimentTracker) -> ExperimentTracker:
    """Give the same experiment as a reader sees it that knows nothing of this tracker."""
    return ExperimentManager(tracker.experiment_dir.parent).get_experiment(tracker.experiment_id)


def bits(values: list[float]) -> list[bytes]:
    """Give the bytes of doubles, which tell NaN from NaN and 0.0 from -0.0."""
    return [struct.pack("<d", value) for value in values]


class TestValues:
    @pytest.mark.fault("V02")
    @pytest.mark.parametrize(("value", "stored"), NUMBERS, ids=lambda value: f"{type(value).__name__}-{value!s}")
    def test_whatever_is_one_number_is_stored_as_it(
        self, tracker: ExperimentTracker, value: Any, stored: float
    ) -> None:
        """Python, NumPy and tensor numbers, also arrays of one element, are kept as their number, first and later."""
        for step in range(3):
            tracker.log_metrics({"m": value}, step=step)
        assert again(tracker).get_metrics("m") == [stored] * 3

    @pytest.mark.fault("V02")
    @pytest.mark.parametrize("value", NO_NUMBERS, ids=lambda value: type(value).__name__)
    @pytest.mark.parametrize("first", [True, False], ids=["first call", "later call"])
    def test_what_is_no_number_is_refused_by_name(self, tracker: ExperimentTracker, value: Any, first: bool) -> None:
        """The error names the metric, and nothing of the call is stored: not its neighbours, not even its names."""
        if not first:
            tracker.log_metrics({"good": 1.0, "culprit": 2.0, "other": 3.0}, step=0)
        with pytest.raises(ArgumentTypeError, match="culprit"):
            tracker.log_metrics({"good": 1.0, "culprit": value, "other": 3.0}, step=1)
        reader = again(tracker)
        assert len(reader.metrics_history) == (0 if first else 1)
        assert list(reader.metrics) == ([] if first else ["good", "culprit", "other"])
        tracker.log_metrics({"good": 5.0}, step=2)
        assert again(tracker).get_metrics("good")[-1] == 5.0

    @pytest.mark.parametrize("value", [np.complex64(1 + 2j), np.complex128(1)], ids=repr)
    def test_numpy_speaks_for_its_complex_numbers(self, tracker: ExperimentTracker, value: Any) -> None:
        """A complex number is refused by a first call; later ones leave it to NumPy's own ComplexWarning."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with pytest.raises(ArgumentTypeError, match="'m'"):
                tracker.log_metrics({"m": value})
        tracker.log_metrics({"m": 1.0})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ArgumentTypeError, match="'m'"):
                tracker.log_metrics({"m": value})
        with pytest.warns(np.exceptions.ComplexWarning):
            tracker.log_metrics({"m": value})
        assert tracker.get_metrics("m") == [1.0, 1.0]

    @pytest.mark.fault("V01")
    def test_bits_are_kept(self, tracker: ExperimentTracker) -> None:
        """NaN, infinities, -0.0, the smallest and the largest double come back bit by bit, before and after the end."""
        for value in BITS:
            tracker.log_metrics({"m": value})
        assert bits(again(tracker).get_metrics("m")) == bits(BITS)
        tracker.finish()
        assert bits(again(tracker).get_metrics("m")) == bits(BITS)

    @pytest.mark.fault("V01")
    @given(st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from(BITS), max_size=20))
    @settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_doubles_are_kept(self, tracker: ExperimentTracker, values: list[float]) -> None:
        """Whatever doubles are logged, they come back in the order of the calls with their bits."""
        before = len(tracker.get_metrics("any"))
        for value in values:
            tracker.log_metrics({"any": value})
        assert bits(tracker.get_metrics("any")[before:]) == bits(values)

    @pytest.mark.fault("V02")
    def test_none_is_left_out(self, tracker: ExperimentTracker) -> None:
        """A metric that is None is no point; its neighbours are stored; a row of Nones is no row."""
        tracker.log_metrics({"a": 1.0, "b": None}, step=0)
        tracker.log_metrics({"a": None, "b": None}, step=1)
        tracker.log_metrics({"a": 2.0, "b": 3.0}, step=2)
        tracker.log_metrics({"a": None, "b": 4.0}, step=3)
        assert tracker.get_metrics("a") == [1.0, 2.0]
        assert tracker.get_metrics("b") == [3.0, 4.0]
        assert [row.step for row in tracker.metrics_history] == [0, 2, 3]

    @pytest.mark.fault("V01")
    def test_an_integer_beyond_a_double_is_refused(self, tracker: ExperimentTracker) -> None:
        """An integer too large for a double is no point of any value."""
        tracker.log_metrics({"m": 1.0})
        with pytest.raises(ArgumentValueError, match="'m'"):
            tracker.log_metrics({"m": 10**400})
        assert tracker.get_metrics("m") == [1.0]

    @pytest.mark.fault("V01")
    @pytest.mark.parametrize("value", [2**53 + 1, 2**70 + 1, -(2**53) - 1, Decimal("0.1"), Fraction(1, 3)])
    def test_rounding_is_told_once(
        self, tracker: ExperimentTracker, value: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A number that no double holds is stored rounded, and that is told once for each metric."""
        with caplog.at_level(logging.WARNING, logger="neural"):
            for _ in range(3):
                tracker.log_metrics({"big": value, "none": None})
        assert tracker.get_metrics("big") == [float(value)] * 3
        assert [record.getMessage().count("'big'") for record in caplog.records] == [1]

    @pytest.mark.parametrize("value", [2**53, 2**70, Decimal("0.5"), Fraction(1, 2), 0.1, math.nan, Decimal("NaN")])
    def test_exact_numbers_tell_nothing(
        self, tracker: ExperimentTracker, value: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A number that a double holds is stored without a word."""
        with caplog.at_level(logging.WARNING, logger="neural"):
            tracker.log_metrics({"m": value})
        assert not caplog.records


class TestCalls:
    @pytest.mark.fault("V06")
    def test_an_empty_call_stores_nothing(self, tracker: ExperimentTracker) -> None:
        """No metrics, no row, no error."""
        tracker.log_metrics({}, step=1)
        assert len(tracker.metrics_history) == 0

    @pytest.mark.fault("V06")
    def test_many_metrics_in_one_call(self, tracker: ExperimentTracker) -> None:
        """Ten thousand metrics make one row; more than a row can hold are refused whole, with the remedy."""
        row = {f"m{i}": float(i) for i in range(10_000)}
        tracker.log_metrics(row, step=0)
        with pytest.raises(ArgumentValueError, match="split"):
            tracker.log_metrics({f"m{i}": 0.0 for i in range(100_000)}, step=1)
        assert dict(again(tracker).metrics_history[0].values) == row
        assert len(again(tracker).metrics_history) == 1

    @pytest.mark.fault("V06")
    def test_the_row_is_that_of_the_call(self, tracker: ExperimentTracker) -> None:
        """A dict that its owner changes later, or empties, changes nothing that was logged."""
        row = {"a": 1.0}
        tracker.log_metrics(row, step=0)
        row["a"] = 2.0
        tracker.log_metrics(row, step=1)
        row.clear()
        assert tracker.get_metrics("a") == [1.0, 2.0]

    @pytest.mark.fault("V06")
    def test_what_is_handed_out_is_nobodys(self, tracker: ExperimentTracker) -> None:
        """Changing a list that a reading verb gave changes no later answer."""
        tracker.log_metrics({"a": 1.0}, step=0)
        tracker.get_metrics("a").append(9.0)
        tracker.get_series("a").value[:] = 9.0
        assert tracker.get_metrics("a") == [1.0]

    @pytest.mark.fault("V06")
    @pytest.mark.parametrize(
        "metrics", [[("a", 1.0)], iter([("a", 1.0)]), (pair for pair in [("a", 1.0)]), "a", None, 1.0, {"a"}]
    )
    def test_only_a_mapping_is_logged(self, tracker: ExperimentTracker, metrics: Any) -> None:
        """Lists of pairs, generators and text are refused, also when a row of the same names was logged before."""
        tracker.log_metrics({"a": 1.0})
        with pytest.raises(ArgumentTypeError, match="mapping"):
            tracker.log_metrics(metrics)
        assert tracker.get_metrics("a") == [1.0]

    @pytest.mark.fault("N04")
    @pytest.mark.parametrize(
        "name",
        ["step", "timestamp", "time", "type", "__proto__", "__seq", "__step", "a/b", "$\\frac{$", "1", "None", " ",
         "nul\0", "new\nline", "\ud800", "é", "e\u0301", "\U0001f680" * 80, "x" * 5_000, "values", "~2", "a.b"],
        ids=lambda name: ascii(name)[:12],
    )  # fmt: skip
    def test_any_text_names_a_metric(self, tracker: ExperimentTracker, name: str) -> None:
        """A name is kept exactly, is mixed with no field of the record, and survives the end of the experiment."""
        tracker.log_metrics({name: 0.25, "other": 1.0}, step=7)
        tracker.log_metrics({name: 0.75, "other": 1.0}, step=8)
        for _ in ("journal", "Parquet"):
            reader = again(tracker)
            assert reader.get_metrics(name) == [0.25, 0.75]
            assert list(reader.metrics) == [name, "other"]
            assert [(row.step, row.values[name]) for row in reader.metrics_history] == [(7, 0.25), (8, 0.75)]
            assert reader.metrics_history[0]["step"] == 7
            tracker.finish()

    @pytest.mark.fault("N04")
    def test_names_that_differ_in_case_are_two_metrics(self, tracker: ExperimentTracker) -> None:
        """``Loss`` and ``loss`` are never one column."""
        tracker.log_metrics({"Loss": 1.0, "loss": 2.0, "LOSS": 3.0})
        tracker.finish()
        assert [again(tracker).get_metrics(name) for name in ("Loss", "loss", "LOSS")] == [[1.0], [2.0], [3.0]]

    @pytest.mark.fault("N04")
    @pytest.mark.parametrize("name", ["", 1, None, ("a", "b"), b"a", "x" * 50_000], ids=lambda name: repr(name)[:9])
    def test_other_names_are_refused(self, tracker: ExperimentTracker, name: Any) -> None:
        """A name that is no text, empty or endless is refused, and its neighbours are not stored."""
        with pytest.raises(ArgumentError, match="name"):
            tracker.log_metrics({"good": 1.0, name: 2.0})
        assert len(tracker.metrics_history) == 0

    def test_log_metric_is_log_metrics_of_one(self, tracker: ExperimentTracker) -> None:
        """``log_metric(name, value, step)`` stores a row of one."""
        tracker.log_metric("a", 0.5, 3)
        tracker.log_metric("a", 0.25, step=4)
        assert [(row.step, row["a"]) for row in tracker.metrics_history] == [(3, 0.5), (4, 0.25)]


class TestSteps:
    @pytest.mark.fault("V03")
    @pytest.mark.parametrize(
        ("step", "stored"),
        [(0, 0), (-1, -1), (2**63 - 1, 2**63 - 1), (-(2**63) + 1, -(2**63) + 1), (True, 1), (np.int32(5), 5),
         (np.uint8(200), 200), (np.array(6), 6), (Level.LOW, 3), (None, None)],
        ids=repr,
    )  # fmt: skip
    def test_integers_are_steps(self, tracker: ExperimentTracker, step: Any, stored: int | None) -> None:
        """Every integer of 64 bits but the smallest is a step, whoever made it; so is no step at all."""
        tracker.log_metrics({"m": 1.0}, step=step)
        tracker.log_metrics({"m": 2.0}, step)
        assert [row.step for row in again(tracker).metrics_history] == [stored, stored]

    @pytest.mark.fault("V03")
    @pytest.mark.parametrize("first", [True, False], ids=["first call", "later call"])
    @pytest.mark.parametrize(
        "step", [2**63, -(2**63), 10**30, 1.0, 1.5, math.nan, "3", b"3", [1], np.float64(2), Decimal(3), object()],
        ids=lambda step: f"{type(step).__name__}-{step!s:.20}",
    )  # fmt: skip
    def test_other_steps_are_refused(self, tracker: ExperimentTracker, step: Any, first: bool) -> None:
        """What is no integer of 64 bits is refused with the word step, and nothing of the call is stored."""
        if not first:
            tracker.log_metrics({"m": 1.0}, step=0)
        with pytest.raises(ArgumentError, match="step"):
            tracker.log_metrics({"m": 2.0}, step=step)
        assert tracker.get_metrics("m") == ([] if first else [1.0])

    @pytest.mark.fault("V03")
    def test_steps_stand_in_the_order_of_the_calls(self, tracker: ExperimentTracker) -> None:
        """Repeated, descending, negative and missing steps are all kept, in the order of the calls."""
        steps = [5, 5, 3, None, -1, 10, 0, None]
        for i, step in enumerate(steps):
            tracker.log_metrics({"m": float(i)}, step=step)
        tracker.finish()
        reader = again(tracker)
        assert [row.step for row in reader.metrics_history] == steps
        assert reader.get_metrics("m") == [float(i) for i in range(len(steps))]


class TestBest:
    def log(self, tracker: ExperimentTracker, values: list[float], steps: list[int | None] | None = None) -> None:
        """Log the values, by default at every tenth step."""
        for i, value in enumerate(values):
            tracker.log_metrics({"m": value, "val_loss": value}, step=i * 10 if steps is None else steps[i])

    @pytest.mark.fault("V05")
    def test_nan_and_infinities_never_win(self, tracker: ExperimentTracker) -> None:
        """The best value is finite, wherever NaN and infinities stand."""
        self.log(tracker, [math.nan, math.inf, 2.0, 3.0, 1.0, -math.inf, math.nan])
        assert tracker.get_best_metric("m", mode="max") == (3.0, 30)
        assert tracker.get_best_metric("m", mode="min") == (1.0, 40)

    def test_the_first_of_equals_wins(self, tracker: ExperimentTracker) -> None:
        """Of equal values the earliest is the best."""
        self.log(tracker, [1.0, 2.0, 2.0, 1.0])
        assert tracker.get_best_metric("m", mode="max") == (2.0, 10)

    def test_zero_is_a_value(self, tracker: ExperimentTracker) -> None:
        """A best value of 0 at step 0 is not taken for none."""
        self.log(tracker, [0.0])
        assert tracker.get_best_metric("m", mode="max") == (0.0, 0)

    @pytest.mark.fault("V05")
    def test_without_steps_the_position_is_given(self, tracker: ExperimentTracker) -> None:
        """Where a step is missing, positions in the series stand for all of them."""
        self.log(tracker, [1.0, 3.0, 2.0], [None, None, None])
        assert tracker.get_best_metric("m", mode="max") == (3.0, 1)

    def test_the_name_tells_the_direction(self, tracker: ExperimentTracker) -> None:
        """Without a mode, a loss is better when smaller and everything else when larger."""
        self.log(tracker, [1.0, 3.0, 2.0])
        assert tracker.get_best_metric("val_loss") == (1.0, 0)
        assert tracker.get_best_metric("m") == (3.0, 10)

    def test_nothing_is_best_of_nothing(self, tracker: ExperimentTracker) -> None:
        """An unknown metric, and one of NaN only, have no best value."""
        self.log(tracker, [math.nan])
        assert tracker.get_best_metric("m", mode="max") == (None, None)
        assert tracker.get_best_metric("unknown", mode="min") == (None, None)

    @pytest.mark.fault("V05")
    @pytest.mark.parametrize("mode", ["maximum", "MAX", "", 1, "minn"])
    def test_a_mistyped_mode_raises(self, tracker: ExperimentTracker, mode: Any) -> None:
        """Any mode but max, min and None is an error, never a guess."""
        self.log(tracker, [1.0])
        with pytest.raises(ArgumentValueError, match="'min', 'max'"):
            tracker.get_best_metric("m", mode=mode)

    @pytest.mark.parametrize("name", [None, 1, b"m", ["m"]])
    def test_a_name_that_is_no_text_raises(self, tracker: ExperimentTracker, name: Any) -> None:
        """Asking for a metric by something else than text is an error."""
        with pytest.raises(ArgumentTypeError, match="metric_name"):
            tracker.get_metrics(name)
