"""The pictures of one experiment, by name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neural_core._plotting.curves import Curve
    from neural_core._plotting.inputs import History
    from neural_core.records import Series

__all__ = ["MetricVisualizer", "make_plots"]

_log = logging.getLogger("neural")


class MetricVisualizer:
    """Draws the metrics of one experiment.

    The figures are `matplotlib.figure.Figure` objects that pyplot does not know: nothing need be closed, and the
    current figure and ``rcParams`` stay as they are. Save one with ``figure.savefig("loss.png")``.

    The names (the keys of what is returned) are safe file stems, also where case does not count: ``metric_`` and the
    metric's name in ASCII with ``_`` for other signs, at most 60 characters; the second that would be equal gets
    ``_2``. Many metrics make pages: ``combined``, ``combined_2`` …
    """

    @staticmethod
    def create_metric_plots(metrics_history: History, figsize: tuple[float, float] = (10, 6)) -> dict[str, Figure]:
        """Draw each metric over its steps, all of them together, and how they correlate.

        Args:
            metrics_history: ``tracker.metrics_history``; or rows with "step", "timestamp" and metrics; or a mapping
                from metric name to `Series` or to numbers.
            figsize: width and height in inches; pages with many panels and big matrices are larger.

        Returns:
            ``metric_<name>`` per metric with its minimum and maximum marked; ``combined`` (20 panels a page, further
            pages ``combined_2`` …), where ``train_loss`` and ``val_loss`` share the panel ``loss``; and with two
            metrics or more ``correlation``: Pearson's coefficient of values paired by step. A metric without a
            finite value is left out, which the log ``neural`` says. Without metrics the mapping is empty.

        Raises:
            ArgumentTypeError: `metrics_history` is no history.
        """
        from neural_core._plotting.inputs import to_series

        return _curves_plots(_drawable(to_series(metrics_history)), figsize)

    @staticmethod
    def create_distribution_plots(
        metrics_history: History, figsize: tuple[float, float] = (12, 8)
    ) -> dict[str, Figure]:
        """Draw the histogram of each metric.

        Args:
            metrics_history: as for `create_metric_plots`.
            figsize: width and height in inches; pages with many panels are higher.

        Returns:
            ``distributions`` (20 panels a page, further pages ``distributions_2`` …). Without metrics it is empty.

        Raises:
            ArgumentTypeError: `metrics_history` is no history.
        """
        from neural_core._plotting.inputs import to_series

        return _distribution_plots(_drawable(to_series(metrics_history)), figsize)


def make_plots(history: Mapping[str, Series]) -> dict[str, Figure]:
    """Draw all plots of one experiment: those of both methods of `MetricVisualizer`."""
    shown = _drawable(dict(history))
    return _curves_plots(shown, (10, 6)) | _distribution_plots(shown, (12, 8))


def _drawable(history: dict[str, Series]) -> dict[str, tuple[Series, Curve]]:
    """Make the curves; leave out metrics that have nothing to draw, and say so once per metric."""
    from neural_core._plotting.curves import make_curve

    shown = {}
    for name, series in history.items():
        curve = make_curve(series)
        if curve is None:
            _log.warning("plots: metric %.80r has no finite value; it is not drawn", name)
        else:
            shown[name] = series, curve
    return shown


def _curves_plots(shown: Mapping[str, tuple[Series, Curve]], size: tuple[float, float]) -> dict[str, Figure]:
    from neural_core._plotting.curve_plots import combined_figure, families, metric_figure
    from neural_core._plotting.layout import page_key, pages
    from neural_core._plotting.matrix import correlation_figure
    from neural_core._plotting.text import file_stems

    curves = {name: curve for name, (_, curve) in shown.items()}
    figures: dict[str, Figure] = {}
    for name, stem in file_stems(shown, "metric_").items():
        attempt(figures, stem, metric_figure, name, curves[name], size)
    groups = families(list(shown))
    for page, part in pages(groups):
        title = _paged("All metrics", page, len(groups))
        attempt(figures, page_key("combined", page), combined_figure, title, part, curves, size)
    if len(shown) >= 2:
        attempt(figures, "correlation", correlation_figure, {name: pair[0] for name, pair in shown.items()}, size)
    return figures


def _distribution_plots(shown: Mapping[str, tuple[Series, Curve]], size: tuple[float, float]) -> dict[str, Figure]:
    from neural_core._plotting.histogram import distribution_figure
    from neural_core._plotting.layout import page_key, pages

    figures: dict[str, Figure] = {}
    for page, part in pages(list(shown)):
        title = _paged("Distributions", page, len(shown))
        series = {name: shown[name][0] for name in part}
        attempt(figures, page_key("distributions", page), distribution_figure, title, series, size)
    return figures


def _paged(title: str, page: int, count: int) -> str:
    from neural_core._plotting.layout import PER_PAGE

    return title if count <= PER_PAGE else f"{title}, page {page} of {-(-count // PER_PAGE)}"


def attempt(figures: dict[str, Figure], key: str, make: Callable[..., Figure], *arguments: Any) -> None:
    """Put one figure into `figures`; when it cannot be made, say so in the log ``neural`` and go on."""
    import numpy as np

    try:
        with np.errstate(all="ignore"):  # the user's np.seterr(all="raise") must not reach us
            figures[key] = make(*arguments)
    except Exception:  # noqa: BLE001 - a picture must never end the training that it shows
        _log.warning("plots: %s could not be drawn and is left out", key, exc_info=True)
