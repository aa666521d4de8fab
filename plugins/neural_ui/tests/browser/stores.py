"""The stores of the browser tests, each made in seconds."""

from __future__ import annotations

import io
import math
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from neural_core import ExperimentManager, ExperimentTracker
from neural_core._storage.experiment.documents import read_document, write_document

__all__ = ["HOSTILE", "make_many_runs", "make_metric_farm", "make_small_store", "png"]

OPTIMIZERS = ("adamw", "sgd", "lion")


def png(red: int, green: int, blue: int, size: int = 48) -> bytes:
    """Give a PNG file of one colour."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + bytes((red, green, blue)) * size) * size
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make_small_store(base: Path, runs: int = 6, steps: int = 240) -> list[str]:
    """Make a store such as a person has after a day: finished and failed runs, tags, notes, files, plots; give the ids.

    The last run failed half-way; the first has three versions of a model, a figure and notes. ``val/accuracy`` holds
    NaN in the second run.
    """
    ids = []
    for number in range(runs):
        tracker = ExperimentTracker(
            f"resnet-{OPTIMIZERS[number % 3]}-{number}",
            base,
            auto_visualize=False,
            hyperparameters={
                "lr": 10 ** -(2 + number / 3),
                "optimizer": OPTIMIZERS[number % 3],
                "batch_size": 32,
                "model": {"name": "resnet18", "depth": 18 + 16 * (number % 2)},
                "seed": number,
            },
            tags={"team": "vision", "paper": ""} if number % 2 == 0 else {"team": "speech"},
            notes="The first try.\nIt **works**." if number == 0 else None,
        )
        _log_training(tracker, number, steps if number < runs - 1 else steps // 2)
        if number == 0:
            _log_files(tracker, base)
        tracker.finish("failed" if number == runs - 1 else "completed")
        ids.append(tracker.experiment_id)
    return ids


def _log_training(tracker: ExperimentTracker, number: int, steps: int) -> None:
    noise = np.random.default_rng(number).standard_normal(steps)
    for step in range(steps):
        at = step / steps
        accuracy = 0.95 - 0.02 * number - 0.8 * math.exp(-4 * at) + 0.01 * noise[step]
        tracker.log_metrics(
            {
                "train/loss": 0.2 + 0.05 * number + 2 * math.exp(-5 * at) + 0.05 * noise[step],
                "train/accuracy": accuracy,
                "val/loss": 0.3 + 0.05 * number + 2 * math.exp(-4 * at) + 0.02 * noise[-step],
                "val/accuracy": math.nan if number == 1 and step % 50 == 7 else accuracy - 0.03,
                "lr": 1e-3 * (1 - at),
            },
            step=step,
        )


def _log_files(tracker: ExperimentTracker, base: Path) -> None:
    for version in range(3):
        path = base / "model.pt"
        path.write_bytes(bytes([version]) * 2_000)
        tracker.log_model(path, framework="pytorch")
        path.unlink()
    page = base / "report.html"
    page.write_text("<script>window.__executed = 'artifact'</script>")
    tracker.log_artifact(page, "report.html")
    page.unlink()
    tracker.log_figure(_figure(), "curves.png")


def _figure() -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3, 2))
    figure.add_subplot().plot([3, 1, 2])
    return figure


def make_many_runs(base: Path, count: int = 1_000, templates: int = 24) -> None:
    """Make many runs with data of their own for the first ones, and links to that data for the others."""
    folders = [_short_run(base, number) for number in range(templates)]
    for number in range(templates, count):
        _copy(folders[number % templates], base, number)


def _parameters(number: int) -> dict[str, Any]:
    dice = np.random.default_rng(number)
    return {
        "lr": float(10 ** dice.uniform(-4, -1)),
        "optimizer": OPTIMIZERS[number % 3],
        "batch_size": int(2 ** dice.integers(4, 9)),
        "seed": number,
        **{f"param_{index}": float(dice.random()) for index in range(8)},
    }


def _short_run(base: Path, number: int) -> Path:
    with ExperimentTracker(
        f"sweep-{number:04d}", base, auto_visualize=False, hyperparameters=_parameters(number)
    ) as tracker:
        for step in range(40):
            values = {f"metric_{index}": math.exp(-step / 20) + index + number / 100 for index in range(6)}
            tracker.log_metrics({"loss": values["metric_0"], **values}, step=step)
    return tracker.experiment_dir


def _copy(template: Path, base: Path, number: int) -> None:
    """Write an experiment that has another one's data and documents of its own."""
    uid = f"{number:032x}"[::-1]
    directory = base / f"sweep-{number:04d}_{uid[:12]}"
    (directory / "metrics").mkdir(parents=True)
    for path in (template / "metrics").iterdir():
        os.link(path, directory / "metrics" / path.name)
    start = f"2026-01-{1 + number % 28:02d}T{number % 24:02d}:00:{number % 60:02d}.{number:06d}+00:00"
    changes: dict[str, dict[str, Any]] = {
        "metadata": {"id": uid[:12], "uid": uid, "name": f"sweep-{number:04d}", "start_time": start},
        "hyperparameters": {"hyperparameters": _parameters(number)},
        "summary": {},
    }
    for name, change in changes.items():
        content = read_document(template / f"{name}.json")
        kept = {key: value for key, value in content.items() if key not in ("format", "crc")}
        write_document(directory / f"{name}.json", kept | change, sync=False)


def make_metric_farm(base: Path, metrics: int = 1_000) -> str:
    """Make two runs with a thousand metrics each; give the id of the first."""
    for number in range(2):
        with ExperimentTracker(f"farm-{number}", base, auto_visualize=False) as tracker:
            for step in range(30):
                tracker.log_metrics(
                    {
                        f"layer{index // 10:02d}/unit{index % 10}": math.sin(step / 5 + index)
                        for index in range(metrics)
                    },
                    step=step,
                )
    return ExperimentManager(base).runs()[-1].experiment_id


MARK = "window.__executed = (window.__executed || 0) + 1"
HOSTILE = (
    f"<img src=x onerror='{MARK}'>",
    f"</script><script>{MARK}</script>",
    f"<svg/onload={MARK.replace(' ', '')}>",
    "<a href='https://evil.example/'>link</a>",
    "$\\href{javascript:alert(1)}{math}$",
    "%{y}<b>bold</b><br>",
    f"javascript:{MARK}",
    f"{{{{constructor.constructor('{MARK}')()}}}}",
    "__proto__",
    "constructor",
    "=cmd()|' /C calc'!A0",
    "\u202egnp.exe\u202c \N{FIRE} \N{ZERO WIDTH SPACE}日本語",
    "line\nERROR forged\x1b[2J",
    "n" * 300,
    '"quoted" \\ & <b>',
)
"""Names that mean something to a page that does not escape them. None of them may do anything."""


def make_hostile_store(base: Path) -> list[str]:
    """Make runs with hostile names, values, shapes and files; give the ids of the readable ones."""
    ids = [_hostile_run(base, number, name) for number, name in enumerate(HOSTILE)]
    ids += [_odd_run(base), _empty_run(base)]
    _damaged_folders(base)
    return ids


def _hostile_run(base: Path, number: int, name: str) -> str:
    tracker = ExperimentTracker(
        name,
        base,
        auto_visualize=False,
        hyperparameters={"lr": 10.0**-number, name: name, "choice": name, "nested": {name: [name, {"a": name}]}},
        tags={name.replace("\n", " ")[:200] or "x": name},
        notes=f"# {name}\n[link](javascript:{MARK})\n<script>{MARK}</script>",
    )
    for step in range(30):
        tracker.log_metrics({name: number + step / 30, "loss": 1 / (step + 1 + number)}, step=step)
    tracker.log_figure(_figure(), f"figure {number}.png")
    tracker.finish()
    return tracker.experiment_id


def _odd_run(base: Path) -> str:
    """Steps that go backwards and repeat, values without a finite one, infinities, a single point, no step at all."""
    tracker = ExperimentTracker("odd values", base, auto_visualize=False)
    for step in (5, 3, 3, 9, 1, 2**53, 0):
        tracker.log_metrics({"loss": math.nan if step == 3 else float(step), "never": math.nan}, step=step)
    tracker.log_metrics({"infinite": math.inf, "tiny": 5e-324, "huge": 1.7e308}, step=1)
    tracker.log_metrics({"infinite": -math.inf, "huge": -1.7e308}, step=2)
    tracker.log_metrics({"without a step": 1.0})
    tracker.log_metrics({"without a step": 2.0})
    tracker.finish()
    return tracker.experiment_id


def _empty_run(base: Path) -> str:
    tracker = ExperimentTracker("empty", base, auto_visualize=False)
    tracker.finish()
    return tracker.experiment_id


def _damaged_folders(base: Path) -> None:
    """A folder of garbage, one whose data is cut, and one whose documents hold objects instead of text."""
    garbage = base / "garbage_0123456789ab"
    garbage.mkdir()
    (garbage / "metadata.json").write_bytes(io.BytesIO(b"\x00\xff{]").getvalue())
    cut = _short_run(base, 900)
    for path in cut.glob("metrics/*.parquet"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    objects = _short_run(base, 901)
    content = read_document(objects / "metadata.json")
    frame = {"type": "Iframe", "namespace": "dash_html_components", "props": {"srcDoc": f"<script>{MARK}</script>"}}
    kept = {key: value for key, value in content.items() if key not in ("format", "crc")}
    write_document(objects / "metadata.json", kept | {"start_time": frame, "name": frame, "status": frame})
