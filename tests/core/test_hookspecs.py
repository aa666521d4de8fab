"""Specifications, documentation, tests and implementations of hooks never drift apart."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from distribution_support import make_distribution, run_python

from neural_core import ExperimentManager, ExperimentTracker, hookspecs
from neural_core._delivery.guard import GuardedPlugin
from neural_core.records import Experiment
from neural_core.testing import EveryHook, RaisingPlugin, RecordingPlugin, deliver

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "hooks.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "neural_csv"


def specifications() -> dict[str, Callable[..., Any]]:
    """Give every specified hook."""
    found = {name: value for name, value in vars(hookspecs).items() if hasattr(value, f"{hookspecs.PROJECT}_spec")}
    assert len(found) == 9
    return found


HOOKS = sorted(specifications())


def test_documented() -> None:
    """Every hook is a heading of docs/hooks.md with its exact arguments, and no other hook is."""
    headings = re.findall(r"^### (neural_\w+\(.*\))$", PAGE, re.MULTILINE)
    signatures = [f"{name}({', '.join(inspect.signature(spec).parameters)})" for name, spec in specifications().items()]
    assert sorted(headings) == sorted(signatures)


def sections() -> dict[str, str]:
    """Give the text below the heading of each hook."""
    parts = re.split(r"^#+ (.*)$", PAGE, flags=re.MULTILINE)
    return {title.partition("(")[0]: text for title, text in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.mark.parametrize("hook", HOOKS)
def test_documentation_is_whole(hook: str) -> None:
    """Each hook's section tells who calls or asks, on which thread, what each argument holds, and has an example."""
    text = sections()[hook]
    assert re.search(r"^- (Called|Asked) by ", text, re.MULTILINE)
    assert "thread" in text
    for argument in inspect.signature(specifications()[hook]).parameters:
        assert f"\n- `{argument}`: " in text
    assert re.search(rf"```python\n.*@hookimpl\n    def {hook}\(self", text, re.DOTALL)


@pytest.mark.parametrize("hook", HOOKS)
def test_docstring_is_whole(hook: str) -> None:
    """Each specification tells who calls or asks, on which thread, what each argument holds, and has a real example."""
    text = inspect.getdoc(specifications()[hook]) or ""
    parameters = [*inspect.signature(specifications()[hook]).parameters]
    assert re.search(r"^(Called|Asked) by .*thread", text, re.MULTILINE)
    assert re.findall(r"^    (\w+): ", text.partition("Args:")[2].partition("\n\n")[0], re.MULTILINE) == parameters
    [example] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    scope: dict[str, Any] = {"hookimpl": hookspecs.hookimpl}
    exec("class Example:\n" + textwrap.indent(example, "    "), scope)
    assert GuardedPlugin.wrap(scope["Example"]()).hooks == [hook]


def test_specifications_are_documented() -> None:
    """Each specification has a docstring, and is in the list of public names."""
    for name, spec in specifications().items():
        assert inspect.getdoc(spec)
        assert name in hookspecs.__all__


def functions(pattern: str) -> Iterator[ast.FunctionDef]:
    """Give every function of the files that match, but for the kit for tests, which implements everything."""
    for path in [path for path in ROOT.glob(pattern) if "_testing" not in path.parts]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield node


def test_tested() -> None:
    """Every hook has a test that is named after it."""
    tests = {function.name for function in functions("tests/**/test_*.py")}
    assert [hook for hook in HOOKS if not any(name.startswith(f"test_{hook}") for name in tests)] == []


def test_implemented() -> None:
    """Every hook is implemented in the tree, beside the kit for tests."""
    found = {
        function.name
        for pattern in ("neural_core/**/*.py", "plugins/*/src/**/*.py", "examples/**/*.py")
        for function in functions(pattern)
        if any("hookimpl" in ast.unparse(decorator) for decorator in function.decorator_list)
    }
    assert found == set(HOOKS)


def test_kit_hears_every_hook() -> None:
    """The base of the plugins for tests implements every hook with every argument."""
    assert GuardedPlugin.wrap(EveryHook()).hooks == HOOKS
    for name, spec in specifications().items():
        assert [*inspect.signature(getattr(EveryHook(), name)).parameters] == [*inspect.signature(spec).parameters]


def test_page_shows_the_example() -> None:
    """The backend on the page is the module of examples/neural_csv, without its docstrings, in twenty-odd lines."""
    block = next(text for text in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "class CsvBackend" in text)
    module = ast.parse((EXAMPLE / "neural_csv.py").read_text(encoding="utf-8"))
    for node in ast.walk(module):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            del node.body[0]
    assert ast.unparse(ast.parse(block)) == ast.unparse(module)
    assert len([line for line in block.splitlines() if line.strip()]) <= 30


def test_order_of_a_whole_run(tmp_path: Path) -> None:
    """One object of the script hears all hooks of a whole run in the order on the page."""
    plugin = RecordingPlugin()
    tracker = ExperimentTracker("all", tmp_path, False, hyperparameters={"lr": 0.1}, plugins=[plugin])
    tracker.set_tags(["first"])
    for step in range(3):
        tracker.log_metrics({"loss": 1.0}, step=step)
    (tmp_path / "file.txt").write_text("text")
    tracker.log_artifact(str(tmp_path / "file.txt"))
    tracker.flush()
    tracker.generate_visualizations()
    tracker.finish()
    [documented] = re.findall(r"## The order of a whole run\n.*?```text\n(.*?)```", PAGE, re.DOTALL)
    assert plugin.names == documented.split()


def test_alert_of_the_example(tmp_path: Path) -> None:
    """examples/nan_alert.py: its hook object tells the step at which the loss was lost, and lets the other run be."""
    code = f"import os, runpy; os.chdir({str(tmp_path)!r}); runpy.run_module('nan_alert', run_name='__main__')"
    shown = run_python(code, path=ROOT / "examples")
    assert "rate 0.01: ran to the end" in shown.stdout
    assert "loss is inf at step 4" in shown.stdout
    assert "rate 0.5: was stopped after" in shown.stdout


# Each hook ------------------------------------------------------------------------------------------------------


@pytest.fixture
def heard(tmp_path: Path) -> RecordingPlugin:
    """Give what a plugin heard of an experiment in which everything happened."""
    with ExperimentTracker("all", tmp_path, False, hyperparameters={"model": {"depth": 3}}) as tracker:
        tracker.log_hyperparameters({"late": None})
        tracker.log_metrics({"loss": 1.0}, step=7)
        tracker.log_metrics({"accuracy": 0.5})
        (tmp_path / "file.txt").write_text("text")
        tracker.log_artifact(str(tmp_path / "file.txt"))
        tracker.set_tags({"kept": "yes", "gone": ""})
        tracker.set_tags({"gone": None})
        tracker.set_status("failed")
    plugin = RecordingPlugin()
    assert deliver(tracker.experiment_dir, plugin).complete
    return plugin


def arguments(heard: RecordingPlugin, hook: str) -> list[Any]:
    """Give the arguments of each call of a hook."""
    return [call.arguments for call in heard.of(hook)]


def test_neural_experiment_started(heard: RecordingPlugin) -> None:
    """The first call has the record of an experiment in which nothing has happened yet."""
    [told] = arguments(heard, "neural_experiment_started")
    assert heard.names[0] == "neural_experiment_started"
    experiment = told["experiment"]
    assert (experiment.name, experiment.status, experiment.hyperparameters) == ("all", "created", {})
    assert experiment.uid.startswith(experiment.experiment_id)
    assert experiment.directory.is_dir()


def test_neural_experiment_started_after_a_resume(tmp_path: Path) -> None:
    """A resume begins another span: started … finished, started … finished."""
    with ExperimentTracker("spans", tmp_path, False) as tracker:
        tracker.log_metrics({"loss": 1.0})
    with ExperimentTracker.resume(tracker.experiment_id, tmp_path) as again:
        again.auto_visualize = False
        again.log_metrics({"loss": 0.5})
    plugin = RecordingPlugin()
    deliver(tracker.experiment_dir, plugin)
    spans = [name for name in plugin.names if "started" in name or "finished" in name]
    assert spans == ["neural_experiment_started", "neural_experiment_finished"] * 2


def test_neural_hyperparameters_logged(heard: RecordingPlugin) -> None:
    """Each call has the new pairs, nested as logged, and the record has all of them."""
    first, second = arguments(heard, "neural_hyperparameters_logged")
    assert first["hyperparameters"] == {"model": {"depth": 3}}
    assert second["hyperparameters"] == {"late": None}
    assert second["experiment"].hyperparameters == {"model": {"depth": 3}, "late": None}


def test_neural_metrics_logged(heard: RecordingPlugin) -> None:
    """Rows have step, time and values as logged, as records and as columns, and ascending positions."""
    first, second = heard.rows
    assert (first.step, first.values, second.step, second.values) == (7, {"loss": 1.0}, None, {"accuracy": 0.5})
    assert first.timestamp <= second.timestamp
    [told] = arguments(heard, "neural_metrics_logged")
    columns = told["rows"].columns()
    assert {name: column.tolist() for name, column in columns["present"].items()} == {
        "loss": [True, False],
        "accuracy": [False, True],
    }
    assert columns["step"][0] == 7
    assert heard.positions == sorted(set(heard.positions))


def test_neural_artifact_logged(heard: RecordingPlugin) -> None:
    """The artifact's stored copy is complete when it is told."""
    [told] = arguments(heard, "neural_artifact_logged")
    artifact = told["artifact"]
    assert (artifact.artifact_name, artifact.version, artifact.kind) == ("file.txt", 1, "file")
    assert artifact.path.read_text() == "text"


def test_neural_annotations_changed(heard: RecordingPlugin) -> None:
    """Each call has what changed; a tag that was removed is None, and gone from the record."""
    set_, removed = arguments(heard, "neural_annotations_changed")
    assert (set_["annotations"].tags, set_["annotations"].notes) == ({"kept": "yes", "gone": ""}, None)
    assert removed["annotations"].tags == {"gone": None}
    assert removed["experiment"].tags == {"kept": "yes"}


def test_neural_status_changed(heard: RecordingPlugin) -> None:
    """Each change is told once, with the record that has it."""
    told = arguments(heard, "neural_status_changed")
    assert [one["status"] for one in told] == ["running", "failed"]
    assert [one["experiment"].status for one in told] == ["running", "failed"]


def test_neural_experiment_finished(heard: RecordingPlugin) -> None:
    """The last call has the status of the end, and that nothing was left out."""
    [told] = arguments(heard, "neural_experiment_finished")
    assert heard.names[-1] == "neural_experiment_finished"
    assert (told["status"], told["complete"], told["experiment"].status) == ("failed", True, "failed")
    assert told["experiment"].end_time is not None


def test_neural_experiment_finished_at_the_deadline(tmp_path: Path) -> None:
    """A plugin that always fails hears of the end of its span as incomplete."""
    with ExperimentTracker("deadline", tmp_path, False) as tracker:
        tracker.log_metrics({"loss": 1.0})
    plugin = RaisingPlugin()
    deliver(tracker.experiment_dir, plugin)
    assert [call.arguments["complete"] for call in plugin.of("neural_experiment_finished")] == [False]


def test_neural_make_plots(tmp_path: Path) -> None:
    """A plugin's plot is drawn beside the built-in ones, and takes the place of one of the same name."""
    from matplotlib.figure import Figure

    class Plots:
        @hookspecs.hookimpl
        def neural_make_plots(self, experiment: Experiment, history: Any) -> dict[str, Figure]:
            assert history["loss"].value.tolist() == [1.0, 0.5]
            return dict.fromkeys(["metric_loss", "own"], Figure(figsize=(1, 1), dpi=50))

    tracker = ExperimentTracker("plots", tmp_path, False, plugins=[Plots()])
    tracker.log_metrics({"loss": 1.0, "accuracy": 0.5}, step=0)
    tracker.log_metrics({"loss": 0.5, "accuracy": 0.75}, step=1)
    drawn = {name: path.read_bytes() for name, path in tracker.generate_visualizations().items()}
    tracker.finish()
    assert drawn["metric_loss"] == drawn["own"]
    assert drawn["metric_accuracy"] != drawn["own"]


INSTALLED = """
from neural_core.testing import RecordingPlugin
plugin = RecordingPlugin()
"""


def test_neural_make_comparison_plots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed plugin is asked for plots of a comparison, with the records and series of all experiments."""
    points = {"neural.plugins": {"compared": "compared_plugin:plugin"}}
    make_distribution(tmp_path / "site", "neural-compared", points, compared_plugin=INSTALLED)
    monkeypatch.syspath_prepend(tmp_path / "site")
    for name in ("one", "two"):
        with ExperimentTracker(name, tmp_path, False) as tracker:
            tracker.log_metrics({"loss": 1.0})
    manager = ExperimentManager(tmp_path)
    ids = [one["experiment_id"] for one in manager.list_experiments()]
    manager.export_comparison(ids, str(tmp_path / "out"))
    plugin = importlib.import_module("compared_plugin").plugin
    assert set(plugin.names) == {"neural_make_comparison_plots"}
    compared = plugin.calls[0].arguments["experiments"]
    assert sorted(one.experiment.name for one in compared) == ["one", "two"]
    assert [one.series["loss"].value.tolist() for one in compared] == [[1.0], [1.0]]
