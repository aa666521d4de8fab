"""A real `tensorboard --logdir`, asked over HTTP."""

from __future__ import annotations

import urllib.parse
from functools import partial
from pathlib import Path

import pytest
from boards import Board, becomes, tensorboard
from matplotlib.figure import Figure
from neural_tensorboard import TensorBoardBackend

from neural_core import ExperimentTracker
from neural_core.testing import deliver, wait_for

TEXTS = ["artifacts/curve", "neural/experiment", "neural/hyperparameters", "neural/notes", "neural/status"]
STATUSES = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]


def tags_of(board: Board, kind: str) -> dict[str, list[str]]:
    """Give the tags of each run, in alphabetical order."""
    return {run: sorted(tags) for run, tags in board.get(f"/data/plugin/{kind}/tags").items()}


def points(board: Board, run: str, tag: str) -> list[tuple[int, float]]:
    """Give step and value of every point of a metric."""
    shown = board.get("/data/plugin/scalars/scalars", run=run, tag=tag)
    return [(step, value) for _, step, value in shown]


@pytest.mark.parametrize("fast", [True, False], ids=["fast loader", "Python loader"])
def test_dashboards(tmp_path: Path, fast: bool) -> None:
    """SCALARS, HPARAMS, TEXT and IMAGES show two runs, with either of TensorBoard's loaders."""
    ids = []
    for rate in (0.5, 0.25):
        with ExperimentTracker("sweep", tmp_path / "experiments", auto_visualize=False) as tracker:
            tracker.log_hyperparameters({"lr": rate, "model": {"name": f"net{rate}"}})
            tracker.set_notes("a *note*")
            for step in range(20):
                tracker.log_metrics({"loss": rate * step, "val/accuracy": step / 32}, step=step)
            tracker.log_figure(Figure(figsize=(1, 1)), "curve")
        assert deliver(tracker.experiment_dir, TensorBoardBackend(tmp_path / "runs")).complete
        ids.append(tracker.experiment_id)
    figure = (tracker.experiment_dir / "plots" / "curve.png").read_bytes()
    with tensorboard(tmp_path / "runs" / "sweep", fast=fast) as board:
        becomes({run: ["loss", "val/accuracy"] for run in ids}, lambda: tags_of(board, "scalars"))
        becomes(dict.fromkeys(ids, TEXTS), lambda: tags_of(board, "text"))
        for run, rate in zip(ids, (0.5, 0.25), strict=True):
            becomes([(step, rate * step) for step in range(20)], partial(points, board, run, "loss"))
            becomes([(step, step / 32) for step in range(20)], partial(points, board, run, "val/accuracy"))
        assert "<em>note</em>" in board.get("/data/plugin/text/text", run=ids[0], tag="neural/notes")[0]["text"]
        check_hparams(board, dict(zip(ids, (0.5, 0.25), strict=True)))
        pictures = partial(board.get, "/data/plugin/images/images", run=ids[1], tag="figures/curve", sample=0)
        becomes(1, lambda: len(pictures()))
        (image,) = pictures()
        query = dict(urllib.parse.parse_qsl(image["query"]))
        assert board.fetch("/data/plugin/images/individualImage", **query) == figure


def check_hparams(board: Board, rates: dict[str, float]) -> None:
    """Check that the HPARAMS dashboard compares runs: hyperparameters, last metrics and ends of each."""
    known = board.post("/data/plugin/hparams/experiment", includeMetrics=True)
    assert sorted(info["name"] for info in known["hparamInfos"]) == ["lr", "model.name"]
    assert sorted(info["name"]["tag"] for info in known["metricInfos"]) == ["loss", "val/accuracy"]
    columns = [{"metric": info["name"]} for info in known["metricInfos"]]
    asked = {"allowedStatuses": STATUSES, "colParams": columns, "sliceSize": 10, "includeMetrics": True}
    groups = board.post("/data/plugin/hparams/session_groups", **asked)["sessionGroups"]
    assert {group["sessions"][0]["name"]: group["hparams"]["lr"] for group in groups} == rates
    for group in groups:
        (session,) = group["sessions"]
        last = {metric["name"]["tag"]: metric["value"] for metric in session["metricValues"]}
        assert last == {"loss": rates[session["name"]] * 19, "val/accuracy": 19 / 32}
        assert session["status"] == "STATUS_SUCCESS"


@pytest.mark.parametrize("fast", [True, False], ids=["fast loader", "Python loader"])
def test_while_it_is_written(tmp_path: Path, fast: bool) -> None:
    """A TensorBoard that runs follows a training, also when a killed writer's last rows are cut and written again."""
    tracker = ExperimentTracker("live", tmp_path / "experiments", auto_visualize=False)
    runs = tmp_path / "runs"

    def log(first: int, last: int) -> None:
        for step in range(first, last):
            tracker.log_metrics({"loss": step / 4}, step=step)

    log(0, 10)
    start = deliver(tracker.experiment_dir, TensorBoardBackend(runs))
    with tensorboard(runs, fast=fast) as board:

        def shown() -> list[tuple[int, float]]:
            if not board.get("/data/plugin/scalars/tags"):
                return []
            return points(board, f"live/{tracker.experiment_id}", "loss")

        wait_for(lambda: len(shown()) == 10)
        log(10, 20)
        deliver(tracker.experiment_dir, TensorBoardBackend(runs), start.position, start.bookmark)
        wait_for(lambda: len(shown()) == 20)
        log(20, 30)
        tracker.finish()
        deliver(tracker.experiment_dir, TensorBoardBackend(runs), start.position, start.bookmark)
        wait_for(lambda: len(shown()) >= 30)
        assert shown() == [(step, step / 4) for step in range(30)]


def test_what_comes_late(tmp_path: Path) -> None:
    """A TensorBoard that runs hears of hyperparameters, notes and the end that come after it has read the run."""
    tracker = ExperimentTracker("late", tmp_path / "experiments", auto_visualize=False)
    tracker.log_metrics({"loss": 0.5}, step=0)
    start = deliver(tracker.experiment_dir, TensorBoardBackend(tmp_path / "runs"))
    run = f"late/{tracker.experiment_id}"
    with tensorboard(tmp_path / "runs", fast=True) as board:
        wait_for(lambda: run in board.get("/data/plugin/scalars/tags"))
        tracker.set_notes("afterthought")
        tracker.log_hyperparameters({"lr": 0.5})
        tracker.finish()
        deliver(tracker.experiment_dir, TensorBoardBackend(tmp_path / "runs"), start.position, start.bookmark)
        wait_for(lambda: "neural/status" in board.get("/data/plugin/text/tags").get(run, []))
        assert "neural/notes" in board.get("/data/plugin/text/tags")[run]
        (group,) = board.post("/data/plugin/hparams/session_groups", allowedStatuses=STATUSES, sliceSize=10)[
            "sessionGroups"
        ]
        assert group["hparams"] == {"lr": 0.5}
        assert group["sessions"][0]["status"] == "STATUS_SUCCESS"
