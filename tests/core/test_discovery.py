"""Installed plugins that are broken, blocked or not there: one sentence each, and the tracker works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from distribution_support import make_distribution, run_python

ASK = """
import logging, sys
logging.basicConfig(format="%(levelname)s %(message)s")
from neural_core import ExperimentTracker
with ExperimentTracker("asks", sys.argv[1], auto_visualize=False) as tracker:
    for step in range(3):
        tracker.log_metrics({"loss": 1.0}, step=step)
    for _ in range(2):
        drawn = tracker.generate_visualizations(*sys.argv[2:])
print(len(tracker.metrics_history), *sorted(drawn))
"""
TRACK = """
import ast, logging, sys
logging.basicConfig(format="%(levelname)s %(message)s")
from neural_core import ExperimentTracker
with ExperimentTracker("tracks", sys.argv[1], auto_visualize=False, backend=ast.literal_eval(sys.argv[2])) as tracker:
    for step in range(3):
        tracker.log_metrics({"loss": 1.0}, step=step)
print(len(tracker.metrics_history), tracker.experiment_dir)
"""
GOOD = """
from matplotlib.figure import Figure
from neural_core import hookimpl

class Good:
    @hookimpl
    def neural_make_plots(self, experiment):
        return {"good": Figure()}
"""
BROKEN = {
    "does not import": ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    "exits on import": ("import sys; sys.exit('bye')", "SystemExit: bye"),
    "skips itself on import": (
        "import pytest; pytest.skip('not here', allow_module_level=True)",
        "Skipped: ",
    ),
    "gives up when made": ("class Plugin:\n    def __init__(self):\n        raise GeneratorExit", "GeneratorExit"),
    "is not there": ("", "AttributeError"),
    "raises when made": (
        "class Plugin:\n    def __init__(self):\n        raise OSError('no disk')",
        "cannot be made (options: none): OSError: no disk",
    ),
    "needs an argument": ("class Plugin:\n    def __init__(self, server):\n        pass", "TypeError"),
    "unknown hook": (
        "from neural_core import hookimpl\n"
        "class Plugin:\n    @hookimpl\n    def neural_metrics_loged(self):\n        pass",
        "unknown hook 'neural_metrics_loged'",
    ),
    "unknown argument": (
        "from neural_core import hookimpl\n"
        "class Plugin:\n    @hookimpl\n    def neural_make_plots(self, colour):\n        pass",
        "colour",
    ),
    "async hook": (
        "from neural_core import hookimpl\n"
        "class Plugin:\n    @hookimpl\n    async def neural_metrics_logged(self):\n        pass",
        "neural_metrics_logged is async or yields, so it would never run",
    ),
    "hook that yields": (
        "from neural_core import hookimpl\n"
        "class Plugin:\n    @hookimpl\n    def neural_make_plots(self):\n        yield {}",
        "neural_make_plots is async or yields, so it would never run",
    ),
    "gives a class": ("class Inner:\n    pass\ndef Plugin():\n    return Inner", "give an object, Inner()"),
}


def site(tmp_path: Path, **groups: dict[str, str]) -> Path:
    """Give a folder with a distribution of a good plugin and of those named."""
    points = {f"neural.{group}": names for group, names in groups.items()}
    return make_distribution(tmp_path / "site", "neural-some", points, version="3.1", good=GOOD)


def warnings(text: str) -> list[str]:
    """Give the lines that were logged as warnings."""
    return [line.removeprefix("WARNING ") for line in text.splitlines() if line.startswith("WARNING ")]


def broken(folder: Path) -> dict[str, str]:
    """Write a module for each way to be broken; give their entry points."""
    for at, (source, _) in enumerate(BROKEN.values()):
        (folder / f"bad{at:02}.py").write_text(source)
    return {f"bad{at:02}": f"bad{at:02}:Plugin" for at in range(len(BROKEN))}


@pytest.mark.fault("P06")
def test_broken_plugins(tmp_path: Path) -> None:
    """Each broken plugin is one warning with name, package and reason; their neighbour and the tracker work."""
    (tmp_path / "site").mkdir()
    folder = site(tmp_path, plugins={**broken(tmp_path / "site"), "good": "good:Good"})
    result = run_python(ASK, str(tmp_path / "runs"), path=folder)
    assert result.stdout.startswith("3 ")
    assert "good" in result.stdout.split()
    told = warnings(result.stderr)
    assert len(told) == len(BROKEN)
    for at, (_, reason) in enumerate(BROKEN.values()):
        assert told[at].startswith(f"plugin 'bad{at:02}' (neural-some 3.1)")
        assert reason in told[at]
        assert told[at].endswith("It is left out")


@pytest.mark.fault("P06")
@pytest.mark.parametrize("damaged", [b"[neural.plugins]\nhalf", b"[console_scripts]\n\xff = half:half\n"])
def test_a_package_that_is_half_installed(tmp_path: Path, damaged: bytes) -> None:
    """A package whose list of entry points is damaged keeps no plugin away, and tracking goes on."""
    folder = site(tmp_path, backends={"record": "neural_core.testing:RecordingPlugin"})
    make_distribution(folder, "half", {})
    (folder / "half-1.0.dist-info" / "entry_points.txt").write_bytes(damaged)
    record = f"{{'record': {{'path': {str(tmp_path / 'calls')!r}}}}}"
    tracked = run_python(TRACK, str(tmp_path / "runs"), record, path=folder)
    assert (tracked.stdout.split()[0], tracked.stderr) == ("3", "")
    assert "neural_experiment_finished" in (tmp_path / "calls").read_text()


@pytest.mark.fault("P06")
def test_registered_twice(tmp_path: Path) -> None:
    """Of two packages with a plugin of one name, one is used, and a warning names the other."""
    folder = site(tmp_path, plugins={"good": "good:Good"})
    make_distribution(folder, "neural-other", {"neural.plugins": {"good": "good:Good"}}, version="0.2")
    result = run_python(ASK, str(tmp_path / "runs"), path=folder)
    assert "good" in result.stdout.split()
    [warning] = warnings(result.stderr)
    assert "another package has registered this name" in warning
    assert "neural-some 3.1" in warning or "neural-other 0.2" in warning


COMPARE = """
import logging, sys
logging.basicConfig(format="%(levelname)s %(message)s")
from neural_core import ExperimentManager, ExperimentTracker
for name in ("one", "two"):
    with ExperimentTracker(name, sys.argv[1], auto_visualize=False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
manager = ExperimentManager(sys.argv[1])
manager.export_comparison([one["experiment_id"] for one in manager.list_experiments()], sys.argv[2])
"""


def test_raising_in_a_question_of_a_comparison(tmp_path: Path) -> None:
    """A plugin that raises when it is asked for plots of a comparison is one warning; the others are drawn."""
    folder = site(tmp_path, plugins={"bad": "bad:Plugin"})
    source = GOOD.replace("Good", "Plugin").replace("make_plots(self, experiment)", "make_comparison_plots(self)")
    (folder / "bad.py").write_text(source.replace("return {", "raise ValueError('bad data') or {"))
    result = run_python(COMPARE, str(tmp_path / "runs"), str(tmp_path / "out"), path=folder)
    [warning] = warnings(result.stderr)
    assert warning == "plugin 'bad' (neural-some 3.1) raised ValueError in neural_make_comparison_plots: bad data"
    assert list((tmp_path / "out").rglob("*.png"))


def test_raising_in_a_question(tmp_path: Path) -> None:
    """A plugin that raises when it is asked is a warning with its package and hook; the other plots are drawn."""
    folder = site(tmp_path, plugins={"bad": "bad:Plugin", "good": "good:Good"})
    source = GOOD.replace("Good", "Plugin").replace("return {", "raise ValueError('bad data') or {")
    (folder / "bad.py").write_text(source)
    result = run_python(ASK, str(tmp_path / "runs"), path=folder)
    assert {"good", "metric_loss"} <= set(result.stdout.split())
    assert warnings(result.stderr)[0] == (
        "plugin 'bad' (neural-some 3.1) raised ValueError in neural_make_plots: bad data"
    )


@pytest.mark.parametrize(
    ("visualizer", "variables", "drawn"),
    [
        ("fine", {}, {"good", "fine"}),
        ("matplotlib", {}, {"good", "metric_loss"}),
        ("fine", {"NEURAL_DISABLE_PLUGINS": " good, fine,nobody "}, set()),
        ("matplotlib", {"NEURAL_DISABLE_PLUGINS": "*"}, set()),
        ("matplotlib", {"NEURAL_ENABLE_PLUGINS": "fine,matplotlib"}, {"metric_loss"}),
        ("fine", {"NEURAL_ENABLE_PLUGINS": "fine,good", "NEURAL_DISABLE_PLUGINS": "good"}, {"fine"}),
    ],
)
def test_allow_and_deny(tmp_path: Path, visualizer: str, variables: dict[str, str], drawn: set[str]) -> None:
    """The two variables choose among plugins and visualizers; what is blocked is not imported, and no warning."""
    folder = site(tmp_path, plugins={"good": "good:Good"}, visualizers={"fine": "fine:Good"})
    (folder / "fine.py").write_text(GOOD.replace('"good"', '"fine"') + "print('fine', 'imported')\n")
    result = run_python(ASK, str(tmp_path / "runs"), visualizer, path=folder, **variables)
    shown = result.stdout.splitlines()
    assert {"good", "fine", "metric_loss"} & set(shown[-1].split()) == drawn
    assert ("fine imported" in shown) == ("fine" in drawn)
    assert warnings(result.stderr) == []


@pytest.mark.parametrize(
    ("backend", "sentences"),
    [
        ("'nowhere'", ["backend 'nowhere' is not installed", "(installed: ", "record", "neural-nowhere"]),
        ("['record', 'nowhere']", ["backend 'nowhere' is not installed"]),
        ("{'nowhere': {'a': 1}}", ["backend 'nowhere' is not installed"]),
    ],
)
def test_unknown_backend(tmp_path: Path, backend: str, sentences: list[str]) -> None:
    """A backend that is not installed is told before anything is made: what is installed, and what to install."""
    folder = site(tmp_path, backends={"record": "neural_core.testing:RecordingPlugin"})
    result = run_python(TRACK, str(tmp_path / "runs"), backend, path=folder, status=1)
    last = result.stderr.splitlines()[-1]
    assert last.startswith("neural_core.errors.NotInstalledError: ")
    assert all(sentence in last for sentence in sentences)
    assert not (tmp_path / "runs").exists()


def test_no_backend_is_loaded_unnamed(tmp_path: Path) -> None:
    """An installed backend that is not named is not imported; NEURAL_BACKENDS names one as the argument does."""
    calls = tmp_path / "calls"
    folder = site(tmp_path, backends={"mine": "mine:make"})
    source = f"from neural_core.testing import RecordingPlugin\ndef make():\n    return RecordingPlugin({str(calls)!r})"
    (folder / "mine.py").write_text(source)
    run_python(TRACK, str(tmp_path / "runs"), "None", path=folder)
    assert not calls.exists()
    run_python(TRACK, str(tmp_path / "runs"), "None", path=folder, NEURAL_BACKENDS="mine")
    heard = [json.loads(line) for line in calls.read_text().splitlines()]
    assert heard[-1]["hook"] == "neural_experiment_finished"


def test_broken_plugin_in_the_companion(tmp_path: Path) -> None:
    """A plugin that is broken in the companion is told once on the user's terminal; the backend hears everything."""
    calls = tmp_path / "calls"
    backends = {"record": "neural_core.testing:RecordingPlugin"}
    folder = site(tmp_path, plugins={"bad": "bad:Plugin"}, backends=backends)
    (folder / "bad.py").write_text("import no_such_module")
    result = run_python(TRACK, str(tmp_path / "runs"), str({"record": {"path": str(calls)}}), path=folder)
    [warning] = warnings(result.stderr)
    assert warning.startswith("plugin 'bad' (neural-some 3.1) does not import: ModuleNotFoundError")
    assert json.loads(calls.read_text().splitlines()[-1])["hook"] == "neural_experiment_finished"


def test_broken_backends(tmp_path: Path) -> None:
    """Named backends that are broken in the companion are told in a sentence each; the tracker works, nothing hangs."""
    (tmp_path / "site").mkdir()
    backends = broken(tmp_path / "site")
    folder = site(tmp_path, backends=backends)
    result = run_python(TRACK, str(tmp_path / "runs"), str(list(backends)), path=folder)
    assert result.stdout.startswith("3 ")
    told = warnings(result.stderr)
    for name, (_, reason) in zip(backends, BROKEN.values(), strict=True):
        first, last = [line for line in told if f"'{name}'" in line]
        assert first.startswith(f"plugin '{name}' (neural-some 3.1)")
        assert reason in first
        assert "neural sync" in last


def test_unknown_option(tmp_path: Path) -> None:
    """An option that a backend has not got is told with the options that were given."""
    folder = site(tmp_path, backends={"record": "neural_core.testing:RecordingPlugin"})
    result = run_python(TRACK, str(tmp_path / "runs"), "{'record': {'colour': 'red'}}", path=folder)
    assert "cannot be made (options: 'colour'): TypeError" in result.stderr
    assert result.stdout.startswith("3 ")
