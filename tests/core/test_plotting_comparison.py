"""Experiments beside each other: the figures, the table, and the folder that is exported."""

from __future__ import annotations

import csv
import html.parser
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from neural_core._plotting.comparison import make_comparison_plots
from neural_core._plotting.comparison_lines import spread
from neural_core._plotting.report import comparison_rows, export_comparison, safe_cell
from neural_core._plotting.summary import finite_spread, labels, parameters, short_texts
from neural_core._series import NO_STEP
from neural_core.errors import ArgumentValueError
from neural_core.records import ComparedExperiment, Experiment, Series


def _floats(values: list[float]) -> NDArray[np.float64]:
    return np.array(values, dtype="float64")


def compared(
    name: str, uid: str, metrics: dict[str, list[float]], hyperparameters: dict[str, Any] | None = None, **more: Any
) -> ComparedExperiment:
    """Make an experiment whose metrics count their steps from 0."""
    record = Experiment(
        uid, uid * 2, name, Path("somewhere"), "completed", hyperparameters=hyperparameters or {}, **more
    )
    series = {
        metric: Series(metric, np.arange(len(v)), _floats([1.7e9 + i for i in range(len(v))]), _floats(v))
        for metric, v in metrics.items()
    }
    return ComparedExperiment(record, series)


def pair() -> list[ComparedExperiment]:
    """Two experiments that share a name, one metric and one hyperparameter."""
    return [
        compared("run", "a" * 12, {"loss": [3, 1, 2], "accuracy": [0.93, 0.9]}, {"lr": 0.1, "opt": {"name": "adam"}}),
        compared("run", "b" * 12, {"loss": [4, 2, 1.5], "train/f1": [0.5]}, {"lr": 0.2, "opt": {"name": "adam"}}),
    ]


def texts_of(figure: mpl.figure.Figure) -> list[str]:
    """Give all text drawn in a figure."""
    return [text.get_text() for text in figure.findobj(mpl.text.Text)]


def draw_strictly(figure: mpl.figure.Figure) -> bytes:
    """Draw as the guide does, with ``savefig``; each warning is an error."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=40)
    return buffer.getvalue()


def test_the_guides_comparison() -> None:
    """A comparison has a figure per metric, the best values and the hyperparameters, under safe file stems."""
    plots = make_comparison_plots(pair())
    assert list(plots) == ["metric_loss", "metric_accuracy", "metric_train_f1", "best_metrics", "hyperparameters"]
    assert all(draw_strictly(figure) for figure in plots.values())


def test_only_the_metrics_asked_for() -> None:
    """With metrics named, only these are drawn."""
    assert list(make_comparison_plots(pair(), ["accuracy"])) == ["metric_accuracy", "best_metrics", "hyperparameters"]


def test_an_unknown_metric_is_refused() -> None:
    """A metric that none has raises an error that names those there are."""
    with pytest.raises(ArgumentValueError, match=r"'auc'.*loss, accuracy, train/f1"):
        make_comparison_plots(pair(), ["auc"])


def test_no_experiment_is_refused(tmp_path: Path) -> None:
    """Comparing nothing raises, and writes nothing."""
    with pytest.raises(ArgumentValueError):
        make_comparison_plots([])
    with pytest.raises(ArgumentValueError):
        export_comparison([], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_experiments_of_one_name_are_told_apart() -> None:
    """Two experiments that share a name are labelled with their ids."""
    assert labels(each.experiment for each in pair()) == ["run (aaaaaaaa)", "run (bbbbbbbb)"]
    assert "run (bbbbbbbb)" in texts_of(make_comparison_plots(pair())["metric_loss"])


def test_colours_follow_the_order_and_repeat_with_dashes() -> None:
    """The order gives colour and dash: the eleventh line has the first one's colour and another dash."""
    many = [compared(f"e{i}", f"{i:012x}", {"loss": [i, i + 1.0]}) for i in range(12)]
    axes = make_comparison_plots(many)["metric_loss"].axes[0]
    lines = [line for line in axes.lines if line.get_transform() == axes.transData and len(line.get_xdata()) == 2]  # type: ignore[arg-type]  # arrays
    drawn = [line for line in lines if line.get_linestyle() != "None"]
    assert len(drawn) == 12
    assert drawn[0].get_color() == drawn[10].get_color()
    assert drawn[0].get_linestyle() != drawn[10].get_linestyle()
    assert len({line.get_color() for line in drawn[:10]}) == 10


def test_the_best_value_follows_the_direction_of_the_name() -> None:
    """Of a loss the smallest value is the best, of an accuracy the largest, and NaN never is."""
    rows = comparison_rows([compared("a", "a" * 12, {"loss": [np.nan, 1, 2], "accuracy": [np.nan, 0.2, 0.9]})])
    best = rows[0].best
    assert (best["loss"].value, best["loss"].step, best["loss"].mode) == (1, 1, "min")
    assert (best["accuracy"].value, best["accuracy"].step, best["accuracy"].mode) == (0.9, 2, "max")


def test_rows_tell_what_differs() -> None:
    """The plain table of a comparison names just the hyperparameters that differ."""
    rows = comparison_rows(pair())
    assert [(row.experiment_id[0], dict(row.hyperparameters)) for row in rows] == [
        ("a", {"lr": "0.1"}),
        ("b", {"lr": "0.2"}),
    ]


def test_a_missing_hyperparameter_differs() -> None:
    """Nested names are joined with dots; one that an experiment lacks differs, also from None; equal ones do not."""
    rows = parameters(
        [
            compared("a", "a" * 12, {}, {"x": 1, "o": {"p": 2}, "n": None}),
            compared("b", "b" * 12, {}, {"x": 1, "o": {"p": 2}}),
        ]
    )
    assert [(row.name, row.texts, row.differs) for row in rows] == [
        ("n", ("None", None), True),
        ("x", ("1", "1"), False),
        ("o.p", ("2", "2"), False),
    ]


def test_short_texts_never_hide_a_difference() -> None:
    """Long decimals are shortened unless two different ones would look the same."""
    assert short_texts(["0.05623413251903491", None, "32"]) == ["0.0562341", None, "32"]
    assert short_texts(["0.10000000000001", "0.10000000000002"]) == ["0.10000000000001", "0.10000000000002"]


@pytest.mark.parametrize("values", [[0.93, 0.94], [-5.1, -5.0], [100.0, 101.0]])
def test_the_axis_of_bars_shows_small_differences(values: list[float]) -> None:
    """Values close together differ by a good part of the axis that is fitted to them."""
    low, high = finite_spread(values)
    assert low <= min(values) <= max(values) <= high
    assert (max(values) - min(values)) / (high - low) > 0.4


@given(st.lists(st.floats(0, 4), min_size=1, max_size=20))
@settings(max_examples=80, deadline=None)
def test_labels_do_not_overlap(wanted: list[float]) -> None:
    """Labels at line ends are apart by their height, keep their order and stay within the axis."""
    places = spread(sorted(wanted), 0.2, 0.0, 4.0)
    assert all(high - low > 0.2 - 1e-9 for low, high in pairwise(places))
    assert min(places) > -1e-9
    assert max(places) < 4 + 1e-9


@pytest.mark.fault("G01")
def test_no_value_or_name_makes_a_comparison_fail() -> None:
    """Infinite, huge, missing and single values, and any name, are drawn without a warning."""
    strange = [
        compared("$x_$_{", "a" * 12, {"m": [np.inf, 1e308, 3.0], "$\\frac{": [np.nan, 2]}, {"$a_{": "$b_{"}),
        compared(
            "損失\n🎉" + "x" * 10_000, "b" * 12, {"m": [np.nan], "k": [5e-324]}, {"deep": {"er": [1, {"a": None}]}}
        ),
        compared("", "c" * 12, {}, {"": "\x00"}),
    ]
    plots = make_comparison_plots(strange)
    assert list(plots) == ["metric_m", "metric_frac", "metric_k", "best_metrics", "hyperparameters"]
    assert all(draw_strictly(figure) for figure in plots.values())


class Page(html.parser.HTMLParser):
    """Collects the tags, the addresses and the text of a page."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.policy = ""
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag and what it refers to."""
        given = dict(attrs)
        self.tags.append(tag)
        self.addresses += [given[name] or "" for name in ("src", "href") if name in given]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        assert not any(name.startswith("on") for name in given)

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


def page_of(folder: Path) -> Page:
    """Read the report of an exported comparison."""
    page = Page()
    page.feed((folder / "report.html").read_text("utf-8"))
    return page


def rows_of(path: Path) -> list[dict[str, str]]:
    """Read a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_exported_folder_is_complete(tmp_path: Path) -> None:
    """The folder holds the page, the summary, both tables and each figure, and no temporary file."""
    folder = export_comparison(pair(), tmp_path / "deep" / "out")
    assert folder == tmp_path / "deep" / "out"
    pictures = {f"{key}.png" for key in make_comparison_plots(pair())}
    assert {path.name for path in folder.iterdir()} == pictures | {
        "report.html", "summary.json", "metrics.csv", "hyperparameters.csv",
    }  # fmt: skip


def test_the_page_needs_nothing_but_itself(tmp_path: Path) -> None:
    """The page forbids the network and scripts, and all it refers to is inside it."""
    page = page_of(export_comparison(pair(), tmp_path))
    assert page.policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    assert "script" not in page.tags
    assert page.tags.count("img") == 4
    assert all(address.startswith("data:") for address in page.addresses)


@pytest.mark.fault("U19")
def test_the_page_escapes_names(tmp_path: Path) -> None:
    """Markup in names, values, ids and states is shown as text."""
    evil = '</script><script>alert(1)</script><img src=x onerror="y">'
    strange = compared(evil, "a" * 12, {evil: [1, 2]}, {evil: evil}, tags={}, notes=evil)
    page = page_of(export_comparison([strange, *pair()], tmp_path))
    assert "script" not in page.tags
    assert evil in page.text
    assert all(address.startswith("data:") for address in page.addresses)


def test_the_summary_is_strict_json(tmp_path: Path) -> None:
    """The summary has no NaN literal: numbers that are not finite are text."""
    run = compared("r", "a" * 12, {"loss": [1, np.nan], "m": [np.inf]}, {"x": float("-inf"), "l": [float("nan")]})
    text = (export_comparison([run], tmp_path) / "summary.json").read_text("ascii")

    def refuse(literal: str) -> None:
        raise AssertionError(literal)

    record = json.loads(text, parse_constant=refuse)["experiments"][0]
    assert record["hyperparameters"] == {"x": "-Infinity", "l": ["NaN"]}
    assert record["metrics"]["loss"] == {
        "count": 2,
        "best": {"value": 1.0, "step": 0, "mode": "min"},
        "last": {"value": "NaN", "step": 1},
    }
    assert record["metrics"]["m"]["best"] is None


def test_each_point_is_a_row_of_the_table(tmp_path: Path) -> None:
    """The long table holds each point with all digits; a missing step is empty."""
    series = Series("loss", np.array([NO_STEP, 7]), np.array([1.5, np.nan]), np.array([0.1 + 0.2, -np.inf]))
    record = Experiment("a" * 12, "a" * 24, "run", Path("somewhere"))
    rows = rows_of(export_comparison([ComparedExperiment(record, {"loss": series})], tmp_path) / "metrics.csv")
    assert [(row["step"], row["time"], row["value"]) for row in rows] == [
        ("", "1.5", "0.30000000000000004"),
        ("7", "", "-Infinity"),
    ]


@pytest.mark.fault("U19")
def test_formulas_are_quoted(tmp_path: Path) -> None:
    """Names and values that a spreadsheet would run begin with an apostrophe; numbers stay numbers."""
    run = compared("=cmd()", "a" * 12, {"@sum": [-1.5]}, {"+p": "=1+1", "q": -2})
    folder = export_comparison([run], tmp_path)
    assert rows_of(folder / "metrics.csv")[0] == {
        "experiment_id": "a" * 12,
        "experiment_name": "'=cmd()",
        "metric": "'@sum",
        "step": "0",
        "time": "1700000000.0",
        "value": "-1.5",
    }
    assert rows_of(folder / "hyperparameters.csv")[0]["'+p"] == "'=1+1"
    assert rows_of(folder / "hyperparameters.csv")[0]["q"] == "-2"


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "  =1"])
def test_safe_cells(cell: str) -> None:
    """Text that begins with a sign of a formula gets an apostrophe."""
    assert safe_cell(cell) == "'" + cell


def test_an_export_can_be_repeated(tmp_path: Path) -> None:
    """Exporting into the same folder again replaces our files and leaves others."""
    (tmp_path / "mine.txt").write_text("mine")
    export_comparison(pair(), tmp_path)
    export_comparison(pair(), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]
