"""Where it delivers to, what is said of it, and what it costs to be made."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from neural_mlflow import MlflowBackend
from neural_mlflow.backend import _location
from neural_mlflow.importing import runs_of
from neural_mlflow.place import Place, path_in
from neural_mlflow.texts import Limits, artifact_segment, flat, key_of, tag_key, typed

from neural_core import ExperimentTracker
from neural_core.errors import ArgumentTypeError
from neural_core.importing import import_run
from neural_core.testing import deliver


def destination(given: str | None = None) -> str:
    """Say where a backend with this tracking URI delivers to."""
    return MlflowBackend(tracking_uri=given).destination()


def test_places_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Option, then MLFLOW_TRACKING_URI, then a database in this folder; folders and files become absolute."""
    monkeypatch.chdir(tmp_path)
    assert destination() == f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://localhost:5000")
    assert destination() == "http://localhost:5000"
    assert destination("sqlite:///a/b.db?timeout=5") == f"sqlite:///{tmp_path}/a/b.db?timeout=5"
    assert destination("sqlite:////data/b.db") == "sqlite:////data/b.db"
    for folder in ("./mlruns", "file:./mlruns", f"file://{tmp_path}/mlruns", str(tmp_path / "mlruns")):
        assert destination(folder) == f"file://{tmp_path}/mlruns"
    assert destination("./runs/mlflow.db") == f"sqlite:///{tmp_path}/runs/mlflow.db"
    assert destination("databricks") == "databricks"
    assert destination("postgresql://db/mlflow") == "postgresql://db/mlflow"


ODD = "100%41 a?b #1 größe"


def test_a_path_is_quoted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path stays what it is, whatever stands in it; in a URI it is quoted, and read so once."""
    monkeypatch.chdir(tmp_path)
    folder, quoted = tmp_path / ODD, quote(ODD)
    for given in (ODD, str(folder), folder.as_uri(), f"file:./{quoted}", f"file:{quoted}"):
        assert Place.of(given).folder == folder
    for given in (
        f"{ODD}/m.db",
        str(folder / "m.db"),
        f"sqlite:///{quoted}/m.db",
        f"sqlite:///{folder.as_uri()[7:]}/m.db",
    ):
        assert Place.of(given).database == folder / "m.db"
        assert Place.of(Place.of(given).uri) == Place.of(given)
    assert path_in("/no uri/100%41#1") == "/no uri/100A#1"  # where MLflow writes to


@pytest.mark.parametrize("kind", ["database", "files"])
def test_a_folder_with_any_name(
    empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """A store in a folder with an odd name is there and nowhere else, is found by path and URI, artifacts with it."""
    folder = tmp_path / ODD
    folder.mkdir()
    monkeypatch.chdir(folder)
    if kind == "database":
        shutil.copy(empty_database, folder / "mlflow.db")
    (folder / "file.txt").write_text("text")
    with ExperimentTracker("odd", tmp_path / "experiments", auto_visualize=False) as tracker:
        tracker.log_artifact("file.txt")
    backend = MlflowBackend(tracking_uri=None if kind == "database" else folder.as_uri())
    assert deliver(tracker.experiment_dir, backend).complete
    for at, source in enumerate((backend.place.uri, "mlflow.db" if kind == "database" else ".")):
        (run,) = runs_of(source)
        assert import_run(run, tmp_path / f"again{at}").artifacts == 1
    assert {path.name for path in tmp_path.iterdir()} == {ODD, "experiments", "again0", "again1"}


def test_a_place_of_artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A place for artifacts is a folder or a URI; a relative one counts from the folder of the script."""
    monkeypatch.chdir(tmp_path)
    for given in ("./a b", "file:./a%20b", (tmp_path / "a b").as_uri()):
        assert _location(given) == (tmp_path / "a b").as_uri()
    for given in ("s3://bucket/a", "dbfs:/a", "mlflow-artifacts:/a"):
        assert _location(given) == given


@pytest.mark.fault("P07")
@pytest.mark.parametrize("uri", ["sqlite:///text.db", "sqlite:///folder.db", "sqlite+pysqlcipher:///x.db"])
def test_a_database_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    """What is no database, or needs a library that is not there, is told at once, in one sentence."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "text.db").write_text("no database " * 100)
    with ExperimentTracker("shut", tmp_path / "experiments", auto_visualize=False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    done = deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=uri))
    assert "RefusedError in neural_experiment_started: MLflow at " in str(done.last_error)
    assert "\n" not in str(done.last_error)


@pytest.mark.fault("U20")
def test_destination_has_no_password() -> None:
    """What is said of the destination, in cursors and messages, has no password."""
    assert destination("https://me:secret@example.org/mlflow") == "https://me:***@example.org/mlflow"
    assert destination("postgresql+psycopg2://me:se:cret@db:5432/x") == "postgresql+psycopg2://me:***@db:5432/x"
    assert destination("postgresql://me:se/c@ret@db/x?a=b@c") == "postgresql://me:***@db/x?a=b@c"
    assert destination("http://localhost:5000/a@b") == "http://localhost:5000/a@b"


def test_mlflow_is_imported_on_use(tmp_path: Path) -> None:
    """To import this package and to make a backend does not import MLflow."""
    made = "import sys, neural_mlflow, neural_mlflow.importing; neural_mlflow.MlflowBackend()"
    code = f"{made}; print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert list(tmp_path.iterdir()) == []


def test_without_mlflow(tmp_path: Path) -> None:
    """Where MLflow is not installed, the error begins with the guide's words and has the line that installs it."""
    code = "import sys; sys.modules['mlflow'] = None; import neural_mlflow; neural_mlflow.MlflowBackend()"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "NotInstalledError: MLflow not installed. Install it with: pip install mlflow" in done.stderr


def test_tags_are_a_mapping() -> None:
    """An option of the wrong kind is told when the backend is made."""
    with pytest.raises(ArgumentTypeError, match="mapping"):
        MlflowBackend(tags=["a"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", 0.1), ("1e-05", 1e-05), ("-3", -3), ("nan", float("nan")), ("-inf", float("-inf")), ("True", True),
        ("None", None), ("[1, 'a']", [1, "a"]), ("010", "010"), ("1e5", "1e5"), ("0.10", "0.10"), ("1_000", "1_000"),
        ("", ""), ("__import__('os')", "__import__('os')"), ("(1, 2)", "(1, 2)"), ("[" * 300, "[" * 300), ("a", "a"),
    ],
)  # fmt: skip
def test_typed_parameters(text: str, value: object) -> None:
    """A parameter's text becomes a value only where Python would write the value just so."""
    assert repr(typed(text)) == repr(value)


def test_keys_and_segments() -> None:
    """What MLflow takes stays as it is; the rest is marked, and is never longer than it may be."""
    assert key_of("größe/π: a-b.c", Limits()) == "größe/π: a-b.c"
    assert key_of("a:b", Limits(colon=False)) != "a:b"
    assert len(key_of("x" * 1_000, Limits())) <= 250
    assert key_of("a$", Limits()) != key_of("a%", Limits())
    assert [tag_key(name) for name in ("user.mine", "neural.uid")] == ["user.mine", "user.neural.uid"]
    assert len({tag_key(f"{before}neural.uid") for before in ("", "user.", "user.user.")} | {"neural.uid"}) == 4
    assert artifact_segment("größe 1.pt") == "größe 1.pt"
    assert all("/" not in artifact_segment(name) != name for name in ("..", ".", "", "a/b", "a#b", "100%", "x" * 999))
    assert dict(flat({"a": {"b": 1, "c": {}}, "d": [{"e": 2}]})) == {"a.b": "1", "a.c": "{}", "d": "[{'e': 2}]"}
