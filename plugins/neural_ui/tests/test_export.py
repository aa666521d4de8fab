"""The comparison as one file: whole, escaped, bounded. tests/browser/test_export.py opens it."""

from __future__ import annotations

import base64
import json
import math
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from neural_ui import _export_charts
from neural_ui._export import export_html
from neural_ui._export_state import ExportState, parse_state
from neural_ui._export_tables import number

from neural_core import ExperimentTracker
from neural_core.errors import ExperimentNotFoundError
from neural_core.reading import ExperimentStore

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)> \" ' & $x$ %{y} <!--data-->"


class Page(HTMLParser):
    """What a parser finds in a page."""

    def __init__(self, page: bytes) -> None:
        """Read the page."""
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.text = ""
        self._in: list[str] = []
        self.feed(page.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append((tag, dict(attrs)))
        self._in.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        while self._in and self._in.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Note text, that of scripts apart."""
        if "script" in self._in:
            self.scripts[-1] += data
        elif "style" not in self._in:
            self.text += data

    @property
    def data(self) -> dict[str, Any]:
        """The data of the charts."""
        [at] = [i for i, (_, attrs) in enumerate(tag for tag in self.tags if tag[0] == "script") if "id" in attrs]
        found: dict[str, Any] = json.loads(self.scripts[at])
        return found


def array(packed: dict[str, str]) -> np.ndarray[Any, Any]:
    """Give the numbers of a packed array."""
    return np.frombuffer(base64.b64decode(packed["bdata"]), f"<{packed['dtype']}")


def track(base: Path, name: str, values: np.ndarray[Any, Any], **options: Any) -> None:
    """Make an experiment with a metric ``loss``."""
    with ExperimentTracker(name, base, auto_visualize=False, **options) as tracker:
        for step, value in enumerate(values.tolist()):
            tracker.log_metrics({"loss": value}, step=step)


def export(base: Path, state: str = "") -> Page:
    """Export all experiments of a folder, the newest first."""
    store = ExperimentStore(base)
    return Page(export_html(store, [run.id for run in store.listed().runs], state))


def test_everything_is_in_it(tmp_path: Path) -> None:
    """Charts, parameters, best values and cards of each experiment are in the file."""
    track(tmp_path, "first", np.linspace(3, 1, 50), hyperparameters={"lr": 0.1, "depth": 3}, notes="a note")
    track(tmp_path, "second", np.linspace(2, 1.5, 50), hyperparameters={"lr": 0.2, "depth": 3}, tags={"paper": "yes"})
    page = export(tmp_path)
    for text in ("first", "second", "lr", "0.1", "0.2", "1 identical parameter", "1.5", "a note", "paper: yes"):
        assert text in page.text
    [chart] = page.data["charts"]
    assert chart["metric"] == "loss"
    assert [curve["run"] for curve in chart["curves"]] == [0, 1]
    assert array(chart["curves"][1]["mean"]) == pytest.approx(np.linspace(3, 1, 50), rel=1e-6)
    assert [run["name"] for run in page.data["runs"]] == ["second", "first"]


def test_extremes_are_exact(tmp_path: Path) -> None:
    """Of a long curve about a thousand buckets are kept, whose extremes are those of the data."""
    values = np.random.default_rng(3).standard_normal(20_000)
    values[12_345] = 1e4
    track(tmp_path, "long", values)
    [curve] = export(tmp_path).data["charts"][0]["curves"]
    assert 500 <= len(array(curve["x"])) <= 1_100
    assert array(curve["high"]).max() == np.float32(1e4)
    assert array(curve["low"]).min() == np.float32(values.min())
    assert curve["n"] == 20_000
    assert (array(curve["x"])[0], array(curve["x"])[-1]) == (0, 19_999)


@pytest.mark.parametrize("values", [[1e300, -1e300, 1.0], [5e-324, 1e-200, 0.0], [math.nan, math.inf, -math.inf]])
def test_odd_values(tmp_path: Path, values: list[float]) -> None:
    """Values that single precision does not hold keep double precision; NaN and infinities make no error."""
    track(tmp_path, "odd", np.array(values))
    for curve in export(tmp_path).data["charts"][0]["curves"]:
        mean = array(curve["mean"])
        assert [value for value in mean if math.isfinite(value)] == [value for value in values if math.isfinite(value)]


@pytest.mark.fault("U08", "U19")
def test_hostile_text(tmp_path: Path) -> None:
    """Names, parameters, tags and notes are text: no element, no attribute and no script comes of them."""
    sound = tmp_path / "sound"
    track(sound, "name", np.ones(3), hyperparameters={"a": "b"}, tags={"t": "u"}, notes="n")
    harmful = tmp_path / "harmful"
    track(harmful, HOSTILE, np.ones(3), hyperparameters={HOSTILE: HOSTILE}, tags={HOSTILE: HOSTILE}, notes=HOSTILE)
    with ExperimentTracker(HOSTILE, harmful, auto_visualize=False) as tracker:
        tracker.log_metrics({HOSTILE: 1.0}, step=0)
    expected, found = export(sound), export(harmful)
    assert {tag for tag, _ in found.tags} <= {tag for tag, _ in expected.tags} | {"details", "summary"}
    assert len(found.scripts) == len(expected.scripts) == 5
    assert not [name for _, attrs in found.tags for name in attrs if name.startswith("on") or name in ("src", "href")]
    assert found.text.count("<img src=x onerror=alert(1)>") >= 8
    assert {run["name"] for run in found.data["runs"]} == {HOSTILE}


def test_nothing_is_fetched(tmp_path: Path) -> None:
    """The file refers to nothing outside itself, and its policy allows its own scripts by their hashes only."""
    track(tmp_path, "run", np.ones(3))
    page = export(tmp_path)
    assert not [attrs for tag, attrs in page.tags if tag in ("link", "img", "iframe", "base", "form", "object")]
    [policy] = [attrs["content"] or "" for tag, attrs in page.tags if attrs.get("http-equiv")]
    assert "default-src 'none'" in policy
    assert policy.count("'sha256-") == 4
    assert "unsafe-eval" not in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]


def test_too_many_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a bound metrics have no chart, which the page says; their values are in the tables all the same."""
    monkeypatch.setattr(_export_charts, "MOST_CURVES", 7)
    with ExperimentTracker("many", tmp_path, auto_visualize=False) as tracker:
        for step in range(3):
            tracker.log_metrics({f"m{index:02d}": float(index) for index in range(20)}, step=step)
    page = export(tmp_path)
    assert len(page.data["charts"]) == 7
    assert "13 further metrics have no chart" in page.text
    assert "m19" in page.text


def test_size_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With many curves each gets fewer points."""
    monkeypatch.setattr(_export_charts, "MOST_POINTS", 400)
    for number_ in range(2):
        track(tmp_path, f"run {number_}", np.random.default_rng(number_).random(2_000))
    curves = export(tmp_path).data["charts"][0]["curves"]
    assert all(100 <= len(array(curve["x"])) <= 260 for curve in curves)


def test_unknown_experiment(tmp_path: Path) -> None:
    """An experiment that is not there is an error, not an empty file."""
    track(tmp_path, "run", np.ones(3))
    with pytest.raises(ExperimentNotFoundError):
        export_html(ExperimentStore(tmp_path), ["0123456789ab"])


def test_nothing_selected(tmp_path: Path) -> None:
    """Without experiments the file says so."""
    page = Page(export_html(ExperimentStore(tmp_path), []))
    assert "0 experiments" in page.text
    assert "No experiment was selected" in page.text


def test_state_is_read() -> None:
    """The export opens as the page was: tab, axis, smoothing, logarithm, bands, baseline."""
    state = parse_state("?tab=best&x=metric:epoch&smooth=25.5&y=log&band=all&base=abc&runs=a,b")
    assert state == ExportState("best", "metric:epoch", 25.5, True, "all", "abc")


@pytest.mark.parametrize("query", ["", "?", "tab=nowhere&x=4&smooth=nan&y=&band=%ff", "smooth=1e999", "&" * 5_000])
def test_odd_state(query: str) -> None:
    """What is unknown in a query string is left out."""
    assert parse_state(query) == ExportState()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\N{EN DASH}"),
        (math.nan, "NaN"),
        (-math.inf, "\N{MINUS SIGN}∞"),
        (0.1234567, "0.123457"),
        (-2.0, "\N{MINUS SIGN}2"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    """Numbers have six digits and a true minus sign."""
    assert number(value) == text
