"""Servers: a real one that is killed and started again, and all the ways in which one can fail."""

from __future__ import annotations

import contextlib
import itertools
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import create_server, socket

import pytest
from neural_mlflow import MlflowBackend
from neural_mlflow.importing import runs_of

from neural_core import ExperimentTracker
from neural_core.importing import import_run
from neural_core.testing import deliver, following, wait_for

TRAININGS = """
import sys
from neural.tracking import ExperimentTracker

for uri in sys.argv[1:]:
    backend = {"mlflow": {"tracking_uri": uri}}
    with ExperimentTracker("faults", "experiments", auto_visualize=False, backend=backend) as tracker:
        tracker.log_hyperparameters({"lr": 0.1})
        for step in range(500):
            tracker.log_metrics({"loss": step / 7}, step=step)
    print(len(tracker.metrics_history))
"""


class Answering(BaseHTTPRequestHandler):
    """Answers everything with one status."""

    status = 500

    def do_GET(self) -> None:
        """Refuse."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b"<html>\nno\n</html>"
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET  # noqa: N815  # names of the base class

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def answering(status: int) -> Iterator[str]:
    """Give a server that answers everything so."""
    handler = type("Handler", (Answering,), {"status": status})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def hanging() -> Iterator[str]:
    """Give a server that takes connections and never says a word."""
    with create_server(("127.0.0.1", 0), backlog=100) as silent:
        yield f"127.0.0.1:{silent.getsockname()[1]}"


@contextlib.contextmanager
def refusing() -> Iterator[str]:
    """Give a port where nobody listens."""
    with socket() as taken:  # and nobody else can listen there meanwhile
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


FAULTS = {
    "refuses": refusing,
    "hangs": hanging,
    "answers 500": lambda: answering(500),
    "answers 401": lambda: answering(401),
}


@pytest.mark.fault("P07")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_hook_raises_soon(tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that fails is told in one sentence without passwords, after three requests and no more."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "")  # what the backend sets there ends with this test
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT")
    with ExperimentTracker("fault", tmp_path, auto_visualize=False) as tracker:
        tracker.log_metrics({"loss": 1.0}, step=0)
    with FAULTS[fault]() as host:
        backend = MlflowBackend(tracking_uri=f"http://me:secret@{host}", timeout=1)
        done = deliver(tracker.experiment_dir, backend)
    assert (done.complete, done.errors) == (False, 3)
    assert done.last_error is not None
    assert host in done.last_error
    assert "\n" not in done.last_error
    assert "secret" not in done.last_error


@pytest.mark.fault("P07")
def test_finish_keeps_its_deadline_and_sync_completes(tmp_path: Path, server, script, neural) -> None:
    """Whatever the server does, training and finish() end in peace; when it comes up, `neural sync` completes all."""
    with contextlib.ExitStack() as stack:
        hosts = [stack.enter_context(fault()) for name, fault in FAULTS.items() if name != "refuses"]
        uris = [server.uri, *(f"http://{host}" for host in hosts)]
        done = script(TRAININGS, arguments=uris, NEURAL_FINISH_SECONDS="2", NEURAL_LINGER="1")
    assert (done.returncode, done.stdout) == (0, "500\n" * 4), done.stderr
    assert done.stderr.count("All is stored; later: neural sync") == 4
    server.start()
    option = f"tracking_uri={server.uri}"
    sync = ("sync", "--all", "--base-dir", "experiments", "--to", "mlflow", "--option", option)
    wait_for(lambda: neural(*sync).returncode == 0)  # the companion may still wait for its last answer
    client = _client(server)
    runs = client.search_runs([client.get_experiment_by_name("faults").experiment_id])
    assert len(runs) == 4
    for run in runs:
        assert (run.data.params, run.info.status) == ({"lr": "0.1"}, "FINISHED")
        points = client.get_metric_history(run.info.run_id, "loss")
        assert [(point.step, point.value) for point in points] == [(step, step / 7) for step in range(500)]


@pytest.mark.fault("P07")
def test_a_server_that_dies_in_mid_run(tmp_path: Path, server) -> None:
    """A server that is killed and started again while a training logs has every point at the end, and none twice."""
    if not server.answers():
        server.start()
    tracker = ExperimentTracker("dies", tmp_path, auto_visualize=False)
    steps = itertools.count()

    def log(rows: int) -> None:
        for step in itertools.islice(steps, rows):
            tracker.log_metrics({"loss": 1 / (step + 1), "accuracy": step / 7}, step=step)

    with following(tracker.experiment_dir, MlflowBackend(tracking_uri=server.uri), seconds=120) as catch_up:
        log(500)
        assert catch_up().complete
        log(3_000)
        time.sleep(0.3)  # it is in the middle of a request now, or close to one
        server.kill()
        log(500)
        assert catch_up().errors
        server.start()
        log(500)
        tracker.finish()
        wait_for(lambda: catch_up().complete)
    client, run = _client(server), _first_run(server, "dies")
    assert run.info.status == "FINISHED"
    for name, value in (("loss", lambda step: 1 / (step + 1)), ("accuracy", lambda step: step / 7)):
        points = client.get_metric_history(run.info.run_id, name)
        assert sorted((p.step, p.value) for p in points) == [(step, value(step)) for step in range(4_500)]


def test_values_through_a_server(tmp_path: Path, server) -> None:
    """Through HTTP, too, NaN stays NaN, infinities are told, long texts and odd names arrive; a replay adds nothing."""
    if not server.answers():
        server.start()
    with ExperimentTracker("values", tmp_path, auto_visualize=False) as tracker:
        tracker.log_hyperparameters({"long": "ü" * 9_000, "many": {f"p{at}": "ü" * 3_000 for at in range(90)}, "e": ""})
        tracker.set_tags({"plain": "", "größe": "☃"})
        for step, value in enumerate([0.1, float("nan"), float("inf"), 5e-324, 1.7976931348623157e308]):
            tracker.log_metrics({"a/b: c": value}, step=step)
        tracker.log_metrics({f"{'ü' * 200}{at}": float(at) for at in range(900)}, step=7)
    for _ in range(2):
        done = deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=server.uri), seconds=120)
        assert (done.complete, done.errors) == (True, 0), done.last_error
    client, run = _client(server), _first_run(server, "values")
    points = client.get_metric_history(run.info.run_id, "a/b: c")
    assert {(p.step, repr(p.value)) for p in points} == {
        (0, "0.1"), (1, "nan"), (3, "5e-324"), (4, "1.7976931348623157e+308"),
    }  # fmt: skip
    assert len(points) == 4
    assert [(p.step, p.value) for p in client.get_metric_history(run.info.run_id, "neural.infinite/a/b: c")] == [
        (2, 1.0)
    ]
    assert (run.data.tags["plain"], run.data.tags["größe"], run.data.params["e"]) == ("", "☃", "")
    assert len(run.data.metrics) == 902
    assert len(run.data.params["long"]) == 6_000
    (found,) = runs_of(server.uri, experiment="values")
    imported = import_run(found, tmp_path / "again")
    assert (imported.rows, imported.hyperparameters) == (6, 92)
    assert dict(imported.left_out) == {"artifacts that lie elsewhere": 1}


def test_files_in_a_folder(tmp_path: Path, server, store_of, caplog: pytest.LogCaptureFixture) -> None:
    """Through a URL no two files of a folder become one: odd names are changed, told once, and stand in the tag."""
    if not server.answers():
        server.start()
    names = ["a#1.txt", "a#2.txt", "b?c.txt", "100%41.txt", "größe ☃.txt", " lead", "below/x?.bin", "epoch=1.ckpt"]
    for name in names:
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(name)
    (tmp_path / "tree" / "empty").touch()
    with ExperimentTracker("folder", tmp_path, auto_visualize=False) as tracker:
        tracker.log_artifact(str(tmp_path / "tree"))
    for _ in range(2):
        done = deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=server.uri), seconds=120)
        assert (done.complete, done.errors) == (True, 0), done.last_error
    run = _first_run(server, "folder")
    files = {path.removeprefix("tree/v1/"): file for path, file in store_of(server.uri).files(run).items()}
    own = json.loads(run.data.tags["neural.artifact.tree.v1"])["renamed"]
    assert {own.get(name, name): file.read_text() for name, file in files.items()} == {
        "empty": "",
        **{name: name for name in names},
    }
    assert "epoch=1.ckpt" in files
    assert sum("names that no URL takes" in record.message for record in caplog.records) == 1


def test_a_server_of_files(tmp_path: Path, server, store_of, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a server that keeps a folder of files, too, ``a`` is beside ``a/b``, and no point is twice."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    server.start("--backend-store-uri", (tmp_path / "mlruns").as_uri())
    with ExperimentTracker("files", tmp_path, auto_visualize=False) as tracker:
        for step in range(700):
            tracker.log_metrics({"a": step / 7, "a/b": float(step)}, step=step)
    store = store_of(server.uri)
    for _ in range(2):
        done = deliver(tracker.experiment_dir, MlflowBackend(tracking_uri=server.uri), seconds=120)
        assert (done.complete, done.errors) == (True, 0), done.last_error
        (run,) = store.runs()
        for key in [key for key in run.data.tags if key.startswith("neural.position.")]:
            store.client.delete_tag(run.info.run_id, key)  # as if the server had died before it was written
    server.kill()
    files = store_of((tmp_path / "mlruns").as_uri())
    assert files.points(run, "a") == [(step, step / 7) for step in range(700)]
    (key,) = run.data.metrics.keys() - {"a"}
    assert run.data.tags[f"neural.original.{key}"] == "a/b"
    assert files.points(run, key) == [(step, float(step)) for step in range(700)]


def _client(server):
    from mlflow import MlflowClient

    return MlflowClient(server.uri)


def _first_run(server, name: str):
    client = _client(server)
    experiment = client.get_experiment_by_name(name)
    return next(iter(client.search_runs([experiment.experiment_id])), None) if experiment else None
