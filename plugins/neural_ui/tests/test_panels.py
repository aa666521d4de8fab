"""The panel door: listed, guarded, drawn as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from neural_ui import _panels

from neural_core import ExperimentTracker
from neural_core.plugins import PluginFailedError
from neural_core.reading import ExperimentStore

SOURCE = """
import math
import numpy as np

class Good:
    title = "Good one"
    def figure(self, experiments, series):
        loss = series("loss", points=10)
        return {"data": [{"x": curve.x, "y": curve.mean, "name": run.row.name} for run, curve in
                         zip(experiments, loss.curves)], "layout": {"meta": [math.nan, math.inf, 1.5]}}

class Plotly:
    title = "Plotly"
    def figure(self, experiments, series):
        import plotly.graph_objects as go
        return go.Figure(go.Scatter(x=np.arange(3), y=[1.0, math.nan, 3.0]))

class Raises:
    title = "Raises"
    def figure(self, experiments, series):
        raise ValueError("no data")

class Exits(Raises):
    def figure(self, experiments, series):
        raise SystemExit(1)

class Text(Raises):
    def figure(self, experiments, series):
        return "<img>"

class Huge(Raises):
    def figure(self, experiments, series):
        return {"data": [{"y": np.zeros(10_000_000)}]}

class Deep(Raises):
    def figure(self, experiments, series):
        data = []
        for _ in range(10_000):
            data = [data]
        return {"data": data}

class NoTitle:
    def figure(self, experiments, series):
        return {}
"""
NAMES = ("Good", "Plotly", "Raises", "Exits", "Text", "Huge", "Deep", "NoTitle")


@pytest.fixture
def store(tmp_path: Path) -> ExperimentStore:
    """Two experiments."""
    for number in range(2):
        with ExperimentTracker(f"run {number}", tmp_path / "runs", auto_visualize=False) as tracker:
            for step in range(100):
                tracker.log_metrics({"loss": number + step / 100}, step=step)
    return ExperimentStore(tmp_path / "runs")


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package with panels of every kind, for as long as the test."""
    info = tmp_path / "site" / "neural_some-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: neural-some\nVersion: 1.0\n")
    points = "\n".join(f"{name.lower()} = some_page_panels:{name}" for name in NAMES)
    (info / "entry_points.txt").write_text(f"[neural.panels]\n{points}\ngone = no_such_module:Panel\n")
    (tmp_path / "site" / "some_page_panels.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert any(point.name == "gone" for point in metadata.entry_points(group="neural.panels"))
    monkeypatch.setattr(_panels, "_made", {})
    return


def ids(store: ExperimentStore) -> list[str]:
    """Give the ids of all experiments, the newest first."""
    return [run.id for run in store.listed().runs]


def test_list(store: ExperimentStore) -> None:
    """Our own panel comes first, then the others by name; a broken one has a sentence, and breaks nothing."""
    listed = {panel["name"]: panel for panel in _panels.list_panels(store)}
    assert list(listed) == ["timeline", "deep", "exits", "gone", "good", "huge", "notitle", "plotly", "raises", "text"]
    assert listed["good"] == {"name": "good", "title": "Good one", "distribution": "neural-some 1.0"}
    assert "ModuleNotFoundError" in listed["gone"]["error"]
    assert "it needs a text `title`" in listed["notitle"]["error"]


def test_figure_of_a_mapping(store: ExperimentStore) -> None:
    """A panel reads curves of the experiments in their order; NumPy arrays become lists, NaN and infinities null."""
    figure = _panels.panel_figure(store, "good", ids(store))
    assert [trace["name"] for trace in figure["data"]] == ["run 1", "run 0"]
    assert len(figure["data"][0]["x"]) < 30
    assert figure["layout"]["meta"] == [None, None, 1.5]
    json.dumps(figure, allow_nan=False)


def test_figure_of_plotly(store: ExperimentStore) -> None:
    """A figure of plotly.py is given as its JSON."""
    [trace] = _panels.panel_figure(store, "plotly", ids(store))["data"]
    assert trace["type"] == "scatter"
    assert trace["y"][::2] == [1.0, 3.0]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raises", "raised ValueError: no data"),
        ("exits", "raised SystemExit"),
        ("text", "gave no figure, but str"),
        ("huge", "at most 20,000,000 are drawn"),
        ("deep", "raised RecursionError"),
        ("gone", "does not import"),
    ],
)
def test_broken_panel(store: ExperimentStore, name: str, reason: str) -> None:
    """Whatever a panel does, the page gets a sentence that names it and its package."""
    with pytest.raises(PluginFailedError, match=rf"plugin '{name}' \(neural-some 1\.0\).*{reason}"):
        _panels.panel_figure(store, name, ids(store))


def test_unknown_panel(store: ExperimentStore) -> None:
    """A name that no panel has is told."""
    with pytest.raises(_panels.PanelNotFoundError, match="no panel is called 'nobody'"):
        _panels.panel_figure(store, "nobody", [])


def test_blocked_panel(store: ExperimentStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """NEURAL_DISABLE_PLUGINS hides a panel."""
    monkeypatch.setenv("NEURAL_DISABLE_PLUGINS", "*")
    assert _panels.list_panels(store) == []


def test_timeline(store: ExperimentStore) -> None:
    """The built-in panel has a bar for each experiment, the earliest first, in its colour."""
    figure = _panels.panel_figure(store, "timeline", ids(store))
    [bars] = figure["data"]
    assert bars["customdata"] == ["run 0", "run 1"]
    assert all(length >= 0 for length in bars["x"])
    assert bars["marker"]["color"] == ["#5588fb", "#344b0d"]
    assert all("completed" in text for text in bars["text"])
    # Plotly ignores a date that it cannot read, and would draw from 1970 on.
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", base) for base in bars["base"])


def test_timeline_of_nothing(store: ExperimentStore) -> None:
    """Without a selected experiment the figure is empty, not an error."""
    assert _panels.panel_figure(store, "timeline", [])["data"][0]["y"] == []
