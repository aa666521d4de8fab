"""Real stores for the tests: databases, folders of files, and servers on loopback."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

START_SECONDS = 240
FILTERS = [
    # MLflow uses what SQLAlchemy 2.1 will take away; no matter of ours.
    "ignore:The ``noload`` loader strategy:sqlalchemy.exc.SADeprecationWarning",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let warnings inside MLflow fail no test of this folder."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for line in FILTERS:
                item.add_marker(pytest.mark.filterwarnings(line))


class Store:
    """What a store holds, read by MLflow's own client."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.client = MlflowClient(uri)

    def runs(self) -> list[Run]:
        """Every run that is not deleted."""
        ids = [experiment.experiment_id for experiment in self.client.search_experiments()]
        return list(self.client.search_runs(ids))

    def run(self, uid: str) -> Run:
        """The one run of an experiment."""
        (found,) = [run for run in self.runs() if run.data.tags.get("neural.uid") == uid]
        return found

    def points(self, run: Run, key: str) -> list[tuple[int, float]]:
        """Step and value of every point of a metric, as MLflow orders them."""
        return [(point.step, point.value) for point in self.client.get_metric_history(run.info.run_id, key)]

    def files(self, run: Run, folder: str = "") -> dict[str, Path]:
        """Path below the run → downloaded file, of every artifact."""
        found = {}
        for entry in self.client.list_artifacts(run.info.run_id, folder or None):
            if entry.is_dir:
                found |= self.files(run, entry.path)
            else:
                found[entry.path] = Path(self.client.download_artifacts(run.info.run_id, entry.path))
        return found


@pytest.fixture(scope="session", autouse=True)
def _quiet_mlflow() -> Iterator[None]:
    """MLflow sends no telemetry, and the tests' own client may open files."""
    wanted = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ALLOW_FILE_STORE": "true"}
    before = {name: os.environ.get(name) for name in (*wanted, "MLFLOW_TRACKING_URI")}
    os.environ.update(wanted)
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    yield
    for name, text in before.items():
        os.environ.pop(name, None)
        if text is not None:
            os.environ[name] = text


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, to be copied: to make them takes seconds."""
    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store_of() -> type[Store]:
    """Read a store by its URI."""
    return Store


@pytest.fixture
def database(tmp_path: Path, empty_database: Path) -> Store:
    """A database of the test's own."""
    shutil.copy(empty_database, tmp_path / "mlflow.db")
    return Store(f"sqlite:///{tmp_path / 'mlflow.db'}")


def lasting_port() -> int:
    """Give a port that nobody has and that the system gives to nobody, however often it is free in between.

    A port of the system's own range may go to any other process while the server is down, or to a client that asks
    whether the server is back: it would be connected to itself.
    """
    while True:
        with socket.socket() as found, contextlib.suppress(OSError):
            found.bind(("127.0.0.1", random.randrange(10_000, 32_000)))
            port: int = found.getsockname()[1]
            return port


class Server:
    """A real ``mlflow server`` on loopback, which can be killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = lasting_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        """Start it and wait until it answers."""
        self.kill()
        place = f"sqlite:///{self.folder / 'mlflow.db'}"
        own = ["--backend-store-uri", place, "--artifacts-destination", str(self.folder / "mlartifacts")]
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--workers", "1", *own, *more],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
                env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},  # no further processes
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            assert self._process.poll() is None, (self.folder / "server.log").read_text()[-2_000:]
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.1)

    def answers(self) -> bool:
        """Tell whether it does."""
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self) -> None:
        """Kill it and all that it started."""
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Server]:
    """A server for the tests of one module; it is started by the first that needs it."""
    folder = tmp_path_factory.mktemp("server")
    shutil.copy(empty_database, folder / "mlflow.db")
    made = Server(folder)
    yield made
    made.kill()


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script in `tmp_path`, as a user does."""

    def run(code: str, arguments: Sequence[str] = (), **environment: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "train.py").write_text(code)
        return subprocess.run(
            [sys.executable, "train.py", *arguments],
            cwd=tmp_path,
            env={**os.environ, "NEURAL_FINISH_SECONDS": "120", **environment},
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )

    return run


@pytest.fixture
def neural(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the ``neural`` command in `tmp_path`."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "neural"), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200, check=False)

    return run
