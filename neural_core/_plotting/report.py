"""A comparison as a folder: pictures, tables, a summary and one page that opens from disk."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neural_core._plotting.comparison import make_comparison_plots
from neural_core._plotting.render import render_png, replacing, write_bytes
from neural_core._plotting.summary import Best, best_of, chosen_metrics, comparison_rows, flatten, last_of, value_text
from neural_core._series import NO_STEP
from neural_core.records import ComparedExperiment, Series

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["comparison_rows", "export_comparison", "safe_cell", "strict", "summary_of"]

_DPI = 144


def export_comparison(
    experiments: Sequence[ComparedExperiment], output_dir: Path, figures: Mapping[str, Figure] | None = None
) -> Path:
    """Write a comparison into a folder.

    Args:
        experiments: what to compare, in the order that gives the colours.
        output_dir: the folder; made when it is not there. Files of ours in it are replaced one by one, each whole.
        figures: file stem → figure, drawn already; those of `make_comparison_plots` when None.

    Returns:
        `output_dir`, which holds ``report.html`` (one page with everything in it, without scripts or network),
        ``summary.json``, ``metrics.csv`` (a row per point: experiment_id, experiment_name, metric, step, time,
        value), ``hyperparameters.csv`` (a row per experiment) and the figures of `make_comparison_plots` as PNG.
        Text cells that a spreadsheet would run (they start with = + - @, tab or return) get an apostrophe in front.

    Raises:
        ArgumentValueError: there is no experiment.
        OSError: the folder cannot be written.
    """
    from neural_core._plotting.report_page import report_page

    chosen_metrics(experiments, None)
    output_dir = Path(output_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    pictures = {}
    for key, figure in (make_comparison_plots(experiments) if figures is None else figures).items():
        pictures[key] = render_png(figure, dpi=_DPI)
        write_bytes(output_dir / f"{key}.png", pictures[key])
    summary = json.dumps(summary_of(experiments), indent=2, ensure_ascii=True, allow_nan=False).encode("ascii")
    write_bytes(output_dir / "summary.json", summary)
    _write_csv(output_dir / "metrics.csv", _metric_rows(experiments))
    _write_csv(output_dir / "hyperparameters.csv", _hyperparameter_rows(experiments))
    write_bytes(output_dir / "report.html", report_page(experiments, pictures, summary).encode("utf-8"))
    return output_dir


def summary_of(experiments: Sequence[ComparedExperiment]) -> dict[str, Any]:
    """Give the content of ``summary.json``: strict JSON, numbers that are not finite as text."""
    return {
        "format": "neural comparison",
        "format_version": 1,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "experiments": [_experiment(compared) for compared in experiments],
    }


def _experiment(compared: ComparedExperiment) -> dict[str, Any]:
    record = compared.experiment
    return {
        "experiment_id": record.experiment_id,
        "experiment_name": strict(record.name),
        "status": record.status,
        "start_time": record.start_time,
        "end_time": record.end_time,
        "hyperparameters": strict(record.hyperparameters),
        "metrics": {strict(name): _metric(name, series) for name, series in compared.series.items()},
    }


def _metric(name: str, series: Series) -> dict[str, Any]:
    best, last = best_of(series, name), last_of(series)
    return {
        "count": len(series),
        "best": _best(best),
        "last": None if last is None else {"value": strict(last[0]), "step": last[1]},
    }


def _best(best: Best | None) -> dict[str, Any] | None:
    return None if best is None else {"value": best.value, "step": best.step, "mode": best.mode}


def strict(value: Any, depth: int = 50) -> Any:
    """Make a value that strict JSON can hold: NaN and ±Infinity as text, what JSON does not know as ``repr``."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping) and depth:
        return {strict(str(name)): strict(item, depth - 1) for name, item in value.items()}
    if isinstance(value, list | tuple) and depth:
        return [strict(item, depth - 1) for item in value]
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, Mapping | list | tuple):
        return "…"
    text = value if isinstance(value, str) else repr(value)
    return text.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate is no character that a file can hold


def _metric_rows(experiments: Sequence[ComparedExperiment]) -> Iterator[list[object]]:
    yield ["experiment_id", "experiment_name", "metric", "step", "time", "value"]
    for compared in experiments:
        own = [compared.experiment.experiment_id, compared.experiment.name]
        for name, series in compared.series.items():
            for step, time, value in zip(
                series.step.tolist(), series.time.tolist(), series.value.tolist(), strict=True
            ):
                yield [*own, name, "" if step == NO_STEP else step, "" if time != time else time, _float(value)]


def _float(value: float) -> float | str:
    """A number as it is; the names of JSON and of pandas for the others. "-Infinity" must stay a number."""
    return value if math.isfinite(value) else _Plain(strict(value))


class _Plain(str):
    """Text of ours that needs no apostrophe."""

    __slots__ = ()


def _hyperparameter_rows(experiments: Sequence[ComparedExperiment]) -> Iterator[list[object]]:
    flat = [flatten(compared.experiment.hyperparameters) for compared in experiments]
    names = list(dict.fromkeys(name for values in flat for name in values))
    yield ["experiment_id", "experiment_name", *names]
    for compared, values in zip(experiments, flat, strict=True):
        record = compared.experiment
        yield [record.experiment_id, record.name, *(_value(values[name]) if name in values else "" for name in names)]


def _value(value: object) -> object:
    return (
        value
        if isinstance(value, bool | int | str)
        else _float(value)
        if isinstance(value, float)
        else value_text(value)
    )


def _write_csv(path: Path, rows: Iterator[list[object]]) -> None:
    with replacing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="")
        csv.writer(text, lineterminator="\r\n").writerows([safe_cell(cell) for cell in row] for row in rows)
        text.flush()
        text.detach()  # the file is closed by who opened it


def safe_cell(cell: object) -> object:
    """Put an apostrophe before text that a spreadsheet would take for a formula (OWASP, "CSV injection")."""
    if (
        isinstance(cell, str)
        and not isinstance(cell, _Plain)
        and cell.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    ):
        return "'" + cell
    return cell
