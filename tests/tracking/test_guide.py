"""docs/guide.md, block by block: every block of code runs as it is written and shows what the text says.

The guide leaves names open (``train_loss``, ``save_model``); each test supplies them. What stands in the table
`ELSEWHERE` is proved in another place.
"""

from __future__ import annotations

import inspect
import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from neural.tracking import ExperimentComparisonUI, ExperimentManager, ExperimentTracker
from neural_core._storage import folder

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")


@frozen
class Block:
    """One fenced block: the heading above it, its language, and its text."""

    heading: str
    language: str
    text: str


def blocks(text: str) -> Iterator[Block]:
    """Give the fenced blocks of a document, in order."""
    heading, inside = "", None
    for line in text.splitlines():
        if inside is None and line.startswith("```"):
            inside, language = [], line.removeprefix("```")
        elif inside is not None and line.startswith("```"):
            yield Block(heading, language, "\n".join(inside) + "\n")
            inside = None
        elif inside is not None:
            inside.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("#").strip()
        elif line.startswith("**Constructor"):
            heading = f"{heading}: constructor"


BLOCKS = list(blocks(GUIDE))

# Blocks that another place proves: (heading, first words) → where.
ELSEWHERE = {
    ("Basic Installation", "pip install -e ."): "tests/e2e/test_packaging.py",
    ("Full Installation (includes UI and backends)", 'pip install -e ".[full]"'): "tests/e2e/test_packaging.py",
    ("Manual Backend Installation", "# For MLflow"): "tests/e2e/test_install_lines.py",
    ("Common Issues", "pip install dash"): "tests/e2e/test_install_lines.py",
    ("Common Issues", "pip install mlflow"): "tests/e2e/test_install_lines.py",
    ("Common Issues", "wandb login"): "wandb's own verb; plugins/neural_wandb/tests: without it runs are offline",
    ("Examples", "python examples/experiment_tracking_example.py"): "tests/tracking/test_example.py",
    ("MLflow Integration", "tracker = "): "plugins/neural_mlflow/tests/test_live.py",
    ("Weights & Biases Integration", "# First time"): "plugins/neural_wandb/tests/test_live.py",
    ("TensorBoard Integration", "tracker = "): "plugins/neural_tensorboard/tests/test_guide.py",
    ("3. Launch Comparison UI", "python neural/tracking"): "plugins/neural_ui/tests/test_serve.py",
    ("Launching the UI", "python neural/tracking"): "plugins/neural_ui/tests/test_serve.py",
    ("Launching the UI", "from neural.tracking import launch"): "plugins/neural_ui/tests/test_serve.py",
    ("Launching the UI", "from neural.tracking import ExperimentManager"): "plugins/neural_ui/tests/test_serve.py",
}

# Blocks of Python that have a test below.
RUN = {
    "1. Basic Experiment Tracking",
    "2. View Results",
    "Automatic Metric Visualization",
    "Artifact Versioning",
    "Manual Visualization Control",
    "Custom Figures",
    "Using Multiple Backends",
    "Programmatic Comparison",
    "1. Naming Conventions",
    "2. Hyperparameter Organization",
    "3. Consistent Metric Names",
    "4. Regular Checkpointing",
    "5. Error Handling",
    "Custom Metric Visualizations",
    "Querying Experiments",
    "Experiment Deletion",
    "Custom Storage Location",
    "ExperimentTracker: constructor",
    "ExperimentManager: constructor",
    "ExperimentComparisonUI: constructor",
    "Debug Mode",
}


def block(heading: str, index: int = 0, language: str = "python") -> str:
    """Give the text of a block."""
    return [one.text for one in BLOCKS if one.heading == heading and one.language == language][index]


def test_every_block_is_accounted_for() -> None:
    """Each fenced block of the guide is run here, or is proved where the table says."""
    for one in BLOCKS:
        places = [
            one.language == "python" and one.heading in RUN,
            any(one.heading == heading and one.text.startswith(words) for heading, words in ELSEWHERE),
        ]
        assert sum(places) == 1, one
    headings = {one.heading for one in BLOCKS}
    assert {*RUN, *(heading for heading, _ in ELSEWHERE)} == headings


class Script:
    """Runs blocks one after the other, as one script in one folder."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}

    def run(self, code: str, **names: Any) -> Mapping[str, Any]:
        """Run code with further names; give all names that there are after it."""
        self.names.update(names)
        exec(compile(code, "docs/guide.md", "exec"), self.names)
        return self.names

    def end(self) -> None:
        """Finish the trackers that the guide leaves open."""
        for value in self.names.values():
            if isinstance(value, ExperimentTracker):
                value.finish()


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """Give a script with the guide's imports, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    made = Script()
    made.run("from neural.tracking import ExperimentTracker, ExperimentManager")
    yield made
    made.end()


def save(path: str) -> None:
    """Write a file, another one each time, as saving a model does."""
    Path(path).write_bytes(path.encode() * 100)


def test_basic_experiment_tracking(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """A hundred epochs are tracked with ten checkpoints; the script prints the id and the folder of the results."""
    names = {"train_loss": 0.5, "val_loss": 0.6, "train_acc": 0.8, "val_acc": 0.7, "save_model": save}
    tracker = script.run(block("1. Basic Experiment Tracking"), **names)["tracker"]
    assert tracker.status == "completed"
    assert tracker.hyperparameters == {"learning_rate": 0.01, "batch_size": 32, "optimizer": "adam", "epochs": 100}
    assert tracker.get_metrics("val_accuracy") == [0.7] * 100
    versions = tracker.list_artifact_versions("checkpoint.pt")
    assert [one.source_name for one in versions] == [f"checkpoint_{epoch}.pt" for epoch in range(0, 100, 10)]
    assert {one.metadata["framework"] for one in versions} == {"pytorch"}
    printed = f"Experiment ID: {tracker.experiment_id}\nResults saved to: {tracker.experiment_dir}\n"
    assert capsys.readouterr().out == printed
    assert (Path("neural_experiments") / tracker.experiment_dir.name / "metadata.json").is_file()


def test_view_results(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """After a run its name and status are printed."""
    script.run("ExperimentTracker('my_first_experiment').finish()")
    script.run(block("2. View Results"))
    assert capsys.readouterr().out == "my_first_experiment - completed\n"


def test_automatic_visualization(script: Script) -> None:
    """With auto_visualize the plots that the guide lists are there once the experiment is flushed."""
    tracker = script.run(block("Automatic Metric Visualization"), loss=0.5, acc=0.9)["tracker"]
    tracker.flush()
    drawn = {path.name for path in (tracker.experiment_dir / "plots").iterdir()}
    wanted = ["metric_loss", "metric_accuracy", "combined", "correlation", "distributions"]
    assert drawn == {f"auto_{name}.png" for name in wanted}


def test_artifact_versioning(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """Five checkpoints are five versions of model.pt, each with number, SHA-256, size, time and path."""
    names = script.run(block("Artifact Versioning"), save_checkpoint=save)
    lines = capsys.readouterr().out.splitlines()
    versions = names["versions"]
    assert lines[:5] == [f"Version {v.version}: {v.checksum[:8]}... ({v.size} bytes)" for v in versions]
    assert lines[5:] == [f"Latest version: {versions[4].path}", f"Version 2: {versions[1].path}"]
    assert [v.version for v in versions] == [1, 2, 3, 4, 5]
    assert versions[1].path.read_bytes() == Path("model_20.pt").read_bytes()
    assert all(len(v.checksum) == 64 and v.timestamp and v.size == 1100 for v in versions)


def test_manual_visualization(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    """Without auto_visualize nothing is drawn until it is asked for; then each plot is printed with its file."""
    first, second = block("Manual Visualization Control").split("# ... training code ...")
    tracker = script.run(first)["tracker"]
    for step in range(3):
        tracker.log_metrics({"loss": 1 / (step + 1), "accuracy": step / 3}, step=step)
    tracker.flush()
    assert not list((tracker.experiment_dir / "plots").iterdir())
    saved = script.run(second)["saved_plots"]
    assert {"metric_loss", "metric_accuracy", "combined", "correlation", "distributions"} == set(saved)
    assert capsys.readouterr().out.splitlines() == [f"{name}: {path}" for name, path in saved.items()]
    assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in saved.values())


def test_custom_figure(script: Script) -> None:
    """A figure made with pyplot is stored under its name among the plots."""
    script.run("tracker = ExperimentTracker('figures')")
    tracker = script.run(block("Custom Figures"), epochs=[1, 2, 3], losses=[3.0, 2.0, 1.0])["tracker"]
    stored = tracker.experiment_dir / "plots" / "custom_training_curve.png"
    assert stored.read_bytes().startswith(b"\x89PNG")
    assert tracker.get_artifact_version("custom_training_curve.png").path == stored


@pytest.fixture
def known_ids(script: Script, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Make the three experiments whose ids the guide names, in the folder that it takes."""
    ids = ["abc12345", "def67890", "ghi11121"]
    for number, experiment_id in enumerate(ids):
        with monkeypatch.context() as patch:
            patch.setattr(folder, "new_uid", lambda uid=experiment_id: uid)
            tracker = ExperimentTracker(f"run {number}", auto_visualize=False, hyperparameters={"lr": 0.1 * number})
        for step in range(4):
            accuracy = 0.5 + step / 10 - number / 100
            tracker.log_metrics({"train_loss": 1 / (step + 1), "accuracy": accuracy}, step=step)
        tracker.finish()
        assert tracker.experiment_id == experiment_id
    return ids


def test_programmatic_comparison(script: Script, known_ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Comparing gives figures that can be saved; the exported report has a page, figures and best values filled in."""
    names = script.run(block("Programmatic Comparison"))
    assert set(names["plots"]) == {"metric_train_loss", "metric_accuracy", "best_metrics", "hyperparameters"}
    assert all(Path(f"comparison_{name}.png").stat().st_size > 1000 for name in names["plots"])
    output = Path(names["output_dir"])
    assert capsys.readouterr().out == f"Comparison report saved to: {output}\n"
    assert "<html" in (output / "report.html").read_text(encoding="utf-8")
    summary = json.loads((output / "summary.json").read_text())
    assert [one["experiment_id"] for one in summary["experiments"]] == known_ids
    best = [one["metrics"]["accuracy"]["best"] for one in summary["experiments"]]
    assert best[0] == {"value": 0.8, "step": 3, "mode": "max"}


def test_naming(script: Script) -> None:
    """A name is the first argument, and any text."""
    tracker = script.run(block("1. Naming Conventions"))["tracker"]
    names = {one["experiment_name"] for one in ExperimentManager().list_experiments()}
    assert names == {"resnet50_imagenet_lr0.01_batch128", "exp1"}
    assert tracker.experiment_name == "exp1"


def test_hyperparameter_organization(script: Script) -> None:
    """Hyperparameters of every kind read back as they were logged."""
    script.run("tracker = ExperimentTracker('parameters')")
    names = script.run(block("2. Hyperparameter Organization"))
    assert names["tracker"].hyperparameters == names["hyperparams"]


def test_consistent_names(script: Script) -> None:
    """The four metrics of the guide are kept, with real numbers in the place of its dots."""
    script.run("tracker = ExperimentTracker('names')")
    code = re.sub(r": \.\.\.", ": 0.25", block("3. Consistent Metric Names"))
    tracker = script.run(code, epoch=3)["tracker"]
    assert set(tracker.metrics) == {"train_loss", "val_loss", "train_accuracy", "val_accuracy"}
    assert tracker.metrics["val_loss"].last_step == 3


def test_regular_checkpointing(script: Script) -> None:
    """A checkpoint every tenth epoch is a version each."""

    def save_checkpoint(model: str, epoch: int) -> Path:
        path = Path(f"{model}_{epoch}.pt")
        save(str(path))
        return path

    script.run("tracker = ExperimentTracker('checkpoints')")
    names = {"num_epochs": 25, "model": "ckpt", "save_checkpoint": save_checkpoint}
    tracker = script.run(block("4. Regular Checkpointing"), **names)["tracker"]
    assert [v.source_name for v in tracker.list_artifact_versions("ckpt.pt")] == [f"ckpt_{n}.pt" for n in (0, 10, 20)]


def test_error_handling(script: Script) -> None:
    """A script that ends well is completed."""
    tracker = script.run(block("5. Error Handling"), hyperparams={"lr": 1}, num_epochs=3, metrics={"loss": 1.0})[
        "tracker"
    ]
    assert (tracker.status, tracker.get_metrics("loss")) == ("completed", [1.0, 1.0, 1.0])


def test_error_handling_keeps_failed(script: Script) -> None:
    """A script that fails is failed, and the finish() that follows keeps it so."""
    with pytest.raises(TypeError, match="is not a number"):
        script.run(block("5. Error Handling"), hyperparams={"lr": 1}, num_epochs=3, metrics={"loss": "high"})
    [one] = ExperimentManager().list_experiments()
    assert (one["status"], one["end_time"] is None) == ("failed", False)


def test_custom_visualizations(script: Script) -> None:
    """The visualizer takes the tracker's history and gives matplotlib figures of the size that was asked for."""
    script.run(
        "tracker = ExperimentTracker('custom')\nfor step in range(5): tracker.log_metrics({'a': step}, step=step)"
    )
    names = script.run(block("Custom Metric Visualizations"))
    assert tuple(names["plots"]["metric_a"].get_size_inches()) == (15, 10)
    assert set(names["dist_plots"]) == {"distributions"}


def test_querying(script: Script, known_ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Experiments are listed, filtered and sorted as dicts, and one of them gives its best value and its values."""
    names = script.run(block("Querying Experiments"))
    assert {one["experiment_id"] for one in names["completed"]} == set(known_ids)
    assert [one["experiment_name"] for one in names["sorted_exps"]] == ["run 0", "run 1", "run 2"]
    assert capsys.readouterr().out == "Best accuracy: 0.8000 at step 3\n"
    assert names["losses"] == [1, 1 / 2, 1 / 3, 1 / 4]


def test_deletion(script: Script, known_ids: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Deleting says so, takes the experiment from the list, and a second time finds nothing."""
    script.run(block("Experiment Deletion"))
    assert capsys.readouterr().out == "Experiment deleted successfully\n"
    assert {one["experiment_id"] for one in ExperimentManager().list_experiments()} == set(known_ids[1:])
    script.run(block("Experiment Deletion"))
    assert capsys.readouterr().out == ""


def test_custom_storage(script: Script, tmp_path: Path) -> None:
    """An experiment lives where base_dir says; a folder that is not there is made."""
    chosen = tmp_path / "my" / "experiments"
    tracker = script.run(block("Custom Storage Location").replace("/path/to/my/experiments", str(chosen)))["tracker"]
    assert tracker.experiment_dir.parent == chosen


def documented(heading: str) -> dict[str, Any]:
    """Give the arguments that the guide documents for a constructor, with their defaults."""
    arguments = block(heading).partition("(")[2]
    made: dict[str, Any] = {}
    exec(f"from __future__ import annotations\ndef made({arguments.rstrip()}: ...", made)
    return {name: one.default for name, one in inspect.signature(made["made"]).parameters.items()}


@pytest.mark.parametrize(
    ("heading", "constructor"),
    [
        ("ExperimentTracker: constructor", ExperimentTracker.__init__),
        ("ExperimentManager: constructor", ExperimentManager.__init__),
        ("ExperimentComparisonUI: constructor", ExperimentComparisonUI.__new__),
    ],
)
def test_constructors(heading: str, constructor: Any) -> None:
    """Each constructor takes the documented arguments, in this order, with these defaults."""
    ours = list(inspect.signature(constructor).parameters.values())[1:]
    positional = {one.name: one.default for one in ours if one.kind is one.POSITIONAL_OR_KEYWORD}
    assert positional == documented(heading)
    assert list(positional) == list(documented(heading))


@pytest.mark.parametrize(
    ("kind", "methods"),
    [(ExperimentTracker, "ExperimentTracker"), (ExperimentManager, "ExperimentManager")],
)
def test_methods(kind: type, methods: str) -> None:
    """Each method of the API reference exists and takes the documented arguments by position."""
    section = GUIDE.split("## API Reference")[1].split(f"### {methods}\n")[1].split("\n### ")[0]
    listed = re.findall(r"^- `(\w+)\((.*)\)`", section, re.MULTILINE)
    assert len(listed) >= 6
    for name, arguments in listed:
        wanted = [one.split(":")[0] for one in re.split(r", (?=\w+:)", arguments) if one]
        names = {"ids": "experiment_ids"}  # the reference abbreviates what its examples pass by position
        if name == "create_experiment":
            inspect.signature(kind.create_experiment).bind(None, "name", True, "backend")  # type: ignore[attr-defined]
        elif name == "log_metrics":
            assert wanted == ["metrics", "step"]  # each tracker has its own; its use is tested above
        else:
            taken = [one for one in inspect.signature(getattr(kind, name)).parameters if one != "self"]
            assert taken[: len(wanted)] == [names.get(one, one) for one in wanted], name


def test_elsewhere_is_there() -> None:
    """The files that the table names are there."""
    files = {place for place in ELSEWHERE.values() if place.endswith(".py")}
    assert [place for place in sorted(files) if not (ROOT / place).is_file()] == []


def test_multiple_backends(tmp_path: Path) -> None:
    """A tracker and two backends of their own, as the guide has them: MLflow and W&B hold the hyperparameters."""
    script = block("Using Multiple Backends")
    path = os.pathsep.join([str(ROOT), *sys.path])
    env = {**os.environ, "PYTHONPATH": path, "WANDB_MODE": "offline", "NEURAL_FINISH_SECONDS": "120"}
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=env, check=True, stdin=subprocess.DEVNULL)
    with sqlite3.connect(tmp_path / "mlflow.db") as store:
        assert store.execute("SELECT key, value FROM params").fetchall() == [("lr", "0.01")]
        assert store.execute("SELECT name FROM experiments WHERE name != 'Default'").fetchall() == [("multi_backend",)]
        assert store.execute("SELECT status FROM runs").fetchall() == [("FINISHED",)]
    [offline] = (tmp_path / "wandb").glob("offline-run-*/*.wandb")
    assert b"multi_backend" in offline.read_bytes()
    assert b"0.01" in offline.read_bytes()
    [only] = ExperimentManager(tmp_path / "neural_experiments").list_experiments()
    assert (only["experiment_name"], only["status"]) == ("multi_backend", "completed")


def test_debug_mode(tmp_path: Path) -> None:
    """With logging at DEBUG every operation is told; without it the same script writes nothing."""
    more = "\ntracker.log_metrics({'loss': 0.5}, step=7)\ntracker.log_hyperparameters({'lr': 1})\ntracker.finish()\n"
    start = "from neural.tracking import ExperimentTracker\n"

    def told(code: str) -> str:
        path = os.pathsep.join([str(ROOT), *sys.path])
        command = [sys.executable, "-c", start + code + more]
        environment = {**os.environ, "PYTHONPATH": path}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stderr

    loud = told(block("Debug Mode"))
    assert all(text in loud for text in ("DEBUG:neural", "log_metrics step=7", "hyperparameters_logged", "finished"))
    assert told("tracker = ExperimentTracker('quiet')") == ""
