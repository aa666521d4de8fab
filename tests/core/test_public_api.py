"""What is public: names, signatures of the guide, errors; and a script of the guide's API that mypy accepts."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import neural.tracking
import neural_core
from neural_core import errors

ROOT = Path(__file__).resolve().parents[2]
GUIDE = [
    "ArtifactVersion", "ExperimentComparisonUI", "ExperimentManager", "ExperimentTracker", "MetricVisualizer",
    "create_integration", "launch_comparison_ui",
]  # fmt: skip
# The guide's reference: what can be called, with its arguments in their order. More may follow them.
SIGNATURES = {
    "ExperimentTracker": ["experiment_name", "base_dir", "auto_visualize", "backend"],
    "ExperimentTracker.log_hyperparameters": ["hyperparameters"],
    "ExperimentTracker.log_metrics": ["metrics", "step"],
    "ExperimentTracker.log_artifact": ["path", "name", "version"],
    "ExperimentTracker.log_model": ["path", "framework", "version"],
    "ExperimentTracker.log_figure": ["figure", "name"],
    "ExperimentTracker.get_metrics": ["metric_name"],
    "ExperimentTracker.get_best_metric": ["metric_name", "mode"],
    "ExperimentTracker.get_artifact_version": ["name", "version"],
    "ExperimentTracker.list_artifact_versions": ["name"],
    "ExperimentTracker.generate_visualizations": [],
    "ExperimentTracker.set_status": ["status"],
    "ExperimentTracker.finish": [],
    "ExperimentManager": ["base_dir"],
    "ExperimentManager.create_experiment": ["name", "auto_visualize", "backend"],
    "ExperimentManager.get_experiment": ["experiment_id"],
    "ExperimentManager.list_experiments": [],
    "ExperimentManager.delete_experiment": ["experiment_id"],
    "ExperimentManager.compare_experiments": ["experiment_ids", "metrics"],
    "ExperimentManager.export_comparison": ["experiment_ids", "output_dir"],
    "ExperimentComparisonUI": ["manager", "port"],
    "launch_comparison_ui": ["base_dir", "port", "debug"],
    "create_integration": ["name", "experiment_name"],
}
DEFAULTS = {
    "experiment_name": None, "auto_visualize": True, "backend": None, "base_dir": "neural_experiments", "port": 8052,
    "version": True, "debug": False,
}  # fmt: skip


@pytest.mark.parametrize("module", [neural_core, neural.tracking])
def test_all_is_sorted_and_complete(module: ModuleType) -> None:
    """``__all__`` is sorted, holds each name once, and every name of it can be had and is listed by ``dir``."""
    assert list(module.__all__) == sorted(set(module.__all__))
    for name in module.__all__:
        assert getattr(module, name) is getattr(neural_core, name)
        assert name in dir(module)


def test_the_guides_names_come_from_both() -> None:
    """The guide's import path gives all of the guide's names, the same objects as neural_core's."""
    assert set(GUIDE) <= set(neural.tracking.__all__) <= set(neural_core.__all__)


def test_a_star_import_gives_just_these() -> None:
    """``from neural.tracking import *`` gives the names of ``__all__`` and nothing else."""
    names: dict[str, Any] = {}
    exec("from neural.tracking import *", names)
    assert sorted(name for name in names if not name.startswith("__")) == neural.tracking.__all__


@pytest.mark.parametrize("module", [neural_core, neural.tracking])
def test_a_misspelt_name_is_an_attribute_error(module: ModuleType) -> None:
    """An unknown name raises AttributeError with the module's name, so that hasattr and import work."""
    with pytest.raises(AttributeError, match=module.__name__):
        _ = module.ExperimentTraker
    with pytest.raises(ImportError):
        exec(f"from {module.__name__} import ExperimentTraker")


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures_are_the_guides(name: str) -> None:
    """Each callable of the guide's reference takes its arguments by position in that order, and by name."""
    head, _, verb = name.partition(".")
    found: Any = getattr(neural.tracking, head)
    if verb:
        found = getattr(found, verb)
    parameters = [one for one in inspect.signature(found).parameters.values() if one.name != "self"]
    assert [one.name for one in parameters][: len(SIGNATURES[name])] == SIGNATURES[name]
    for one in parameters[: len(SIGNATURES[name])]:
        assert one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        if one.default is not inspect.Parameter.empty and not verb.startswith("get_"):
            assert one.default == DEFAULTS.get(one.name)
    assert all(one.default is not inspect.Parameter.empty or one.kind is inspect.Parameter.VAR_KEYWORD
               for one in parameters[len(SIGNATURES[name]) :])  # fmt: skip


@pytest.mark.parametrize("name", neural_core.__all__)
def test_what_is_public_is_documented(name: str) -> None:
    """Every public name, and every public method of one, says what it is."""
    found = getattr(neural_core, name)
    undocumented = [
        f"{name}.{key}" for key, value in vars(found).items()
        if not key.startswith("_") and (callable(value) or isinstance(value, property)) and not inspect.getdoc(value)
    ] if inspect.isclass(found) else []  # fmt: skip
    assert inspect.getdoc(found)
    assert undocumented == []


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_ours_and_a_standard_one(name: str) -> None:
    """All errors have one base; those a caller may expect are the standard kinds too; each says what it is."""
    error = getattr(errors, name)
    assert issubclass(error, errors.NeuralError)
    assert error.__doc__
    if "Argument" in name and name != "ArgumentError":
        assert issubclass(error, (TypeError, ValueError))


def test_every_error_is_in_all() -> None:
    """``neural_core.errors.__all__`` is sorted and forgets none."""
    ours = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, Exception)}
    assert list(errors.__all__) == sorted(ours)


def test_types_of_the_guides_api(tmp_path: Path) -> None:
    """``mypy --strict`` accepts the guide's API as scripts use it, and finds misspelt verbs and wrong arguments."""
    pytest.importorskip("mypy", reason="mypy is in the extra dev")
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from neural.tracking import ExperimentManager, ExperimentTracker\n"
        "tracker = ExperimentTracker('x')\n"
        "tracker.log({'m': 1.0})\n"
        "tracker.log_metric_s({'m': 1.0})\n"
        "tracker.set_status('done')\n"
        "tracker.log_artifact(3)\n"
        "tracker.get_metrics(3)\n"
        "ExperimentManager().get_experiment(3)\n"
        "ExperimentTracker('x', durability='none')\n"
        "tracker.log_metrics(3)\n"
        "tracker.log_metrics({'m': 'text'})\n"
        "tracker.log_metrics({'m': 1.0}, step='3')\n"
    )
    # In the checkout, so that what an earlier check found out of our sources and of NumPy's serves this one.
    command = [sys.executable, "-m", "mypy", "--strict", str(ROOT / "tests" / "typing" / "api.py"), str(wrong)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    found = [line.split(":")[:2] for line in checked.stdout.splitlines() if ": error:" in line]
    # mypy's cache of an earlier session has another folder for this same file.
    lines = {(Path(file).name, number) for file, number in found}
    assert lines == {(wrong.name, str(number)) for number in range(3, 13)}, checked.stdout


def test_the_types_are_shipped() -> None:
    """Both packages carry ``py.typed``, without which a type checker ignores them."""
    for name in ("neural_core", "neural.tracking"):
        module = importlib.import_module(name)
        assert (Path(module.__path__[0]) / "py.typed").is_file()
