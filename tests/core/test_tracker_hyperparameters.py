"""Hyperparameters, tags and notes: kept exactly where JSON can, readable and marked where it cannot."""

from __future__ import annotations

import argparse
import dataclasses
import enum
import json
import math
from collections import OrderedDict
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neural.tracking import ExperimentManager, ExperimentTracker
from neural_core.errors import ArgumentTypeError


class Optimizer(enum.Enum):
    ADAM = "adam"


class Mode(enum.StrEnum):
    FAST = "fast"


@dataclasses.dataclass
class Layer:
    width: int = 64
    activation: str = "relu"


@dataclasses.dataclass
class Model:
    name: str = "net"
    layers: list[Layer] = dataclasses.field(default_factory=lambda: [Layer(), Layer(32)])


@attrs.frozen
class Data:
    path: Path = Path("data/train.csv")
    split: float = 0.8


class Silent:
    """Cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class SilentKey(Silent):
    """Cannot be hashed by its text either."""

    __str__ = Silent.__repr__


@dataclasses.dataclass
class Node:
    """A tree whose nodes know their parent."""

    parent: Node | None = None
    children: list[Node] = dataclasses.field(default_factory=list)


@pytest.fixture
def tracker(tmp_path: Path) -> ExperimentTracker:
    """A tracker that draws nothing."""
    return ExperimentTracker("parameters", tmp_path / "base", auto_visualize=False)


def again(tracker: ExperimentTracker) -> ExperimentTracker:
    """Give the same experiment as a reader sees it that knows nothing of this tracker."""
    return ExperimentManager(tracker.experiment_dir.parent).get_experiment(tracker.experiment_id)


def params(tracker: ExperimentTracker) -> dict[str, Any]:
    """Give the flat hyperparameters of a listing."""
    (row,) = ExperimentManager(tracker.experiment_dir.parent).runs()
    return dict(row.params)


def strict(path: Path) -> Any:
    """Read JSON that knows no NaN."""

    def refuse(text: str) -> None:
        raise AssertionError(f"not strict JSON: {text}")

    return json.loads(path.read_text("ascii"), parse_constant=refuse)


PLAIN = {
    "lr": 1e-3,
    "layers": [64, 64, 10],
    "nested": {"a": {"b": [1, {"c": None}]}},
    "flag": True,
    "nothing": None,
    "name": "résumé 🚀 \ud800 \0 \n",
    "empty": {},
    "none": [],
}


class TestValues:
    def test_what_json_holds_comes_back_as_it_was(self, tracker: ExperimentTracker) -> None:
        """Numbers, text, lists and nested mappings come back equal, from the journal and after the end."""
        tracker.log_hyperparameters(PLAIN)
        assert again(tracker).hyperparameters == PLAIN
        tracker.finish()
        assert again(tracker).hyperparameters == PLAIN
        assert strict(tracker.experiment_dir / "hyperparameters.json")

    @given(
        st.dictionaries(
            st.text(max_size=8),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
                lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
                max_leaves=8,
            ),
            max_size=4,
        )
    )
    @settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_nested_value_comes_back(self, tracker: ExperimentTracker, values: dict[str, Any]) -> None:
        """Whatever JSON could hold comes back equal, keys that look like our marks included."""
        tracker.log_hyperparameters({"all": values})
        assert again(tracker).hyperparameters["all"] == values

    @pytest.mark.fault("V04")
    @pytest.mark.parametrize(
        ("value", "kept"),
        [
            (math.inf, math.inf),
            (-math.inf, -math.inf),
            (2**63, 2**63),
            (-(10**40), -(10**40)),
            (Optimizer.ADAM, "adam"),
            (Mode.FAST, "fast"),
            (PurePosixPath("a/b"), "a/b"),
            ((1, 2), [1, 2]),
            ({3}, [3]),
            (frozenset({"b", "a"}), ["a", "b"]),
            (range(3), [0, 1, 2]),
            (Layer(), {"width": 64, "activation": "relu"}),
            (Model(layers=[Layer(32)]), {"name": "net", "layers": [{"width": 32, "activation": "relu"}]}),
            (Data(), {"path": "data/train.csv", "split": 0.8}),
            (argparse.Namespace(lr=0.1), {"lr": 0.1}),
            (OrderedDict(a=1), {"a": 1}),
            (Decimal("1.10"), 1.1),
            (Decimal("-Infinity"), -math.inf),
            (np.float32(0.5), 0.5),
            (np.int64(3), 3),
            (np.bool_(True), True),
            (np.array([1, 2]), [1, 2]),
            (np.str_("text"), "text"),
            ({"$number": "5"}, {"$number": "5"}),
            ({"$repr": "x", "$mapping": []}, {"$repr": "x", "$mapping": []}),
            ({1: "a", (1, 2): "b", None: "c"}, {"1": "a", "(1, 2)": "b", "None": "c"}),
            ("x" * 1_000_000, "x" * 1_000_000),
        ],
        ids=lambda value: f"{type(value).__name__}-{str(value)[:12]!a}",
    )  # fmt: skip
    def test_the_kinds_of_python_come_back_as_those_of_json(
        self, tracker: ExperimentTracker, value: Any, kept: Any
    ) -> None:
        """Enums, paths, sets, dataclasses, attrs objects, Namespaces, NumPy values and odd keys stay readable."""
        tracker.log_hyperparameters({"p": value, "next": 1})
        assert again(tracker).hyperparameters == {"p": kept, "next": 1}
        assert strict(tracker.experiment_dir / "hyperparameters.json")

    @pytest.mark.fault("V04")
    def test_nan_comes_back_as_nan(self, tracker: ExperimentTracker) -> None:
        """NaN is a value, in strict JSON too."""
        tracker.log_hyperparameters({"p": math.nan})
        assert math.isnan(again(tracker).hyperparameters["p"])
        assert strict(tracker.experiment_dir / "hyperparameters.json")["hyperparameters"] == {"p": {"$number": "NaN"}}

    @pytest.mark.fault("V04")
    @pytest.mark.parametrize(
        "value",
        [lambda x: x, object(), len, np.zeros, b"\xff\x00", 1 + 2j, Layer, Silent(), 10**5000, np.zeros(100_000)],
        ids=lambda value: type(value).__name__,
    )
    def test_what_has_no_json_is_kept_as_text_and_marked(self, tracker: ExperimentTracker, value: Any) -> None:
        """Functions, objects and bytes are kept as their repr; the document says that it is one."""
        tracker.log_hyperparameters({"p": value, "next": 1})
        kept = again(tracker).hyperparameters
        assert isinstance(kept["p"], str)
        assert kept["p"]
        assert len(kept["p"]) <= 2_000
        assert kept["next"] == 1
        assert list(strict(tracker.experiment_dir / "hyperparameters.json")["hyperparameters"]["p"]) == ["$repr"]

    @pytest.mark.fault("V04")
    def test_cycles_end(self, tracker: ExperimentTracker) -> None:
        """A value that holds itself, once or many times over, is kept up to where it begins again."""
        one: dict[str, Any] = {"lr": 0.1}
        one["self"] = one
        many: list[Any] = [1]
        many += [many] * 20
        root = Node()
        root.children = [Node(root) for _ in range(20)]
        tracker.log_hyperparameters({"one": one, "many": many, "tree": root, "next": 1})
        kept = again(tracker).hyperparameters
        assert kept["one"]["lr"] == 0.1
        assert kept["many"][0] == 1
        assert len(kept["tree"]["children"]) == 20
        assert kept["next"] == 1

    def test_what_is_shared_is_kept_each_time(self, tracker: ExperimentTracker) -> None:
        """A value that stands in two places is no cycle."""
        shared = {"a": [1]}
        tracker.log_hyperparameters({"x": shared, "y": [shared, shared]})
        assert again(tracker).hyperparameters == {"x": shared, "y": [shared, shared]}

    def test_a_web_of_shared_values_ends(self, tracker: ExperimentTracker) -> None:
        """A value that would grow without end when it is written out is cut."""
        web: list[Any] = [1]
        for _ in range(40):
            web = [web, web]
        tracker.log_hyperparameters({"web": web, "next": 1})
        assert again(tracker).hyperparameters["next"] == 1

    @pytest.mark.fault("V04")
    @pytest.mark.parametrize("kind", ["dict", "list"])
    def test_endless_nesting_is_cut(self, tracker: ExperimentTracker, kind: str) -> None:
        """Two thousand levels are kept down to a depth at which every reader can follow."""
        deep: Any = 1
        for _ in range(2_000):
            deep = {"d": deep} if kind == "dict" else [deep]
        tracker.log_hyperparameters({"deep": deep, "next": 1})
        kept = again(tracker).hyperparameters
        assert kept["next"] == 1
        assert isinstance(kept["deep"]["d"]["d"] if kind == "dict" else kept["deep"][0][0], (dict, list))

    def test_keys_that_cannot_be_shown(self, tracker: ExperimentTracker) -> None:
        """A key without a readable repr costs nothing but its name."""
        tracker.log_hyperparameters({SilentKey(): 1, "in": {SilentKey(): 2}, "next": 3})
        kept = again(tracker).hyperparameters
        assert kept["next"] == 3
        assert sorted(map(str, kept.values())).count("1") == 1

    def test_long_lists_are_whole(self, tracker: ExperimentTracker) -> None:
        """A list is kept to its last number, however long and of whatever numbers."""
        tracker.log_hyperparameters({"a": list(np.arange(50_000.0)), "b": [Decimal(1)] * 30_000})
        kept = again(tracker).hyperparameters
        assert kept["a"] == list(range(50_000))
        assert kept["b"] == [1] * 30_000


class TestCalls:
    @pytest.mark.parametrize("value", [Layer(), attrs.evolve(Data(), split=0.5), argparse.Namespace(a=1), {"a": 1}])
    def test_objects_with_fields_are_mappings(self, tracker: ExperimentTracker, value: Any) -> None:
        """A dataclass, an attrs object and a Namespace are logged field by field."""
        tracker.log_hyperparameters(value)
        names = list(value) if isinstance(value, dict) else list(getattr(value, "__dict__", None) or ("path", "split"))
        assert list(again(tracker).hyperparameters) == names

    @pytest.mark.parametrize(
        "value", [None, 1, "lr=1", [("lr", 1)], {"lr"}, Layer, object()], ids=lambda value: type(value).__name__
    )
    def test_anything_else_is_refused(self, tracker: ExperimentTracker, value: Any) -> None:
        """The error says what hyperparameters may be, and nothing is stored."""
        with pytest.raises(ArgumentTypeError, match="mapping, a dataclass"):
            tracker.log_hyperparameters(value)
        assert again(tracker).hyperparameters == {}

    @pytest.mark.fault("V04")
    def test_later_values_stand_and_earlier_ones_stay_in_the_journal(self, tracker: ExperimentTracker) -> None:
        """A second call adds and overwrites; what it overwrote can still be read from the journal."""
        tracker.log_hyperparameters({"lr": 0.111, "kept": 1})
        tracker.log_hyperparameters({"lr": 0.222, "new": 2})
        assert again(tracker).hyperparameters == {"lr": 0.222, "kept": 1, "new": 2}
        tracker.finish()
        assert again(tracker).hyperparameters == {"lr": 0.222, "kept": 1, "new": 2}
        stored = b"".join(p.read_bytes() for p in (tracker.experiment_dir / "metrics").glob("*.nj"))
        assert b"0.111" in stored
        assert b"0.222" in stored

    def test_the_values_are_those_of_the_call(self, tracker: ExperimentTracker) -> None:
        """What its owner changes later, and what a reader changes, changes nothing that was logged."""
        config = {"layers": [1]}
        tracker.log_hyperparameters(config)
        config["layers"].append(2)
        tracker.hyperparameters["layers"].append(3)
        assert tracker.hyperparameters == {"layers": [1]}

    def test_a_listing_flattens_with_dots(self, tracker: ExperimentTracker) -> None:
        """Nested hyperparameters are one dotted name each where experiments are listed and filtered."""
        tracker.log_hyperparameters({"model": Model(), "lr": 0.1, "nan": math.nan, "big": 2**70})
        flat = params(tracker)
        assert flat["model.name"] == "net"
        assert flat["lr"] == 0.1
        manager = ExperimentManager(tracker.experiment_dir.parent)
        assert len(manager.runs("params.lr < 0.2 and params.model.name = 'net'")) == 1

    def test_the_constructor_takes_them_too(self, tmp_path: Path) -> None:
        """``hyperparameters=``, ``tags=`` and ``notes=`` are logged at once."""
        tracker = ExperimentTracker("x", tmp_path, hyperparameters=Layer(), tags=["a"], notes="first")
        assert tracker.hyperparameters == {"width": 64, "activation": "relu"}
        assert (tracker.tags, tracker.notes) == ({"a": ""}, "first")


class TestAnnotations:
    def test_tags_are_added_changed_and_removed(self, tracker: ExperimentTracker) -> None:
        """Tags are names or names with a text; None removes one; listings show and filter them."""
        tracker.set_tags(["baseline", "gpu"])
        tracker.set_tags({"gpu": "a100", "team": "vision"})
        tracker.set_tags({"baseline": None})
        tracker.set_tags("one")
        assert again(tracker).tags == {"gpu": "a100", "team": "vision", "one": ""}
        tracker.finish()
        (row,) = ExperimentManager(tracker.experiment_dir.parent).list_experiments()
        assert row["tags"] == {"gpu": "a100", "team": "vision", "one": ""}

    @pytest.mark.parametrize("tags", [1, None, {"a": 1}, {1: "a"}, [""], [None], {"": "x"}], ids=repr)
    def test_other_tags_are_refused(self, tracker: ExperimentTracker, tags: Any) -> None:
        """A tag is a name with a text; anything else raises and changes nothing."""
        with pytest.raises(ArgumentTypeError, match="tag"):
            tracker.set_tags(tags)
        assert again(tracker).tags == {}

    def test_notes_are_replaced(self, tracker: ExperimentTracker) -> None:
        """The last notes stand; notes that are no text raise."""
        tracker.set_notes("one\n🚀")
        tracker.set_notes("two\ud800\0")
        with pytest.raises(ArgumentTypeError, match="notes"):
            tracker.set_notes(3)  # type: ignore[arg-type]
        tracker.finish()
        assert again(tracker).notes == "two\ud800\0"
        assert ExperimentManager(tracker.experiment_dir.parent).runs()[0].notes == "two\ud800\0"
