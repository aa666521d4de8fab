"""Experiments as files of other formats, with every row, some thousand rows at a time."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from neural_core._series import NO_STEP
from neural_core._storage.artifacts.documents import read_documents, to_document
from neural_core._storage.experiment.overview import experiment_record
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.tables import row_tables
from neural_core._storage.parquet.layout import Column
from neural_core._storage.parquet.writer import Chunk, unique_column_names, write_parquet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["cell", "write_csv", "write_json", "write_parquet_file"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SPECIAL = {math.inf: "Infinity", -math.inf: "-Infinity"}


def cell(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula (OWASP, "CSV injection")."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def write_csv(directories: Sequence[Path], out: IO[str]) -> None:
    """Write a line for each ``log_metrics`` call: experiment_id, experiment_name, step, time, and every metric.

    A metric that was not in the call leaves its cell empty; NaN and infinities are NaN, Infinity and -Infinity.
    """
    readers = {directory: RunReader(directory) for directory in directories}
    names = list(dict.fromkeys(name for reader in readers.values() for name in reader.names()))
    writer = csv.writer(out, lineterminator="\n")
    own_names = ("experiment_id", "experiment_name", "step", "time")
    writer.writerow([*own_names, *map(cell, _column_names(names, own_names).values())])
    for directory, reader in readers.items():
        record = experiment_record(directory, reader.state()[0])
        own = [cell(record.experiment_id), cell(record.name)]
        for table in row_tables(reader):
            writer.writerows([*own, *cells] for cells in _csv_rows(table, names))


def _column_names(metrics: Sequence[str], reserved: Sequence[str]) -> dict[str, str]:
    """Give each metric the name of its column: its own, but for one that a column of ours has, ``step~2``."""
    columns = {metric: column for column, metric in unique_column_names(metrics).items()}
    taken = {column.casefold() for column in columns.values()} | set(reserved)
    for metric, column in columns.items():
        if column.casefold() in reserved:
            columns[metric] = next(
                free for number in itertools.count(2) if (free := f"{column}~{number}").casefold() not in taken
            )
    return columns


def _csv_rows(table: dict[str, Any], names: Sequence[str]) -> Iterator[tuple[object, ...]]:
    blank = [""] * len(table["step"])
    steps = ["" if step == NO_STEP else step for step in table["step"].tolist()]
    columns = [
        _texts(table["values"][name], table["present"][name]) if name in table["values"] else blank for name in names
    ]
    return zip(steps, map(_number, table["timestamp"].tolist()), *columns, strict=True)


def _texts(values: NDArray[np.float64], present: NDArray[np.bool_]) -> list[object]:
    return [_number(value) if held else "" for value, held in zip(values.tolist(), present.tolist(), strict=True)]


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else _SPECIAL.get(value, "NaN")


def write_json(directories: Sequence[Path], out: IO[str]) -> None:
    """Write one strict JSON document; points are three lists for each metric, a metric in memory at a time."""
    out.write('{"format": "neural export", "format_version": 1, "experiments": [')
    for place, directory in enumerate(directories):
        reader = RunReader(directory)
        out.write(",\n" if place else "\n")
        head = json.dumps(_record(directory, reader), allow_nan=False)
        out.write(f'{head[:-1]}, "metrics": {{')
        for number, name in enumerate(reader.names()):
            series = reader.series(name)
            steps = [None if step == NO_STEP else step for step in series.step.tolist()]
            points = {"step": steps, "time": _plain(series.time.tolist()), "value": _plain(series.value.tolist())}
            out.write(f"{',' if number else ''}\n{json.dumps(name)}: {json.dumps(points, allow_nan=False)}")
        out.write("}}")
    out.write("\n]}\n")


def _plain(values: Iterable[float]) -> list[float | str]:
    return [_number(value) for value in values]


def _record(directory: Path, reader: RunReader) -> dict[str, Any]:
    state, _ = reader.state()
    record = experiment_record(directory, state)
    return {
        "experiment_id": record.experiment_id,
        "experiment_name": record.name,
        "status": record.status,
        "start_time": record.start_time,
        "end_time": record.end_time,
        "tags": dict(record.tags),
        "notes": record.notes,
        "environment": state.environment,
        "hyperparameters": _strict(record.hyperparameters),
        "artifacts": [to_document(one, directory) for one in read_documents(state.artifacts, directory)[0]],
    }


def _strict(value: Any) -> Any:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict):
        return {str(key): _strict(item) for key, item in value.items()}
    return [_strict(item) for item in value] if isinstance(value, list) else value


def write_parquet_file(directory: Path, path: Path) -> int:
    """Write the rows of one experiment as a Parquet file: step, time, and a column of doubles for each metric.

    A row without a step, or without a metric, has null there. Gives the number of rows. The file that was there is
    replaced when all is written.
    """
    reader = RunReader(directory)
    record = experiment_record(directory, reader.state()[0])
    taken = _column_names(reader.names(), ("step", "time"))
    layout = [Column("step", "int64", True), Column("time", "double")]
    layout += [Column(column, "double", True) for column in taken.values()]
    footer = {
        "neural.experiment_id": record.experiment_id,
        "neural.experiment_name": json.dumps(record.name),
        "neural.columns": json.dumps({column: metric for metric, column in taken.items() if column != metric}),
    }
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.unlink(missing_ok=True)
    try:
        groups = (_chunks(table, list(taken)) for table in row_tables(reader))
        rows = write_parquet(temporary, layout, groups, footer)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return rows


def _chunks(table: dict[str, Any], names: Sequence[str]) -> list[Chunk]:
    import numpy as np

    has_step = table["step"] != NO_STEP
    chunks = [Chunk(table["step"][has_step], has_step), Chunk(table["timestamp"])]
    nothing = np.zeros(len(has_step), np.bool_)
    for name in names:
        held = table["present"].get(name, nothing)
        chunks.append(Chunk(table["values"][name][held] if held.any() else np.empty(0), held))
    return chunks
