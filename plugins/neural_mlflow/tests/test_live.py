"""Training scripts, as users write them, with the companion process that delivers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from neural_core.testing import wait_for

GUIDE = """
from neural.tracking import ExperimentTracker

tracker = ExperimentTracker(
    experiment_name="mlflow_experiment",
    backend="mlflow"
)

# All metrics and artifacts are automatically logged to MLflow
tracker.log_hyperparameters({'lr': 0.01})
tracker.log_metrics({'loss': 0.5}, step=1)
tracker.log_model("model.pt", framework="pytorch")

tracker.finish()
"""
SEVERAL = """
from neural.tracking import ExperimentTracker, create_integration

tracker = ExperimentTracker(experiment_name="multi_backend")
mlflow_backend = create_integration('mlflow', 'multi_backend')
hyperparams = {'lr': 0.01}
tracker.log_hyperparameters(hyperparams)
mlflow_backend.log_hyperparameters(hyperparams)
for step in range(5):
    mlflow_backend.log_metrics({'loss': 1 / (step + 1)}, step=step)
tracker.finish()
mlflow_backend.finish()
"""
KILLED = """
import os, signal
from neural.tracking import ExperimentTracker

tracker = ExperimentTracker("killed", backend={"mlflow": {"tracking_uri": "sqlite:///mlflow.db"}}, auto_visualize=False)
for step in range(2_000):
    tracker.log_metrics({"loss": 1 / (step + 1)}, step=step)
print(tracker.experiment_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
THREADS = """
import os
from neural.tracking import ExperimentTracker

before = dict(os.environ)
with ExperimentTracker("threads", backend="mlflow", auto_visualize=False) as tracker:
    tracker.log_metrics({"loss": 1.0}, step=0)
import mlflow
assert mlflow.active_run() is None
print(sorted(name for name in os.environ if name not in before and "HTTP" in name))
"""


def test_the_guides_block(script, database, tmp_path: Path) -> None:
    """The guide's lines mirror parameters, metrics and the model into ``mlflow.db`` beside the script."""
    (tmp_path / "model.pt").write_bytes(b"weights")
    done = script(GUIDE)
    assert done.returncode == 0, done.stderr
    (run,) = database.runs()
    experiment = database.client.get_experiment(run.info.experiment_id)
    assert (experiment.name, run.info.status) == ("mlflow_experiment", "FINISHED")
    assert run.data.params == {"lr": "0.01"}
    assert database.points(run, "loss") == [(1, 0.5)]
    assert database.files(run)["models/model.pt/v1/model.pt"].read_bytes() == b"weights"
    assert run.data.tags["mlflow.source.name"] == "train.py"


def test_the_guides_integration(script, database) -> None:
    """create_integration("mlflow", …) as the guide shows it arrives whole, and leaves nothing behind."""
    done = script(SEVERAL)
    assert done.returncode == 0, done.stderr
    (run,) = database.runs()
    assert (run.data.params, run.info.status) == ({"lr": "0.01"}, "FINISHED")
    assert database.points(run, "loss") == [(step, 1 / (step + 1)) for step in range(5)]


def test_a_fresh_folder(script, store_of, tmp_path: Path) -> None:
    """Two scripts that begin at once where there is no database yet both arrive; MLFLOW_TRACKING_URI says where."""
    (tmp_path / "model.pt").write_bytes(b"weights")
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(lambda _: script(GUIDE, MLFLOW_TRACKING_URI="sqlite:///sub/other.db"), range(2)))
    assert [done.returncode for done in both] == [0, 0], both
    assert not (tmp_path / "mlflow.db").exists()
    runs = store_of(f"sqlite:///{tmp_path / 'sub' / 'other.db'}").runs()
    assert [run.data.metrics for run in runs] == [{"loss": 0.5}] * 2
    assert all(run.info.artifact_uri.startswith((tmp_path / "sub" / "mlartifacts").as_uri()) for run in runs)
    logs = "".join(path.read_text() for path in tmp_path.glob("neural_experiments/*/delivery/companion.log"))
    assert "raised" not in logs


def test_a_killed_trainer(script, database) -> None:
    """All rows of a trainer that was killed arrive, and its run is KILLED."""
    assert script(KILLED).returncode == -9
    run = wait_for(lambda: next((run for run in database.runs() if run.info.end_time), None))
    assert sorted(database.points(run, "loss")) == [(step, 1 / (step + 1)) for step in range(2_000)]
    assert run.info.status == "KILLED"


def test_threads_of_the_script(script, database) -> None:
    """Without a companion nothing global of MLflow is set in the script: no active run, no limits of requests."""
    done = script(THREADS, NEURAL_COMPANION="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
    (run,) = database.runs()
    assert database.points(run, "loss") == [(0, 1.0)]
