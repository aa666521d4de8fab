"""The table of who may import whom; test_architecture.py holds every source file against it."""

from __future__ import annotations

from attrs import field, frozen

__all__ = ["BROAD_EXCEPTS", "PLUGINS", "ROOMS", "SOURCES", "Room"]

PLUGINS = ("neural_mlflow", "neural_tensorboard", "neural_ui", "neural_wandb")
SOURCES = (
    "neural_core/**/*.py",
    "neural/**/*.py",
    "plugins/*/src/**/*.py",
    "examples/**/*.py",
    "benchmarks/**/*.py",
    "devtools/**/*.py",
    "*.py",
)
"""Every Python file that is shipped, or run by users and developers."""


@frozen
class Room:
    """What the files of one room may import.

    Names cover their submodules. ``ours`` are the only modules of neural that it may import (None: any, and then the
    rule adds to the one of another room); ``others`` the only modules of other packages beside the standard library
    (None: any); ``never`` holds for both.
    """

    files: str
    ours: tuple[str, ...] | None = None
    others: tuple[str, ...] | None = None
    never: tuple[str, ...] = ()
    typing_only: bool = field(default=False)  # imports of ours stand under TYPE_CHECKING


def core(names: str) -> tuple[str, ...]:
    """Give modules of the core by their short names."""
    return tuple(f"neural_core.{name}" for name in names.split())


def shelf(name: str, ours: str, others: str) -> Room:
    """Give one folder of the storage, with the shelves and the packages that it may use."""
    all_use = (
        "errors records _series _storage.cache_folder _storage.clock _storage.folder _storage.forks _storage.liveness"
    )
    shelves = " ".join(f"_storage.{one}" for one in ours.split())
    files = f"neural_core/_storage/{name}/*.py" if name else "neural_core/_storage/*.py"
    return Room(files, ours=core(f"{all_use} {shelves}"), others=tuple(others.split()))


FACTS = core("errors records")
PUBLIC = core("ExperimentManager ExperimentTracker errors hookimpl importing plugins reading records")
"""What plugins use of the core; docs/hooks.md tells it. `neural_core.testing` is for their tests."""

ROOMS = [
    # Facts and arithmetic
    Room("neural_core/errors.py", ours=(), others=()),
    Room("neural_core/_artifact_version.py", ours=core("errors"), others=("attrs",)),
    Room("neural_core/records.py", ours=core("errors _artifact_version"), others=("attrs", "numpy")),
    Room("neural_core/_series.py", ours=core("records"), others=("numpy",)),
    Room("neural_core/_row_documents.py", ours=core("records"), others=()),
    Room("neural_core/_retention.py", ours=FACTS, others=("attrs", "numpy")),
    Room("neural_core/_environment.py", ours=core("__version__"), others=()),
    Room("neural_core/_installed.py", ours=core("errors"), others=()),
    Room("neural_core/hookspecs.py", ours=core("records"), others=("matplotlib.figure", "pluggy"), typing_only=True),
    # Below the verbs: files, plugins, pictures
    # The shelves of the storage, from the bottom to the top
    shelf("", "", "platformdirs"),
    shelf("parquet", "parquet", "attrs numpy"),
    shelf("journal", "journal parquet", "attrs numpy"),
    shelf("artifacts", "artifacts journal", "attrs"),
    shelf("experiment", "experiment journal parquet", "attrs cattrs numpy"),
    shelf("query", "query", "attrs"),
    shelf("index", "index query experiment", "attrs"),
    shelf("writing", "writing artifacts experiment journal", "attrs"),
    shelf("care", "care writing index experiment artifacts journal parquet", "attrs numpy"),
    # What stands on them
    Room(
        "neural_core/_delivery/**/*.py",
        ours=core("errors hookspecs records _delivery _installed _storage"),
        others=("attrs", "platformdirs", "pluggy"),
    ),
    Room(
        "neural_core/_plotting/**/*.py",
        ours=core("errors hookspecs records _series _plotting"),
        others=("attrs", "matplotlib", "numpy"),
    ),
    Room("neural_core/_plotting/[!b]*.py", never=core("hookspecs")),  # builtin.py is the one with hooks
    # The verbs of the guide, from the bottom to the top
    Room("neural_core/_plots.py", ours=core("errors records _delivery _plotting _series _storage"), others=()),
    Room("neural_core/_autoplots.py", ours=core("hookspecs records _plots"), others=()),
    Room(
        "neural_core/_compared.py",
        ours=core("records _delivery _plotting _series _storage"),
        others=("matplotlib.figure",),
    ),
    Room("neural_core/_logging_verbs.py", ours=core("errors records _plotting _storage"), others=()),
    Room("neural_core/_construction.py", ours=core("errors _delivery _installed _logging_verbs _storage"), others=()),
    Room(
        "neural_core/_reading.py",
        ours=core("errors records _construction _delivery _plots _series _storage"),
        others=(),
    ),
    Room(
        "neural_core/_life_verbs.py",
        ours=core("errors records _construction _delivery _logging_verbs _reading"),
        others=(),
    ),
    Room(
        "neural_core/_tracker.py",
        ours=core("errors _construction _delivery _environment _life_verbs _storage"),
        others=(),
    ),
    Room(
        "neural_core/_integration.py",
        ours=core("errors records _logging_verbs _storage _tracker"),
        others=(),
    ),
    Room(
        "neural_core/_manager.py",
        ours=core("errors records _compared _plotting _row_documents _storage _tracker"),
        others=("matplotlib.figure", "pandas"),
    ),
    Room("neural_core/_ui.py", ours=core("_installed _manager _storage"), others=()),
    Room("neural_core/__init__.py", ours=core("hookspecs records _integration _manager _plotting _tracker _ui")),
    # What looks at stored experiments
    Room(
        "neural_core/_reading_api/**/*.py",
        ours=core("errors records _reading_api _series _storage"),
        others=("attrs", "numpy"),
    ),
    Room("neural_core/reading.py", ours=core("errors records _reading_api _storage"), others=()),
    Room("neural_core/plugins.py", ours=core("errors _delivery"), others=("attrs",)),
    Room("neural_core/_exporting.py", ours=core("_series _storage"), others=("numpy",)),
    Room(
        "neural_core/_housekeeping.py",
        ours=core("errors _delivery _importing _reading_api _retention _storage"),
        others=("attrs",),
    ),
    # Experiments of other tools; the two functions of the public module import their work when they are called
    Room("neural_core/importing.py", ours=core("records _cli.importing _importing"), others=("attrs", "click")),
    Room("neural_core/_importing.py", ours=core("errors records importing _environment _storage"), others=()),
    # For people, and for authors of plugins
    Room("neural_core/_cli/**/*.py", ours=("neural_core",), others=("attrs", "click", "duckdb", "numpy", "rich")),
    Room("neural_core/[!_]*.py", never=core("_cli.group")),
    Room("neural_core/_[!c]*/**/*.py", never=core("_cli")),
    Room("neural_core/testing.py", ours=core("_testing"), others=()),
    Room(
        "neural_core/_testing/**/*.py",
        ours=core("hookspecs records _delivery _storage _testing _tracker"),
        others=("attrs", "matplotlib", "numpy", "pytest"),
    ),
    Room("neural_core/**/*.py", never=(*PLUGINS, "neural", "matplotlib.pyplot", "pylab")),
    # What stands on the public names
    Room("neural/**/*.py", ours=("neural_core",), others=(), never=("neural_core._*",)),
    Room(
        "plugins/neural_mlflow/src/**/*.py",
        ours=(*PUBLIC, "neural_mlflow"),
        others=("attrs", "click", "mlflow", "numpy", "yaml"),
    ),
    Room(
        "plugins/neural_tensorboard/src/**/*.py",
        ours=(*PUBLIC, "neural_tensorboard"),
        others=("attrs", "google.protobuf", "numpy", "PIL", "tensorboard"),
    ),
    Room(
        "plugins/neural_wandb/src/**/*.py",
        ours=(*PUBLIC, "neural_wandb"),
        others=("attrs", "numpy", "wandb"),
    ),
    Room(
        "plugins/neural_ui/src/**/*.py",
        ours=(*PUBLIC, "neural_ui"),
        others=(
            "_typeshed",
            "attrs",
            "dash",
            "dash_ag_grid",
            "dash_bootstrap_components",
            "flask",
            "numpy",
            "plotly",
            "waitress",
            "werkzeug",
        ),
    ),
    Room("examples/**/*.py", ours=("neural_core", "neural", "neural_ui.panels"), never=("neural_core._*",)),
    *(Room(files, never=("matplotlib.pyplot", "pylab")) for files in ("plugins/*/src/**/*.py", "examples/**/*.py")),
    # For developers
    Room("benchmarks/**/*.py", ours=("neural_core", "neural")),
    Room("devtools/**/*.py", ours=(), others=("devtools",)),
    Room("dev.py", ours=(), others=("devtools",)),
    Room("conftest.py", ours=(), others=("hypothesis", "pytest")),
    Room("hatch_build.py", ours=(), others=("hatchling", "packaging")),
]

# Where `except Exception` (or wider) stands, and why nothing narrower does. To clean up and re-raise needs no entry.
BROAD_EXCEPTS = {
    "neural_core/_delivery/discovery.py": "a package raises what it likes when it is imported; the others are served",
    "neural_core/_delivery/guard.py": "a plugin raises what it likes; its neighbours and the training go on",
    "neural_core/_plots.py": "a stranger's figure raises what it likes while it is drawn; flush() and finish() go on",
    "neural_core/_plotting/visualizer.py": "a picture that cannot be drawn must not end the training that it shows",
    "neural_core/_storage/writing/hot_path.py": "a value's __float__ raises what it likes: the slow path judges it",
    "neural_core/_storage/experiment/plain.py": "a hyperparameter is any object; its properties raise what they like",
    "neural_core/_storage/writing/ticker.py": "one thread looks after all trackers; the trouble of one must not end it",
    "neural_core/plugins.py": "a plugin raises what it likes when it is called; whoever asked goes on without it",
    "neural_core/_storage/writing/values.py": "__float__ and repr of a stranger raise what they like; name the metric",
}
