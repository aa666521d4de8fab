"""``GET csv``: the full data of some experiments, sent while it is read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from flask import Blueprint, Response

from neural_core.errors import NeuralError
from neural_core.reading import ExperimentStore, FullData, StoredRun
from neural_core.records import NO_STEP, Series
from neural_ui._api._arguments import metric_names, run_ids

__all__ = ["add_csv", "safe_cell"]

_HEAD = ("run", "id", "metric", "step", "time", "value")
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """Give text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_DANGEROUS) else text


def add_csv(api: Blueprint, store: ExperimentStore) -> None:
    """Add the route."""

    @api.get("/csv")
    def full_data() -> Response:
        runs = [store.run(run_id) for run_id in run_ids()]
        answer = Response(_lines(store, runs, metric_names()), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = 'attachment; filename="metrics.csv"'
        return answer


def _lines(store: ExperimentStore, runs: Sequence[StoredRun], metrics: Sequence[str]) -> Iterator[str]:
    yield _text([_HEAD])
    for run in runs:
        try:
            data = store.full_data(run.id)
        except NeuralError:
            continue  # it was deleted meanwhile
        for metric in metrics or list(run.row.metrics):
            if metric in run.row.metrics:
                yield from _of_one(data, run, metric)


def _of_one(data: FullData, run: StoredRun, metric: str) -> Iterator[str]:
    cells = [safe_cell(run.row.name), run.id, safe_cell(metric)]
    try:
        for series in data.pieces(metric):
            yield _text([[*cells, *point] for point in _points(series)])
    except (NeuralError, OSError):
        # The answer is under way: the row says in the data's own place that this metric is not whole.
        yield _text([[*cells, "", "", "this metric is damaged and cannot be read"]])


def _points(series: Series) -> Iterator[tuple[object, object, object]]:
    steps, times, values = series.step.tolist(), series.time.tolist(), series.value.tolist()
    for step, time, value in zip(steps, times, values, strict=True):
        yield "" if step == NO_STEP else step, repr(time), repr(value)


def _text(rows: Sequence[Sequence[object]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
