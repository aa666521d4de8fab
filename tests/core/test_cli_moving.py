"""`neural export` and `neural sql`: what leaves a store, whole and harmless."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from cli_support import EVIL, document, neural, track

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._cli import sql_tables
from neural_core._storage.experiment.reader import RunReader
from neural_core._storage.experiment.tables import row_tables


def odd(base: Path) -> ExperimentTracker:
    """Make an experiment with everything that a format may trip over."""
    with ExperimentTracker(EVIL, base, False, hyperparameters={"x": math.inf}) as tracker:
        tracker.log_metrics({"loss": math.nan, "=cmd()": -0.0}, step=0)
        tracker.log_metrics({"loss": -math.inf})
        tracker.log_metrics({"loss": 0.1, "step": 7.0}, step=2**40)
    return tracker


def table(text: str) -> list[dict[str, str]]:
    """Read CSV."""
    return list(csv.DictReader(io.StringIO(text)))


# export ---------------------------------------------------------------------------------------------------------


def test_csv_has_every_row(tmp_path: Path) -> None:
    """CSV has a line for each call of two experiments, with exact numbers; what a call had not is empty."""
    one, two = track(tmp_path, "one", 0.1), track(tmp_path, "two", 0.7)
    rows = table(neural("export", one.experiment_id, two.experiment_id, "--base-dir", tmp_path).stdout)
    assert [row["experiment_name"] for row in rows] == ["one"] * 3 + ["two"] * 3
    assert [float(row["train_loss"]) for row in rows] == [
        *one.get_metrics("train_loss"),
        *two.get_metrics("train_loss"),
    ]
    assert [row["step"] for row in rows] == ["0", "1", "2"] * 2
    assert [float(row["time"]) for row in rows[:3]] == one.get_series("train_loss").time.tolist()


@pytest.mark.fault("U19")
def test_csv_is_no_formula(tmp_path: Path) -> None:
    """Names that a spreadsheet would run get an apostrophe; numbers that are not finite have names."""
    rows = table(neural("export", odd(tmp_path).experiment_id, "--base-dir", tmp_path).stdout)
    assert rows[0]["experiment_name"] == f"'{EVIL}"
    assert [row["loss"] for row in rows] == ["NaN", "-Infinity", "0.1"]
    assert [row["step"] for row in rows] == ["0", "", str(2**40)]
    assert rows[0]["'=cmd()"] == "-0.0"
    assert [row["step~2"] for row in rows] == ["", "", "7.0"]


def test_json_is_strict_and_whole(tmp_path: Path) -> None:
    """JSON holds everything that is known of an experiment, and every point."""
    told = document("export", odd(tmp_path).experiment_id, "--format", "json", "--base-dir", tmp_path)
    [one] = told["experiments"]
    assert (one["experiment_name"], one["hyperparameters"]) == (EVIL, {"x": "Infinity"})
    assert one["metrics"]["loss"]["value"] == ["NaN", "-Infinity", 0.1]
    assert one["metrics"]["loss"]["step"] == [0, None, 2**40]
    assert list(one["metrics"]) == ["loss", "=cmd()", "step"]


def test_parquet_is_standard(tmp_path: Path) -> None:
    """Parquet has step, time and a column for each metric, null where a call had none; the bits are those logged."""
    one = odd(tmp_path)
    target = tmp_path / "out" / "one.parquet"
    said = neural("export", one.experiment_id, "--output", target, "--base-dir", tmp_path).stderr
    assert said == f"1 experiment written to {target}\n"
    read = pyarrow.parquet.read_table(target)
    assert read.column_names == ["step", "time", "loss", "=cmd()", "step~2"]
    assert read["step"].to_pylist() == [0, None, 2**40]
    assert np.array_equal(read["loss"].to_numpy(), one.get_series("loss").value, equal_nan=True)
    assert str(read["=cmd()"].to_pylist()) == "[-0.0, None, None]"
    assert json.loads(read.schema.metadata[b"neural.columns"]) == {"step~2": "step"}


def test_parquet_of_several(tmp_path: Path) -> None:
    """Several experiments become a folder with a file each."""
    ids = [track(tmp_path, name).experiment_id for name in ("one", "two")]
    target = tmp_path / "data"
    neural("export", *ids, "--format", "parquet", "--output", target, "--base-dir", tmp_path)
    assert [pyarrow.parquet.read_table(path).num_rows for path in sorted(target.iterdir())] == [3, 3]


def test_html_is_one_page(tmp_path: Path) -> None:
    """HTML is one page, in which names are text."""
    target = tmp_path / "page.html"
    neural("export", odd(tmp_path).experiment_id, "--output", target, "--base-dir", tmp_path)
    page = target.read_text(encoding="utf-8")
    assert "[red]b[/red]" in page
    assert "<script" not in page


def test_export_of_a_living_experiment(tmp_path: Path) -> None:
    """What is logged so far is exported, from the journal, of several processes in the order of time."""
    with ExperimentTracker("live", tmp_path, False) as live:
        for step in range(3):
            live.log_metrics({"a": float(step)}, step=step)
        child = os.fork()
        if child == 0:
            for step in range(3, 6):
                live.log_metrics({"a": float(step), "b": 1.0}, step=step)
            os._exit(0)
        os.waitpid(child, 0)
        live.log_metrics({"a": 6.0}, step=6)
        rows = table(neural("export", live.experiment_id, "--base-dir", tmp_path).stdout)
    assert [row["step"] for row in rows] == list("0123456")
    assert [row["b"] for row in rows] == ["", "", "", "1.0", "1.0", "1.0", ""]


def test_tables_of_any_size_are_the_history(tmp_path: Path) -> None:
    """Cut into pieces of any size, of one writer or of several, the tables are what the history is."""
    with ExperimentTracker("ranks", tmp_path, False) as owner:
        attached = ExperimentTracker.attach(owner.experiment_dir, rank=1)
        for step in range(20):
            owner.log_metrics({"a": float(step)}, step=step)
            attached.log_metrics({"b": float(step), "a": -1.0}, step=step)
        attached.finish()
        reader = RunReader(owner.experiment_dir)
        reader.refresh()
        expected = [(row.step, dict(row.values)) for row in reader.history()]
        for size in (1, 3, 7, 1_000):
            found = []
            for some in row_tables(reader, size):
                assert len(some["step"]) <= size
                for at in range(len(some["step"])):
                    held = {name: some["values"][name][at] for name in some["values"] if some["present"][name][at]}
                    found.append((int(some["step"][at]), held))
            assert found == expected


def test_export_tells_damage(tmp_path: Path) -> None:
    """Of a damaged journal what is sound is written; the damage is named beside it, and the status is 1."""
    live = ExperimentTracker("live", tmp_path, False)
    for step in range(10):
        live.log_metrics({"a": float(step)}, step=step)
    part = next(live.experiment_dir.glob("metrics/*.nj"))
    data = bytearray(part.read_bytes())
    data[-40] ^= 1
    part.write_bytes(data)
    result = neural("export", live.experiment_id, "--base-dir", tmp_path, status=1)
    live.finish()
    assert len(table(result.stdout)) == 9
    assert f"damaged: {live.experiment_dir.name}: metrics/{part.name}" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["--format", "html"], 2, "html is no text for a terminal: name a place with --output"),
        (["--format", "parquet"], 2, "name a place with --output"),
        (["--format", "xml"], 2, "'xml' is not one of"),
        (["--output", "{base}/file/x.csv"], 2, "name another place"),
    ],
)
def test_export_misused(tmp_path: Path, arguments: list[str], status: int, sentence: str) -> None:
    """What cannot be written is one sentence."""
    one = track(tmp_path, "one")
    (tmp_path / "file").write_text("")
    given = [text.format(base=tmp_path) for text in arguments]
    assert sentence in neural("export", one.experiment_id, *given, "--base-dir", tmp_path, status=status).stderr


# sql ------------------------------------------------------------------------------------------------------------


def ask(base: Path, query: str, *options: object) -> Any:
    """Give the rows of a query."""
    return document("sql", query, "--base-dir", base, "--json", *options)


def test_sql_tables(tmp_path: Path) -> None:
    """Runs, params, tags, metrics and points hold what was logged."""
    one = track(tmp_path, "one", 0.5, tags={"paper": "t2"}, notes="why", hyperparameters={"name": "adam", "on": True})
    identity = one.experiment_id
    [run] = ask(tmp_path, "FROM runs")
    assert (run["experiment_id"], run["name"], run["status"], run["notes"]) == (identity, "one", "completed", "why")
    assert run["start_time"][:10] == ExperimentManager(tmp_path).runs()[0].start_time[:10]
    params = {row["name"]: (row["value"], row["number"]) for row in ask(tmp_path, "FROM params")}
    assert params == {"lr": ("0.5", 0.5), "seed": ("1", 1.0), "name": ("adam", None), "on": ("True", None)}
    assert ask(tmp_path, "FROM tags") == [{"experiment_id": identity, "name": "paper", "value": "t2"}]
    [metric] = ask(tmp_path, "SELECT min, min_step, count FROM metrics WHERE name = 'train_loss'")
    assert metric == {"min": 0.5 / 3, "min_step": 2, "count": 3}
    points = ask(tmp_path, "SELECT step, value FROM points WHERE metric = 'val_accuracy' ORDER BY step")
    assert points == [{"step": 0, "value": 0.0}, {"step": 1, "value": 0.5}, {"step": 2, "value": 1.0}]


def test_sql_keeps_odd_values(tmp_path: Path) -> None:
    """NaN and infinities are values and no nulls, an absent step is null, names are bytes as logged."""
    odd(tmp_path)
    rows = ask(tmp_path, "SELECT step, value FROM points WHERE metric = 'loss'")
    assert sorted(rows, key=str) == sorted(
        [{"step": 0, "value": "NaN"}, {"step": None, "value": "-Infinity"}, {"step": 2**40, "value": 0.1}], key=str
    )
    assert ask(tmp_path, "SELECT last, min FROM metrics WHERE name = 'loss'") == [{"last": 0.1, "min": 0.1}]
    assert ask(tmp_path, "SELECT name FROM runs") == [{"name": EVIL}]
    shown = neural("sql", "SELECT name FROM runs", "--base-dir", tmp_path).stdout
    assert r"=a\nERROR \x1b[2J[red]b[/red]" in shown
    assert neural("sql", "SELECT name FROM runs", "--base-dir", tmp_path, "--csv").stdout.startswith("name\n\"'=a\n")


def test_sql_over_living_journals(tmp_path: Path) -> None:
    """Points of an experiment that is being written are there."""
    with ExperimentTracker("live", tmp_path, False) as live:
        for step in range(1_000):
            live.log_metrics({"a": float(step)}, step=step)
        assert ask(tmp_path, "SELECT count(*) AS n, max(value) AS top FROM points") == [{"n": 1_000, "top": 999.0}]


def test_sql_where(tmp_path: Path) -> None:
    """--where chooses experiments before anything is read."""
    track(tmp_path, "one")
    track(tmp_path, "two", 0.1)
    assert ask(tmp_path, "SELECT name FROM runs", "--where", "params.lr < 0.2") == [{"name": "two"}]


def test_sql_of_nothing(tmp_path: Path) -> None:
    """A store without experiments has the tables, with no rows."""
    for name in ("runs", "params", "tags", "metrics", "points"):
        assert ask(tmp_path, f"FROM {name}") == []
    assert "no rows" in neural("sql", "FROM runs", "--base-dir", tmp_path).stdout


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT x FROM runs", '"x" not found'),
        ("SELECT * FROM read_csv('{base}/secret.csv')", "disabled by configuration"),
        ("SELECT * FROM '{base}/secret.csv'", "disabled by configuration"),
        ("SELECT * FROM read_text('{base}/secret.csv')", "disabled by configuration"),
        ("COPY runs TO '{base}/out.csv'", "one query that reads"),
        ("ATTACH '{base}/x.db'", "one query that reads"),
        ("SET enable_external_access = true", "one query that reads"),
        ("DROP TABLE runs", "one query that reads"),
        ("SELECT 1; SELECT 2", "one query that reads"),
        ("INSTALL httpfs", "one query that reads"),
        ("", "one query that reads"),
    ],
)
def test_sql_reads_nothing_else(tmp_path: Path, query: str, sentence: str) -> None:
    """A query reads the tables and nothing else: no file, no setting, no change; each refusal is no traceback."""
    (tmp_path / "secret.csv").write_text("a\n1\n")
    result = neural("sql", query.format(base=tmp_path), "--base-dir", tmp_path, status=2)
    assert sentence in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.csv"]


def test_sql_options_exclude_each_other(tmp_path: Path) -> None:
    """The rows come in one form."""
    neural("sql", "FROM runs", "--json", "--csv", "--base-dir", tmp_path, status=2)


def test_sql_without_duckdb(tmp_path: Path) -> None:
    """Without DuckDB the command says in one sentence which line brings it."""
    code = "import sys; sys.modules['duckdb'] = None; from neural_core._cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code, "sql", "FROM runs", "--base-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: DuckDB is not installed")
    assert 'pip install "neural-core[sql]"' in result.stderr


@pytest.mark.parametrize("kind", ["BIGINT", "DOUBLE"])
def test_sql_needs_no_masks(kind: str) -> None:
    """What is absent stands beside the numbers: before its 2.0 DuckDB reads a masked number as it lies below."""
    arrays = sql_tables._arrays("x", [1, None], kind)
    assert not any(isinstance(array, np.ma.MaskedArray) for array in arrays.values())
    assert arrays["x none"].tolist() == [False, True]


def test_sql_needs_neither_pandas_nor_pyarrow(tmp_path: Path) -> None:
    """The extra sql is DuckDB alone."""
    track(tmp_path, "one")
    code = (
        "import sys; sys.modules['pandas'] = sys.modules['pyarrow'] = None; from neural_core._cli import main; main()"
    )
    command = [sys.executable, "-c", code, "sql", "SELECT count(*) FROM points", "--csv", "--base-dir", str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == "count_star()\n6\n"
