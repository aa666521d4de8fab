"""The panels that are installed: their list, and the figure of one, each guarded."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from neural_core.errors import NeuralError
from neural_core.plugins import InstalledPlugin, PluginFailedError, installed_plugins
from neural_core.reading import ExperimentStore, SeriesView, Window

if TYPE_CHECKING:
    pass

__all__ = ["GROUP", "MOST_BYTES", "PanelNotFoundError", "list_panels", "panel_figure"]

GROUP = "neural.panels"
MOST_BYTES = 20_000_000
"""Of a figure's JSON: a browser would not draw more in a moment."""
MOST_POINTS = 4_000
_lock = threading.Lock()
_made: dict[str, _Made] = {}


class PanelNotFoundError(NeuralError):
    """No panel has this name."""


@frozen
class _Made:
    """A panel of which the object has been made."""

    plugin: InstalledPlugin
    panel: Any
    title: str
    lock: Any  # of threading: it has no public type


def list_panels(store: ExperimentStore) -> list[dict[str, str]]:
    """Give name, title and distribution of each installed panel, ours first; a broken one has its `error`."""
    del store  # the same for each; it stands in the call for the day when a store has panels of its own
    listed = []
    for plugin in sorted(installed_plugins(GROUP), key=lambda one: not one.distribution.startswith("neural-ui ")):
        about = {"name": plugin.name, "title": plugin.name, "distribution": plugin.distribution}
        try:
            listed.append({**about, "title": _make(plugin).title})
        except PluginFailedError as error:
            listed.append({**about, "error": str(error)})
    return listed


def panel_figure(store: ExperimentStore, name: str, run_ids: Sequence[str]) -> dict[str, Any]:
    """Let a panel draw experiments; give Plotly's JSON, in which every number is finite or null.

    Raises:
        PanelNotFoundError: no panel has this name.
        PluginFailedError: it raised, or gave no figure.
        ExperimentNotFoundError: one of the experiments is not there.
    """
    plugin = next((one for one in installed_plugins(GROUP) if one.name == name), None)
    if plugin is None:
        raise PanelNotFoundError(f"no panel is called {name!r:.80}")
    made = _make(plugin)
    experiments = [store.run(run_id) for run_id in run_ids]
    with made.lock:
        answer = plugin.call(made.panel.figure, experiments, _reader(store, run_ids))
        return _as_json(plugin, answer)


def _make(plugin: InstalledPlugin) -> _Made:
    with _lock:
        made = _made.get(plugin.name)
        if made is None or made.plugin.distribution != plugin.distribution:
            panel = plugin.make()
            title = getattr(panel, "title", None)
            if not isinstance(title, str) or not callable(getattr(panel, "figure", None)):
                raise PluginFailedError(f"{plugin} is no panel: it needs a text `title` and a method `figure`")
            made = _made[plugin.name] = _Made(plugin, panel, title[:60], threading.Lock())
        return made


def _reader(store: ExperimentStore, run_ids: Sequence[str]) -> Any:
    def series(metric: str, *, x: str = "step", points: int = 700) -> SeriesView:
        return store.read_series(run_ids, metric, x, Window(points=min(points, MOST_POINTS)))

    return series


def _as_json(plugin: InstalledPlugin, answer: object) -> dict[str, Any]:
    """Give what plotly.js draws for a plotly.py figure, or for a mapping with `data` and `layout`."""
    as_dict = getattr(answer, "to_plotly_json", None)
    figure = plugin.call(as_dict) if callable(as_dict) else answer
    if not isinstance(figure, Mapping) or not isinstance(figure.get("data"), (list, tuple)):
        raise PluginFailedError(f"{plugin} gave no figure, but {type(answer).__name__}")
    text = plugin.call(_encode, {"data": list(figure["data"]), "layout": figure.get("layout") or {}})
    if len(text) > MOST_BYTES:
        raise PluginFailedError(f"{plugin} gave a figure of {len(text):,} bytes; at most {MOST_BYTES:,} are drawn")
    decoded: dict[str, Any] = json.loads(text)
    return decoded


def _encode(figure: Mapping[str, Any]) -> str:
    return json.dumps(_finite(figure), default=_plain, allow_nan=False)


def _finite(value: Any) -> Any:
    """Put null in the place of what JSON has no number for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return _finite(value.tolist()) if hasattr(value, "tolist") else value


def _plain(value: Any) -> Any:
    """Give a value that JSON does not know: a figure within the figure, a date."""
    nested = getattr(value, "to_plotly_json", None)
    return _finite(nested()) if callable(nested) else str(value)
